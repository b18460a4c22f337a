// LucasRr/deep_learning_playground, CNN_for_image_denoising: zero padding, no biases, squared error.
#include "models/denoisers.h"

#include <algorithm>

#include "framework/nn/image_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "models/model.h"

namespace cairn {
namespace {

// N x 1
Tensor column(const std::shared_ptr<Device>& device, const std::vector<float>& values, DType dtype) {
  const Shape shape{static_cast<int64_t>(values.size()), 1};
  if (dtype == DType::f32) return Tensor::from_host<float>(device, shape, values);
  return Tensor::from_host<double>(device, shape, std::vector<double>(values.begin(), values.end()));
}

// The outer product of [w, 1 - 2w, w] with itself: the filters [a, 1, a] x [a, 1, a], divided by their sum, with
// w = a / (1 + 2a). w is what is learnt, since the filter is a polynomial of it.
class NeighbourFilter : public Module {
 public:
  NeighbourFilter(const std::shared_ptr<Device>& device, double a, DType dtype)
      : weight(column(device, {static_cast<float>(a / (1 + 2 * a))}, dtype)),
        difference_(column(device, {1, -2, 1}, dtype)),
        centre_(column(device, {0, 1, 0}, dtype)) {
    register_parameter("weight", weight);
  }
  Tensor forward(const Tensor& x) override {
    const Tensor line = add(matmul(difference_, weight), centre_);
    const Tensor kernel = matmul(line, reshape(line, {1, 3}));
    return conv2d(x, reshape(kernel, {1, 1, 3, 3}), {}, {.pad_height = 1, .pad_width = 1});
  }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override {
    layers.push_back({name, "NeighbourFilter", sample, 1, 9 * sample.count()});
    return sample;
  }

  Tensor weight;  // 1 x 1

 private:
  Tensor difference_, centre_;
};

// Convolutions to these numbers of channels, of one kernel size, with a ReLU between each two.
std::shared_ptr<Module> convolutions(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype,
                                     int64_t kernel, std::initializer_list<int64_t> channels) {
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> layers;
  const Conv2dLayerOptions same{.padding = kernel / 2, .bias = false};
  int64_t in = 1;
  int number = 1;
  for (const int64_t out : channels) {
    if (number > 1) layers.emplace_back("relu" + std::to_string(number - 1), std::make_shared<ReLU>());
    layers.emplace_back("conv" + std::to_string(number++),
                        std::make_shared<Conv2d>(device, in, out, kernel, initializer, same, dtype));
    in = out;
  }
  return std::make_shared<Sequential>(std::move(layers));
}

// The source's settings: batches in stored order at a constant rate.
Recipe playground(OptimizerKind optimizer, double learning_rate, int64_t epochs, const InitRule& init = {}) {
  return {.name = "playground",
          .description = "LucasRr/deep_learning_playground",
          .init = init,
          .normalization = Normalization::unit,
          .optimizer = optimizer,
          .learning_rate = learning_rate,
          .batch_size = 128,
          .epochs = epochs,
          .shuffle = false};
}

// Adam with a cosine schedule over shuffled batches, ahead of the source's recipe.
std::vector<Recipe> recipes(double learning_rate, int64_t epochs, const Recipe& published) {
  return {{.name = "default",
           .description = "Adam with a cosine schedule",
           .normalization = Normalization::unit,
           .optimizer = OptimizerKind::adam,
           .learning_rate = learning_rate,
           .schedule = {.kind = Schedule::Kind::cosine},
           .batch_size = 64,
           .epochs = epochs},
          published};
}

using Pointer = std::shared_ptr<Device>;
using Build = decltype(ModelInfo::build);

struct Filter {
  ModelInfo model;
  double published_snr;
};

Filter filter(const char* name, const char* description, double published_snr, Build build,
              const std::vector<Recipe>& recipes) {
  const Shape mnist{1, 28, 28};
  return {{name, description, mnist, 0, build, recipes, Task::denoise}, published_snr};
}

template <int kPercent>  // of a
std::shared_ptr<Module> neighbours(const Pointer& device, Initializer&, DType dtype) {
  return std::make_shared<NeighbourFilter>(device, kPercent / 100.0, dtype);
}

template <int64_t kKernel, int64_t... kChannels>
std::shared_ptr<Module> learned(const Pointer& device, Initializer& initializer, DType dtype) {
  return convolutions(device, initializer, dtype, kKernel, {kChannels...});
}

// `default` and `playground`, the source's; 0 epochs: there is nothing to learn.
std::vector<Filter> make_filters() {
  const Recipe published_sgd = playground(OptimizerKind::sgd, 0.1, 2, {.weight = WeightInit::unit_uniform});
  const std::vector<Recipe> fixed = recipes(1e-2, 0, playground(OptimizerKind::sgd, 0.1, 0));
  const std::vector<Recipe> linear = recipes(1e-2, 2, published_sgd);
  const std::vector<Recipe> deep = recipes(1e-2, 5, playground(OptimizerKind::adam, 1e-3, 3));
  return {
      filter("gaussian", "[0.5, 1, 0.5] x [0.5, 1, 0.5] over its sum", 8.28, neighbours<50>, fixed),
      filter("mean", "the mean of 3 x 3 pixels", 7.39, neighbours<100>, fixed),
      filter("gaussian-learned", "[a, 1, a] x [a, 1, a] over its sum, a learned from 0.5 on", 8.925, neighbours<50>,
             linear),
      filter("filter-3x3", "one learned 3 x 3 filter", 9.057, learned<3, 1>, linear),
      filter("filter-5x5", "one learned 5 x 5 filter", 9.677, learned<5, 1>, linear),
      filter("deep-3", "3 x 3 convolutions to 3 channels and back", 12.009, learned<3, 3, 1>, deep),
      filter("deep-3-3", "the same with two layers of 3 channels", 12.024, learned<3, 3, 3, 1>, deep),
      filter("deep-8", "8 channels; the published figure is a second run of deep-3-3", 12.148, learned<3, 8, 1>, deep),
      filter("deep-8-16-32", "8, 16 and 32 channels", 15.508, learned<3, 8, 16, 32, 1>, deep),
  };
}

}  // namespace

std::vector<ModelInfo> denoiser_family() {
  std::vector<ModelInfo> models;
  for (const Filter& each : make_filters()) models.push_back(each.model);
  return models;
}

double published_snr(const std::string& filter) {
  static const std::vector<Filter> filters = make_filters();
  return std::ranges::find(filters, filter, [](const Filter& each) { return each.model.name; })->published_snr;
}

}  // namespace cairn
