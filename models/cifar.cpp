// Networks for CIFAR-10's images, 3 x 32 x 32, that are layers and blocks one after the other: those of
// LucasRr/deep_learning_playground, of ilkarman/DeepLearningFrameworks and of TensorFlow's tutorial. Not here: the
// residual networks with batch normalisation (resnet.cpp).
#include <algorithm>

#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;
using Part = ImageStack::Part;

const Shape kImage{3, 32, 32};

// ---- recipes -------------------------------------------------------------------------------------------------

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

// ilkarman/DeepLearningFrameworks: what the frameworks were given alike; each started by an initialisation of its own.
Recipe framework(const std::string& name, const InitRule& init, const std::string& reaches) {
  return {.name = name,
          .description = "ilkarman/DeepLearningFrameworks, as " + name + " began, published at " + reaches,
          .init = init,
          .normalization = Normalization::unit,
          .learning_rate = 0.01,
          .momentum = 0.9,
          .epochs = 10,
          .drop_last = true};
}

std::vector<Recipe> framework_recipes() {
  const InitRule glorot{WeightInit::glorot_uniform, BiasInit::constant};
  return {framework("pytorch", {}, "77.65 %"), framework("mxnet", glorot, "77.42 %"),
          framework("gluon", {WeightInit::xavier_uniform, BiasInit::constant, 2.24}, "75.94 % with less dropout"),
          framework("caffe2", kCaffeXavier, "79.06 %"),
          framework("knet", {WeightInit::xavier_uniform, BiasInit::constant, 1}, "77.54 %")};
}

// The tutorial's, with weights and biases as it starts each layer, and its average of the weights. images: of an epoch.
Recipe tutorial(int64_t images, int64_t steps) {
  Recipe recipe{.name = "benchmark-imagenet",
                .description = "SkinnyRat/Benchmark-MNIST, TensorFlow's tutorial: SGD on 24 x 24 crops, standardised",
                .init = {.weight = WeightInit::truncated_normal, .bias = BiasInit::constant},
                .learning_rate = 0.1,
                .weight_decay = 0.004,
                .schedule = {.kind = Schedule::Kind::step, .gamma = 0.1, .step_size = 350 * images / 64},
                .batch_size = 64,
                .epochs = 0,
                .steps = steps,
                .augmentation = {.crop = 24, .flip = true, .brightness = 63, .contrast = 0.8, .standardise = true},
                .decay_on = "fc1.weight,fc2.weight",
                .average = 0.9999,
                .average_ramp = true};
  recipe.init.layers = {{0.05, 0}, {0.05, 0.1}, {0.04, 0.1}, {0.04, 0.1}, {1.0 / 192, 0}};
  return recipe;
}

// Of 64 images' millions of values some lie so near to zero that rounding, which is each processor's own, decides about
// them; of 8 images' hardly any. And at a lower rate what it decides later stays small.
Recipe gentle_few() {
  Recipe recipe = gentle_recipe();
  recipe.learning_rate = 5e-4;
  recipe.batch_size = 8;
  return recipe;
}

std::vector<Recipe> recipes_of(const Recipe& standard, const std::vector<Recipe>& published, const Recipe& gentle) {
  std::vector<Recipe> all{standard};
  std::ranges::copy(published, back_inserter(all));
  all.push_back(gentle);
  return all;
}

// ---- networks ------------------------------------------------------------------------------------------------

// conv 6 (32x32) - pool - conv 16 (12x12) - pool - fc 120 - fc 84 - fc 10, with ReLU and a dropout of a fifth after
// each but the last.
ModulePointer cifar_lenet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(6, 5, {.padding = 2}).relu().max_pool(2).dropout(0.2).conv(16, 5).relu().max_pool(2).dropout(0.2);
  stack.linear(120).relu().dropout(0.2).linear(84).relu().dropout(0.2);
  return stack.linear(10).build();
}

ModulePointer cifar_fcn(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  return stack.linear(4000).relu().dropout(0.5).linear(10).build();
}

ModulePointer cifar_alexnet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(6, 7, {.padding = 3}).relu().max_pool(2).dropout(0.2);
  stack.conv(16, 5, {.padding = 2}).relu().max_pool(2).dropout(0.2);
  for (int i = 0; i < 3; ++i) stack.conv(32, 3, {.padding = 1}).relu();
  stack.max_pool(2).linear(120).relu().dropout(0.2).linear(84).relu().dropout(0.2);
  return stack.linear(10).build();
}

