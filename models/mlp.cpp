// Networks of fully connected layers: the linear classifier, the small DNN and the MLPs. Published recipes name their
// source; docs/models.md tells where an original is faulty and what is built here instead.
#include "framework/nn/layers.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using Layers = std::vector<std::pair<std::string, std::shared_ptr<Module>>>;

// flatten - fc1 - relu (- dropout) - fc2 ... : fully connected layers of the given widths with a ReLU between each two.
// Dropout stands after the ReLU; before it, as one source has it, gives the same numbers, since both only scale or
// zero.
std::shared_ptr<Module> stack(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype,
                              const std::vector<int64_t>& widths, double dropout = 0) {
  Layers layers = {{"flatten", std::make_shared<Flatten>()}};
  for (size_t i = 1; i < widths.size(); ++i) {
    const std::string number = std::to_string(i);
    layers.emplace_back("fc" + number, std::make_shared<Linear>(device, widths[i - 1], widths[i], initializer, dtype));
    if (i + 1 == widths.size()) break;
    layers.emplace_back("relu" + number, std::make_shared<ReLU>());
    if (dropout > 0) layers.emplace_back("dropout" + number, std::make_shared<Dropout>(dropout));
  }
  return std::make_shared<Sequential>(std::move(layers));
}

// Pietot/MNIST-Neural-Network: full-batch gradient descent on pixels in [0, 1].
Recipe full_batch(const InitRule& init, double learning_rate, int64_t epochs, const std::string& reaches) {
  return {.name = "full-batch",
          .description = "Pietot/MNIST-Neural-Network: full-batch gradient descent, published at " + reaches,
          .init = init,
          .normalization = Normalization::unit,
          .learning_rate = learning_rate,
          .batch_size = 0,
          .epochs = epochs};
}

// Its MLPs have batches of 64.
Recipe playground_mlp(const std::string& name, OptimizerKind optimizer, double learning_rate, double weight_decay,
                      const std::string& reaches) {
  return playground(name, optimizer, learning_rate, weight_decay, 64, 50, reaches);
}

}  // namespace

std::vector<ModelInfo> mlp_family() {
  const Shape image{1, 28, 28};
  return {
      {"linear",
       "linear classifier, 784-10",
       image,
       10,
       [](const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
         return stack(device, initializer, dtype, {784, 10});
       },
       {default_recipe(0.02, 15), full_batch(kUnitUniform, 1.0, 100, "about 88 %"),
        playground_mlp("sgd", OptimizerKind::sgd, 0.1, 0, "92.58 %")}},
      {"dnn",
       "two hidden layers of 32, 784-32-32-10",
       image,
       10,
       [](const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
         return stack(device, initializer, dtype, {784, 32, 32, 10});
       },
       {default_recipe(0.03, 15), full_batch(kHeNormal, 0.1, 500, "about 93 %")}},
      {"mlp",
       "one hidden layer of 1024, 784-1024-10",
       image,
       10,
       [](const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
         return stack(device, initializer, dtype, {784, 1024, 10});
       },
       {default_recipe(0.02, 10), playground_mlp("sgd", OptimizerKind::sgd, 0.1, 0, "98.18 %"),
        playground_mlp("adam", OptimizerKind::adam, 1e-3, 0, "98.16 %"),
        playground_mlp("adam-l2", OptimizerKind::adam, 1e-3, 1e-3, "97.64 %")}},
      {"mlp-dropout",
       "mlp with dropout 0.5 on the hidden layer",
       image,
       10,
       [](const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
         return stack(device, initializer, dtype, {784, 1024, 10}, 0.5);
       },
       {default_recipe(0.02, 20), playground_mlp("adam", OptimizerKind::adam, 1e-3, 0, "98.42 %")}},
      {"mlp-wide",
       "one hidden layer of 2048 with dropout 0.5, 784-2048-10",
       image,
       10,
       [](const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
         return stack(device, initializer, dtype, {784, 2048, 10}, 0.5);
       },
       {default_recipe(0.02, 20), playground_mlp("adam", OptimizerKind::adam, 1e-3, 0, "98.33 %")}},
      {"mlp-deep",
       "three hidden layers with dropout 0.5, 784-1024-512-512-10",
       image,
       10,
       [](const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype) {
         return stack(device, initializer, dtype, {784, 1024, 512, 512, 10}, 0.5);
       },
       {default_recipe(0.02, 20), playground_mlp("adam", OptimizerKind::adam, 1e-3, 0, "98.28 %"), gentle_recipe()}},
  };
}

}  // namespace cairn
