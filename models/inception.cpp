// Inception v3 (Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision") with torchvision's
// names, so that its pretrained weights load as they are. Not here: the other networks for photos (imagenet.cpp,
// resnet.cpp), small ones of concatenated branches (cifar.cpp).
#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using Part = ImageStack::Part;

const Shape kInceptionPhoto{3, 299, 299};
constexpr int64_t kShorterSide = 342;
constexpr double kAuxiliaryWeight = 0.4;
constexpr const char* kInceptionHead = "fc";

// A convolution without a bias, a normalisation and a ReLU: torchvision's BasicConv2d, whose epsilon is TensorFlow's.
ImageStack& conv(ImageStack& stack, const std::string& name, int64_t channels, const Size2d& kernel,
                 Conv2dLayerOptions options = {}) {
  options.bias = false;
  return stack.name(name).part([&](ImageStack& own) {
    own.name("conv").conv(channels, kernel, options);
    own.name("bn").batch_norm(1e-3).relu();
  });
}

// The same, and the image keeps its size.
ImageStack& same(ImageStack& stack, const std::string& name, int64_t channels, const Size2d& kernel) {
  return conv(stack, name, channels, kernel, {.padding = {kernel.height / 2, kernel.width / 2}});
}

// The same, without padding, and the image is halved.
ImageStack& halved(ImageStack& stack, const std::string& name, int64_t channels) {
  return conv(stack, name, channels, 3, {.stride = 2});
}

ImageStack& concat(ImageStack& stack, const std::string& name, const std::vector<Part>& branches) {
  return stack.name(name).concat(branches, BranchNames::none);
}

Part one_by_one(int64_t channels) {
  return [=](ImageStack& stack) { same(stack, "branch1x1", channels, 1); };
}

// Padding counts among what is averaged.
Part averaged(int64_t channels) {
  return [=](ImageStack& stack) { same(stack.average_pool(3, 1, 1), "branch_pool", channels, 1); };
}

void largest(ImageStack& stack) {
  stack.max_pool(3, 2);
}

// ---- the blocks, by torchvision's letters ------------------------------------------------------------------------

void inception_a(ImageStack& stack, const std::string& name, int64_t channels_of_pool) {
  const auto five = [](ImageStack& branch) {
    same(branch, "branch5x5_1", 48, 1);
    same(branch, "branch5x5_2", 64, 5);
  };
  const auto twice_three = [](ImageStack& branch) {
    same(branch, "branch3x3dbl_1", 64, 1);
    same(branch, "branch3x3dbl_2", 96, 3);
    same(branch, "branch3x3dbl_3", 96, 3);
  };
  concat(stack, name, {one_by_one(64), five, twice_three, averaged(channels_of_pool)});
}

void inception_b(ImageStack& stack, const std::string& name) {
  const auto three = [](ImageStack& branch) { halved(branch, "branch3x3", 384); };
  const auto twice_three = [](ImageStack& branch) {
    same(branch, "branch3x3dbl_1", 64, 1);
    same(branch, "branch3x3dbl_2", 96, 3);
    halved(branch, "branch3x3dbl_3", 96);
  };
  concat(stack, name, {three, twice_three, largest});
}

// A 7 x 7 convolution taken apart into rows and columns.
void inception_c(ImageStack& stack, const std::string& name, int64_t narrow) {
  const auto seven = [=](ImageStack& branch) {
    same(branch, "branch7x7_1", narrow, 1);
    same(branch, "branch7x7_2", narrow, {1, 7});
    same(branch, "branch7x7_3", 192, {7, 1});
  };
  const auto twice_seven = [=](ImageStack& branch) {
    same(branch, "branch7x7dbl_1", narrow, 1);
    same(branch, "branch7x7dbl_2", narrow, {7, 1});
    same(branch, "branch7x7dbl_3", narrow, {1, 7});
    same(branch, "branch7x7dbl_4", narrow, {7, 1});
    same(branch, "branch7x7dbl_5", 192, {1, 7});
  };
  concat(stack, name, {one_by_one(192), seven, twice_seven, averaged(192)});
}

