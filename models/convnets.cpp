// Convolutional networks for MNIST other than the LeNets (lenet.cpp): two with padding that keep or halve the image's
// size, and the small ones of a comparison of cuDNN with PyTorch.
#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;

// SkinnyRat/Benchmark-MNIST, TensorFlow: Adam on 55,000 of the training images.
Recipe benchmark_mnist_tensorflow() {
  return {.name = "benchmark-mnist",
          .description = "SkinnyRat/Benchmark-MNIST, TensorFlow, published at 99.31 and 99.32 %",
          .init = kTruncatedNormal,
          .normalization = Normalization::unit,
          .optimizer = OptimizerKind::adam,
          .learning_rate = 1e-4,
          .batch_size = 100,
          .epochs = 0,
          .steps = 20000,
          .validation_count = 5000};
}

ModulePointer cnn(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, {1, 28, 28});
  stack.conv(32, 5, {.padding = 2}).relu().max_pool(2).conv(64, 5, {.padding = 2}).relu().max_pool(2);
  return stack.linear(1024).relu().dropout(0.5).linear(10).build();
}

// Strides instead of pools; the last convolution's filters are as large as its image.
ModulePointer simplecnn(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, {1, 28, 28});
  stack.conv(8, 3, {.padding = 1}).relu().conv(16, 3, {.padding = 1}).relu();
  stack.conv(32, 3, {.stride = 2, .padding = 1}).relu().conv(64, 3, {.stride = 2, .padding = 1}).relu();
  return stack.conv(128, 7).relu().linear(10).build();
}

ModulePointer simplenet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  return ImageStack(device, initializer, dtype, {1, 28, 28}).conv(20, 5).max_pool(2).linear(10).build();
}

ModulePointer largenet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, {1, 28, 28});
  stack.conv(20, 3).max_pool(2).conv(50, 3).max_pool(2).conv(70, 3).max_pool(2);
  return stack.linear(500).relu().linear(10).build();
}

ModulePointer largenet_1x1(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, {1, 28, 28});
  stack.conv(20, 5).max_pool(2).conv(50, 1).max_pool(2).conv(70, 1).max_pool(2);
  return stack.linear(500).relu().linear(10).build();
}

}  // namespace

std::vector<ModelInfo> convnet_family() {
  const Shape image{1, 28, 28};
  return {
      {"cnn",
       "two padded convolutions and dropout, 32-64-1024-10",
       image,
       10,
       cnn,
       {default_recipe(0.05, 6), benchmark_mnist_tensorflow(), gentle_recipe()}},
      {"simplecnn",
       "five convolutions, strides instead of pools, 8-16-32-64-128-10",
       image,
       10,
       simplecnn,
       {default_recipe(0.02, 6), playground("playground", OptimizerKind::adam, 1e-3, 0, 512, 25, "98.59 %"),
        gentle_recipe()}},
      {"simplenet", "one convolution and one fully connected layer, 20-10, no activation", image, 10, simplenet,
       skoltech(default_recipe(0.01, 8), "97.9 %", "99.9 % of the training images")},
      {"largenet", "three 3x3 convolutions, 20-50-70-500-10", image, 10, largenet,
       skoltech(default_recipe(0.02, 8), "", "99.8 % of the training images")},
      {"largenet-1x1", "a 5x5 and two 1x1 convolutions, 20-50-70-500-10", image, 10, largenet_1x1,
       skoltech(default_recipe(0.02, 8), "98.7 %", "")},
  };
}

}  // namespace cairn
