#include "trainers/tasks/denoise.h"

#include <algorithm>
#include <cmath>

#include "framework/autograd.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/random.h"

namespace cairn {
namespace {

constexpr uint32_t kTrainingNoise = 0, kTestNoise = 1;
constexpr int64_t kTestBatch = 128;

// 10 log10(sum x^2 / sum (y - x)^2)
double signal_to_noise(std::span<const float> clean, std::span<const float> other) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < clean.size(); ++i) {
    const double difference = static_cast<double>(other[i]) - clean[i];
    signal += static_cast<double>(clean[i]) * clean[i];
    noise += difference * difference;
  }
  return 10 * std::log10(signal / noise);
}

}  // namespace

Denoise::Denoise(const DeviceData& data, double deviation, const Loop& loop, uint64_t seed)
    : data_(data),
      deviation_(deviation),
      seed_(seed),
      step_(loop.clock().step()),
      test_batch_(Tensor::zeros(step_.device(), {}, DType::i64)) {}

Tensor Denoise::loss(Module& model, const Batch& batch) const {
  const Tensor clean = Tensor::byte_rows(data_.train.column(datasets::kImage), batch.index, data_.pixels);
  const Tensor noisy =
      add_noise(clean, deviation_, 0, 1, seed_, make_stream(RandomPurpose::kNoise, kTrainingNoise), step_);
  return squared_error(model.forward(noisy), clean);
}

Denoise::Pair Denoise::test_images(int64_t begin, int64_t end) {
  const int64_t batch = begin / kTestBatch;
  test_batch_.set(std::span<const int64_t>(&batch, 1));
  const Tensor clean = Tensor::byte_rows(data_.test.column(datasets::kImage).rows(begin, end), {}, data_.pixels);
  return {clean,
          add_noise(clean, deviation_, 0, 1, seed_, make_stream(RandomPurpose::kNoise, kTestNoise), test_batch_)};
}

SignalToNoise Denoise::evaluate(Module& model) {
  NoGrad no_grad;
  model.eval();
  SignalToNoise mean;
  const int64_t batches = (data_.test.count + kTestBatch - 1) / kTestBatch;
  for (int64_t i = 0; i < batches; ++i) {
    const Pair images = test_images(i * kTestBatch, std::min((i + 1) * kTestBatch, data_.test.count));
    const std::vector<float> clean = images.clean.to_host<float>();
    const auto share = 1 / static_cast<double>(batches);
    mean.noisy += share * signal_to_noise(clean, images.noisy.to_host<float>());
    mean.denoised += share * signal_to_noise(clean, model.forward(images.noisy).to_host<float>());
  }
  return mean;
}

datasets::Picture Denoise::draw(Module& model, int64_t count) {
  NoGrad no_grad;
  model.eval();
  constexpr int64_t kGap = 4;
  constexpr uint8_t kPaper = 255;
  const Pair images = test_images(0, std::min({count, kTestBatch, data_.test.count}));
  const int64_t columns = images.clean.shape()[0], height = images.clean.shape()[2], width = images.clean.shape()[3];
  datasets::Picture picture{columns * (width + kGap) + kGap, 3 * (height + kGap) + kGap, 1, {}};
  picture.pixels.assign(static_cast<size_t>(picture.width * picture.height), kPaper);
  int64_t top = kGap;
  for (const Tensor& row : {images.clean, images.noisy, model.forward(images.noisy)}) {
    const std::vector<float> pixels = row.to_host<float>();
    for (int64_t i = 0; i < row.count(); ++i) {
      const int64_t x = i / (height * width) * (width + kGap) + kGap + i % width, y = top + i / width % height;
      const float value = std::clamp(pixels[static_cast<size_t>(i)], 0.0f, 1.0f);
      picture.pixels[static_cast<size_t>(y * picture.width + x)] = static_cast<uint8_t>(std::lround(255 * value));
    }
    top += height + kGap;
  }
  return picture;
}

}  // namespace cairn
