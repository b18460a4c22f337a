// Residual networks with batch normalisation (He et al. 2015). ResNet-20 and -56 for CIFAR-10: section 4.2, with
// shortcuts of kind A. ResNet-18, -50 and -101 for ImageNet's photos: table 1. Names and order of the tensors are those
// of akamaster/pytorch_resnet_cifar10 and of torchvision, whose pretrained weights therefore load as they are. Not
// here: cifar-resnet, which has no normalisation (cifar.cpp).
#include <array>

#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;

// A convolution without a bias, which the normalisation behind it has. The image keeps its size, but for the stride.
ImageStack& normalised(ImageStack& stack, int64_t channels, int64_t kernel, int64_t stride = 1) {
  return stack.conv(channels, kernel, {.stride = stride, .padding = kernel / 2, .bias = false}).batch_norm();
}

// ---- for CIFAR-10 ------------------------------------------------------------------------------------------------

const Shape kCifarImage{3, 32, 32};

void cifar_block(ImageStack& stack, int64_t channels) {
  const int64_t stride = stack.sample()[0] == channels ? 1 : 2;
  const auto body = [=](ImageStack& own) {
    normalised(own, channels, 3, stride).relu();
    normalised(own, channels, 3);
  };
  const auto padded = [=](ImageStack& own) { own.add("padding", std::make_shared<PaddedShortcut>(channels)); };
  stack.residual(body, stride == 1 ? ImageStack::Part{} : padded);
}

// 6 blocks + 2 layers with weights.
template <int blocks>
ModulePointer cifar_resnet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack network(device, initializer, dtype, kCifarImage);
  normalised(network, 16, 3).relu();
  for (int stage = 1; stage <= 3; ++stage)
    network.name("layer" + std::to_string(stage))
        .part(
            [stage](ImageStack& layer) {
              for (int i = 0; i < blocks; ++i) cifar_block(layer, int64_t{8} << stage);
            },
            LayerNames::by_place);
  return network.global_average_pool().name("linear").linear(10).build();
}

// ---- for ImageNet ------------------------------------------------------------------------------------------------

constexpr const char* kFc = "fc";

// A bottleneck goes through a quarter of its channels. Where a block halves the image, He et al., Gluon and Knet have
// the stride on the bottleneck's first convolution; torchvision has it on the second, which looks at all places.
struct PhotoResnet {
  std::array<int, 4> blocks;
  bool bottleneck = true;
  bool early_stride = false;
};

void photo_block(ImageStack& stack, const PhotoResnet& plan, int64_t width, int64_t stride) {
  const int64_t channels = plan.bottleneck ? 4 * width : width;
  const auto body = [&](ImageStack& own) {
    if (plan.bottleneck) {
      normalised(own, width, 1, plan.early_stride ? stride : 1).relu();
      normalised(own, width, 3, plan.early_stride ? 1 : stride).relu();
      normalised(own, channels, 1);
    } else {
      normalised(own, width, 3, stride).relu();
      normalised(own, width, 3);
    }
  };
  ImageStack::Part shortcut;
  if (stride != 1 || stack.sample()[0] != channels)
    shortcut = [&](ImageStack& own) { normalised(own, channels, 1, stride); };
  stack.residual(body, shortcut, "downsample", LayerNames::by_place);
}

ModulePointer photo_resnet(ImageStack network, const PhotoResnet& plan, const HeadPlan& head) {
  normalised(network, 64, 7, 2).relu().max_pool(3, 2, 1);
  for (size_t stage = 0; stage < plan.blocks.size(); ++stage)
    network.name("layer" + std::to_string(stage + 1))
        .part(
            [&](ImageStack& layer) {
              for (int i = 0; i < plan.blocks[stage]; ++i)
                photo_block(layer, plan, int64_t{64} << stage, i == 0 && stage > 0 ? 2 : 1);
            },
            LayerNames::by_place);
  return network.global_average_pool().name(kFc).head(head).build();
}

ModulePointer resnet18(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  return photo_resnet({device, initializer, dtype, kPhoto}, {.blocks = {2, 2, 2, 2}, .bottleneck = false}, head);
}
ModulePointer resnet50(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  return photo_resnet({device, initializer, dtype, kPhoto}, {.blocks = {3, 4, 6, 3}}, head);
}
ModulePointer resnet50_v1(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  return photo_resnet({device, initializer, dtype, kPhoto}, {.blocks = {3, 4, 6, 3}, .early_stride = true}, head);
}
ModulePointer resnet101(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  return photo_resnet({device, initializer, dtype, kPhoto}, {.blocks = {3, 4, 23, 3}}, head);
}

// ---- recipes -----------------------------------------------------------------------------------------------------

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

std::vector<Recipe> cifar_recipes(const Recipe& gentle) {
  return {he_recipe("default", "SGD with momentum 0.9, warm-up and a cosine schedule on shifted and mirrored images",
                    Normalization::standard, 20),
          he_recipe("pretrained",
                    "for the weights of akamaster/pytorch_resnet_cifar10: its pixel scale, its 200 epochs, a cosine",
                    Normalization::imagenet, 200),
          gentle};
}

}  // namespace

std::vector<ModelInfo> resnet_family() {
  const auto photos = [](const char* name, const char* description, auto build) {
    return photo_network(name, description, build, kFc, 0.1);
  };
  return {{"resnet20", "ResNet-20 for CIFAR-10, published at 91.73 %", kCifarImage, 10, cifar_resnet<3>,
           cifar_recipes(gentle(1e-5, 2))},
          {"resnet56", "ResNet-56 for CIFAR-10, published at 93.39 %", kCifarImage, 10, cifar_resnet<9>,
           cifar_recipes(gentle(1e-6, 2))},
          photos("resnet18", "ResNet-18 for ImageNet's photos, published at 69.76 %", resnet18),
          photos("resnet50", "ResNet-50 for ImageNet's photos, published at 76.13 %", resnet50),
          photos("resnet50-v1", "the same with the stride on a block's first convolution, as Gluon and Knet have it",
                 resnet50_v1),
          photos("resnet101", "ResNet-101 for ImageNet's photos, published at 77.37 %", resnet101)};
}

}  // namespace cairn
