// What each network is: its layers' shapes, its parameters by name, its multiply-adds; and that it computes and learns.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "framework/autograd.h"
#include "framework/ops/loss.h"
#include "framework/row_scale.h"
#include "models/model.h"

namespace cairn::testing {
namespace {

struct Expected {
  const char* model;
  int64_t parameters, macs;
  // Outputs of the layers that compute something: convolutions, pools, fully connected ones; {}: of too many.
  std::vector<Shape> outputs;
};

// Nineteen convolutions of 16, 32 and 64 channels and 10 outputs.
constexpr int64_t kPlainMacs = 27 * 16384 + 6 * 144 * 16384 + (144 + 5 * 288) * 8192 + (288 + 5 * 576) * 4096 + 640;

// Counted by hand from the networks' descriptions.
const Expected kNetworks[] = {
    {"linear", 7850, 7840, {{10}}},
    {"dnn", 26506, 26432, {{32}, {32}, {10}}},
    {"mlp", 814090, 813056, {{1024}, {10}}},
    {"mlp-dropout", 814090, 813056, {{1024}, {10}}},
    {"mlp-wide", 1628170, 1626112, {{2048}, {10}}},
    {"mlp-deep", 1596426, 1594368, {{1024}, {512}, {512}, {10}}},
    {"lenet", 61706, 416520, {{6, 28, 28}, {6, 14, 14}, {16, 10, 10}, {16, 5, 5}, {120}, {84}, {10}}},
    {"lenet-playground", 61706, 416520, {{6, 28, 28}, {6, 14, 14}, {16, 10, 10}, {16, 5, 5}, {120}, {84}, {10}}},
    {"lenet-caffe", 431080, 2293000, {{20, 24, 24}, {20, 12, 12}, {50, 8, 8}, {50, 4, 4}, {500}, {10}}},
    {"lenet-caffe2", 856130, 4293000, {{20, 24, 24}, {20, 12, 12}, {100, 8, 8}, {100, 4, 4}, {500}, {10}}},
    {"relunet", 431080, 2293000, {{20, 24, 24}, {20, 12, 12}, {50, 8, 8}, {50, 4, 4}, {500}, {10}}},
    {"cnn",
     3274634,
     25 * 32 * 784 + 25 * 32 * 64 * 196 + 3136 * 1024 + 10240,
     {{32, 28, 28}, {32, 14, 14}, {64, 14, 14}, {64, 7, 7}, {1024}, {10}}},
    {"simplecnn",
     427210,
     56448 + 903168 + 903168 + 903168 + 401408 + 1280,
     {{8, 28, 28}, {16, 28, 28}, {32, 14, 14}, {64, 7, 7}, {128, 1, 1}, {10}}},
    {"simplenet", 29330, 316800, {{20, 24, 24}, {20, 12, 12}, {10}}},
    {"largenet",
     81330,
     121680 + 1089000 + 283500 + 35000 + 5000,
     {{20, 26, 26}, {20, 13, 13}, {50, 11, 11}, {50, 5, 5}, {70, 3, 3}, {70, 1, 1}, {500}, {10}}},
    {"largenet-1x1",
     325650,
     288000 + 144000 + 126000 + 315000 + 5000,
     {{20, 24, 24}, {20, 12, 12}, {50, 12, 12}, {50, 6, 6}, {70, 6, 6}, {70, 3, 3}, {500}, {10}}},
    {"cifar-lenet",
     83126,
     460800 + 345600 + 69120 + 10080 + 840,
     {{6, 32, 32}, {6, 16, 16}, {16, 12, 12}, {16, 6, 6}, {120}, {84}, {10}}},
    {"cifar-fcn", 12332010, 3072 * 4000 + 40000, {{4000}, {10}}},
    {"cifar-alexnet",
     99014,
     147 * 6144 + 150 * 4096 + 144 * 2048 + 288 * 2048 * 2 + 512 * 120 + 120 * 84 + 840,
     {{6, 32, 32},
      {6, 16, 16},
      {16, 16, 16},
      {16, 8, 8},
      {32, 8, 8},
      {32, 8, 8},
      {32, 8, 8},
      {32, 4, 4},
      {120},
      {84},
      {10}}},
    {"cifar-vgg1",
     2105562,
     27 * 16384 + 144 * 16384 + 4096 * 512 + 5120,
     {{16, 32, 32}, {16, 32, 32}, {16, 16, 16}, {512}, {10}}},
    {"cifar-vgg2",
     1070874,
     27 * 16384 + 144 * 16384 + 144 * 8192 + 288 * 8192 + 2048 * 512 + 5120,
     {{16, 32, 32}, {16, 32, 32}, {16, 16, 16}, {32, 16, 16}, {32, 16, 16}, {32, 8, 8}, {512}, {10}}},
    {"cifar-vgg3",
     602010,
     27 * 16384 + 144 * 16384 + 144 * 8192 + 288 * 8192 + 288 * 4096 + 576 * 4096 + 1024 * 512 + 5120,
     {{16, 32, 32},
      {16, 32, 32},
      {16, 16, 16},
      {32, 16, 16},
      {32, 16, 16},
      {32, 8, 8},
      {64, 8, 8},
      {64, 8, 8},
      {64, 4, 4},
      {512},
      {10}}},
    {"cifar-plain", 269034, kPlainMacs, {}},
    {"cifar-resnet", 271690, kPlainMacs + 16 * 32 * 256 + 32 * 64 * 64, {}},
    {"cifar-inception",
     1517546,
     27 * 16384 + 16 * 32 * 35 * 256 + 112 * 64 * 35 * 64 + 4864 * 256 + 2560,
     {{16, 32, 32},
      {16, 16, 16},
      {32, 16, 16},
      {32, 16, 16},
      {32, 16, 16},
      {16, 16, 16},
      {112, 8, 8},
      {64, 8, 8},
      {64, 8, 8},
      {64, 8, 8},
      {112, 8, 8},
      {304, 4, 4},
      {256},
      {10}}},
    {"cifar-inception2",
     1119818,
     27 * 16384 + 16 * (32 + 32 * 9 + 16 * 25) * 256 + (96 * (64 + 64 + 16 + 64) + 64 * 128 * 9 + 16 * 32 * 25) * 64 +
         (288 * (128 + 128 + 32 + 128) + 128 * 256 * 9 + 32 * 32 * 25) * 16 + 2176 * 256 + 2560,
     {}},
    {"cifar-vgg",
     3441592,
     27 * 50 * 1024 + 450 * 50 * 1024 + 450 * 100 * 256 + 900 * 100 * 256 + 6400 * 512 + 5120,
     {{50, 32, 32}, {50, 32, 32}, {50, 16, 16}, {100, 16, 16}, {100, 16, 16}, {100, 8, 8}, {512}, {10}}},
    {"cifar-tutorial",
     1068298,
     75 * 64 * 576 + 1600 * 64 * 144 + 2304 * 384 + 384 * 192 + 1920,
     {{64, 24, 24}, {64, 12, 12}, {64, 12, 12}, {64, 6, 6}, {384}, {192}, {10}}},
    {"imagenet-tutorial",
     1259368,
     75 * 64 * 576 + 1600 * 64 * 144 + 2304 * 384 + 384 * 192 + 192000,
     {{64, 24, 24}, {64, 12, 12}, {64, 12, 12}, {64, 6, 6}, {384}, {192}, {1000}}},
    {"resnet20", 269722, kPlainMacs, {}},
    {"imdb-gru", 3818302, 150 * 300 * 225 + 200, {{100}, {2}}},
    {"imdb-gru-start", 3818402, 150 * 300 * 225 + 200, {{100}, {2}}},
    {"imdb-gru-knet", 3818300, 150 * 300 * 225 + 200, {{100}, {2}}},
    // As torchvision's pages have them.
    {"resnet18", 11689512, 1814073344, {}},
    {"resnet50", 25557032, 4089184256, {}},
    {"resnet50-v1", 25557032, 3857973248, {}},
    {"resnet101", 44549160, 7801405440, {}},
    {"alexnet",
     61100840,
     714188480,
     {{64, 55, 55},
      {64, 27, 27},
      {192, 27, 27},
      {192, 13, 13},
      {384, 13, 13},
      {256, 13, 13},
      {256, 13, 13},
      {256, 6, 6},
      {4096},
      {4096},
      {1000}}},
    {"vgg16", 138357544, 15470264320, {}},
    {"densenet121", 7978856, 2834161664, {}},
    {"inception-v3", 27161264, 5713216096, {}},  // its auxiliary classifier's parameters, not its multiply-adds
    {"resnet56", 853018, kPlainMacs + 12 * (144 * 16384 + 288 * 8192 + 576 * 4096), {}},
};

std::shared_ptr<Device> open(const char* implementation) {
  DeviceOptions options;
  options.implementation = implementation;
  options.where = "cpu";
  options.threads = 2;
  return Device::open(options);
}

std::shared_ptr<Module> build(const std::shared_ptr<Device>& device, const ModelInfo& model) {
  Initializer initializer(InitRule{}, 1);
  return model.build(device, initializer, DType::f32);
}

// Its weights have no values.
std::shared_ptr<Module> lay_out(const std::shared_ptr<Device>& device, const ModelInfo& model) {
  Initializer none = Initializer::none();
  return model.build(device, none, DType::f32);
}

bool computes(const LayerSummary& layer) {
  return layer.macs > 0 || layer.type.find("Pool") != std::string::npos;
}

}  // namespace

TEST_CASE("parameters, multiply-adds and layer shapes are those of the networks' descriptions") {
  const std::shared_ptr<Device> device = open("reference");
  CHECK(known_models().size() == std::size(kNetworks));
  for (const Expected& expected : kNetworks) {
    CAPTURE(expected.model);
    const ModelInfo& model = find_model(expected.model);
    const std::shared_ptr<Module> network = lay_out(device, model);
    std::vector<LayerSummary> layers;
    CHECK(network->summarize(model.input, "", layers) == Shape{model.classes});
    CHECK(network->parameter_count() == expected.parameters);
    int64_t macs = 0, parameters = 0;
    std::vector<Shape> outputs;
    for (const LayerSummary& layer : layers) {
      macs += layer.macs;
      parameters += layer.parameters;
      if (computes(layer)) outputs.push_back(layer.output);
    }
    CHECK(macs == expected.macs);
    CHECK(parameters == expected.parameters);
    if (!expected.outputs.empty()) CHECK(outputs == expected.outputs);
  }
}

TEST_CASE("parameters have PyTorch's names and shapes") {
  const std::shared_ptr<Device> device = open("reference");
  const auto listed = [&](const char* model) {
    std::string text;
    for (const NamedTensor& each : build(device, find_model(model))->state())
      text += each.name + each.tensor.shape().text() + " ";
    return text;
  };
  CHECK(listed("lenet") ==
        "conv1.weight[6, 1, 5, 5] conv1.bias[6] conv2.weight[16, 6, 5, 5] conv2.bias[16] "
        "fc1.weight[120, 400] fc1.bias[120] fc2.weight[84, 120] fc2.bias[84] fc3.weight[10, 84] fc3.bias[10] ");
  CHECK(listed("cnn") ==
        "conv1.weight[32, 1, 5, 5] conv1.bias[32] conv2.weight[64, 32, 5, 5] conv2.bias[64] "
        "fc1.weight[1024, 3136] fc1.bias[1024] fc2.weight[10, 1024] fc2.bias[10] ");
  CHECK(listed("largenet-1x1") ==
        "conv1.weight[20, 1, 5, 5] conv1.bias[20] conv2.weight[50, 20, 1, 1] conv2.bias[50] "
        "conv3.weight[70, 50, 1, 1] conv3.bias[70] fc1.weight[500, 630] fc1.bias[500] fc2.weight[10, 500] "
        "fc2.bias[10] ");
}

TEST_CASE("activations stand where the descriptions have them") {
  const std::shared_ptr<Device> device = open("reference");
  const auto order = [&](const char* name) {
    const ModelInfo& model = find_model(name);
    std::vector<LayerSummary> layers;
    build(device, model)->summarize(model.input, "", layers);
    std::string text;
    for (const LayerSummary& layer : layers) text += (text.empty() ? "" : " ") + layer.name;
    return text;
  };
  CHECK(order("lenet") == "conv1 relu1 pool1 conv2 relu2 pool2 flatten fc1 relu3 fc2 relu4 fc3");
  CHECK(order("lenet-playground") == "conv1 relu1 pool1 conv2 relu2 pool2 flatten fc1 fc2 fc3");
  CHECK(order("lenet-caffe") == "conv1 pool1 conv2 pool2 flatten fc1 relu1 fc2");
  CHECK(order("lenet-caffe2") == order("lenet-caffe"));
  CHECK(order("relunet") == "conv1 relu1 pool1 conv2 relu2 pool2 flatten fc1 relu3 fc2");
  CHECK(order("cnn") == "conv1 relu1 pool1 conv2 relu2 pool2 flatten fc1 relu3 dropout1 fc2");
  CHECK(order("simplecnn") == "conv1 relu1 conv2 relu2 conv3 relu3 conv4 relu4 conv5 relu5 flatten fc1");
  CHECK(order("simplenet") == "conv1 pool1 flatten fc1");
  CHECK(order("largenet") == "conv1 pool1 conv2 pool2 conv3 pool3 flatten fc1 relu1 fc2");
  CHECK(order("largenet-1x1") == order("largenet"));
  CHECK(order("cifar-lenet") ==
        "conv1 relu1 pool1 dropout1 conv2 relu2 pool2 dropout2 flatten fc1 relu3 dropout3 fc2 relu4 dropout4 fc3");
  CHECK(order("cifar-vgg") ==
        "conv1 relu1 conv2 pool1 relu2 dropout1 conv3 relu3 conv4 pool2 relu4 dropout2 flatten fc1 relu5 dropout3 fc2");
  CHECK(order("cifar-tutorial") == "conv1 relu1 pool1 norm1 conv2 relu2 norm2 pool2 flatten fc1 relu3 fc2 relu4 fc3");
  CHECK(order("cifar-resnet").starts_with("conv1 block1 block1.conv1 block1.relu1 block1.conv2 block2 block2.conv1 "));
  CHECK(order("cifar-resnet").find("block4.conv2 block4.shortcut.conv1 block5 ") != std::string::npos);
  CHECK(order("cifar-inception2").find("inception2.branch3.conv1 inception2.branch3.relu1 inception2.branch3.conv2 ") !=
        std::string::npos);
}

TEST_CASE("ResNet-20 has the tensors of akamaster/pytorch_resnet_cifar10") {
  std::vector<std::string> names;
  for (const NamedTensor& each : build(open("reference"), find_model("resnet20"))->state()) names.push_back(each.name);
  CHECK(names.size() == 97 + 19);  // published before num_batches_tracked
  for (const char* name : {"conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer3.2.bn2.bias",
                           "layer2.0.bn1.running_mean", "linear.weight", "linear.bias"})
    CHECK(std::ranges::count(names, name) == 1);
}

TEST_CASE("networks for photos have torchvision's tensors") {
  const std::shared_ptr<Device> device = open("reference");
  const auto check = [&](const char* model, size_t count, const std::vector<std::string>& some) {
    CAPTURE(model);
    std::vector<std::string> names;
    for (const NamedTensor& each : lay_out(device, find_model(model))->state())
      names.push_back(each.name + each.tensor.shape().text());
    CHECK(names.size() == count);
    for (const std::string& name : some) CHECK_MESSAGE(std::ranges::count(names, name) == 1, name);
  };
  check("resnet18", 122,
        {"conv1.weight[64, 3, 7, 7]", "bn1.running_var[64]", "layer1.0.conv2.weight[64, 64, 3, 3]",
         "layer2.0.downsample.0.weight[128, 64, 1, 1]", "layer2.0.downsample.1.num_batches_tracked[]",
         "fc.weight[1000, 512]"});
  check("resnet50", 320,
        {"layer1.0.downsample.0.weight[256, 64, 1, 1]", "layer1.2.conv1.weight[64, 256, 1, 1]",
         "layer4.0.conv2.weight[512, 512, 3, 3]", "layer4.2.bn3.bias[2048]", "fc.bias[1000]"});
  check("resnet101", 626, {"layer3.22.conv3.weight[1024, 256, 1, 1]"});
  check("alexnet", 16,
        {"features.0.weight[64, 3, 11, 11]", "features.10.bias[256]", "classifier.1.weight[4096, 9216]",
         "classifier.6.weight[1000, 4096]"});
  check("vgg16", 32,
        {"features.0.weight[64, 3, 3, 3]", "features.28.bias[512]", "classifier.0.weight[4096, 25088]",
         "classifier.3.weight[4096, 4096]", "classifier.6.bias[1000]"});
  check("densenet121", 727,
        {"features.conv0.weight[64, 3, 7, 7]", "features.denseblock1.denselayer1.norm1.weight[64]",
         "features.denseblock4.denselayer16.conv2.weight[32, 128, 3, 3]",
         "features.transition3.conv.weight[512, 1024, 1, 1]", "features.norm5.running_mean[1024]",
         "classifier.weight[1000, 1024]"});
  check("inception-v3", 580,
        {"Conv2d_1a_3x3.conv.weight[32, 3, 3, 3]", "Conv2d_4a_3x3.bn.running_var[192]",
         "Mixed_5b.branch3x3dbl_3.conv.weight[96, 96, 3, 3]", "Mixed_5d.branch5x5_1.conv.weight[48, 288, 1, 1]",
         "Mixed_6a.branch3x3.bn.bias[384]", "Mixed_6b.branch7x7_2.conv.weight[128, 128, 1, 7]",
         "Mixed_6e.branch7x7dbl_4.conv.weight[192, 192, 7, 1]", "Mixed_6e.branch_pool.conv.weight[192, 768, 1, 1]",
         "AuxLogits.conv1.conv.weight[768, 128, 5, 5]", "AuxLogits.fc.bias[1000]",
         "Mixed_7a.branch7x7x3_4.conv.weight[192, 192, 3, 3]", "Mixed_7b.branch3x3_2a.bn.running_var[384]",
         "Mixed_7c.branch3x3dbl_3b.conv.weight[384, 384, 3, 1]", "fc.weight[1000, 2048]"});
}

TEST_CASE("every network gives the same logits on every implementation and learns two examples") {
  const auto draw = [](const std::shared_ptr<Device>& device, const ModelInfo& model) {
    const Shape& image = model.input;
    if (takes_texts(model)) {
      std::vector<int32_t> words(static_cast<size_t>(2 * image[0]));
      for (size_t i = 0; i < words.size(); ++i)
        words[i] = static_cast<int32_t>((i * i * 7 + i) % static_cast<size_t>(model.vocabulary));
      return Tensor::from_host<int32_t>(device, {2, image[0]}, words);
    }
    const auto size = static_cast<size_t>(image.count());
    std::vector<uint8_t> pixels(2 * size);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>((i * i * 7 + i / size * 91) % 251);
    const Tensor bytes = Tensor::from_host<uint8_t>(device, {2, image[0], image[1], image[2]}, pixels);
    return Tensor::byte_rows(bytes, {}, RowScale(device, 1.0f / 255, -0.5f));
  };
  std::map<std::string, std::vector<float>> reference;
  for (const char* implementation : {"reference", "simd", "vanilla"}) {
    CAPTURE(implementation);
    const std::shared_ptr<Device> device = open(implementation);
    for (const ModelInfo& model : known_models()) {
      if (takes_photos(model)) continue;  // known logits: tests/trainers/test_pretrained.cpp
      CAPTURE(model.name);
      const Tensor examples = draw(device, model);
      const Tensor labels =
          Tensor::from_host<int32_t>(device, {2}, std::vector<int32_t>{3 % model.classes, 8 % model.classes});
      const std::shared_ptr<Module> network = build(device, model);
      network->eval();
      const Tensor logits = network->forward(examples);
      CHECK(logits.shape() == Shape{2, model.classes});
      const std::vector<float> values = logits.to_host<float>();
      const auto [expected, first] = reference.emplace(model.name, values);
      for (size_t i = 0; i < values.size() && !first; ++i)
        CHECK(values[i] == doctest::Approx(expected->second[i]).epsilon(1e-4).scale(0.1));

      const Tensor loss = cross_entropy(logits, labels);
      backward(loss);
      double squares = 0;
      for (NamedTensor& parameter : network->parameters())
        for (const float each : parameter.tensor.grad().to_host<float>()) squares += double{each} * each;
      CHECK(squares > 0);
      // A step down the gradient that would, were the loss linear, take away a tenth of it.
      const double rate = 0.1 * loss.item() / squares;
      for (NamedTensor& parameter : network->parameters()) {
        std::vector<float> weights = parameter.tensor.to_host<float>();
        const std::vector<float> gradient = parameter.tensor.grad().to_host<float>();
        for (size_t i = 0; i < weights.size(); ++i) weights[i] -= static_cast<float>(rate * gradient[i]);
        parameter.tensor.set<float>(weights);
      }
      CHECK(cross_entropy(network->forward(examples), labels).item() < loss.item());
    }
  }
}

}  // namespace cairn::testing
