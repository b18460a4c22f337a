// sum, argmax and classification_metrics. Not here: column sums (test_bias.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

// Rows of `columns` values with nan at none, one or several of them, infinity beside it; `first` takes the columns that
// argmax must find, which are written here from the rule: the first nan, or else the maximum's first column.
Values rows_with_nan(int64_t columns, Values& first) {
  Values x;
  const int64_t last = columns - 1, middle = columns / 2;
  const auto add = [&](std::initializer_list<int64_t> nans, int64_t infinity, int64_t expected) {
    Values row(static_cast<size_t>(columns), -3);
    row[static_cast<size_t>(infinity)] = kInfinity;
    for (int64_t column : nans) row[static_cast<size_t>(column)] = kNan;
    x.insert(x.end(), row.begin(), row.end());
    first.push_back(static_cast<double>(expected));
  };
  add({}, middle, middle);
  add({0}, last, 0);
  add({last}, 0, last);
  add({middle, last}, 0, middle);
  add({last, 0}, middle, 0);
  Values all_nan(static_cast<size_t>(columns), kNan), lowest(static_cast<size_t>(columns), -kInfinity);
  x.insert(x.end(), all_nan.begin(), all_nan.end());
  x.insert(x.end(), lowest.begin(), lowest.end());
  first.insert(first.end(), {0, 0});
  return x;
}

// How many rows have their label among the first `top` columns when those are sorted by the rule of
// kernels/loss_args.h: nan, then the larger value, then the lower column, which a stable sort leaves in front.
double count_in_top(const Values& x, int64_t columns, const Values& labels, int64_t top) {
  double count = 0;
  for (size_t r = 0; r < labels.size(); ++r) {
    const double* const row = x.data() + r * static_cast<size_t>(columns);
    std::vector<int64_t> order(static_cast<size_t>(columns));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int64_t a, int64_t b) {
      if (std::isnan(row[a]) || std::isnan(row[b])) return std::isnan(row[a]) && !std::isnan(row[b]);
      return row[a] > row[b];
    });
    const auto first = order.begin(), end = first + std::min(top, columns);
    count += std::find(first, end, static_cast<int64_t>(labels[r])) != end;
  }
  return count;
}

// One lane a row, a warp a row, and rows longer than a warp.
constexpr int64_t kNanColumns[] = {3, 10, 33, 131};

}  // namespace

TEST_CASE("sum") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (int turn = 0; turn < 6; ++turn) {
        const bool accumulate = turn % 2;
        const int kind = turn / 2;  // whole numbers; reals of both signs; the mean of positive reals
        const auto run = [=](Call& call) {
          const Values& x = kind == 0 ? integers(count, 1) : kind == 1 ? reals(count, 1) : reals(count, 1, 0, 1);
          const double factor = kind == 0 ? 1 : kind == 1 ? -0.3 : 1 / std::max<double>(1, static_cast<double>(count));
          double magnitude = 1;  // |initial| <= 1
          for (double value : x) magnitude += std::fabs(factor * value);
          const Tolerance tolerance{.absolute = kind == 0 ? 0 : sum_bound(count + 2, magnitude, real)};
          const SumArgs args{.dtype = call.real(),
                             .count = count,
                             .x = call.input("x", count, x),
                             .out = call.output("out", 1, tolerance, accumulate ? Values{-1} : Values{}),
                             .factor = factor,
                             .accumulate = accumulate};
          return call.invoke(&Backend::sum, args);
        };
        const std::string shape = shape_text({{"count", count}, {"turn", turn}});
        check({.primitive = "sum", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const SumArgs args{.dtype = call.real(),
                         .count = 3,
                         .x = call.input("x", 3, {1, 2, -7}),
                         .out = call.output("out", 1, {}, {10}),
                         .factor = 0.5,
                         .accumulate = 1};
      return call.invoke(&Backend::sum, args);
    };
    check({.primitive = "sum", .shape = "by hand", .real = real, .run = run, .expected = {{8}}});
  }
}

TEST_CASE("argmax") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      if (columns == 0 && rows > 0) continue;  // no column holds a maximum
      for (bool ties : {false, true}) {
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          // Few different values, all negative: ties everywhere, and a maximum that starts from 0 is found out.
          const Values& x = ties ? integers(layout.count(), 1, -4, -1) : reals(layout.count(), 1, -9, -1);
          const ArgmaxArgs args{.dtype = call.real(),
                                .rows = rows,
                                .columns = columns,
                                .x = call.input("x", layout, x),
                                .out = call.typed_output<int32_t>("out", rows, {})};
          return call.invoke(&Backend::argmax, args);
        };
        check({.primitive = "argmax",
               .shape = shape_text({{"rows", rows}, {"columns", columns}, {"ties", ties}}),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const ArgmaxArgs args{.dtype = call.real(),
                            .rows = 3,
                            .columns = 3,
                            .x = call.input("x", {3, 3}, {1, 3, 3, -5, -6, -7, 0, 0, 1}),
                            .out = call.typed_output<int32_t>("out", 3, {})};
      return call.invoke(&Backend::argmax, args);
    };
    check({.primitive = "argmax", .shape = "by hand", .real = real, .run = run, .expected = {{1, 0, 2}}});
    for (int64_t columns : kNanColumns) {
      Values first;
      const Values x = rows_with_nan(columns, first);
      const auto rows = static_cast<int64_t>(first.size());
      const auto run_nan = [=](Call& call) {
        const ArgmaxArgs args{.dtype = call.real(),
                              .rows = rows,
                              .columns = columns,
                              .x = call.input("x", {rows, columns}, x),
                              .out = call.typed_output<int32_t>("out", rows, {})};
        return call.invoke(&Backend::argmax, args);
      };
      check({.primitive = "argmax",
             .shape = shape_text({{"with nan, columns", columns}}),
             .real = real,
             .run = run_nan,
             .expected = {first}});
    }
  }
}

