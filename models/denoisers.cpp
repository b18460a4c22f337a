#include "models/denoisers.h"

#include "framework/error.h"
#include "framework/nn/image_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"

namespace cairn {
namespace {

// The outer product of [w, 1 - 2w, w] with itself: the filters [a, 1, a] x [a, 1, a], divided by their sum, with
// w = a / (1 + 2a). w is what is learnt, since the filter is a polynomial of it.
class NeighbourFilter : public Module {
 public:
  NeighbourFilter(const std::shared_ptr<Device>& device, double a)
      : weight(Tensor::from_host<float>(device, {1, 1}, std::vector<float>{static_cast<float>(a / (1 + 2 * a))})),
        difference_(Tensor::from_host<float>(device, {3, 1}, std::vector<float>{1, -2, 1})),
        centre_(Tensor::from_host<float>(device, {3, 1}, std::vector<float>{0, 1, 0})) {
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
std::shared_ptr<Module> convolutions(const std::shared_ptr<Device>& device, Initializer& initializer, int64_t kernel,
                                     std::initializer_list<int64_t> channels) {
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> layers;
  const Conv2dLayerOptions same{.padding = kernel / 2, .bias = false};
  int64_t in = 1;
  int number = 1;
  for (const int64_t out : channels) {
    if (number > 1) layers.emplace_back("relu" + std::to_string(number - 1), std::make_shared<ReLU>());
    layers.emplace_back("conv" + std::to_string(number++),
                        std::make_shared<Conv2d>(device, in, out, kernel, initializer, same));
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

std::vector<DenoiserInfo> make_denoisers() {
  using Pointer = std::shared_ptr<Device>;
  const Recipe published_sgd = playground(OptimizerKind::sgd, 0.1, 2, {.weight = WeightInit::unit_uniform});
  const std::vector<Recipe> fixed = recipes(1e-2, 0, playground(OptimizerKind::sgd, 0.1, 0));
  const std::vector<Recipe> linear = recipes(1e-2, 2, published_sgd);
  const std::vector<Recipe> deep = recipes(1e-2, 5, playground(OptimizerKind::adam, 1e-3, 3));
  return {
      {"gaussian", "[0.5, 1, 0.5] x [0.5, 1, 0.5] over its sum", 8.28,
       [](const Pointer& device, Initializer&) -> std::shared_ptr<Module> {
         return std::make_shared<NeighbourFilter>(device, 0.5);
       },
       fixed},
      {"mean", "the mean of 3 x 3 pixels", 7.39,
       [](const Pointer& device, Initializer&) -> std::shared_ptr<Module> {
         return std::make_shared<NeighbourFilter>(device, 1.0);
       },
       fixed},
      {"gaussian-learned", "[a, 1, a] x [a, 1, a] over its sum, a learned from 0.5 on", 8.925,
       [](const Pointer& device, Initializer&) -> std::shared_ptr<Module> {
         return std::make_shared<NeighbourFilter>(device, 0.5);
       },
       linear},
      {"filter-3x3", "one learned 3 x 3 filter", 9.057,
       [](const Pointer& device, Initializer& initializer) { return convolutions(device, initializer, 3, {1}); },
       linear},
      {"filter-5x5", "one learned 5 x 5 filter", 9.677,
       [](const Pointer& device, Initializer& initializer) { return convolutions(device, initializer, 5, {1}); },
       linear},
      {"deep-3", "3 x 3 convolutions to 3 channels and back", 12.009,
       [](const Pointer& device, Initializer& initializer) {
         return convolutions(device, initializer, 3, {3, 1});
       },
       deep},
      {"deep-3-3", "the same with two layers of 3 channels", 12.024,
       [](const Pointer& device, Initializer& initializer) {
         return convolutions(device, initializer, 3, {3, 3, 1});
       },
       deep},
      {"deep-8", "8 channels; the published figure is a second run of deep-3-3", 12.148,
       [](const Pointer& device, Initializer& initializer) {
         return convolutions(device, initializer, 3, {8, 1});
       },
       deep},
      {"deep-8-16-32", "8, 16 and 32 channels", 15.508,
       [](const Pointer& device, Initializer& initializer) {
         return convolutions(device, initializer, 3, {8, 16, 32, 1});
       },
       deep},
  };
}

}  // namespace

std::span<const DenoiserInfo> known_denoisers() {
  static const std::vector<DenoiserInfo> denoisers = make_denoisers();
  return denoisers;
}

const DenoiserInfo& find_denoiser(const std::string& name) {
  std::string choices;
  for (const DenoiserInfo& denoiser : known_denoisers()) {
    if (denoiser.name == name) return denoiser;
    choices += (choices.empty() ? "" : ", ") + denoiser.name;
  }
  throw UsageError("unknown filter '" + name + "': choose one of " + choices);
}

const Recipe& find_recipe(const DenoiserInfo& denoiser, const std::string& name) {
  return find_recipe(denoiser.recipes, name, "filter " + denoiser.name);
}

}  // namespace cairn
