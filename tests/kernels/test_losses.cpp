// Cross-entropy and the squared error, forward and backward. Not here: accuracy (test_reductions.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

Values labels_of(int64_t rows, int64_t columns) {
  return integers(rows, 9, 0, static_cast<int>(columns) - 1);
}

void check_forward(DType real, int64_t rows, int64_t columns, double low, double high, double smoothing) {
  const auto run = [=](Call& call) {
    const Layout layout(rows, columns);
    const double range = high - low, units = 8 + 4 * std::sqrt(static_cast<double>(columns));
    // log(sum) is off by the sum's relative error; the loss of up to range + log(columns) is rounded a few times.
    const double log_columns = std::log(1 + static_cast<double>(columns));
    double row_error = (2 * units + 4 * (range + log_columns)) * unit(real);
    // With smoothing also the mean of all columns' losses.
    if (smoothing > 0 && columns > 0)
      row_error += sum_bound(columns, range * static_cast<double>(columns), real) / static_cast<double>(columns) +
                   4 * (range + log_columns) * unit(real);
    const double mean_error = sum_bound(rows, range + log_columns, real) + row_error;
    const CrossEntropyForwardArgs args{
        .dtype = call.real(),
        .rows = rows,
        .columns = columns,
        .logits = call.input("logits", layout, reals(layout.count(), 1, low, high)),
        .labels = call.typed_input<int32_t>("labels", labels_of(rows, columns)),
        .probabilities = call.output("probabilities", layout,
                                     {.absolute = tiny(real), .relative = 2 * (range + units) * unit(real)}),
        .row_loss = call.output("row_loss", rows, {.absolute = row_error}),
        .loss = call.output("loss", 1, {.absolute = rows ? mean_error : 0}),
        .smoothing = smoothing};
    return call.invoke(&Backend::cross_entropy_forward, args);
  };
  check({.primitive = "cross_entropy_forward",
         .shape = shape_text(
             {{"rows", rows}, {"columns", columns}, {"high", static_cast<int64_t>(high)}, {"smoothed", smoothing > 0}}),
         .real = real,
         .offset = columns % 2,
         .run = run});
}

}  // namespace

TEST_CASE("cross_entropy_forward") {
  struct Range {
    double low, high;
  };
  constexpr Range kRanges[] = {{-4, 4}, {-60, 60}, {1000, 1010}};
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      if (columns == 0 && rows > 0) continue;  // there is no valid label
      for (auto [low, high] : kRanges)
        for (double smoothing : {0.0, 0.125}) check_forward(real, rows, columns, low, high, smoothing);
    }
    // Probabilities 1/4 and 3/4, then a certain row; losses log 4 and 0.
    const auto run = [=](Call& call) {
      const CrossEntropyForwardArgs args{
          .dtype = call.real(),
          .rows = 2,
          .columns = 2,
          .logits = call.input("logits", {2, 2}, {2, 2 + static_cast<float>(std::log(3.0)), 500, -500}),
          .labels = call.typed_input<int32_t>("labels", {0, 0}),
          .probabilities = call.output("probabilities", {2, 2}, {.absolute = 0x1p-23}),
          .row_loss = call.output("row_loss", 2, {.absolute = 0x1p-21}),
          .loss = call.output("loss", 1, {.absolute = 0x1p-21}),
          .smoothing = 0};
      return call.invoke(&Backend::cross_entropy_forward, args);
    };
    check({.primitive = "cross_entropy_forward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{0.25, 0.75, 1, 0}, {std::log(4.0), 0}, {std::log(4.0) / 2}}});
    // Probabilities 1/4 and 3/4, losses log 4 and log 4/3: 3/4 of the label's and 1/4 of their mean.
    const auto smoothed = [=](Call& call) {
      const CrossEntropyForwardArgs args{
          .dtype = call.real(),
          .rows = 1,
          .columns = 2,
          .logits = call.input("logits", {1, 2}, {2, 2 + static_cast<float>(std::log(3.0))}),
          .labels = call.typed_input<int32_t>("labels", {0}),
          .probabilities = call.output("probabilities", {1, 2}, {.absolute = 0x1p-23}),
          .row_loss = call.output("row_loss", 1, {.absolute = 0x1p-21}),
          .loss = call.output("loss", 1, {.absolute = 0x1p-21}),
          .smoothing = 0.25};
      return call.invoke(&Backend::cross_entropy_forward, args);
    };
    const double loss = 0.75 * std::log(4.0) + 0.125 * (std::log(4.0) + std::log(4.0 / 3));
    check({.primitive = "cross_entropy_forward",
           .shape = "smoothed by hand",
           .real = real,
           .run = smoothed,
           .expected = {{0.25, 0.75}, {loss}, {loss}}});
  }
}