void inception_d(ImageStack& stack, const std::string& name) {
  const auto three = [](ImageStack& branch) {
    same(branch, "branch3x3_1", 192, 1);
    halved(branch, "branch3x3_2", 320);
  };
  const auto seven_and_three = [](ImageStack& branch) {
    same(branch, "branch7x7x3_1", 192, 1);
    same(branch, "branch7x7x3_2", 192, {1, 7});
    same(branch, "branch7x7x3_3", 192, {7, 1});
    halved(branch, "branch7x7x3_4", 192);
  };
  concat(stack, name, {three, seven_and_three, largest});
}

// A row and a column of three beside each other.
void spread(ImageStack& branch, const std::string& name) {
  concat(branch, "",
         {[&](ImageStack& row) {
            same(row, name + "a", 384, {1, 3});
          },
          [&](ImageStack& column) {
            same(column, name + "b", 384, {3, 1});
          }});
}

void inception_e(ImageStack& stack, const std::string& name) {
  const auto three = [](ImageStack& branch) {
    same(branch, "branch3x3_1", 384, 1);
    spread(branch, "branch3x3_2");
  };
  const auto twice_three = [](ImageStack& branch) {
    same(branch, "branch3x3dbl_1", 448, 1);
    same(branch, "branch3x3dbl_2", 384, 3);
    spread(branch, "branch3x3dbl_3");
  };
  concat(stack, name, {one_by_one(320), three, twice_three, averaged(192)});
}

// ---- the network -------------------------------------------------------------------------------------------------

void stem(ImageStack& stack) {
  halved(stack, "Conv2d_1a_3x3", 32);
  conv(stack, "Conv2d_2a_3x3", 32, 3);
  same(stack, "Conv2d_2b_3x3", 64, 3).max_pool(3, 2);
  conv(stack, "Conv2d_3b_1x1", 80, 1);
  conv(stack, "Conv2d_4a_3x3", 192, 3).max_pool(3, 2);
}

void auxiliary_head(ImageStack& stack) {
  stack.average_pool(5, 3);
  conv(stack, "conv0", 128, 1);
  conv(stack, "conv1", 768, 5).global_average_pool();
  stack.name("fc").linear(kPhotoClasses);
}

// It knows ImageNet's classes: with others nobody looks at it, and it only lies in files.
double auxiliary_weight(const HeadPlan& head) {
  return head.classes == kPhotoClasses && head.hidden == 0 ? kAuxiliaryWeight : 0;
}

std::shared_ptr<Module> inception_v3(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype,
                                     const HeadPlan& head) {
  ImageStack network(device, initializer, dtype, kInceptionPhoto);
  stem(network);
  inception_a(network, "Mixed_5b", 32);
  inception_a(network, "Mixed_5c", 64);
  inception_a(network, "Mixed_5d", 64);
  inception_b(network, "Mixed_6a");
  inception_c(network, "Mixed_6b", 128);
  inception_c(network, "Mixed_6c", 160);
  inception_c(network, "Mixed_6d", 160);
  inception_c(network, "Mixed_6e", 192);
  network.name("AuxLogits").auxiliary(auxiliary_head, auxiliary_weight(head));
  inception_d(network, "Mixed_7a");
  inception_e(network, "Mixed_7b");
  inception_e(network, "Mixed_7c");
  return network.global_average_pool().dropout(0.5).name(kInceptionHead).head(head).build();
}

}  // namespace

std::vector<ModelInfo> inception_family() {
  ModelInfo model = photo_network("inception-v3", "Inception v3 for ImageNet's photos, published at 77.29 %",
                                  inception_v3, kInceptionHead, 0.1);
  model.input = kInceptionPhoto;
  model.photo_side = kShorterSide;
  // The published weights come from TensorFlow and want pixels from -1 to 1. torchvision is given ImageNet's scale and
  // undoes it: its transform_input.
  for (Recipe& recipe : model.recipes) recipe.normalization = Normalization::centred;
  return {model};
}

}  // namespace cairn
