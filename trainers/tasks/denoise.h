// The task of taking noise out of images: squared error against the clean image, and the signal-to-noise ratio. Not
// here: the steps (loop.h), the filters (models/denoisers.cpp).
#pragma once

#include "datasets/png.h"
#include "trainers/device_data.h"
#include "trainers/loop.h"

namespace cairn {

// Means over the test images by batches of 128, the published measure's, of 10 log10(sum x^2 / sum (y - x)^2), in dB;
// x: clean.
struct SignalToNoise {
  double noisy = 0, denoised = 0;
};

class Denoise {
 public:
  // data.pixels must map to [0, 1]. deviation: of the noise, which is added to those and clipped there. loop: whose
  // clock the draws follow; it and the data must live as long.
  Denoise(const DeviceData& data, double deviation, const Loop& loop, uint64_t seed);

  // The mean loss of a batch under noise that is drawn anew at every step, as calls that can be captured.
  Tensor loss(Module& model, const Batch& batch) const;
  // On the test images. Waits for the device.
  SignalToNoise evaluate(Module& model);
  // The first `count` test images: a row of clean ones, one of noisy, one of denoised.
  datasets::Picture draw(Module& model, int64_t count);

 private:
  struct Pair {
    Tensor clean, noisy;
  };
  Pair test_images(int64_t begin, int64_t end);

  const DeviceData& data_;
  double deviation_;
  uint64_t seed_;
  Tensor step_;        // of the clock
  Tensor test_batch_;  // number of the test batch, which keys its noise
};

}  // namespace cairn
