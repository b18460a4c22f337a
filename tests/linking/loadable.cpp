// A shared library that holds Cairn, as somebody's Python extension or plug-in would: one C function.
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#include "framework/autograd.h"
#include "framework/nn/image_layers.h"
#include "framework/nn/layers.h"
#include "framework/ops/loss.h"
#include "framework/optim/optimizer.h"

namespace {

using namespace cairn;

// The loss after some steps on eight made-up images: a convolution by barriers and shared arrays, products, an update.
double train(const char* implementation, int threads) {
  const auto device = Device::open({.implementation = implementation, .where = "cpu", .threads = threads});
  std::vector<float> pixels(8 * 12 * 12);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(static_cast<float>(i * (i / 144 + 1)));
  const std::vector<int32_t> classes = {0, 1, 2, 3, 0, 1, 2, 3};
  const Tensor images = Tensor::from_host<float>(device, {8, 1, 12, 12}, pixels),
               labels = Tensor::from_host<int32_t>(device, {8}, classes);
  Initializer weights({}, /*seed=*/1);
  Sequential network({{"conv", std::make_shared<Conv2d>(device, 1, 6, 5, weights)},
                      {"relu", std::make_shared<ReLU>()},
                      {"flatten", std::make_shared<Flatten>()},
                      {"scores", std::make_shared<Linear>(device, 6 * 8 * 8, 4, weights)}});
  Adam optimizer(network.parameters(), {});
  StepClock clock(device, 1);
  clock.set_rates(std::vector<float>{0.01f});
  double last = 0;
  for (int step = 0; step < 4; ++step) {
    const Tensor loss = cross_entropy(network.forward(images), labels);
    optimizer.clear_grads();
    backward(loss);
    optimizer.step(clock);
    last = loss.item();
  }
  return last;
}

}  // namespace

// On a thread of its own, as a host program may have it. Not a number where something was thrown.
extern "C" double cairn_train(const char* implementation, int threads) {
  double loss = NAN;
  std::thread([&] {
    try {
      loss = train(implementation, threads);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }).join();
  return loss;
}
