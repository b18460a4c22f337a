// Trains a small network on the generated digits, from C++, and asks it about ten that it has not seen.
#include <cairn/datasets/registry.h>
#include <cairn/framework/autograd.h>
#include <cairn/framework/nn/layers.h>
#include <cairn/framework/ops/loss.h>
#include <cairn/framework/optim/optimizer.h>
#include <cairn/framework/row_scale.h>

#include <cstdio>

using namespace cairn;

int main() {
  const auto device = Device::open({.implementation = "simd"});
  const auto digits = datasets::load_dataset("digits");
  const auto pixels = [&](const datasets::Split& set) {  // bytes to [0, 1], converted where they are used
    return Tensor::byte_rows(Tensor::from_host<uint8_t>(device, {set.count, 784}, images(set)), {},
                             RowScale(device, 1.0f / 255, 0));
  };
  const Tensor inputs = pixels(digits.train),
               labels = Tensor::from_host<int32_t>(device, {digits.train.count}, datasets::labels(digits.train));

  Initializer weights({}, /*seed=*/1);
  Sequential network({{"hidden", std::make_shared<Linear>(device, 784, 32, weights)},
                      {"relu", std::make_shared<ReLU>()},
                      {"scores", std::make_shared<Linear>(device, 32, 10, weights)}});
  Adam optimizer(network.parameters(), {});
  StepClock clock(device, 1);
  clock.set_rates(std::vector<float>{0.01f});
  for (int step = 1; step <= 100; ++step) {
    const Tensor loss = cross_entropy(network.forward(inputs), labels);
    optimizer.clear_grads();
    backward(loss);
    optimizer.step(clock);
    if (step % 20 == 0) std::printf("step %d: loss %.3f\n", step, loss.item());
  }
  const std::vector<int32_t> answers = argmax(network.forward(pixels(digits.test))).to_host<int32_t>();
  for (size_t i = 0; i < 10; ++i)
    std::printf("a %d: the network says %d\n", datasets::labels(digits.test)[i], answers[i]);
}
