// Rows of a table by number, and the table's gradient: ids that come often, never, are padding or no row at all.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct TableSizes {
  int64_t count, vocabulary, features;
};

std::vector<TableSizes> table_sizes() {
  std::vector<TableSizes> all = {{0, 5, 3},  {5, 0, 3},    {5, 3, 0},     {1, 1, 1},
                                 {7, 3, 33}, {64, 17, 31}, {129, 200, 5}, {300, 2, 17}};
  if (!small_sweep())
    for (TableSizes larger :
         {TableSizes{1027, 1000, 125}, {5000, 300, 16}, {2049, 30011, 3}, {3, 7, 1025}, {1500, 1, 129}})
      all.push_back(larger);
  return all;
}

// Numbers of rows, some of them just outside the table, and two that are far outside.
Values table_ids(const TableSizes& s) {
  Values ids = integers(s.count, 7, -2, static_cast<int>(s.vocabulary) + 1);
  if (s.count > 6) ids[3] = INT32_MIN, ids[5] = INT32_MAX;
  return ids;
}

std::string table_text(const TableSizes& s) {
  return shape_text({{"count", s.count}, {"vocabulary", s.vocabulary}, {"features", s.features}});
}

// How often the commonest id comes.
int64_t most_repeats(const Values& ids) {
  Values sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  int64_t most = 0, run = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    most = std::max(most, run);
  }
  return most;
}

}  // namespace

TEST_CASE("embedding_forward") {
  for (DType real : kReals) {
    for (const TableSizes& s : table_sizes()) {
      const auto run = [=](Call& call) {
        const EmbeddingForwardArgs args{
            .dtype = call.real(),
            .count = s.count,
            .vocabulary = s.vocabulary,
            .features = s.features,
            .ids = call.typed_input<int32_t>("ids", table_ids(s)),
            .weight = call.input("weight", {s.vocabulary, s.features}, reals(s.vocabulary * s.features, 1)),
            .out = call.output("out", {s.count, s.features}, {})};
        return call.invoke(&Backend::embedding_forward, args);
      };
      check({.primitive = "embedding_forward",
             .shape = table_text(s),
             .real = real,
             .offset = s.features % 2,
             .run = run});
    }
    const auto run = [](Call& call) {
      const EmbeddingForwardArgs args{.dtype = call.real(),
                                      .count = 5,
                                      .vocabulary = 3,
                                      .features = 2,
                                      .ids = call.typed_input<int32_t>("ids", {2, -1, 0, 3, 2}),
                                      .weight = call.input("weight", {3, 2}, {1, 2, 3, 4, 5, 6}),
                                      .out = call.output("out", {5, 2}, {})};
      return call.invoke(&Backend::embedding_forward, args);
    };
    check({.primitive = "embedding_forward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{5, 6, kNan, kNan, 1, 2, kNan, kNan, 5, 6}}});
  }
}

TEST_CASE("embedding_backward") {
  for (DType real : kReals) {
    for (const TableSizes& s : table_sizes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool accumulate = turn % 2, whole = turn / 2;
        const int64_t padding = turn == 0 ? -1 : turn == 1 ? 0 : s.vocabulary - 1;
        const auto run = [=](Call& call) {
          const int64_t rows = s.count * s.features, table = s.vocabulary * s.features;
          const Values ids = table_ids(s);
          const double terms = static_cast<double>(most_repeats(ids));
          EmbeddingBackwardArgs args{
              .dtype = call.real(), .count = s.count, .vocabulary = s.vocabulary, .features = s.features};
          args.ids = call.typed_input<int32_t>("ids", ids);
          args.dout = call.input("dout", {s.count, s.features}, whole ? integers(rows, 1) : reals(rows, 1));
          // Sums of whole numbers are exact.
          args.dweight = call.output("dweight", {s.vocabulary, s.features},
                                     {.absolute = whole ? 0 : sum_bound(most_repeats(ids) + 1, terms + 1, real)},
                                     !accumulate ? Values{}
                                     : whole     ? integers(table, 2)
                                                 : reals(table, 2));
          args.padding_index = padding;
          args.accumulate = accumulate;
          return call.invoke(&Backend::embedding_backward, args);
        };
        check({.primitive = "embedding_backward",
               .shape = table_text(s) + " " + shape_text({{"turn", turn}}),
               .real = real,
               .offset = s.features % 2,
               .run = run});
      }
    }
    for (bool accumulate : {false, true}) {
      const auto run = [=](Call& call) {
        const EmbeddingBackwardArgs args{
            .dtype = call.real(),
            .count = 6,
            .vocabulary = 4,
            .features = 2,
            .ids = call.typed_input<int32_t>("ids", {2, 0, 2, 4, 1, -1}),
            .dout = call.input("dout", {6, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
            .dweight = call.output("dweight", {4, 2}, {}, {100, 200, 300, 400, 500, 600, 700, 800}),
            .padding_index = 1,
            .accumulate = accumulate};
        return call.invoke(&Backend::embedding_backward, args);
      };
      check(
          {.primitive = "embedding_backward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {accumulate ? Values{103, 204, 300, 400, 506, 608, 700, 800} : Values{3, 4, 0, 0, 6, 8, 0, 0}}});
    }
  }
}

}  // namespace cairn::test
