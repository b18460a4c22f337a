// Walkthrough 6: a training step run as written and run from a capture, side by side; and what a capture holds. Not
// here: the loop that training uses (trainers/trainer.cpp).
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/autograd.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/optim/optimizer.h"
#include "models/model.h"

using namespace cairn;
using walkthrough::attempt;
using walkthrough::show;

namespace {

constexpr int64_t kRows = 64, kSteps = 6;

// One `dnn` with everything that its step needs; two of these start with the same bits.
struct Training {
  std::shared_ptr<Device> device = Device::open({.implementation = "simd", .where = "cpu", .threads = 1});
  Tensor x = Tensor::empty(device, {kRows, 784});
  Tensor labels = Tensor::empty(device, {kRows}, DType::i32);
  std::shared_ptr<Module> model;
  std::unique_ptr<Optimizer> optimizer;
  StepClock clock{device, kSteps};
  Tensor history = Tensor::zeros(device, {kSteps});

  Training() {
    std::vector<float> pixels(static_cast<size_t>(kRows * 784));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 7919 % 101) / 100;
    std::vector<int32_t> classes(kRows);
    for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int32_t>(i * i % 10);
    x.set<float>(pixels);
    labels.set<int32_t>(classes);
    const ModelInfo& info = find_model("dnn");
    Initializer initializer(info.recipes[0].init, 1);
    model = info.build(device, initializer, DType::f32);
    optimizer = std::make_unique<Sgd>(model->parameters(), 0.9);
    clock.set_rates(std::vector<float>{0.1f, 0.1f, 0.1f, 0.01f, 0.01f, 0.01f});
  }

  void step() {
    const Tensor loss = cross_entropy(model->forward(x), labels);
    optimizer->clear_grads();
    backward(loss);
    optimizer->step(clock);
    device->call(&Backend::finish_step, FinishStepArgs{loss.dtype(), loss.data(), history.data<float>(), kSteps,
                                                       clock.step().data<int64_t>()});
  }
};

void compare() {
  Training written, captured;
  for (int64_t i = 0; i < kSteps; ++i) written.step();

  captured.step();
  Recording recording(*captured.device, [&] { captured.step(); });
  std::printf("%zu calls in the capture; the clock stands at %lld\n", recording.call_count(),
              static_cast<long long>(captured.clock.read_step()));
  for (int64_t i = 1; i < kSteps; ++i) recording.replay();
  std::printf("after %lld replays it stands at %lld\n", static_cast<long long>(kSteps - 1),
              static_cast<long long>(captured.clock.read_step()));
  show("written", written.history);
  show("captured", captured.history);
  std::printf("the same bits: %s\n",
              written.history.to_host<float>() == captured.history.to_host<float>() ? "yes" : "no");
}

void what_it_holds() {
  const std::shared_ptr<Device> device = Device::open({.implementation = "simd", .where = "cpu", .threads = 1});
  Tensor x = Tensor::from_host<float>(device, {3}, std::vector<float>{1, 2, 3});
  double factor = 10;
  Tensor y;
  Recording recording(*device, [&] { y = scale(x, factor); });
  recording.replay();
  show("y", y);
  x.set<float>(std::vector<float>{4, 5, 6});
  recording.replay();
  show("y", y);
  factor = 100;
  recording.replay();
  show("y", y);

  attempt("reading a result in a capture", [&] { Recording bad(*device, [&] { scale(x, 2).to_host<float>(); }); });
}

}  // namespace

int main() {
  std::printf("-- six steps, twice\n");
  compare();
  std::printf("-- what a capture holds\n");
  what_it_holds();
}
