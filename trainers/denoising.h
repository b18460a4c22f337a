// Training a filter that takes noise out of images, on the same loop as every network. Not here: the loss and the
// measure (tasks/denoise.h), the filters (models/denoisers.cpp).
#pragma once

#include <atomic>
#include <memory>

#include "models/model.h"
#include "trainers/tasks/denoise.h"

namespace cairn {

struct DenoisingSettings {
  uint64_t seed = 1;
  double deviation = 0.2;  // of the noise, which is added to pixels in [0, 1] and clipped there
};

// Noise and order come from counters: the same for every implementation and number of threads.
class Denoising {
 public:
  // data.pixels must map to [0, 1]. recipe: with the user's changes. Throws UsageError.
  Denoising(const std::shared_ptr<Device>& device, const ModelInfo& filter, const Recipe& recipe,
            const DenoisingSettings& settings, DeviceData data);

  // Throws DivergedError. When `stop` becomes true the step in hand is the last.
  EpochResult run_epoch(const std::atomic<bool>& stop);
  SignalToNoise evaluate() { return task_.evaluate(*model_); }
  datasets::Picture draw(int64_t count) { return task_.draw(*model_, count); }

  Module& model() { return *model_; }

 private:
  DeviceData data_;
  Loop loop_;
  Denoise task_;
  std::shared_ptr<Module> model_;
  std::unique_ptr<Optimizer> optimizer_;  // null where nothing is learnt
};

}  // namespace cairn
