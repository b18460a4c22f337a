#include "trainers/evaluation.h"

#include <algorithm>

#include "framework/autograd.h"
#include "framework/ops/loss.h"

namespace cairn {
namespace {

constexpr int64_t kTop = 5, kFewClasses = 10;
constexpr int64_t kMostRows = 2000, kMostFloats = int64_t{32} << 18;  // 32 MiB

}  // namespace

int64_t evaluation_rows(const Module& model, const Shape& batch) {
  std::vector<int64_t> sample;
  for (int i = 1; i < batch.rank(); ++i) sample.push_back(batch[i]);
  std::vector<LayerSummary> layers;
  model.summarize(Shape(sample), "", layers);
  int64_t largest = std::max<int64_t>(batch.columns(), 1);
  for (const LayerSummary& layer : layers) largest = std::max(largest, layer.output.count());
  return std::clamp<int64_t>(kMostFloats / largest, 1, kMostRows);
}

void visit_batches(Module& model, const DeviceSplit& split, const SampleInput& input, int64_t batch_size,
                   const UseLogits& use) {
  NoGrad no_grad;
  model.eval();
  const auto visit = [&](const Tensor& samples, int64_t begin, int64_t end) {
    use(model.forward(input.plain(samples)), begin, end);
  };
  if (split.streamed) return split.streamed->visit(batch_size, visit);
  for (int64_t begin = 0; begin < split.count; begin += batch_size) {
    const int64_t end = std::min(begin + batch_size, split.count);
    visit(split.samples(begin, end), begin, end);
  }
}

MetricSums::MetricSums(const DeviceSplit& split)
    : labels_(split.column(datasets::kLabel)),
      loss_sum_(Tensor::zeros(labels_.device(), {}, DType::f64)),
      correct_(Tensor::zeros(labels_.device(), {}, DType::i64)),
      in_top_(Tensor::zeros(labels_.device(), {}, DType::i64)) {}

void MetricSums::add(const Tensor& logits, int64_t begin, int64_t end) {
  add_metrics(logits, labels_.rows(begin, end), loss_sum_, correct_, in_top_, kTop);
  count_ += end - begin;
  classes_ = logits.shape()[1];
}

Evaluation MetricSums::result() const {
  const double count = static_cast<double>(std::max<int64_t>(count_, 1));
  Evaluation result;
  result.count = count_;
  result.correct = correct_.to_host<int64_t>()[0];
  result.loss = loss_sum_.item() / count;
  result.accuracy = static_cast<double>(result.correct) / count;
  if (classes_ > kFewClasses) result.top5 = static_cast<double>(in_top_.to_host<int64_t>()[0]) / count;
  return result;
}

}  // namespace cairn
