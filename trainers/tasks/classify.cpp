#include "trainers/tasks/classify.h"

#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"

namespace cairn {

Classify::Classify(const DeviceData& data, const Recipe& recipe, const Loop& loop, uint64_t seed, DType real)
    : data_(data),
      input_(data.pixels, recipe.augmentation, real),
      draws_{seed, loop.clock().step(), loop.steps_per_epoch()},
      smoothing_(recipe.label_smoothing),
      labels_(Tensor::empty(loop.history().device(), {loop.batch_size()}, DType::i32, "labels")),
      unused_loss_(Tensor::zeros(labels_.device(), {}, DType::f64)),
      unused_top_(Tensor::zeros(labels_.device(), {}, DType::i64)) {}

Tensor Classify::samples(const Batch& batch) const {
  const DeviceSplit& train = data_.train;
  if (train.streamed) return input_.augmented(train.streamed->batch(batch.rows), {}, draws_, batch.index);
  return input_.augmented(train.column(train.input()), batch.index, draws_);
}

Tensor training_loss(Module& model, const Tensor& logits, const Tensor& labels, double smoothing) {
  Tensor loss = cross_entropy(logits, labels, smoothing);
  for (const AuxiliaryLogits& each : model.take_auxiliary())
    loss = add(loss, scale(cross_entropy(each.logits, labels, smoothing), each.weight));
  return loss;
}

Tensor Classify::loss(Module& model, const Batch& batch, const Tensor& hits) {
  Tensor labels = data_.train.column(datasets::kLabel);
  if (batch.index.defined()) labels = gather_rows(labels, batch.index, labels_.rows(0, batch.rows));
  const Tensor logits = model.forward(samples(batch));
  if (hits.defined()) add_metrics(logits.detach(), labels, unused_loss_, hits, unused_top_, 1);
  return training_loss(model, logits, labels, smoothing_);
}

Evaluation Classify::evaluate(Module& model) const {
  MetricSums sums(data_.test);
  visit_batches(model, data_.test, input_, evaluation_rows(model, input_.plain(data_.test.samples(0, 1)).shape()),
                [&](const Tensor& logits, int64_t begin, int64_t end) { sums.add(logits, begin, end); });
  return sums.result();
}

}  // namespace cairn
