// Layers whose input goes more than one way: gradients in double, the same on every implementation, names, summaries,
// captured steps, and what does not fit. Not here: the ops they are made of (test_gradcheck.cpp).
#include <doctest/doctest.h>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/nn/branches.h"
#include "framework/nn/image_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "tests/framework/gradcheck.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

using DevicePointer = std::shared_ptr<Device>;

std::shared_ptr<Module> convolution(const DevicePointer& device, Initializer& initializer, int64_t in, int64_t out,
                                    int64_t kernel, int64_t stride, DType dtype) {
  const Conv2dLayerOptions options{.stride = stride, .padding = kernel / 2};
  return std::make_shared<Conv2d>(device, in, out, kernel, initializer, options, dtype);
}

// Of 2 x 6 x 6: the identity beside two convolutions; 1x1 filters, or padding, beside one that halves.
std::shared_ptr<Module> residual(const DevicePointer& device, const std::string& kind, DType dtype = DType::f32) {
  Initializer initializer({}, 5);
  const int64_t stride = kind == "identity" ? 1 : 2, out = kind == "identity" ? 2 : 4;
  std::vector<NamedModule> body{{"conv1", convolution(device, initializer, 2, 3, 3, stride, dtype)},
                                {"relu1", std::make_shared<ReLU>()},
                                {"conv2", convolution(device, initializer, 3, out, 3, 1, dtype)}};
  std::shared_ptr<Module> shortcut;
  if (kind == "padded") shortcut = std::make_shared<PaddedShortcut>(4);
  if (kind == "projected")
    shortcut = std::make_shared<Sequential>(
        std::vector<NamedModule>{{"conv1", convolution(device, initializer, 2, 4, 1, 2, dtype)}});
  return std::make_shared<Residual>(body, shortcut, kind != "padded");
}

std::shared_ptr<Module> inception(const DevicePointer& device, DType dtype = DType::f32) {
  Initializer initializer({}, 6);
  const auto branch = [](std::vector<NamedModule> layers) { return std::make_shared<Sequential>(layers); };
  return std::make_shared<Concat>(std::vector<NamedModule>{
      {"branch1",
       branch({{"conv1", convolution(device, initializer, 2, 3, 1, 1, dtype)}, {"relu1", std::make_shared<ReLU>()}})},
      {"branch2", branch({{"conv1", convolution(device, initializer, 2, 1, 3, 1, dtype)}})},
      {"branch3", branch({{"pool1", std::make_shared<MaxPool2d>(3, 1, 1)}})}});
}

// Branches without names, one of which ends in a row beside a column.
std::shared_ptr<Module> unnamed(const DevicePointer& device, DType dtype = DType::f32) {
  Initializer initializer({}, 8);
  const auto branch = [](std::vector<NamedModule> layers) {
    return NamedModule{"", std::make_shared<Sequential>(layers)};
  };
  const auto same = [&](int64_t in, int64_t out, const Size2d& kernel) {
    const Conv2dLayerOptions options{.padding = {kernel.height / 2, kernel.width / 2}};
    return std::make_shared<Conv2d>(device, in, out, kernel, initializer, options, dtype);
  };
  const auto spread = std::make_shared<Concat>(
      std::vector<NamedModule>{branch({{"conv3a", same(2, 1, {1, 3})}}), branch({{"conv3b", same(2, 1, {3, 1})}})});
  return std::make_shared<Concat>(std::vector<NamedModule>{
      branch({{"conv1", same(2, 1, 1)}}),
      branch({{"conv2", same(2, 2, {1, 5})}, {"relu2", std::make_shared<ReLU>()}, {"", spread}})});
}

std::shared_ptr<Module> dense(const DevicePointer& device, DType dtype = DType::f32) {
  Initializer initializer({}, 7);
  return std::make_shared<Dense>(std::vector<NamedModule>{
      {"relu1", std::make_shared<ReLU>()}, {"conv1", convolution(device, initializer, 2, 3, 3, 1, dtype)}});
}

struct Kind {
  std::string name;
  std::function<std::shared_ptr<Module>(const DevicePointer&, DType)> make;
};

std::vector<Kind> kinds() {
  std::vector<Kind> all{
      {"inception", inception},
      {"unnamed", unnamed},
      {"dense", dense},
      {"global max pool", [](const DevicePointer&, DType) { return std::make_shared<GlobalMaxPool2d>(); }}};
  for (const char* name : {"identity", "projected", "padded"})
    all.push_back({name, [name](const DevicePointer& device, DType dtype) { return residual(device, name, dtype); }});
  return all;
}

