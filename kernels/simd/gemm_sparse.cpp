// The matrix product where half of a or more is zeros, as what a ReLU and a dropout leave is, and the gradients that
// come back through them. Each row of a is listed as its nonzero values and their places, a segment of k at a time:
//
//           b: a segment of k x up to 12 vectors, packed, in the first-level cache (24 KiB)
//           +----------------+
//   list -> |  ======        |      a listed value costs a broadcast and a multiply-add for each vector of its row of
//   b;
//           |  ======        |      the row's sums stay in registers
//           +----------------+
//   row of c   ######
//
// One row of sums needs a load for each multiply-add, which two load units just supply: so a listed value costs hardly
// more than one of the dense product. Panels of columns are shared out; an element's sum runs along k in any case.
#include "kernels/simd/gemm_sparse.h"

#include <array>
#include <cstring>
#include <utility>

#include "kernels/simd/packing.h"

namespace cairn::simd {
namespace {

constexpr int64_t kSegment = 64;  // of k
constexpr int kMostVectors = 12;
constexpr int64_t kWidth = kMostVectors * kLanes;  // of a packed row of b
constexpr int64_t kSampleRows = 64;
constexpr int64_t kListsAhead = 2;

struct List {
  float values[kSegment];
  int32_t places[kSegment];  // in a packed segment of b
};

// What all threads read: the lists of row i at lists[i * segments ...].
struct Lists {
  int64_t segments;
  const List* lists;
  const int32_t* counts;
};

void build_rows(const GemmArgs& args, int64_t segments, int64_t begin, int64_t end, List* lists, int32_t* counts) {
  for (int64_t row = begin; row < end; ++row)
    for (int64_t segment = 0; segment < segments; ++segment) {
      const int64_t first = segment * kSegment, steps = std::min(kSegment, args.k - first);
      const float* from = floats(args.a) + row * args.lda + first;
      List& list = lists[row * segments + segment];
      int32_t count = 0;
      for (int64_t q = 0; q < steps; ++q) {  // written in any case, and kept if it is not zero
        list.values[count] = from[q];
        list.places[count] = static_cast<int32_t>(q * kWidth);
        count += from[q] != 0.0f;
      }
      counts[row * segments + segment] = count;
    }
}

// The same for a transposed a, whose rows are columns in memory: a step of k at a time.
void build_columns(const GemmArgs& args, int64_t segments, int64_t begin, int64_t end, List* lists, int32_t* counts) {
  std::fill(counts + begin * segments, counts + end * segments, 0);
  for (int64_t p = 0; p < args.k; ++p) {
    const float* from = floats(args.a) + p * args.lda;
    const auto place = static_cast<int32_t>(p % kSegment * kWidth);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t i = row * segments + p / kSegment;
      lists[i].values[counts[i]] = from[row];
      lists[i].places[counts[i]] = place;
      counts[i] += from[row] != 0.0f;
    }
  }
}

Lists build_lists(Stream& stream, const GemmArgs& args) {
  const int64_t segments = ceil_div(args.k, kSegment), count = args.m * segments;
  auto* lists = reinterpret_cast<List*>(
      scratch(Scratch::lists, count * static_cast<int64_t>(sizeof(List) / sizeof(float)) + count));
  auto* counts = reinterpret_cast<int32_t*>(lists + count);
  stream.pool.parallel_for(args.m, 16, [&](int64_t begin, int64_t end) {
    (args.transpose_a ? build_columns : build_rows)(args, segments, begin, end, lists, counts);
  });
  return {segments, lists, counts};
}

// What becomes of a row's sums.
struct Finish {
  bool add;           // to what is there
  const float* bias;  // or null
  bool relu;
  int64_t last_lanes;  // of the last vector
};

template <int kVectors>
[[gnu::noinline]] void add_row(const List& list, int64_t count, const float* b, const Finish& finish, float* c) {
  Vector sums[kVectors] = {};
  for (int64_t i = 0; i < count; ++i) {
    const Vector value = splat(list.values[i]);
    const float* row = b + list.places[i];
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) sums[v] += value * load(row + v * kLanes);
  }
  // Adds `from` to the sums: all vectors whole, but the last.
  const auto add = [&](const float* from) {
#pragma GCC unroll 12
    for (int v = 0; v + 1 < kVectors; ++v) sums[v] += load(from + v * kLanes);
    sums[kVectors - 1] += load_part(from + (kVectors - 1) * kLanes, finish.last_lanes);
  };
  if (finish.add) add(c);
  if (finish.bias) add(finish.bias);
  if (finish.relu) {
#pragma GCC unroll 12
    for (int v = 0; v < kVectors; ++v) sums[v] = relu(sums[v]);
  }
#pragma GCC unroll 12
  for (int v = 0; v + 1 < kVectors; ++v) store(c + v * kLanes, sums[v]);
  store_part(c + (kVectors - 1) * kLanes, sums[kVectors - 1], finish.last_lanes);
}

