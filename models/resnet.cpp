// Residual networks with batch normalisation. ResNet-20 and -56 for CIFAR-10: He et al. 2015, section 4.2, with
// shortcuts of kind A. Names and order of the tensors are those of akamaster/pytorch_resnet_cifar10, whose pretrained
// weights therefore load as they are. Not here: cifar-resnet, which has no normalisation (cifar.cpp).
#include "framework/nn/branches.h"
#include "framework/nn/image_layers.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;

const Shape kCifarImage{3, 32, 32};

// Writes a network's convolutions, of which each has a normalisation behind it and no bias.
class Builder {
 public:
  Builder(const DevicePointer& device, Initializer& initializer, DType dtype)
      : device_(device), initializer_(initializer), dtype_(dtype) {}

  // Adds conv{number} and bn{number}.
  void convolution(std::vector<NamedModule>& layers, const std::string& number, int64_t in, int64_t out,
                   int64_t stride) const {
    const Conv2dLayerOptions options{.stride = stride, .padding = 1, .bias = false};
    layers.emplace_back("conv" + number, std::make_shared<Conv2d>(device_, in, out, 3, initializer_, options, dtype_));
    layers.emplace_back("bn" + number, std::make_shared<BatchNorm2d>(device_, out, 0.1, 1e-5, dtype_));
  }

  ModulePointer block(int64_t in, int64_t out) const {
    const int64_t stride = in == out ? 1 : 2;
    std::vector<NamedModule> body;
    convolution(body, "1", in, out, stride);
    body.emplace_back("relu", std::make_shared<ReLU>());
    convolution(body, "2", out, out, 1);
    return std::make_shared<Residual>(body, stride == 1 ? nullptr : std::make_shared<PaddedShortcut>(out), true);
  }

  ModulePointer layer(int64_t in, int64_t out, int blocks) const {
    std::vector<NamedModule> all;
    for (int i = 0; i < blocks; ++i) all.emplace_back(std::to_string(i), block(i == 0 ? in : out, out));
    return std::make_shared<Sequential>(all);
  }

  ModulePointer linear(int64_t in, int64_t out) const {
    return std::make_shared<Linear>(device_, in, out, initializer_, dtype_);
  }

 private:
  const DevicePointer& device_;
  Initializer& initializer_;
  DType dtype_;
};

// 6 blocks + 2 layers with weights.
template <int blocks>
ModulePointer resnet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  const Builder builder(device, initializer, dtype);
  std::vector<NamedModule> layers;
  builder.convolution(layers, "1", 3, 16, 1);
  layers.emplace_back("relu", std::make_shared<ReLU>());
  layers.emplace_back("layer1", builder.layer(16, 16, blocks));
  layers.emplace_back("layer2", builder.layer(16, 32, blocks));
  layers.emplace_back("layer3", builder.layer(32, 64, blocks));
  layers.emplace_back("pool", std::make_shared<GlobalAvgPool2d>());
  layers.emplace_back("linear", builder.linear(64, 10));
  return std::make_shared<Sequential>(layers);
}

Recipe he_recipe(const std::string& name, const std::string& description, Normalization normalization, int64_t epochs) {
  return {.name = name,
          .description = description,
          .init = kHeNormal,
          .normalization = normalization,
          .learning_rate = 0.1,
          .momentum = 0.9,
          .weight_decay = 1e-4,
          .schedule = {.kind = Schedule::Kind::cosine, .warmup = 400},
          .batch_size = 128,
          .epochs = epochs,
          .augmentation = {.crop = 32, .pad = 4, .flip = true}};
}

// With a normalisation behind every convolution a ReLU's input that rounding moves across zero changes the gradient by
// one part in the root of the layer's size, and of a million inputs one or two are so near: fewer images have none, and
// a lower rate keeps PyTorch with the images in the opposite order beside PyTorch.
Recipe gentle(double learning_rate, int64_t batch_size) {
  Recipe recipe = gentle_recipe();
  recipe.learning_rate = learning_rate;
  recipe.batch_size = batch_size;
  recipe.epochs = 1;
  return recipe;
}

std::vector<Recipe> recipes(const Recipe& gentle) {
  return {he_recipe("default", "SGD with momentum 0.9, warm-up and a cosine schedule on shifted and mirrored images",
                    Normalization::standard, 20),
          he_recipe("pretrained",
                    "for the weights of akamaster/pytorch_resnet_cifar10: its pixel scale, its 200 epochs, a cosine",
                    Normalization::imagenet, 200),
          gentle};
}

}  // namespace

std::vector<ModelInfo> resnet_family() {
  return {{"resnet20", "ResNet-20 for CIFAR-10, published at 91.73 %", kCifarImage, 10, resnet<3>,
           recipes(gentle(1e-5, 2))},
          {"resnet56", "ResNet-56 for CIFAR-10, published at 93.39 %", kCifarImage, 10, resnet<9>,
           recipes(gentle(1e-6, 2))}};
}

}  // namespace cairn
