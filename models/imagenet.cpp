// Networks for ImageNet's photos that are no residual networks, with torchvision's names, so that its pretrained
// weights load as they are. Not here: ResNet (resnet.cpp), Inception (inception.cpp), scaling and cutting photos
// (datasets/color_image.h).
#include "models/image_stack.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;
using Part = ImageStack::Part;

constexpr const char* kClassifier = "classifier";

// torchvision pools between the two, to 6 x 6 and 7 x 7 places, which is what photos of 224 x 224 have there.
ModulePointer features_and_classifier(ImageStack network, const Part& features, const Part& classifier,
                                      const HeadPlan& head) {
  network.name("features").part(features, LayerNames::by_place);
  network.name("flatten").add("flatten", std::make_shared<Flatten>());
  network.name(kClassifier);
  if (head.hidden > 0) return network.head(head).build();
  return network.part(classifier, LayerNames::by_place).build();
}

// Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks".
ModulePointer alexnet(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  const auto features = [](ImageStack& stack) {
    stack.conv(64, 11, {.stride = 4, .padding = 2}).relu().max_pool(3, 2);
    stack.conv(192, 5, {.padding = 2}).relu().max_pool(3, 2);
    stack.conv(384, 3, {.padding = 1}).relu();
    stack.conv(256, 3, {.padding = 1}).relu();
    stack.conv(256, 3, {.padding = 1}).relu().max_pool(3, 2);
  };
  const auto classifier = [&](ImageStack& stack) {
    stack.dropout(0.5).linear(4096).relu();
    stack.dropout(0.5).linear(4096).relu().linear(head.classes);
  };
  return features_and_classifier({device, initializer, dtype, kPhoto}, features, classifier, head);
}

// Simonyan and Zisserman 2014, configuration D.
ModulePointer vgg16(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  const auto features = [](ImageStack& stack) {
    for (const auto& [width, count] : {std::pair{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}) {
      for (int i = 0; i < count; ++i) stack.conv(width, 3, {.padding = 1}).relu();
      stack.max_pool(2);
    }
  };
  const auto classifier = [&](ImageStack& stack) {
    stack.linear(4096).relu().dropout(0.5);
    stack.linear(4096).relu().dropout(0.5).linear(head.classes);
  };
  return features_and_classifier({device, initializer, dtype, kPhoto}, features, classifier, head);
}

// ---- DenseNet: Huang et al. 2016, table 1 ----------------------------------------------------------------------

constexpr int64_t kGrowth = 32;  // channels that each layer adds, by way of four times as many

void dense_layer(ImageStack& stack) {
  stack.name("norm1").batch_norm().relu().conv(4 * kGrowth, 1, {.bias = false});
  stack.name("norm2").batch_norm().relu().conv(kGrowth, 3, {.padding = 1, .bias = false});
}

// Half the channels, half the height and width.
void transition(ImageStack& stack) {
  stack.name("norm").batch_norm().relu();
  stack.name("conv").conv(stack.sample()[0] / 2, 1, {.bias = false}).average_pool(2);
}

void dense_features(ImageStack& stack) {
  stack.name("conv0").conv(64, 7, {.stride = 2, .padding = 3, .bias = false});
  stack.name("norm0").batch_norm().relu().max_pool(3, 2, 1);
  int number = 0;
  for (const int count : {6, 12, 24, 16}) {
    const std::string digit = std::to_string(++number);
    stack.name("denseblock" + digit).part([count](ImageStack& block) {
      for (int i = 1; i <= count; ++i) block.name("denselayer" + std::to_string(i)).dense(dense_layer);
    });
    if (number < 4) stack.name("transition" + digit).part(transition);
  }
  stack.name("norm5").batch_norm().relu();
}

ModulePointer densenet121(const DevicePointer& device, Initializer& initializer, DType dtype, const HeadPlan& head) {
  ImageStack network(device, initializer, dtype, kPhoto);
  network.name("features").part(dense_features).global_average_pool();
  return network.name(kClassifier).head(head).build();
}

}  // namespace

std::vector<ModelInfo> imagenet_family() {
  return {
      photo_network("alexnet", "AlexNet for ImageNet's photos, published at 56.52 %", alexnet, kClassifier, 0.01, {}),
      photo_network("vgg16", "VGG-16 for ImageNet's photos, published at 71.59 %", vgg16, kClassifier, 0.01),
      photo_network("densenet121", "DenseNet-121 for ImageNet's photos, published at 74.43 %", densenet121, kClassifier,
                    0.1)};
}

}  // namespace cairn