// Blocks of two 3x3 convolutions of one width, with a pool and a dropout of a half after each; fc 512 - fc 10.
template <int64_t... widths>
ModulePointer small_vgg(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  for (const int64_t width : {widths...}) {
    stack.conv(width, 3, {.padding = 1}).relu().conv(width, 3, {.padding = 1}).relu();
    stack.max_pool(2).dropout(0.5);
  }
  return stack.linear(512).relu().dropout(0.5).linear(10).build();
}

// Of 16, 32 and 64 channels in turn, six convolutions each; the first of a wider three halves the image.
ModulePointer cifar_plain(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(16, 3, {.padding = 1});
  for (const int64_t width : {16, 32, 64})
    for (int i = 0; i < 6; ++i) stack.conv(width, 3, {.stride = width > 16 && i == 0 ? 2 : 1, .padding = 1}).relu();
  return stack.global_average_pool().linear(10).build();
}

// The same with a shortcut over every two convolutions, of 1x1 filters where they halve the image.
ModulePointer cifar_resnet(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(16, 3, {.padding = 1});
  for (const int64_t width : {16, 32, 64})
    for (int i = 0; i < 3; ++i) {
      const int64_t stride = width > 16 && i == 0 ? 2 : 1;
      const Part body = [&](ImageStack& part) {
        part.conv(width, 3, {.stride = stride, .padding = 1}).relu().conv(width, 3, {.padding = 1});
      };
      const Part projection = [&](ImageStack& part) { part.conv(width, 1, {.stride = stride}); };
      stack.residual(body, stride == 2 ? projection : Part());
    }
  return stack.global_max_pool().linear(10).build();
}

// A branch of one convolution that keeps the image's size, and its ReLU.
Part branch(int64_t width, int64_t kernel) {
  return [=](ImageStack& part) { part.conv(width, kernel, {.padding = kernel / 2}).relu(); };
}

// The same behind a 1x1 convolution to fewer channels.
Part reduced(int64_t to, int64_t width, int64_t kernel) {
  return [=](ImageStack& part) {
    branch(to, 1)(part);
    branch(width, kernel)(part);
  };
}

Part pooled(int64_t to = 0) {
  return [=](ImageStack& part) {
    part.max_pool(3, 1, 1);
    if (to > 0) branch(to, 1)(part);
  };
}

ModulePointer cifar_inception(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(16, 3, {.padding = 1}).relu().max_pool(3, 2, 1);
  stack.concat({branch(32, 1), branch(32, 3), branch(32, 5), pooled()}).max_pool(3, 2, 1);
  stack.concat({branch(64, 1), branch(64, 3), branch(64, 5), pooled()}).max_pool(3, 2, 1);
  return stack.linear(256).relu().dropout(0.5).linear(10).build();
}

ModulePointer cifar_inception2(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  stack.conv(16, 3, {.padding = 1}).relu().max_pool(3, 2, 1);
  stack.concat({branch(32, 1), branch(32, 3), branch(16, 5), pooled()}).max_pool(3, 2, 1);
  stack.concat({branch(64, 1), reduced(64, 128, 3), reduced(16, 32, 5), pooled(64)}).max_pool(3, 2, 1);
  stack.concat({branch(128, 1), reduced(128, 256, 3), reduced(32, 32, 5), pooled(128)}).max_pool(3, 2, 1);
  return stack.linear(256).relu().dropout(0.5).linear(10).build();
}

// The ReLU stands behind the pool, as published; it makes no difference.
ModulePointer cifar_vgg(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, kImage);
  for (const int64_t width : {50, 100}) {
    stack.conv(width, 3, {.padding = 1}).relu().conv(width, 3, {.padding = 1});
    stack.max_pool(2).relu().dropout(0.25);
  }
  return stack.linear(512).relu().dropout(0.5).linear(10).build();
}

