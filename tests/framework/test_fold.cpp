// Networks folded for inference: the same results, fewer layers. Not here: which layers a network has.
#include <doctest/doctest.h>

#include <algorithm>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/nn/branches.h"
#include "framework/nn/image_layers.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

using DevicePointer = std::shared_ptr<Device>;

class LayerMaker {
 public:
  LayerMaker(const DevicePointer& device, DType dtype) : device_(device), dtype_(dtype) {}
  std::shared_ptr<Module> conv(int64_t in, int64_t out, bool bias, const Size2d& kernel = 3) {
    const Conv2dLayerOptions options{.padding = {kernel.height / 2, kernel.width / 2}, .bias = bias};
    return std::make_shared<Conv2d>(device_, in, out, kernel, initializer_, options, dtype_);
  }
  std::shared_ptr<Module> norm(int64_t channels) {
    return std::make_shared<BatchNorm2d>(device_, channels, 0.1, 1e-3, dtype_);
  }

 private:
  DevicePointer device_;
  DType dtype_;
  Initializer initializer_{InitRule{}, 5};
};

// A convolution and its normalisation, named a or b, as a branch that has no name.
NamedModule branch(LayerMaker& make, const std::string& name, const Size2d& kernel) {
  const std::vector<NamedModule> layers{{"conv", make.conv(6, 3, false, kernel)}, {"bn", make.norm(3)}};
  const auto part = std::make_shared<Sequential>(layers);
  return {"", std::make_shared<Sequential>(std::vector<NamedModule>{{name, part}})};
}

// A convolution with and one without a bias, a residual block with a shortcut that is normalised, branches without
// names, a dense block, and a normalisation that nothing can take over.
std::shared_ptr<Module> foldable(const DevicePointer& device, DType dtype = DType::f32) {
  LayerMaker make(device, dtype);
  const auto relu = [] { return std::make_shared<ReLU>(); };
  const std::vector<NamedModule> body{{"conv1", make.conv(4, 5, false)},
                                      {"bn1", make.norm(5)},
                                      {"relu1", relu()},
                                      {"conv2", make.conv(5, 6, true)},
                                      {"bn2", make.norm(6)}};
  const auto shortcut =
      std::make_shared<Sequential>(std::vector<NamedModule>{{"0", make.conv(4, 6, false)}, {"1", make.norm(6)}});
  const auto mixed =
      std::make_shared<Concat>(std::vector<NamedModule>{branch(make, "a", {1, 3}), branch(make, "b", {3, 1})});
  const std::vector<NamedModule> dense{
      {"norm1", make.norm(6)}, {"relu1", relu()}, {"conv1", make.conv(6, 2, false)}, {"norm2", make.norm(2)}};
  return std::make_shared<Sequential>(
      std::vector<NamedModule>{{"conv1", make.conv(3, 4, false)},
                               {"bn1", make.norm(4)},
                               {"relu1", relu()},
                               {"pool1", std::make_shared<MaxPool2d>(2)},
                               {"block1", std::make_shared<Residual>(body, shortcut, true)},
                               {"mixed1", mixed},
                               {"dense1", std::make_shared<Dense>(dense)}});
}

// Weights of normalisations that are not 1 and 0, and statistics that are not those at the start.
void train_on(Module& module, const DevicePointer& device, DType dtype) {
  uint64_t seed = 20;
  for (NamedTensor& each : module.parameters())
    if (each.tensor.shape().rank() == 1) {
      const Tensor drawn = random_tensor(device, each.tensor.shape(), ++seed, dtype);
      if (dtype == DType::f64)
        each.tensor.set<double>(drawn.to_host<double>());
      else
        each.tensor.set<float>(drawn.to_host<float>());
    }
  const NoGrad no_grad;
  for (int step = 0; step < 3; ++step) module.forward(random_tensor(device, {4, 3, 8, 8}, ++seed, dtype));
}

}  // namespace

TEST_CASE("a folded network computes what it did, on every implementation") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const std::shared_ptr<Module> module = foldable(device);
    train_on(*module, device, DType::f32);
    const Tensor x = random_tensor(device, {2, 3, 8, 8}, 3);
    module->eval();
    const std::vector<double> before = values_of(module->forward(x));
    module->fold();
    CHECK(relative_error(values_of(module->forward(x)), before) <= 1e-5);
    CHECK(relative_error(values_of(module->forward(x.rows(1, 2))),
                         std::vector<double>(before.begin() + static_cast<std::ptrdiff_t>(before.size() / 2),
                                             before.end())) <= 1e-5);
  }
}

TEST_CASE("a network whose weights are sorted for images of one size refuses another, and keeps them once") {
  const auto simd =
      std::ranges::find(devices(), "simd", [](const DevicePointer& each) { return each->implementation(); });
  REQUIRE(simd != devices().end());
  const DevicePointer device = *simd;
  const std::shared_ptr<Module> module = foldable(device);
  module->fold();
  std::vector<LayerSummary> before, after;
  module->summarize({3, 8, 8}, "", before);
  module->forward(random_tensor(device, {2, 3, 8, 8}, 3));
  module->summarize({3, 8, 8}, "", after);
  REQUIRE(after.size() == before.size());
  for (size_t i = 0; i < after.size(); ++i) CHECK(after[i].parameters == before[i].parameters);
  for (const NamedTensor& each : module->state()) CHECK_MESSAGE(!each.name.ends_with("conv1.weight"), each.name);
  CHECK_THROWS_AS(module->forward(random_tensor(device, {2, 3, 10, 8}, 3)), ShapeError);
}

TEST_CASE("in double precision folding changes nothing but the last digits") {
  const std::shared_ptr<Module> module = foldable(reference(), DType::f64);
  train_on(*module, reference(), DType::f64);
  const Tensor x = random_tensor(reference(), {2, 3, 8, 8}, 3, DType::f64);
  module->eval();
  const std::vector<double> before = values_of(module->forward(x));
  module->fold();
  const std::vector<double> after = values_of(module->forward(x));
  CHECK(relative_error(after, before) <= 1e-13);
  module->fold();
  CHECK(values_of(module->forward(x)) == after);
}

TEST_CASE("folding leaves the convolutions, each with a bias, and what no convolution precedes") {
  const std::shared_ptr<Module> module = foldable(reference());
  module->fold();
  std::string names;
  for (const NamedTensor& each : module->state()) names += each.name + " ";
  CHECK(names ==
        "conv1.weight conv1.bias block1.conv1.weight block1.conv1.bias block1.conv2.weight block1.conv2.bias "
        "block1.shortcut.0.weight block1.shortcut.0.bias mixed1.a.conv.weight mixed1.a.conv.bias mixed1.b.conv.weight "
        "mixed1.b.conv.bias dense1.norm1.weight dense1.norm1.bias "
        "dense1.norm1.running_mean dense1.norm1.running_var dense1.norm1.num_batches_tracked dense1.conv1.weight "
        "dense1.conv1.bias ");
  CHECK_THROWS_WITH_AS(module->train(), "a folded network computes, and cannot be trained", Error);
  module->eval();
}

}  // namespace cairn::test