std::vector<std::string> names_of(const Module& module) {
  std::vector<std::string> names;
  for (const NamedTensor& each : module.parameters()) names.push_back(each.name);
  return names;
}

std::string listed(const Module& module, const Shape& sample, const std::string& name) {
  std::vector<LayerSummary> layers;
  module.summarize(sample, name, layers);
  std::string text;
  for (const LayerSummary& layer : layers) {
    text += layer.name + " " + layer.type + layer.output.text();
    for (const auto& [option, value] : layer.options)
      if (layer.parameters == 0 && layer.type != "MaxPool2d") text += " " + option + "=" + std::to_string(int(value));
    text += "; ";
  }
  return text;
}

}  // namespace

TEST_CASE("gradcheck of blocks: by their input and by every weight") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    const std::shared_ptr<Module> block = kind.make(reference(), DType::f64);
    Tensor x = random_tensor(reference(), {2, 2, 6, 6}, 3, DType::f64);
    x.set_requires_grad(true);
    std::vector<Tensor> inputs{x};
    for (const NamedTensor& parameter : block->parameters()) inputs.push_back(parameter.tensor);
    const Gradcheck result = gradcheck([&](const std::vector<Tensor>& in) { return block->forward(in[0]); }, inputs);
    CHECK(result.fault == "");
    CHECK(result.checked > 0);
    CHECK(result.kinks == 0);
  }
}

TEST_CASE("blocks compute the same on every implementation, result and gradients") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    std::vector<std::vector<double>> expected;
    for (const auto& device : devices()) {
      CAPTURE(device->label());
      const std::shared_ptr<Module> block = kind.make(device, DType::f32);
      Tensor x = random_tensor(device, {3, 2, 6, 6}, 3);
      x.set_requires_grad(true);
      const Tensor y = block->forward(x);
      backward(sum(multiply(y, random_tensor(device, y.shape(), 4))));
      std::vector<std::vector<double>> found{values_of(y), values_of(x.grad())};
      for (const NamedTensor& parameter : block->parameters()) found.push_back(values_of(parameter.tensor.grad()));
      if (expected.empty()) expected = found;
      for (size_t i = 0; i < found.size(); ++i) CHECK(relative_error(found[i], expected[i]) <= 1e-5);
    }
  }
}

TEST_CASE("a padded shortcut takes every second pixel and has zeros on both sides") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = random_tensor(device, {2, 3, 5, 4}, 1);
    const std::vector<double> in = values_of(x), out = values_of(PaddedShortcut(7).forward(x));
    REQUIRE(out.size() == 2 * 7 * 3 * 2);
    for (size_t n = 0, i = 0; n < 2; ++n)
      for (size_t c = 0; c < 7; ++c)
        for (size_t row = 0; row < 3; ++row)
          for (size_t column = 0; column < 2; ++column, ++i)
            CHECK(out[i] == (c < 2 || c > 4 ? 0 : in[((n * 3 + c - 2) * 5 + 2 * row) * 4 + 2 * column]));
    CHECK(values_of(PaddedShortcut(3).forward(x)).size() == 2 * 3 * 3 * 2);
  }
}

TEST_CASE("a block's modules have their names right below its own") {
  CHECK(names_of(*residual(reference(), "projected")) ==
        std::vector<std::string>{"conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "shortcut.conv1.weight",
                                 "shortcut.conv1.bias"});
  CHECK(names_of(*inception(reference())) == std::vector<std::string>{"branch1.conv1.weight", "branch1.conv1.bias",
                                                                      "branch2.conv1.weight", "branch2.conv1.bias"});
  CHECK(names_of(*unnamed(reference())) == std::vector<std::string>{"conv1.weight", "conv1.bias", "conv2.weight",
                                                                    "conv2.bias", "conv3a.weight", "conv3a.bias",
                                                                    "conv3b.weight", "conv3b.bias"});
  CHECK(names_of(*dense(reference())) == std::vector<std::string>{"conv1.weight", "conv1.bias"});
  const auto norm = std::make_shared<BatchNorm2d>(reference(), 2);
  const Residual block({{"bn1", norm}}, norm, true, "downsample");
  CHECK(names_of(block) == std::vector<std::string>{"bn1.weight", "bn1.bias", "downsample.weight", "downsample.bias"});
  CHECK(listed(block, {2, 6, 6}, "b").find("body=1 shortcut=1; b.bn1 BatchNorm2d[2, 6, 6]; b.downsample ") !=
        std::string::npos);
}

