// Features: the row of numbers that a network for photos makes of an image ahead of its head. Not here: where the
// network is cut (models/transfer.h), what is done with the rows (trainer.h, apps/features.cpp).
#pragma once

#include <atomic>
#include <memory>

#include "models/model.h"
#include "trainers/device_data.h"
#include "trainers/sample_input.h"

namespace cairn {

struct Features {
  Tensor rows;                 // count x features, f32, on the device
  double seconds = 0;          // all of it
  double waiting_seconds = 0;  // of these, for images that were still read, decoded or scaled
};

class FeatureMaker {
 public:
  // Of this network, whose weights are copied: it makes a folded network of its own. Throws as split_network does.
  FeatureMaker(const std::shared_ptr<Device>& device, const ModelInfo& info, const Module& network);

  // Of every image of the split, as evaluation sees them. batch_size 0: as many at a time as evaluation takes. Throws
  // datasets::InterruptedError when `stop` becomes true.
  Features of(const DeviceSplit& split, const SampleInput& input, int64_t batch_size,
              const std::atomic<bool>& stop) const;

 private:
  std::shared_ptr<Module> backbone_;
};

// Images of random bytes, the same ones always: the fake data of ilkarman/DeepLearningFrameworks, where they are floats
// in [0, 1); here they have 256 steps.
datasets::Split random_images(const Shape& image, int64_t count);

}  // namespace cairn
