// The task of telling classes apart: cross-entropy over a logit for each class, and how many are right. Not here: the
// steps (loop.h), what a network sees of examples (sample_input.h).
#pragma once

#include "trainers/evaluation.h"
#include "trainers/loop.h"

namespace cairn {

// The mean loss of the labels: the logits' that the network has just made, and in training those of its auxiliary
// classifiers, as often as each counts.
Tensor training_loss(Module& model, const Tensor& logits, const Tensor& labels, double smoothing = 0);

class Classify {
 public:
  // loop: whose clock the augmentation's draws follow; it and the data must live as long.
  Classify(const DeviceData& data, const Recipe& recipe, const Loop& loop, uint64_t seed, DType real);

  // The mean loss of a batch, as calls that can be captured. With hits (one i64) it adds how many of its examples are
  // right to them.
  Tensor loss(Module& model, const Batch& batch, const Tensor& hits = {});
  // On the test split. Waits for the device.
  Evaluation evaluate(Module& model) const;

 private:
  Tensor samples(const Batch& batch) const;

  const DeviceData& data_;
  SampleInput input_;
  ImageDraws draws_;
  double smoothing_;
  Tensor labels_;  // of the batch
  Tensor unused_loss_, unused_top_;
};

}  // namespace cairn