TEST_CASE("cross_entropy_backward") {
  for (DType real : kReals) {
    for (auto [rows, columns] : matrix_sizes()) {
      if (columns == 0 && rows > 0) continue;
      for (bool accumulate : {false, true}) {
        const double smoothing = accumulate == (columns % 2 == 0) ? 0.125 : 0;
        const auto run = [=, rows = rows, columns = columns](Call& call) {
          const Layout layout(rows, columns);
          const Values initial = accumulate ? reals(layout.count(), 3) : Values{};
          // (p - 1) * 1.75 / rows takes up to four roundings, the addition one more.
          const CrossEntropyBackwardArgs args{
              .dtype = call.real(),
              .rows = rows,
              .columns = columns,
              .probabilities = call.input("probabilities", layout, reals(layout.count(), 1, 0, 1)),
              .labels = call.typed_input<int32_t>("labels", labels_of(rows, columns)),
              .dloss = call.input("dloss", 1, {1.75}),
              .dlogits =
                  call.output("dlogits", layout,
                              // What is taken from p, up to 1, is rounded too.
                              {.absolute = (accumulate ? 6 : 0) * unit(real) + (smoothing > 0 ? 4 * unit(real) : 0),
                               .relative = 8 * unit(real)},
                              initial),
              .accumulate = accumulate,
              .smoothing = smoothing};
          return call.invoke(&Backend::cross_entropy_backward, args);
        };
        check({.primitive = "cross_entropy_backward",
               .shape = shape_text(
                   {{"rows", rows}, {"columns", columns}, {"accumulate", accumulate}, {"smoothed", smoothing > 0}}),
               .real = real,
               .offset = columns % 2,
               .run = run});
      }
    }
    for (double smoothing : {0.0, 0.25}) {
      const auto run = [=](Call& call) {
        const CrossEntropyBackwardArgs args{
            .dtype = call.real(),
            .rows = 2,
            .columns = 2,
            .probabilities = call.input("probabilities", {2, 2}, {0.25, 0.75, 0.5, 0.5}),
            .labels = call.typed_input<int32_t>("labels", {1, 0}),
            .dloss = call.input("dloss", 1, {4}),
            .dlogits = call.output("dlogits", {2, 2}, {}),
            .accumulate = 0,
            .smoothing = smoothing};
        return call.invoke(&Backend::cross_entropy_backward, args);
      };
      check({.primitive = "cross_entropy_backward",
             .shape = "by hand",
             .real = real,
             .run = run,
             .expected = {smoothing > 0 ? Values{0.25, -0.25, -0.75, 0.75} : Values{0.5, -0.5, -1, 1}}});
    }
  }
}

TEST_CASE("squared_error_forward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (bool whole : {false, true}) {
        const auto run = [=](Call& call) {
          const Values& a = whole ? integers(count, 1) : reals(count, 1);
          const Values& b = whole ? integers(count, 2) : reals(count, 2);
          double mean = 0;
          for (size_t i = 0; i < a.size(); ++i) mean += (a[i] - b[i]) * (a[i] - b[i]) / static_cast<double>(count);
          const Tolerance tolerance{.absolute = whole ? 4 * unit(real) * mean : sum_bound(count + 3, mean, real)};
          const SquaredErrorForwardArgs args{.dtype = call.real(),
                                             .count = count,
                                             .a = call.input("a", count, a),
                                             .b = call.input("b", count, b),
                                             .loss = call.output("loss", 1, tolerance)};
          return call.invoke(&Backend::squared_error_forward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"whole", whole}});
        check({.primitive = "squared_error_forward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const SquaredErrorForwardArgs args{.dtype = call.real(),
                                         .count = 4,
                                         .a = call.input("a", 4, {1, 2, 3, 4}),
                                         .b = call.input("b", 4, {3, 2, -1, 4}),
                                         .loss = call.output("loss", 1, {})};
      return call.invoke(&Backend::squared_error_forward, args);
    };
    check({.primitive = "squared_error_forward", .shape = "by hand", .real = real, .run = run, .expected = {{5}}});
  }
}

// The gradients of both operands.
TEST_CASE("squared_error_backward") {
  for (DType real : kReals) {
    for (int64_t count : vector_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const double factor = (turn % 2 ? -2 : 2) / std::max<double>(1, static_cast<double>(count));
        const bool accumulate = turn / 2;
        const auto run = [=](Call& call) {
          // Differences of up to 2, a few roundings of the product and one of the sum.
          const double largest = 2 * 1.25 * std::fabs(factor) + (accumulate ? 1 : 0);
          const SquaredErrorBackwardArgs args{.dtype = call.real(),
                                              .count = count,
                                              .a = call.input("a", count, reals(count, 1)),
                                              .b = call.input("b", count, reals(count, 2)),
                                              .dloss = call.input("dloss", 1, {1.25}),
                                              .da = call.output("da", count, {.absolute = 6 * unit(real) * largest},
                                                                accumulate ? reals(count, 3) : Values{}),
                                              .factor = factor,
                                              .accumulate = accumulate};
          return call.invoke(&Backend::squared_error_backward, args);
        };
        const std::string shape = shape_text({{"count", count}, {"turn", turn}});
        check({.primitive = "squared_error_backward", .shape = shape, .real = real, .offset = count % 2, .run = run});
      }
    }
    const auto run = [](Call& call) {
      const SquaredErrorBackwardArgs args{.dtype = call.real(),
                                          .count = 2,
                                          .a = call.input("a", 2, {5, 1}),
                                          .b = call.input("b", 2, {2, 3}),
                                          .dloss = call.input("dloss", 1, {3}),
                                          .da = call.output("da", 2, {}, {100, 200}),
                                          .factor = 0.5,
                                          .accumulate = 1};
      return call.invoke(&Backend::squared_error_backward, args);
    };
    check({.primitive = "squared_error_backward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{104.5, 197}}});
  }
}

}  // namespace cairn::test
