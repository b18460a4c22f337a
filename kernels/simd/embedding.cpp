// Rows of a table by number, and the table's gradient. Not here: rows of a data set (rows.cpp).
//
// The gradient: positions are sorted by id with a counting sort, which keeps their order, and then each row of the
// table adds its own; a row without any is zeros, or left as it is.
#include <limits>
#include <numeric>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

// to[f] += from[f], and the first time to[f] = from[f] where `overwrite`.
[[gnu::noinline]] void add_row(const float* from, int64_t features, float* to, bool overwrite) {
  int64_t f = 0;
  for (; f + kLanes <= features; f += kLanes) store(to + f, overwrite ? load(from + f) : load(to + f) + load(from + f));
  for (; f < features; ++f) to[f] = overwrite ? from[f] : to[f] + from[f];
}

// Positions by id: those of id v are ordered[offsets[v] .. offsets[v + 1]), in their order.
struct Sorted {
  const int64_t* offsets;
  const int32_t* ordered;
};
Sorted sort_positions(Stream& stream, const EmbeddingBackwardArgs& args) {
  const int64_t vocabulary = args.vocabulary;
  auto* offsets = static_cast<int64_t*>(stream.workspace(static_cast<size_t>(vocabulary + 2) * sizeof(int64_t) +
                                                         static_cast<size_t>(args.count) * sizeof(int32_t)));
  auto* ordered = reinterpret_cast<int32_t*>(offsets + vocabulary + 2);
  std::fill_n(offsets, vocabulary + 2, int64_t{0});
  const auto adds = [&](int64_t id) { return id >= 0 && id < vocabulary && id != args.padding_index; };
  for (int64_t i = 0; i < args.count; ++i)
    if (adds(args.ids[i])) ++offsets[args.ids[i] + 2];
  std::partial_sum(offsets, offsets + vocabulary + 2, offsets);
  for (int64_t i = 0; i < args.count; ++i)  // offsets[id + 1] moves from the id's beginning to its end
    if (adds(args.ids[i])) ordered[offsets[args.ids[i] + 1]++] = static_cast<int32_t>(i);
  return {offsets, ordered};
}

}  // namespace

void embedding_forward(Stream& stream, const EmbeddingForwardArgs& args) {
  require_f32(args.dtype, "embedding_forward");
  const int64_t features = args.features;
  if (features == 0) return;
  stream.pool.parallel_for(args.count, ceil_div(kGrain, features), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t id = args.ids[i];
      float* to = floats(args.out) + i * features;
      if (id >= 0 && id < args.vocabulary)
        std::copy_n(floats(args.weight) + id * features, features, to);
      else
        std::fill_n(to, features, std::numeric_limits<float>::quiet_NaN());
    }
  });
}

void embedding_backward(Stream& stream, const EmbeddingBackwardArgs& args) {
  require_f32(args.dtype, "embedding_backward");
  const int64_t features = args.features;
  if (args.vocabulary == 0 || features == 0) return;
  if (args.count > INT32_MAX) throw std::invalid_argument("simd: embedding_backward takes at most 2^31 - 1 ids");
  const Sorted sorted = sort_positions(stream, args);
  stream.pool.parallel_for(args.vocabulary, ceil_div(kGrain, features), [&](int64_t begin, int64_t end) {
    for (int64_t id = begin; id < end; ++id) {
      float* to = floats(args.dweight) + id * features;
      const int64_t first = sorted.offsets[id], last = sorted.offsets[id + 1];
      if (first == last && !args.accumulate) std::fill_n(to, features, 0.0f);
      for (int64_t i = first; i < last; ++i)
        add_row(floats(args.dout) + sorted.ordered[i] * features, features, to, i == first && !args.accumulate);
    }
  });
}

}  // namespace cairn::simd
