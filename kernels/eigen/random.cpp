// Philox fills, dropout and noise. The generator's rounds run on vectors of counters; draws equal kernels/philox.h bit
// for bit.
#include "kernels/philox.h"

#include "kernels/eigen/primitives.h"
#include "kernels/eigen/team.h"
#include "kernels/eigen/vector.h"

namespace cairn::eigen {
namespace {

using Words __attribute__((vector_size(kVectorBytes))) = uint32_t;
using WideWords __attribute__((vector_size(2 * kVectorBytes))) = uint64_t;

constexpr int64_t kElements = 4 * kLanes;  // that one call of draw_lanes gives

// out[4 * lane + word] = word `word` of the draw for group + lane.
void draw_lanes(uint64_t seed, uint32_t stream, uint32_t step, uint64_t group, uint32_t* out) {
  Words c0, c1, c2 = Words{} + stream, c3 = Words{} + step;
  for (int lane = 0; lane < kLanes; ++lane) {
    c0[lane] = static_cast<uint32_t>(group + static_cast<uint64_t>(lane));
    c1[lane] = static_cast<uint32_t>((group + static_cast<uint64_t>(lane)) >> 32);
  }
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const WideWords product0 = __builtin_convertvector(c0, WideWords) * uint64_t{0xD2511F53u};
    const WideWords product1 = __builtin_convertvector(c2, WideWords) * uint64_t{0xCD9E8D57u};
    const Words next0 = __builtin_convertvector(product1 >> 32, Words) ^ c1 ^ key0;
    const Words next2 = __builtin_convertvector(product0 >> 32, Words) ^ c3 ^ key1;
    c1 = __builtin_convertvector(product1, Words);
    c3 = __builtin_convertvector(product0, Words);
    c0 = next0;
    c2 = next2;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    out[4 * lane] = c0[lane];
    out[4 * lane + 1] = c1[lane];
    out[4 * lane + 2] = c2[lane];
    out[4 * lane + 3] = c3[lane];
  }
}

// body(words, first element, number of elements <= kElements), in parallel.
template <class Body>
void for_draws(Stream& stream, int64_t count, uint64_t seed, uint32_t purpose, uint32_t step, const Body& body) {
  stream.pool.parallel_for(count, kElements * 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kElements) {
      uint32_t words[kElements];
      draw_lanes(seed, purpose, step, static_cast<uint64_t>(i) / 4, words);
      body(words, i, std::min(kElements, end - i));
    }
  });
}

}  // namespace

void uniform(Stream& stream, const RandomArgs& args) {
  require_f32(args.dtype, "uniform");
  const double width = args.high - args.low;
  for_draws(stream, args.count, args.seed, args.stream, 0, [&](const uint32_t* words, int64_t first, int64_t size) {
    for (int64_t i = 0; i < size; ++i)
      floats(args.out)[first + i] =
          static_cast<float>(args.low + width * static_cast<double>(philox::uniform(words[i])));
  });
}

void normal(Stream& stream, const RandomArgs& args) {
  require_f32(args.dtype, "normal");
  for_draws(stream, args.count, args.seed, args.stream, 0, [&](const uint32_t* words, int64_t first, int64_t size) {
    for (int64_t i = 0; i < size; i += 2) {
      double pair[2];
      philox::normal(words[i], words[i + 1], pair[0], pair[1]);
      for (int64_t j = i; j < std::min(size, i + 2); ++j)
        floats(args.out)[first + j] = static_cast<float>(args.low + args.high * pair[j - i]);
    }
  });
}

void dropout(Stream& stream, const DropoutArgs& args) {
  require_f32(args.dtype, "dropout");
  const auto probability = static_cast<float>(args.probability);
  const auto factor = static_cast<float>(1.0 / (1.0 - args.probability));
  const auto step = static_cast<uint32_t>(*args.step);
  const float* x = floats(args.x);
  float* y = floats(args.y);
  for_draws(stream, args.count, args.seed, args.layer, step, [&](const uint32_t* words, int64_t first, int64_t size) {
    for (int64_t i = 0; i < size; ++i) {
      const float value = philox::uniform(words[i]) >= probability ? x[first + i] * factor : 0.0f;
      y[first + i] = args.accumulate ? y[first + i] + value : value;
    }
  });
}

void add_noise(Stream& stream, const AddNoiseArgs& args) {
  require_f32(args.dtype, "add_noise");
  if (args.count == 0) return;
  const auto step = static_cast<uint32_t>(*args.step);
  for_draws(stream, args.count, args.seed, args.layer, step, [&](const uint32_t* words, int64_t first, int64_t size) {
    for (int64_t i = 0; i < size; i += 2) {
      double pair[2];
      philox::normal(words[i], words[i + 1], pair[0], pair[1]);
      for (int64_t j = i; j < std::min(size, i + 2); ++j) {
        const double value = static_cast<double>(floats(args.x)[first + j]) + args.deviation * pair[j - i];
        floats(args.y)[first + j] = static_cast<float>(value < args.low    ? args.low
                                                       : value > args.high ? args.high
                                                                           : value);
      }
    }
  });
}

}  // namespace cairn::eigen
