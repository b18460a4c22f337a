#include "trainers/predictor.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "framework/error.h"
#include "framework/ops/loss.h"
#include "trainers/median.h"
#include "trainers/stopwatch.h"

namespace cairn {
Predictor::Predictor(const std::shared_ptr<Device>& device, const Weights& weights)
    : device_(device), weights_(weights), model_(load_model(device, weights)) {
  model_->fold();
}

Predictions Predictor::run(const DeviceSplit& split, int64_t batch_size, const UseLogits& use) {
  if (batch_size < 0)
    throw UsageError("--batch-size must be a number of images, or 0 for all at once, not " +
                     std::to_string(batch_size));
  Predictions result;
  result.count = split.count;
  result.classes = weights_.model->classes;
  result.timing.batch_size = batch_size == 0 ? split.count : std::min(batch_size, split.count);
  if (split.count == 0) return result;

  const RowScale pixels =
      takes_texts(*weights_.model) ? RowScale() : RowScale(device_, weights_.pixels.scale, weights_.pixels.shift);
  const SampleInput input(pixels, weights_.augmentation);
  const auto probabilities = [](const Tensor& logits) { return softmax(logits).to_host<float>(); };
  const DeviceSplit first{result.timing.batch_size, {{split.input(), split.samples(0, result.timing.batch_size)}}};
  visit_batches(*model_, first, input, first.count,
                [&](const Tensor& logits, int64_t, int64_t) { probabilities(logits); });

  std::vector<double> batch_seconds;
  Stopwatch batch_watch;
  double& waited = result.timing.waiting_seconds;
  visit_batches(*model_, split, input, result.timing.batch_size, [&](const Tensor& logits, int64_t begin, int64_t end) {
    const std::vector<float> batch = probabilities(logits);
    const double waiting = split.streamed ? split.streamed->waited_seconds() - waited : 0;
    batch_seconds.push_back(batch_watch.seconds() - waiting);
    waited += waiting;
    result.probabilities.insert(result.probabilities.end(), batch.begin(), batch.end());
    use(logits, begin, end);
    batch_watch = {};
  });
  if (!std::ranges::all_of(result.probabilities, [](float value) { return std::isfinite(value); }))
    throw DataError(weights_.file.string() + ": these weights give probabilities that are no numbers");
  for (const double seconds : batch_seconds) result.timing.seconds += seconds;
  result.timing.batches = static_cast<int64_t>(batch_seconds.size());
  result.timing.median_batch_seconds = median(batch_seconds);
  result.timing.images_per_second = static_cast<double>(split.count) / std::max(result.timing.seconds, 1e-9);
  return result;
}

Predictions Predictor::predict(const datasets::Split& split, int64_t batch_size) {
  return run(upload(device_, split, weights_.text), batch_size, [](const Tensor&, int64_t, int64_t) {});
}

TestReport Predictor::evaluate(const datasets::Split& split, int64_t batch_size) {
  const DeviceSplit on_device = upload(device_, split, weights_.text);
  MetricSums sums(on_device);
  const Predictions predictions = run(
      on_device, batch_size, [&](const Tensor& logits, int64_t begin, int64_t end) { sums.add(logits, begin, end); });
  const auto classes = static_cast<size_t>(predictions.classes);
  const std::span<const int32_t> labels = datasets::labels(split);
  TestReport report;
  report.evaluation = sums.result();
  report.timing = predictions.timing;
  report.confusion.assign(classes, std::vector<int64_t>(classes));
  for (int64_t i = 0; i < predictions.count; ++i) {
    const int label = labels[static_cast<size_t>(i)];
    const ClassProbability best = top_classes(predictions, i, 1)[0];
    ++report.confusion[static_cast<size_t>(label)][static_cast<size_t>(best.label)];
    if (best.label == label) continue;
    const size_t right = static_cast<size_t>(i) * classes + static_cast<size_t>(label);
    report.mistakes.push_back({i, label, best.label, best.probability, predictions.probabilities[right]});
  }
  std::ranges::sort(report.mistakes, {}, [](const Mistake& mistake) {
    return std::tuple(mistake.label_probability, -mistake.probability, mistake.index);
  });
  return report;
}

std::vector<ClassProbability> top_classes(const Predictions& predictions, int64_t index, int k) {
  std::vector<ClassProbability> all;
  for (int64_t label = 0; label < predictions.classes; ++label)
    all.push_back(
        {static_cast<int>(label), predictions.probabilities[static_cast<size_t>(index * predictions.classes + label)]});
  std::ranges::stable_sort(all, std::ranges::greater(), &ClassProbability::probability);
  all.resize(std::min(all.size(), static_cast<size_t>(k)));
  return all;
}

}  // namespace cairn
