// Bringing blocks of a matrix to where a product wants them: turned into panels, fetched ahead. Not here: products.
#pragma once

#include "kernels/simd/team.h"
#include "kernels/simd/transpose.h"

namespace cairn::simd {

// to[q * to_stride + j] = from[j * from_stride + q], q < depth, for j < columns; 0 from there on to the next full
// vector.
inline void pack_turned(const float* from, int64_t from_stride, int64_t depth, int64_t columns, float* to,
                        int64_t to_stride) {
  for (int64_t j = 0; j < columns; j += kLanes) {
    int64_t q = 0;
    for (; q + kLanes <= depth && j + kLanes <= columns; q += kLanes) {  // in squares where a whole one fits
      Vector block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) block[i] = load(from + (j + i) * from_stride + q);
      transpose(block);
      for (int64_t i = 0; i < kLanes; ++i) store(to + (q + i) * to_stride + j, block[i]);
    }
    for (int64_t i = j; i < j + kLanes; ++i)
      for (int64_t rest = q; rest < depth; ++rest)
        to[rest * to_stride + i] = i < columns ? from[i * from_stride + rest] : 0.0f;
  }
}

// Fetches a part of a matrix into the second-level cache, a few lines at each call.
class Prefetch {
 public:
  Prefetch() = default;
  // `runs` runs of neighbours, `stride` apart, over about so many calls.
  Prefetch(const float* first, int64_t run, int64_t stride, int64_t runs, int64_t calls)
      : next_(first),
        run_(run),
        stride_(stride),
        runs_(runs),
        each_(ceil_div(ceil_div(run, kLine) * runs, std::max<int64_t>(1, calls))) {}
  void advance() {
    for (int64_t i = 0; i < each_ && runs_ > 0; ++i) {
      __builtin_prefetch(next_ + at_, 0, 2);
      at_ += kLine;
      if (at_ < run_) continue;
      at_ = 0;
      next_ += stride_;
      --runs_;
    }
  }

 private:
  static constexpr int64_t kLine = 16;  // floats
  const float* next_ = nullptr;         // the run that is being fetched
  int64_t run_ = 0, stride_ = 0, runs_ = 0, each_ = 0, at_ = 0;
};

}  // namespace cairn::simd