TEST_CASE("classification_metrics") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      if (columns == 0 && rows > 0) continue;
      for (bool ties : {false, true}) {
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          const Values& logits = ties ? integers(layout.count(), 1, -4, -1) : reals(layout.count(), 1, -9, -1);
          // The sum is kept in double so that an epoch's rows add up; within a call it may be one of floats.
          const Tolerance tolerance{.absolute = sum_bound(rows + 1, 5.0 * static_cast<double>(rows) + 1000, real)};
          const ClassificationMetricsArgs args{
              .dtype = call.real(),
              .rows = rows,
              .columns = columns,
              .logits = call.input("logits", layout, logits),
              .labels = call.typed_input<int32_t>("labels", integers(rows, 2, 0, static_cast<int>(columns) - 1)),
              .row_loss = call.input("row_loss", rows, reals(rows, 3, 0, 5)),
              .loss_sum = call.typed_output<double>("loss_sum", 1, tolerance, {1000.5}),
              .correct = call.typed_output<int64_t>("correct", 1, {}, {5'000'000'000}),
              .in_top = call.typed_output<int64_t>("in_top", 1, {}, {6'000'000'000}),
              .top = 1 + columns / 3};
          return call.invoke(&Backend::classification_metrics, args);
        };
        check({.primitive = "classification_metrics",
               .shape = shape_text({{"rows", rows}, {"columns", columns}, {"ties", ties}}),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    // Of the three rows the first is right only if ties go to the first column, and the last is wrong; among the first
    // two columns is every label.
    const auto run = [](Call& call) {
      const ClassificationMetricsArgs args{.dtype = call.real(),
                                           .rows = 3,
                                           .columns = 2,
                                           .logits = call.input("logits", {3, 2}, {1, 1, -2, -1, 5, 4}),
                                           .labels = call.typed_input<int32_t>("labels", {0, 1, 1}),
                                           .row_loss = call.input("row_loss", 3, {0.5, 0.25, 2}),
                                           .loss_sum = call.typed_output<double>("loss_sum", 1, {}, {10}),
                                           .correct = call.typed_output<int64_t>("correct", 1, {}, {7}),
                                           .in_top = call.typed_output<int64_t>("in_top", 1, {}, {20}),
                                           .top = 2};
      return call.invoke(&Backend::classification_metrics, args);
    };
    check({.primitive = "classification_metrics",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{12.75}, {9}, {23}}});
    // Every label is the argmax, so that each row counts; then each is the column after it, and none does; then a
    // column of any place, beside rows of few different values.
    for (int64_t columns : kNanColumns) {
      Values first;
      Values logits = rows_with_nan(columns, first);
      const Values& ties = integers(7 * columns, 4, -2, 1);
      logits.insert(logits.end(), ties.begin(), ties.end());
      for (int64_t r = 0; r < 7; ++r) {
        const auto row = ties.begin() + r * columns;
        first.push_back(static_cast<double>(std::max_element(row, row + columns) - row));
      }
      const auto rows = static_cast<int64_t>(first.size());
      for (const char* labelled : {"right", "wrong", "anywhere"}) {
        Values labels = first;
        if (*labelled == 'w')
          for (double& label : labels) label = std::fmod(label + 1, static_cast<double>(columns));
        if (*labelled == 'a') labels = integers(rows, 5, 0, static_cast<int>(columns) - 1);
        for (const int64_t top : {1, 2, 5}) {
          const auto run_nan = [=](Call& call) {
            const ClassificationMetricsArgs args{.dtype = call.real(),
                                                 .rows = rows,
                                                 .columns = columns,
                                                 .logits = call.input("logits", {rows, columns}, logits),
                                                 .labels = call.typed_input<int32_t>("labels", labels),
                                                 .row_loss = call.input("row_loss", rows, Values(first.size(), 0.5)),
                                                 .loss_sum = call.typed_output<double>("loss_sum", 1, {}, {1}),
                                                 .correct = call.typed_output<int64_t>("correct", 1, {}, {2}),
                                                 .in_top = call.typed_output<int64_t>("in_top", 1, {}, {3}),
                                                 .top = top};
            return call.invoke(&Backend::classification_metrics, args);
          };
          const double total = static_cast<double>(rows);
          const double correct = count_in_top(logits, columns, labels, 1);
          if (*labelled == 'r') CHECK(correct == total);
          if (*labelled == 'w') CHECK(correct == 0);
          check({.primitive = "classification_metrics",
                 .shape = shape_text({{"with nan, columns", columns}, {"top", top}}) + ", " + labelled,
                 .real = real,
                 .run = run_nan,
                 .expected = {{1 + 0.5 * total}, {2 + correct}, {3 + count_in_top(logits, columns, labels, top)}}});
        }
      }
    }
  }
}

}  // namespace cairn::test
