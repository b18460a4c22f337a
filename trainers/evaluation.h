// A trained model over examples that lie on the device, batch by batch, without gradients: what the trainer's
// evaluation and the predictor share. Not here: whole predictions on the host (predictor.h).
#pragma once

#include <functional>
#include <optional>

#include "framework/nn/module.h"
#include "trainers/device_data.h"
#include "trainers/sample_input.h"

namespace cairn {

struct Evaluation {
  double loss = 0;
  double accuracy = 0;  // fraction
  int64_t correct = 0, count = 0;
  std::optional<double> top5 = {};  // fraction whose label is among the five likeliest of more than ten classes
};

// logits: (end - begin) x classes, of examples begin .. end - 1.
using UseLogits = std::function<void(const Tensor& logits, int64_t begin, int64_t end)>;

// How many samples a batch may have so that no layer's output takes more than 32 MiB; at most 2000, at least one.
// batch: the shape of any.
int64_t evaluation_rows(const Module& model, const Shape& batch);

// Puts the model into evaluation mode and calls use for one batch after the other.
void visit_batches(Module& model, const DeviceSplit& split, const SampleInput& input, int64_t batch_size,
                   const UseLogits& use);

// Loss and hits, summed on the device.
class MetricSums {
 public:
  explicit MetricSums(const DeviceSplit& split);
  void add(const Tensor& logits, int64_t begin, int64_t end);
  Evaluation result() const;  // waits for the device

 private:
  Tensor labels_;
  Tensor loss_sum_, correct_, in_top_;
  int64_t count_ = 0, classes_ = 0;
};

}  // namespace cairn
