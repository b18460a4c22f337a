#include "trainers/denoising.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "datasets/order.h"
#include "framework/autograd.h"
#include "framework/device.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/random.h"
#include "trainers/trainer.h"

namespace cairn {
namespace {

using Clock = std::chrono::steady_clock;

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

Denoising::Denoising(const std::shared_ptr<Device>& device, const DenoiserInfo& filter, const Recipe& recipe,
                     const DenoisingSettings& settings, DeviceData data)
    : device_(device), recipe_(recipe), settings_(settings), data_(std::move(data)) {
  const int64_t count = data_.train.count;
  if (data_.train.images.shape()[1] != 1)
    throw UsageError("the filters take images of one channel, not of " + std::to_string(data_.train.images.shape()[1]));
  if (recipe_.batch_size < 1 || recipe_.batch_size > count)
    throw UsageError("--batch-size must be between 1 and the " + std::to_string(count) + " training images, not " +
                     std::to_string(recipe_.batch_size));
  batch_size_ = recipe_.batch_size;
  steps_per_epoch_ = datasets::steps_per_epoch(count, batch_size_, false);
  recipe_.schedule.total_steps = recipe_.epochs * steps_per_epoch_;

  Initializer initializer(recipe_.init, settings_.seed);
  model_ = filter.build(device_, initializer);
  if (recipe_.epochs > 0) optimizer_ = make_optimizer(recipe_, model_->parameters());
  clock_ = std::make_unique<StepClock>(device_, steps_per_epoch_);

  order_ = Tensor::empty(device_, {count}, DType::i32, "the epoch's order");
  index_ = Tensor::empty(device_, {batch_size_}, DType::i32, "a batch");
  history_ = Tensor::zeros(device_, {steps_per_epoch_});
  test_batch_ = Tensor::zeros(device_, {}, DType::i64);
}

Denoising::~Denoising() = default;

void Denoising::start_epoch() {
  order_.set(std::span<const int32_t>(
      datasets::epoch_order(data_.train.count, settings_.seed, static_cast<uint32_t>(epochs_done_), recipe_.shuffle)));
  std::vector<float> rates(static_cast<size_t>(steps_per_epoch_));
  for (int64_t i = 0; i < steps_per_epoch_; ++i)
    rates[static_cast<size_t>(i)] = static_cast<float>(
        learning_rate_at(recipe_.schedule, recipe_.learning_rate, epochs_done_ * steps_per_epoch_ + i));
  clock_->set_rates(rates);
}

// Noise, forward, backward and update of one batch, as calls that can be captured.
void Denoising::step_calls(int64_t rows) {
  const Tensor index = index_.rows(0, rows);
  device_->call(&Backend::select_rows, SelectRowsArgs{.order = order_.data<int32_t>(),
                                                      .step = clock_->step().data<int64_t>(),
                                                      .steps_per_epoch = steps_per_epoch_,
                                                      .batch_size = batch_size_,
                                                      .rows = rows,
                                                      .index = index.data<int32_t>()});
  const Tensor clean = Tensor::byte_rows(data_.train.images, index, data_.pixels);
  const Tensor noisy = add_noise(clean, settings_.deviation, 0, 1, settings_.seed,
                                 make_stream(RandomPurpose::kNoise, kTrainingNoise), clock_->step());
  const Tensor loss = squared_error(model_->forward(noisy), clean);
  optimizer_->clear_grads();
  backward(loss);
  optimizer_->step(*clock_);
  device_->call(&Backend::finish_step, FinishStepArgs{.dtype = loss.dtype(),
                                                      .value = loss.data(),
                                                      .history = history_.data<float>(),
                                                      .capacity = steps_per_epoch_,
                                                      .step = clock_->step().data<int64_t>()});
}

Denoising::Epoch Denoising::run_epoch(const std::atomic<bool>& stop) {
  model_->train();
  start_epoch();
  device_->synchronize();
  const auto begin = Clock::now();
  int64_t done = 0;
  for (; done < steps_per_epoch_ && !stop; ++done) {
    const int64_t rows = std::min(batch_size_, data_.train.count - done * batch_size_);
    if (rows < batch_size_ || whole_steps_ == 0) {  // a short batch comes once an epoch; the first step allocates
      step_calls(rows);
    } else {
      if (!recording_) recording_ = std::make_unique<Recording>(*device_, [&] { step_calls(rows); });
      recording_->replay();
    }
    whole_steps_ += rows == batch_size_;
  }
  device_->synchronize();
  ++epochs_done_;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::vector<float> losses = history_.to_host<float>();
  const double sum = std::accumulate(losses.begin(), losses.begin() + done, 0.0);
  if (!std::isfinite(sum)) throw DivergedError("the loss is no longer a number: training diverged; try a smaller --lr");
  return {done > 0 ? sum / static_cast<double>(done) : 0, seconds};
}

Denoising::Pair Denoising::test_images(int64_t begin, int64_t end) {
  const int64_t batch = begin / kTestBatch;
  test_batch_.set(std::span<const int64_t>(&batch, 1));
  const Tensor clean = Tensor::byte_rows(data_.test.images.rows(begin, end), {}, data_.pixels);
  return {clean, add_noise(clean, settings_.deviation, 0, 1, settings_.seed,
                           make_stream(RandomPurpose::kNoise, kTestNoise), test_batch_)};
}

SignalToNoise Denoising::evaluate() {
  NoGrad no_grad;
  model_->eval();
  SignalToNoise mean;
  const int64_t batches = (data_.test.count + kTestBatch - 1) / kTestBatch;
  for (int64_t i = 0; i < batches; ++i) {
    const Pair images = test_images(i * kTestBatch, std::min((i + 1) * kTestBatch, data_.test.count));
    const std::vector<float> clean = images.clean.to_host<float>();
    const auto share = 1 / static_cast<double>(batches);
    mean.noisy += share * signal_to_noise(clean, images.noisy.to_host<float>());
    mean.denoised += share * signal_to_noise(clean, model_->forward(images.noisy).to_host<float>());
  }
  return mean;
}

datasets::Picture Denoising::draw(int64_t count) {
  NoGrad no_grad;
  model_->eval();
  constexpr int64_t kGap = 4;
  constexpr uint8_t kPaper = 255;
  const Pair images = test_images(0, std::min({count, kTestBatch, data_.test.count}));
  const int64_t columns = images.clean.shape()[0], height = images.clean.shape()[2], width = images.clean.shape()[3];
  datasets::Picture picture{columns * (width + kGap) + kGap, 3 * (height + kGap) + kGap, 1, {}};
  picture.pixels.assign(static_cast<size_t>(picture.width * picture.height), kPaper);
  int64_t top = kGap;
  for (const Tensor& row : {images.clean, images.noisy, model_->forward(images.noisy)}) {
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
