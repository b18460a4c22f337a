// Sums over whole arrays, in double. Not here: the terms (reductions.cpp, losses.cpp), sums over rows (bias.cpp).
#pragma once

#include <cstring>

#include "kernels/runtime/cpu/stream.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {

using cpu::Stream;

// Half a vector of floats, which as doubles fills a whole one.
using Half __attribute__((vector_size(kVectorBytes / 2))) = float;
using Wide __attribute__((vector_size(kVectorBytes))) = double;
inline constexpr int kWideLanes = kLanes / 2;

inline Wide load_wide(const float* from) {
  Half half;
  std::memcpy(&half, from, sizeof half);
  return __builtin_convertvector(half, Wide);
}

// The sum of `count` terms, chunk by chunk; terms.vector(i) has those from i on, terms.scalar(i) is one.
template <class Terms>
double sum_terms(Stream& stream, int64_t count, const Terms& terms) {
  constexpr int kParts = 4;  // sums that do not wait for one another
  const Chunks chunks(count, 1, kLanes);
  auto* partial = reinterpret_cast<double*>(scratch(Scratch::partial, 2 * std::max<int64_t>(1, chunks.count)));
  stream.pool.parallel_for(chunks.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      int64_t i = chunk * chunks.rows;
      const int64_t stop = std::min(count, i + chunks.rows);
      Wide parts[kParts]{};
      for (; i + kParts * kWideLanes <= stop; i += kParts * kWideLanes)
        for (int part = 0; part < kParts; ++part) parts[part] += terms.vector(i + part * kWideLanes);
      const Wide lanes = (parts[0] + parts[1]) + (parts[2] + parts[3]);
      double total = 0;
      for (int lane = 0; lane < kWideLanes; ++lane) total += lanes[lane];
      for (; i < stop; ++i) total += terms.scalar(i);
      partial[chunk] = total;
    }
  });
  double total = 0;
  for (int64_t chunk = 0; chunk < chunks.count; ++chunk) total += partial[chunk];
  return total;
}

}  // namespace cairn::simd
