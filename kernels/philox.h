// The random numbers of all implementations: Philox 4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw:
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A draw is a pure function of (seed, stream, step, element),
// so every implementation, device and number of threads gets the same one. Not here: what the streams stand for
// (framework/random.h).
#pragma once

#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define CAIRN_HOST_DEVICE __host__ __device__
#else
#define CAIRN_HOST_DEVICE
#endif

namespace cairn::philox {

struct Block {
  uint32_t word[4];
};

// Ten rounds of the generator on a 128-bit counter under a 64-bit key.
CAIRN_HOST_DEVICE inline Block rounds(Block counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53u} * counter.word[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57u} * counter.word[2];
    counter = {{static_cast<uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(product1),
                static_cast<uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(product0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// The four 32-bit words that elements 4 * group .. 4 * group + 3 share out among them.
CAIRN_HOST_DEVICE inline Block draw(uint64_t seed, uint32_t stream, uint32_t step, uint64_t group) {
  return rounds({{static_cast<uint32_t>(group), static_cast<uint32_t>(group >> 32), stream, step}},
                static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

// 24 random bits as a multiple of 2^-24 in [0, 1): exact in float and in double.
CAIRN_HOST_DEVICE inline float uniform(uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

// Two standard normal values from two words (Box & Muller 1958). In double, so that the last bit of a math library's
// logarithm or cosine all but never shows in the float.
CAIRN_HOST_DEVICE inline void normal(uint32_t word0, uint32_t word1, double& first, double& second) {
  const double radius = sqrt(-2.0 * log(1.0 - static_cast<double>(uniform(word0))));
  const double angle = 6.283185307179586 * static_cast<double>(uniform(word1));
  first = radius * cos(angle);
  second = radius * sin(angle);
}

// Draws for one element, for code that does not work in groups of four.
CAIRN_HOST_DEVICE inline float uniform_at(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element) {
  return uniform(draw(seed, stream, step, element / 4).word[element % 4]);
}
CAIRN_HOST_DEVICE inline double normal_at(uint64_t seed, uint32_t stream, uint32_t step, uint64_t element) {
  const Block block = draw(seed, stream, step, element / 4);
  double first, second;
  const int pair = static_cast<int>(element % 4) / 2 * 2;
  normal(block.word[pair], block.word[pair + 1], first, second);
  return element % 2 ? second : first;
}

}  // namespace cairn::philox