TEST_CASE("a summary lists a block and then its parts, and says how many lines each has") {
  CHECK(listed(*residual(reference(), "projected"), {2, 6, 6}, "block1") ==
        "block1 Residual[4, 3, 3] relu=1 body=3 shortcut=1; block1.conv1 Conv2d[3, 3, 3]; block1.relu1 ReLU[3, 3, 3]; "
        "block1.conv2 Conv2d[4, 3, 3]; block1.shortcut.conv1 Conv2d[4, 3, 3]; ");
  CHECK(listed(*residual(reference(), "padded"), {2, 6, 6}, "b") ==
        "b Residual[4, 3, 3] relu=0 body=3 shortcut=1; b.conv1 Conv2d[3, 3, 3]; b.relu1 ReLU[3, 3, 3]; "
        "b.conv2 Conv2d[4, 3, 3]; b.shortcut PaddedShortcut[4, 3, 3] padding=1; ");
  CHECK(listed(*inception(reference()), {2, 6, 6}, "i") ==
        "i Concat[6, 6, 6] branch1=2 branch2=1 branch3=1; i.branch1.conv1 Conv2d[3, 6, 6]; i.branch1.relu1 ReLU[3, 6, "
        "6]; "
        "i.branch2.conv1 Conv2d[1, 6, 6]; i.branch3.pool1 MaxPool2d[2, 6, 6]; ");
  CHECK(listed(*unnamed(reference()), {2, 6, 6}, "m") ==
        "m Concat[3, 6, 6] branch1=1 branch2=5; m.conv1 Conv2d[1, 6, 6]; m.conv2 Conv2d[2, 6, 6]; m.relu2 ReLU[2, 6, "
        "6]; m Concat[2, 6, 6] branch1=1 branch2=1; m.conv3a Conv2d[1, 6, 6]; m.conv3b Conv2d[1, 6, 6]; ");
  CHECK(listed(*dense(reference()), {2, 6, 6}, "d") ==
        "d Dense[5, 6, 6] body=2; d.relu1 ReLU[2, 6, 6]; d.conv1 Conv2d[3, 6, 6]; ");
}

TEST_CASE("train, eval and dropout reach the parts of blocks") {
  const auto norm = std::make_shared<BatchNorm2d>(reference(), 2),
             beside = std::make_shared<BatchNorm2d>(reference(), 2);
  const auto dropout = std::make_shared<Dropout>(0.5);
  Residual block({{"bn", norm}, {"dropout", dropout}}, beside, true);
  block.eval();
  CHECK_FALSE(norm->training());
  CHECK_FALSE(beside->training());
  const Tensor x = random_tensor(reference(), {2, 2, 3, 3}, 1);
  CHECK(values_of(block.forward(x)) == values_of(block.forward(x)));
  block.train();
  CHECK(beside->training());
  block.set_dropout_source({1, Tensor::zeros(reference(), {}, DType::i64)});
  block.forward(x);
  CHECK(norm->num_batches_tracked.item() == 1);
  CHECK(beside->num_batches_tracked.item() == 1);
}

TEST_CASE("a captured pass through blocks replays bit-equal, zeros and all") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const std::shared_ptr<Module> block = residual(device, "padded");
    Tensor x = random_tensor(device, {3, 2, 6, 6}, 3);
    Tensor y;
    Recording recording(*device, [&] { y = block->forward(x); });
    for (const uint64_t seed : {7, 8}) {
      x.set<float>(random_tensor(device, {3, 2, 6, 6}, seed).to_host<float>());
      recording.replay();
      const std::vector<float> replayed = y.to_host<float>();
      CHECK(replayed == block->forward(x).to_host<float>());
    }
  }
}

namespace {

// Of 2 x 6 x 6 in 3 classes, with an auxiliary classifier after the convolution.
std::shared_ptr<Module> watched(const DevicePointer& device, DType dtype = DType::f32) {
  Initializer initializer({}, 9);
  const auto classifier = [&] { return std::make_shared<Linear>(device, 4, 3, initializer, dtype); };
  const auto conv = convolution(device, initializer, 2, 4, 3, 1, dtype);
  const std::vector<NamedModule> head{{"pool", std::make_shared<GlobalAvgPool2d>()}, {"fc", classifier()}};
  return std::make_shared<Sequential>(std::vector<NamedModule>{{"conv1", conv},
                                                               {"aux", std::make_shared<AuxiliaryHead>(head, 3)},
                                                               {"pool", std::make_shared<GlobalMaxPool2d>()},
                                                               {"fc", classifier()}});
}

}  // namespace