// TensorFlow's "SAME" pools of 3 by 2 have no padding before an even side and one pixel behind it: ceil. Its alpha is
// that of the squares' sum, 0.001 / 9; ours that of their mean.
template <int64_t classes>
ModulePointer cifar_tutorial(const DevicePointer& device, Initializer& initializer, DType dtype) {
  ImageStack stack(device, initializer, dtype, {3, 24, 24});
  stack.conv(64, 5, {.padding = 2}).relu().max_pool(3, 2, 0, true).local_response_norm(9, 0.001, 0.75, 1);
  stack.conv(64, 5, {.padding = 2}).relu().local_response_norm(9, 0.001, 0.75, 1).max_pool(3, 2, 0, true);
  return stack.linear(384).relu().linear(192).relu().linear(classes).build();
}

std::vector<ModelInfo> playground_networks() {
  const auto one = [](const std::string& name, const std::string& description, auto build, double learning_rate,
                      const std::string& reaches) {
    return ModelInfo{name,   description,
                     kImage, 10,
                     build,  recipes_of(augmented(1e-3, 30), {playground_cifar(learning_rate, reaches)}, gentle_few())};
  };
  return {
      one("cifar-fcn", "fully connected, 4000-10, with dropout", cifar_fcn, 1e-3, "50.16 %"),
      one("cifar-alexnet", "AlexNet in small, five convolutions of 6 to 32 channels", cifar_alexnet, 1e-3, "65.04 %"),
      one("cifar-vgg1", "two convolutions of 16 channels, fc 512", small_vgg<16>, 1e-3, "71.41 %"),
      one("cifar-vgg2", "four convolutions of 16 and 32 channels, fc 512; the published run applied the second twice",
          small_vgg<16, 32>, 1e-3, "70.97 %"),
      one("cifar-vgg3", "six convolutions of 16, 32 and 64 channels, fc 512", small_vgg<16, 32, 64>, 1e-3, "70.31 %"),
      one("cifar-plain", "nineteen convolutions of 16, 32 and 64 channels", cifar_plain, 5e-4, "60.13 %"),
      one("cifar-resnet", "cifar-plain with shortcuts, without batch normalisation", cifar_resnet, 5e-4, "65.54 %"),
      one("cifar-inception", "two blocks of 1x1, 3x3, 5x5 and pooled branches", cifar_inception, 1e-3, "76.26 %"),
      one("cifar-inception2", "three such blocks, the latter two behind 1x1 convolutions", cifar_inception2, 1e-3,
          "73.77 %")};
}

}  // namespace

std::vector<ModelInfo> cifar_family() {
  Recipe shifted = gentle_recipe();
  shifted.name = "gentle-augmented";
  shifted.augmentation = {.crop = 32, .pad = 2, .flip = true};
  std::vector<ModelInfo> all{
      {"cifar-lenet", "LeNet-5 for colour images, with dropout, 6-16-120-84-10", kImage, 10, cifar_lenet,
       recipes_of(augmented(2e-3, 30), {playground_cifar(1e-3, "65.98 %"), shifted}, gentle_recipe())}};
  std::ranges::move(playground_networks(), back_inserter(all));
  // From PyTorch's weights rounding decides about one of its values even so.
  Recipe calm = gentle_few();
  calm.init = {WeightInit::glorot_uniform, BiasInit::constant};
  all.push_back({"cifar-vgg",
                 "four 3x3 convolutions of 50 and 100 channels, fc 512, with dropout: twelve frameworks trained it",
                 kImage, 10, cifar_vgg, recipes_of(augmented(1e-3, 20), framework_recipes(), calm)});
  Recipe small = augmented(1e-3, 20);
  small.augmentation = {.crop = 24, .flip = true, .standardise = true};
  Recipe centre = gentle_few();
  centre.augmentation = {.crop = 24, .standardise = true};
  const std::string text = "TensorFlow's CIFAR-10 tutorial: two 5x5 convolutions of 64 channels, fc 384-192";
  all.push_back({"cifar-tutorial", text, {3, 24, 24}, 10, cifar_tutorial<10>, {small, tutorial(50000, 20000), centre}});
  all.push_back({"imagenet-tutorial",
                 text + ", 1000 classes",
                 {3, 24, 24},
                 1000,
                 cifar_tutorial<1000>,
                 {small, tutorial(1280000, 1000000), centre}});
  return all;
}

}  // namespace cairn
