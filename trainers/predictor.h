// Inference: probabilities of images or texts, and how a model does on a labelled set, both timed. Not here: where the
// weights come from (weights.h), pictures of digits (datasets/digit_image.h).
#pragma once

#include <memory>
#include <vector>

#include "trainers/evaluation.h"
#include "trainers/weights.h"

namespace cairn {

// From the images on the device to their probabilities on the host. The first batch is run once more beforehand.
struct PredictionTiming {
  int64_t batch_size = 0, batches = 0;
  double seconds = 0;  // all batches
  double median_batch_seconds = 0;
  double images_per_second = 0;
  double waiting_seconds = 0;  // for images that were still read from files; not in `seconds`
};

struct Predictions {
  int64_t count = 0, classes = 0;
  std::vector<float> probabilities;  // count x classes
  PredictionTiming timing;
};

struct ClassProbability {
  int label = 0;
  float probability = 0;
};

struct Mistake {
  int64_t index = 0;  // of the image or text
  int label = 0, predicted = 0;
  float probability = 0, label_probability = 0;  // of what was predicted, of what is right
};

struct TestReport {
  Evaluation evaluation;
  std::vector<std::vector<int64_t>> confusion;  // [right class][predicted class]
  std::vector<Mistake> mistakes;                // all, the one with the least probability for the right class first
  PredictionTiming timing;
};

class Predictor {
 public:
  // Throws what load_model throws.
  Predictor(const std::shared_ptr<Device>& device, const Weights& weights);

  // batch_size 0: all images at once. Throws UsageError for a negative one, ShapeError for images that the model does
  // not take, DataError for weights whose probabilities are no numbers.
  Predictions predict(const datasets::Split& split, int64_t batch_size);
  TestReport evaluate(const datasets::Split& split, int64_t batch_size);

 private:
  Predictions run(const DeviceSplit& split, int64_t batch_size, const UseLogits& use);

  std::shared_ptr<Device> device_;
  Weights weights_;
  std::shared_ptr<Module> model_;
};

// The k most probable classes of image `index`, the most probable first.
std::vector<ClassProbability> top_classes(const Predictions& predictions, int64_t index, int k);

}  // namespace cairn
