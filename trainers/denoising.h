// Training a filter that takes noise out of images, and measuring it by its signal-to-noise ratio. Not here: the
// filters (models/denoisers.h), classification (trainer.h).
#pragma once

#include <atomic>
#include <memory>

#include "datasets/png.h"
#include "framework/optim/optimizer.h"
#include "models/denoisers.h"
#include "trainers/device_data.h"

namespace cairn {

struct DenoisingSettings {
  uint64_t seed = 1;
  double deviation = 0.2;  // of the noise, which is added to pixels in [0, 1] and clipped there
};

// Means over the test images by batches of 128, the published measure's, of 10 log10(sum x^2 / sum (y - x)^2), in dB;
// x: clean.
struct SignalToNoise {
  double noisy = 0, denoised = 0;
};

// Noise, normal and drawn anew at every step, and order come from counters: the same for every implementation and
// number of threads.
class Denoising {
 public:
  // data.pixels must map to [0, 1]. recipe: with the user's changes.
  Denoising(const std::shared_ptr<Device>& device, const DenoiserInfo& filter, const Recipe& recipe,
            const DenoisingSettings& settings, DeviceData data);
  ~Denoising();

  struct Epoch {
    double loss;     // mean squared error of its steps
    double seconds;  // of the steps, finished on the device
  };
  // Throws DivergedError. When `stop` becomes true the step in hand is the last.
  Epoch run_epoch(const std::atomic<bool>& stop);
  SignalToNoise evaluate();
  // The first `count` test images: a row of clean ones, one of noisy, one of denoised.
  datasets::Picture draw(int64_t count);

  Module& model() { return *model_; }

 private:
  struct Pair {
    Tensor clean, noisy;
  };
  Pair test_images(int64_t begin, int64_t end);
  void start_epoch();
  void step_calls(int64_t rows);

  std::shared_ptr<Device> device_;
  Recipe recipe_;
  DenoisingSettings settings_;
  DeviceData data_;
  int64_t batch_size_, steps_per_epoch_, epochs_done_ = 0;
  std::shared_ptr<Module> model_;
  std::unique_ptr<Optimizer> optimizer_;  // null where nothing is learnt
  std::unique_ptr<StepClock> clock_;
  Tensor order_, index_, history_;
  Tensor test_batch_;  // number of the test batch, which keys its noise
  int64_t whole_steps_ = 0;
  std::unique_ptr<Recording> recording_;
};

}  // namespace cairn