using AddRow = void (*)(const List&, int64_t, const float*, const Finish&, float*);

// add_row for 1, 2, ... kMostVectors vectors.
template <int... kVectors>
constexpr std::array<AddRow, kMostVectors> by_vectors(std::integer_sequence<int, kVectors...>) {
  return {add_row<kVectors + 1>...};
}
constexpr std::array<AddRow, kMostVectors> kByVectors = by_vectors(std::make_integer_sequence<int, kMostVectors>());

// Rows first .. first + steps of the panel's columns of b.
void pack(const GemmArgs& args, int64_t first, int64_t steps, int64_t column, int64_t columns, float* to) {
  if (args.transpose_b)
    return pack_turned(floats(args.b) + column * args.ldb + first, args.ldb, steps, columns, to, kWidth);
  const int64_t whole = columns / kLanes * kLanes;
  for (int64_t q = 0; q < steps; ++q, to += kWidth) {
    const float* from = floats(args.b) + (first + q) * args.ldb + column;
    for (int64_t j = 0; j < whole; j += kLanes) store(to + j, load(from + j));
    if (whole < columns) store(to + whole, load_part(from + whole, columns - whole));
  }
}

Prefetch prefetch(const GemmArgs& args, int64_t first, int64_t column, int64_t columns) {
  const int64_t steps = std::min(kSegment, args.k - first);
  if (steps <= 0) return {};
  return args.transpose_b ? Prefetch(floats(args.b) + column * args.ldb + first, steps, args.ldb, columns, args.m)
                          : Prefetch(floats(args.b) + first * args.ldb + column, columns, args.ldb, steps, args.m);
}

// The beginning of a list, as far as most go.
void fetch(const List& list) {
  constexpr int kLine = 16;
  for (int line = 0; line < 2 * kLine; line += kLine) {
    __builtin_prefetch(list.values + line);
    __builtin_prefetch(list.places + line);
  }
}

void multiply_panel(const GemmArgs& args, const Lists& lists, int64_t column, int64_t columns) {
  float* packed = scratch(Scratch::packed_b, kSegment * kWidth);
  const int64_t vectors = ceil_div(columns, kLanes);
  const AddRow function = kByVectors[static_cast<size_t>(vectors - 1)];
  for (int64_t segment = 0; segment < lists.segments; ++segment) {
    const int64_t first = segment * kSegment;
    const bool last = segment + 1 == lists.segments;
    pack(args, first, std::min(kSegment, args.k - first), column, columns, packed);
    Prefetch next = prefetch(args, first + kSegment, column, columns);
    const Finish finish{segment > 0 || args.accumulate, last && args.bias ? floats(args.bias) + column : nullptr,
                        last && args.relu, columns - (vectors - 1) * kLanes};
    for (int64_t row = 0; row < args.m; ++row) {
      const int64_t i = row * lists.segments + segment;
      next.advance();
      if (row + kListsAhead < args.m) fetch(lists.lists[i + kListsAhead * lists.segments]);
      function(lists.lists[i], lists.counts[i], packed, finish, floats(args.c) + row * args.ldc + column);
    }
  }
}

}  // namespace

bool is_sparse(const GemmArgs& args) {
  constexpr int64_t kMostListed = 1 << 20, kLeastWork = 1 << 20;
  if (args.k < kSegment / 2 || args.n < 2 * kWidth || args.m * args.k > kMostListed ||
      args.m * args.n * args.k < kLeastWork)
    return false;
  const int64_t rows = args.transpose_a ? args.k : args.m, columns = args.transpose_a ? args.m : args.k;
  const int64_t step = std::max<int64_t>(1, rows / kSampleRows);
  int64_t zeros = 0, sampled = 0;
  for (int64_t row = 0; row < rows; row += step, sampled += columns) {
    const float* from = floats(args.a) + row * args.lda;
    zeros += std::count(from, from + columns, 0.0f);
  }
  return 2 * zeros >= sampled;
}

void gemm_sparse(Stream& stream, const GemmArgs& args) {
  const Lists lists = build_lists(stream, args);
  // As many panels as leave no thread idle, of even widths.
  const int64_t vectors = ceil_div(args.n, kLanes), threads = stream.pool.size();
  const int64_t panels = std::min(vectors, ceil_div(ceil_div(vectors, kMostVectors), threads) * threads);
  stream.pool.parallel_for(panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t column = vectors * panel / panels * kLanes;
      multiply_panel(args, lists, column, std::min(args.n, vectors * (panel + 1) / panels * kLanes) - column);
    }
  });
}

}  // namespace cairn::simd
