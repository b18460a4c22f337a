// How this implementation's kernels share work and memory: scratch that only grows, and
// cuts of a reduction that do not depend on the number of threads. Not here: any arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "kernels/backend.h"

namespace cairn::simd {

// Buffers of the calling thread, one per use, so that two of them can be alive at once.
enum class Scratch { packed_a, packed_b, partial, row_block, lists, image, weight, count };

// At least `floats` floats, aligned to 64 bytes, contents undefined. Valid until the same thread asks for that use
// again.
float* scratch(Scratch use, int64_t floats);

// Elements of simple elementwise work below which a parallel region costs more than it saves.
inline constexpr int64_t kGrain = 16384;

// A reduction over `rows` rows is cut into chunks by its shape alone, summed per chunk and then over chunks in order.
struct Chunks {
  int64_t count, rows;  // rows of a chunk; the last may have fewer
  Chunks(int64_t total_rows, int64_t columns, int64_t multiple_of) {
    constexpr int64_t kElements = 32768, kMost = 64;
    const int64_t wanted = std::max(kElements / std::max<int64_t>(columns, 1), (total_rows + kMost - 1) / kMost);
    rows = std::max<int64_t>(1, (wanted + multiple_of - 1) / multiple_of) * multiple_of;
    count = (total_rows + rows - 1) / rows;
  }
};

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

inline void require_f32(DType dtype, const char* primitive) {
  if (dtype != DType::f32)
    throw std::invalid_argument(std::string(primitive) +
                                ": the simd implementation computes in float32 only; use --impl reference for float64");
}

inline const float* floats(const void* pointer) {
  return static_cast<const float*>(pointer);
}
inline float* floats(void* pointer) {
  return static_cast<float*>(pointer);
}

}  // namespace cairn::simd
