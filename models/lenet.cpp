// LeNet-5 and the wider LeNets of Caffe's tutorials. docs/models.md tells where an original is faulty and what is built
// here instead.
#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;

// conv 6 (28x28) - pool - conv 16 (10x10) - pool - fc 120 - fc 84 - fc 10, with ReLU after each convolution and, if
// asked for, between the fully connected layers. LeCun et al. 1998 had tanh, average pools and sparse connections.
ModulePointer lenet5(const DevicePointer& device, Initializer& initializer, DType dtype, bool relu_between) {
  ImageStack stack(device, initializer, dtype, {1, 28, 28});
  stack.conv(6, 5, {.padding = 2}).relu().max_pool(2).conv(16, 5).relu().max_pool(2).linear(120);
  if (relu_between) stack.relu();
  stack.linear(84);
  if (relu_between) stack.relu();
  return stack.linear(10).build();
}

// conv 20 (24x24) - pool - conv (8x8) - pool - fc 500 - ReLU - fc 10. Caffe's tutorials have no ReLU after
// convolutions.
ModulePointer caffe_lenet(const DevicePointer& device, Initializer& initializer, DType dtype, int64_t channels,
                          bool relu_after_convs) {
  ImageStack stack(device, initializer, dtype, {1, 28, 28});
  stack.conv(20, 5);
  if (relu_after_convs) stack.relu();
  stack.max_pool(2).conv(channels, 5);
  if (relu_after_convs) stack.relu();
  return stack.max_pool(2).linear(500).relu().linear(10).build();
}

// SkinnyRat/Benchmark-MNIST, Caffe2: the rate is 1e-5 after half of the steps, and the rest changes nothing.
Recipe benchmark_mnist_caffe2() {
  return {.name = "benchmark-mnist",
          .description = "SkinnyRat/Benchmark-MNIST, Caffe2, published at 98.64 and 98.77 %",
          .init = kCaffeXavier,
          .normalization = Normalization::unit_256,
          .learning_rate = 0.1,
          .schedule = {.kind = Schedule::Kind::exponential, .gamma = 0.999},
          .batch_size = 100,
          .epochs = 0,
          .steps = 20000,
          .shuffle = false};
}

}  // namespace

std::vector<ModelInfo> lenet_family() {
  const Shape image{1, 28, 28};
  return {
      {"lenet",
       "LeNet-5 with ReLU and max pools, 6-16-120-84-10",
       image,
       10,
       [](const DevicePointer& device, Initializer& initializer, DType dtype) {
         return lenet5(device, initializer, dtype, true);
       },
       {default_recipe(0.05, 5), gentle_recipe()}},
      {"lenet-playground",
       "lenet without an activation between the fully connected layers",
       image,
       10,
       [](const DevicePointer& device, Initializer& initializer, DType dtype) {
         return lenet5(device, initializer, dtype, false);
       },
       {default_recipe(0.02, 5), playground("playground", OptimizerKind::adam, 1e-3, 0, 512, 25, "98.94 %"),
        gentle_recipe()}},
      {"lenet-caffe", "Caffe's LeNet, 20-50-500-10, ReLU only between the fully connected layers", image, 10,
       [](const DevicePointer& device, Initializer& initializer, DType dtype) {
         return caffe_lenet(device, initializer, dtype, 50, false);
       },
       skoltech(default_recipe(0.02, 5), "98.8 %", "99.9 % of the training images")},
      {"lenet-caffe2",
       "Caffe2's LeNet, 20-100-500-10, ReLU only between the fully connected layers",
       image,
       10,
       [](const DevicePointer& device, Initializer& initializer, DType dtype) {
         return caffe_lenet(device, initializer, dtype, 100, false);
       },
       {default_recipe(0.02, 5), benchmark_mnist_caffe2(), gentle_recipe()}},
      {"relunet", "lenet-caffe with ReLU after each convolution", image, 10,
       [](const DevicePointer& device, Initializer& initializer, DType dtype) {
         return caffe_lenet(device, initializer, dtype, 50, true);
       },
       skoltech(default_recipe(0.02, 5), "96.4 %, with a faulty gradient", "99.9 % of the training images")},
  };
}

}  // namespace cairn
