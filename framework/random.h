// Which Philox stream stands for what: the one place where random numbers get their purposes, so that no two uses of
// the same seed share draws. Not here: the generator (kernels/philox.h).
#pragma once

#include <cstdint>

namespace cairn {

// The values are part of every recorded run: never renumber, only append.
enum class RandomPurpose : uint32_t {
  kInit = 1,
  kShuffle = 2,
  kDropout = 3,
  kAugmentation = 4,
  kDigits = 5,
  kNoise = 6
};

// The stream of one consumer: `id` tells apart those with the same purpose (the n-th parameter, the n-th dropout layer,
// a split). Only its low 24 bits count.
constexpr uint32_t make_stream(RandomPurpose purpose, uint32_t id) {
  return static_cast<uint32_t>(purpose) << 24 | (id & 0xFFFFFFu);
}

}  // namespace cairn
