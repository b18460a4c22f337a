// Philox fills, dropout and noise. The generator's rounds run on vectors of counters; draws equal kernels/philox.h bit
// for bit.
#include "kernels/philox.h"

#include <cstring>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

using Words __attribute__((vector_size(kVectorBytes))) = uint32_t;
using WideWords __attribute__((vector_size(2 * kVectorBytes))) = uint64_t;

constexpr int64_t kElements = 4 * kLanes;  // that one call of draw_lanes gives

// The 64-bit products of all lanes with a factor, as their lower and their upper words.
void multiply_words(Words lanes, uint32_t factor, Words& low, Words& high) {
  low = lanes * factor;
#if defined(__AVX2__) && !defined(__AVX512F__)
  const auto wide = reinterpret_cast<__m256i>(lanes);
  const __m256i factors = _mm256_set1_epi32(static_cast<int>(factor));
  const __m256i even = _mm256_mul_epu32(wide, factors);  // of lanes 0, 2, 4 and 6
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(wide, 32), factors);
  high = reinterpret_cast<Words>(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
#else
  high = __builtin_convertvector((__builtin_convertvector(lanes, WideWords) * uint64_t{factor}) >> 32, Words);
#endif
}

// a0 b0 a1 b1 ..., of all their lanes.
template <int... i>
void interleave(Words a, Words b, Words& first, Words& second, std::integer_sequence<int, i...>) {
  first = __builtin_shufflevector(a, b, (i / 2 + i % 2 * kLanes)...);
  second = __builtin_shufflevector(a, b, (kLanes / 2 + i / 2 + i % 2 * kLanes)...);
}

// out[4 * lane + word] = word `word` of the draw for group + lane.
void draw_lanes(uint64_t seed, uint32_t stream, uint32_t step, uint64_t group, uint32_t* out) {
  Words lane_numbers;
  for (uint32_t lane = 0; lane < kLanes; ++lane) lane_numbers[lane] = lane;
  const Words base = Words{} + static_cast<uint32_t>(group);
  Words word[4] = {base + lane_numbers, Words{} + static_cast<uint32_t>(group >> 32), Words{} + stream, Words{} + step};
  word[1] -= reinterpret_cast<Words>(word[0] < base);  // the carry: a comparison gives -1
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    Words low0, high0, low2, high2;
    multiply_words(word[0], 0xD2511F53u, low0, high0);
    multiply_words(word[2], 0xCD9E8D57u, low2, high2);
    word[0] = high2 ^ word[1] ^ key0;
    word[1] = low2;
    word[2] = high0 ^ word[3] ^ key1;
    word[3] = low0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  constexpr std::make_integer_sequence<int, kLanes> kAll{};
  Words even[2], odd[2], result[4];  // words 0 and 2, words 1 and 3
  interleave(word[0], word[2], even[0], even[1], kAll);
  interleave(word[1], word[3], odd[0], odd[1], kAll);
  interleave(even[0], odd[0], result[0], result[1], kAll);
  interleave(even[1], odd[1], result[2], result[3], kAll);
  std::memcpy(out, result, sizeof result);
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
    for (int64_t i = 0; i < size; i += kLanes) {
      const int64_t count = std::min<int64_t>(kLanes, size - i);
      IntVector bits;
      std::memcpy(&bits, words + i, sizeof bits);
      const Vector draw = __builtin_convertvector((bits >> 8) & 0x00ffffff, Vector) * 0x1p-24f;  // philox::uniform
      Vector value = draw >= probability ? load_part(x + first + i, count) * factor : Vector{};
      if (args.accumulate) value += load_part(y + first + i, count);
      store_part(y + first + i, value, count);
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

}  // namespace cairn::simd
