// Small networks for CIFAR-10's images, 3 x 32 x 32.
#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;

const Shape kImage{3, 32, 32};

// LucasRr/deep_learning_playground, CIFAR10_classification: 10,000 training images held out, pixels in [-1, 1].
Recipe playground_cifar(double learning_rate, const std::string& reaches) {
  return {.name = "playground",
          .description = "LucasRr/deep_learning_playground: 25 epochs on 40,000 images, published at " + reaches,
          .normalization = Normalization::centred,
          .optimizer = OptimizerKind::adam,
          .learning_rate = learning_rate,
          .batch_size = 256,
          .epochs = 25,
          .validation_count = 10000};
}

// conv 6 (32x32) - pool - conv 16 (12x12) - pool - fc 120 - fc 84 - fc 10, with ReLU and a dropout of a fifth after
// each but the last.
ModulePointer cifar_lenet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(6, 5, {.padding = 2}).relu().max_pool(2).dropout(0.2).conv(16, 5).relu().max_pool(2).dropout(0.2);
  stack.linear(120).relu().dropout(0.2).linear(84).relu().dropout(0.2);
  return stack.linear(10).build();
}

Recipe augmented(double learning_rate, int64_t epochs) {
  return {.name = "default",
          .description = "Adam with warm-up and a cosine schedule on shifted and mirrored images",
          .optimizer = OptimizerKind::adam,
          .learning_rate = learning_rate,
          .schedule = {.kind = Schedule::Kind::cosine, .warmup = 500},
          .batch_size = 128,
          .epochs = epochs,
          .augmentation = {.crop = 32, .pad = 2, .flip = true}};
}

}  // namespace

std::vector<ModelInfo> cifar_family() {
  Recipe gentle = gentle_recipe();
  gentle.augmentation = {.crop = 32, .pad = 2, .flip = true};
  return {{"cifar-lenet",
           "LeNet-5 for colour images, with dropout, 6-16-120-84-10",
           kImage,
           10,
           cifar_lenet,
           {augmented(2e-3, 30), playground_cifar(1e-3, "65.98 %"), gentle}}};
}

}  // namespace cairn
