#include "trainers/evaluation.h"

#include <algorithm>

#include "framework/autograd.h"
#include "framework/ops/loss.h"

namespace cairn {

void visit_batches(Module& model, const DeviceImages& images, const RowScale& pixels, int64_t batch_size,
                   const UseLogits& use) {
  NoGrad no_grad;
  model.eval();
  for (int64_t begin = 0; begin < images.count; begin += batch_size) {
    const int64_t end = std::min(begin + batch_size, images.count);
    use(model.forward(Tensor::byte_rows(images.images.rows(begin, end), {}, pixels)), begin, end);
  }
}

MetricSums::MetricSums(const DeviceImages& images) {
  const std::shared_ptr<Device>& device = images.labels.device();
  labels_ = images.labels;
  loss_sum_ = Tensor::zeros(device, {}, DType::f64);
  correct_ = Tensor::zeros(device, {}, DType::i64);
}

void MetricSums::add(const Tensor& logits, int64_t begin, int64_t end) {
  add_metrics(logits, labels_.rows(begin, end), loss_sum_, correct_);
  count_ += end - begin;
}

Evaluation MetricSums::result() const {
  const double count = static_cast<double>(std::max<int64_t>(count_, 1));
  Evaluation result;
  result.count = count_;
  result.correct = correct_.to_host<int64_t>()[0];
  result.loss = loss_sum_.item() / count;
  result.accuracy = static_cast<double>(result.correct) / count;
  return result;
}

}  // namespace cairn