TEST_CASE("an auxiliary classifier looks on in training alone and gives its logits away once") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const std::shared_ptr<Module> network = watched(device);
    const Tensor x = random_tensor(device, {2, 2, 6, 6}, 3);
    CHECK(network->take_auxiliary().empty());
    const std::vector<double> logits = values_of(network->forward(x));
    const std::vector<AuxiliaryLogits> taken = network->take_auxiliary();
    REQUIRE(taken.size() == 1);
    CHECK(taken[0].weight == 3);
    CHECK(taken[0].logits.shape() == Shape{2, 3});
    CHECK(values_of(taken[0].logits) != logits);
    CHECK(network->take_auxiliary().empty());
    network->forward(x);
    network->eval();
    CHECK(values_of(network->forward(x)) == logits);
    CHECK(network->take_auxiliary().empty());  // those of the batch before are gone, too
    CHECK(Recording(*device, [&] { network->forward(x); }).call_count() == 3);
    network->train();
    CHECK(Recording(*device, [&] { network->forward(x); }).call_count() == 5);
  }
}

TEST_CASE("an auxiliary classifier's gradients, names and lines, which count no multiply-adds") {
  const std::shared_ptr<Module> network = watched(reference(), DType::f64);
  std::vector<Tensor> inputs{random_tensor(reference(), {2, 2, 6, 6}, 3, DType::f64)};
  for (const NamedTensor& parameter : network->parameters()) inputs.push_back(parameter.tensor);
  const Tensor labels = labels_of(reference(), {2, 0});
  const Gradcheck result = gradcheck(
      [&](const std::vector<Tensor>& in) {
        const Tensor loss = cross_entropy(network->forward(in[0]), labels);
        const AuxiliaryLogits aside = network->take_auxiliary().at(0);
        return add(loss, scale(cross_entropy(aside.logits, labels), aside.weight));
      },
      inputs);
  CHECK(result.fault == "");
  CHECK(result.checked >= (72 + 4 + 2 * 15) / 5);  // a small sweep checks every fifth
  CHECK(names_of(*network) ==
        std::vector<std::string>{"conv1.weight", "conv1.bias", "aux.fc.weight", "aux.fc.bias", "fc.weight", "fc.bias"});
  CHECK(listed(*network, {2, 6, 6}, "")
            .find("; aux AuxiliaryHead[4, 6, 6] weight=3 head=2; aux.pool GlobalAvgPool2d[4"
                  "]; aux.fc Linear[3]; pool GlobalMaxPool2d[4]; ") != std::string::npos);
  std::vector<LayerSummary> layers;
  network->summarize({2, 6, 6}, "", layers);
  CHECK(layers[3].name == "aux.fc");
  CHECK(layers[3].parameters == 15);
  CHECK(layers[3].macs == 0);
  CHECK(layers[5].macs == 12);
}

TEST_CASE("blocks that do not fit are refused with both shapes") {
  std::vector<LayerSummary> layers;
  const auto pool = std::make_shared<MaxPool2d>(2);
  const Residual narrowed({{"pool", pool}}, nullptr, true);
  CHECK(refusal([&] {
          narrowed.summarize({2, 6, 6}, "block3", layers);
        }) == "residual block block3: the body makes [2, 3, 3] of [2, 6, 6], the shortcut [2, 6, 6]");
  const Concat apart({{"a", std::make_shared<ReLU>()}, {"b", pool}});
  CHECK(refusal([&] {
          apart.summarize({2, 6, 6}, "inception1", layers);
        }) == "concatenation inception1: b makes [2, 3, 3] of [2, 6, 6], the branches before it [2, 6, 6]");
  CHECK(refusal([&] {
          Dense({{"pool", pool}}).summarize({2, 6, 6}, "d", layers);
        }) == "dense block d: the body makes [2, 3, 3] of [2, 6, 6]");
  CHECK(refusal([&] {
          PaddedShortcut(4).forward(random_tensor(reference(), {1, 3, 4, 4}, 1));
        }) == "a padded shortcut to 4 channels takes as many or an even number fewer; got 3");
  CHECK(refusal([&] {
          PaddedShortcut(4).summarize({6, 4, 4}, "s", layers);
        }) == "a padded shortcut to 4 channels takes as many or an even number fewer; got 6");
}

}  // namespace cairn::test
