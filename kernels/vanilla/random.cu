// Kernels that draw random numbers: uniform and normal fills, dropout, noise. Not here: the generator
// (kernels/philox.h).
//
// One Philox call yields four words, so a thread makes the four elements 4 g .. 4 g + 3 of group g = its index.
// Ten rounds of two 32 x 32 -> 64 bit multiplications for 16 bytes written: about even between arithmetic and memory.
#include "kernels/philox.h"
#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

__device__ __forceinline__ int64_t group_index() {
  return static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
}

unsigned group_grid(int64_t count) {
  return element_grid(divide_up(count, 4));
}

__global__ void uniform_kernel(int64_t count, float* out, double low, double high, uint64_t seed, uint32_t draws) {
  const int64_t group = group_index();
  if (group * 4 >= count) return;
  const philox::Block block = philox::draw(seed, draws, 0, static_cast<uint64_t>(group));
  for (int j = 0; j < 4 && group * 4 + j < count; ++j)
    out[group * 4 + j] = static_cast<float>(low + (high - low) * static_cast<double>(philox::uniform(block.word[j])));
}

__global__ void normal_kernel(int64_t count, float* out, double mean, double deviation, uint64_t seed, uint32_t draws) {
  const int64_t group = group_index();
  if (group * 4 >= count) return;
  const philox::Block block = philox::draw(seed, draws, 0, static_cast<uint64_t>(group));
  double value[4];
  philox::normal(block.word[0], block.word[1], value[0], value[1]);
  philox::normal(block.word[2], block.word[3], value[2], value[3]);
  for (int j = 0; j < 4 && group * 4 + j < count; ++j)
    out[group * 4 + j] = static_cast<float>(mean + deviation * value[j]);
}

__global__ void dropout_kernel(int64_t count, const float* x, float* y, float probability, float kept_scale,
                               uint64_t seed, uint32_t layer, const int64_t* step, bool accumulate) {
  const int64_t group = group_index();
  if (group * 4 >= count) return;
  const philox::Block block = philox::draw(seed, layer, static_cast<uint32_t>(*step), static_cast<uint64_t>(group));
  for (int j = 0; j < 4 && group * 4 + j < count; ++j) {
    const int64_t i = group * 4 + j;
    const float value = philox::uniform(block.word[j]) >= probability ? x[i] * kept_scale : 0.0f;
    y[i] = accumulate ? y[i] + value : value;
  }
}

__global__ void add_noise_kernel(int64_t count, const float* x, float* y, double deviation, double low, double high,
                                 uint64_t seed, uint32_t layer, const int64_t* step) {
  const int64_t group = group_index();
  if (group * 4 >= count) return;
  const philox::Block block = philox::draw(seed, layer, static_cast<uint32_t>(*step), static_cast<uint64_t>(group));
  double noise[4];
  philox::normal(block.word[0], block.word[1], noise[0], noise[1]);
  philox::normal(block.word[2], block.word[3], noise[2], noise[3]);
  for (int j = 0; j < 4 && group * 4 + j < count; ++j) {
    const double value = static_cast<double>(x[group * 4 + j]) + deviation * noise[j];
    y[group * 4 + j] = static_cast<float>(value < low ? low : value > high ? high : value);  // nan stays nan
  }
}

}  // namespace

void uniform(Stream& stream, const RandomArgs& args) {
  require_f32(args.dtype, "uniform");
  if (args.count == 0) return;
  simt::launch<uniform_kernel>(stream, group_grid(args.count), kElementBlock, 0, args.count,
                               static_cast<float*>(args.out), args.low, args.high, args.seed, args.stream);
}

void normal(Stream& stream, const RandomArgs& args) {
  require_f32(args.dtype, "normal");
  if (args.count == 0) return;
  simt::launch<normal_kernel>(stream, group_grid(args.count), kElementBlock, 0, args.count,
                              static_cast<float*>(args.out), args.low, args.high, args.seed, args.stream);
}

void dropout(Stream& stream, const DropoutArgs& args) {
  require_f32(args.dtype, "dropout");
  if (args.count == 0) return;
  // A draw is a multiple of 2^-24, and comparing it with the probability in double is comparing it with the
  // probability rounded up to the next such multiple, which is a float.
  const auto threshold = static_cast<float>(std::ceil(args.probability * 0x1p24) * 0x1p-24);
  simt::launch<dropout_kernel>(stream, group_grid(args.count), kElementBlock, 0, args.count,
                               static_cast<const float*>(args.x), static_cast<float*>(args.y), threshold,
                               static_cast<float>(1.0 / (1.0 - args.probability)), args.seed, args.layer, args.step,
                               args.accumulate != 0);
}

void add_noise(Stream& stream, const AddNoiseArgs& args) {
  require_f32(args.dtype, "add_noise");
  if (args.count == 0) return;
  simt::launch<add_noise_kernel>(stream, group_grid(args.count), kElementBlock, 0, args.count,
                                 static_cast<const float*>(args.x), static_cast<float*>(args.y), args.deviation,
                                 args.low, args.high, args.seed, args.layer, args.step);
}

}  // namespace cairn::CAIRN_VANILLA
