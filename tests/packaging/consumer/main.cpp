// A gradient, and what of Cairn this program holds.
#include <cairn/framework/autograd.h>
#include <cairn/framework/error.h>
#include <cairn/framework/nn/layers.h>
#include <cairn/framework/ops/loss.h>
#include <cairn/kernels/registry.h>

#include <cstdio>

// Both are there once, whatever is shared: the exception's type, by which it is caught, and the registry.
int main() {
  const auto device = cairn::Device::open({.implementation = "reference", .threads = 2});
  cairn::Initializer weights({}, /*seed=*/1);
  cairn::Linear layer(device, 3, 2, weights);
  const std::vector<float> values = {1, 2, 3};
  const std::vector<int32_t> classes = {1};
  const cairn::Tensor loss =
      cairn::cross_entropy(layer.forward(cairn::Tensor::from_host<float>(device, {1, 3}, values)),
                           cairn::Tensor::from_host<int32_t>(device, {1}, classes));
  cairn::backward(loss);
  std::printf("loss %.3f\n", loss.item());
  try {
    cairn::Device::open({.implementation = "none"});
  } catch (const cairn::UsageError& error) {
    std::printf("%s\n", error.what());
  }
  for (const cairn::Backend* backend : cairn::known_backends()) std::printf("has %s\n", backend->name);
}
