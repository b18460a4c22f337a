// A captured step replays what the eager one computes, bit for bit, with buffers that nobody else is given; what cannot
// be captured is refused and leaves the device as it was.
#include <doctest/doctest.h>

#include <optional>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/ops/conv2d.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "framework/optim/optimizer.h"
#include "framework/row_scale.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

constexpr int64_t kRows = 8, kInputs = 20, kHidden = 12, kClasses = 5, kBatches = 3, kTrainingSteps = 10;

// A two-layer network with dropout, trained on byte rows: everything that a step reads from the step clock.
struct Training {
  explicit Training(const std::shared_ptr<Device>& device)
      : data(byte_data(device, kBatches * kRows, kInputs)),
        index(Tensor::zeros(device, {kRows}, DType::i32)),
        labels(Tensor::zeros(device, {kRows}, DType::i32)),
        history(Tensor::zeros(device, {kTrainingSteps})),
        clock(device, kTrainingSteps) {
    std::vector<int32_t> order_values;
    std::vector<int32_t> label_values;
    for (int i = 0; i < kBatches * kRows; ++i) {
      order_values.push_back((i * 5 + 2) % static_cast<int>(kBatches * kRows));
      label_values.push_back(static_cast<int32_t>(i * 7 % kClasses));
    }
    order = labels_of(device, order_values);
    all_labels = labels_of(device, label_values);
    pixels = RowScale(device, 1.0f / 255, -0.5f);
    const Shape shapes[] = {{kHidden, kInputs}, {kHidden}, {kClasses, kHidden}, {kClasses}};
    for (const Shape& shape : shapes) {
      parameters.push_back({std::to_string(parameters.size()), random_tensor(device, shape, parameters.size())});
      parameters.back().tensor.set_requires_grad(true);
    }
    std::vector<float> rates;
    for (int t = 0; t < kTrainingSteps; ++t) rates.push_back(0.1f / static_cast<float>(t + 1));
    clock.set_rates(rates);
    optimizer.emplace(parameters, 0.9, 1e-3);
  }

  void step() {
    Device& device = *data.device();
    device.call(&Backend::select_rows, SelectRowsArgs{.order = order.data<int32_t>(),
                                                      .step = clock.step().data<int64_t>(),
                                                      .steps_per_epoch = kBatches,
                                                      .batch_size = kRows,
                                                      .rows = kRows,
                                                      .index = index.data<int32_t>()});
    device.call(&Backend::gather_rows, GatherRowsArgs{.from = DType::i32,
                                                      .to = DType::i32,
                                                      .rows = kRows,
                                                      .channels = 1,
                                                      .plane = 1,
                                                      .x = all_labels.data(),
                                                      .index = index.data<int32_t>(),
                                                      .scale = nullptr,
                                                      .shift = nullptr,
                                                      .out = labels.data()});
    const Tensor x = Tensor::byte_rows(data, index, pixels);
    const Tensor hidden = linear(x, parameters[0].tensor, parameters[1].tensor, Activation::relu);
    const Tensor scores = linear(dropout(hidden, 0.25, 7, 1, clock.step()), parameters[2].tensor, parameters[3].tensor);
    const Tensor loss = cross_entropy(scores, labels);
    optimizer->clear_grads();
    backward(loss);
    optimizer->step(clock);
    device.call(&Backend::finish_step, FinishStepArgs{.dtype = DType::f32,
                                                      .value = loss.data(),
                                                      .history = history.data<float>(),
                                                      .capacity = kTrainingSteps,
                                                      .step = clock.step().data<int64_t>()});
  }

  // Every parameter and every loss so far.
  std::vector<std::vector<float>> state() const {
    std::vector<std::vector<float>> values = {history.to_host<float>()};
    for (const NamedTensor& parameter : parameters) values.push_back(parameter.tensor.to_host<float>());
    return values;
  }

  Tensor data, index, labels, history, order, all_labels;
  RowScale pixels;
  StepClock clock;
  std::vector<NamedTensor> parameters;
  std::optional<Sgd> optimizer;
};

}  // namespace

TEST_CASE("a captured step replays bit-equal to the eager one") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    Training eager(device), replayed(device);
    replayed.step();  // the first step makes the gradients' buffers and the constants
    Recording recording(*device, [&] { replayed.step(); });
    CHECK(replayed.clock.read_step() == 1);  // captured calls do not run
    eager.step();
    const size_t live = device->memory().live;
    CHECK(replayed.state() == eager.state());
    for (int t = 1; t < kTrainingSteps; ++t) {
      eager.step();
      recording.replay();
      CHECK(replayed.state() == eager.state());
    }
    CHECK(replayed.clock.read_step() == kTrainingSteps);
    const std::vector<float> losses = eager.history.to_host<float>();
    for (size_t t = 1; t < losses.size(); ++t) CHECK(losses[t] != losses[t - 1]);
    CHECK(device->memory().live == live);  // a replay takes nothing
  }
}

TEST_CASE("a step that was captured before any other replays too") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    device->one(DType::f32);
    Training eager(device), replayed(device);
    Recording recording(*device, [&] { replayed.step(); });
    for (int t = 0; t < 4; ++t) {
      eager.step();
      recording.replay();
      CHECK(replayed.state() == eager.state());
    }
  }
}

TEST_CASE("a recording and eager steps may take turns") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    Training eager(device), mixed(device);
    mixed.step();
    eager.step();
    Recording recording(*device, [&] { mixed.step(); });
    for (int t = 1; t < kTrainingSteps; ++t) {
      eager.step();
      if (t % 3 == 0)
        mixed.step();
      else
        recording.replay();
      CHECK(mixed.state() == eager.state());
    }
  }
}

TEST_CASE("what a recording uses is given to nobody else") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = random_tensor(device, {1000}, 1);
    Tensor out;
    Recording recording(*device, [&] { out = scale(scale(scale(x, 2), 3), 5); });
    // Eager tensors of the same size, filled with something else, while the recording's inner ones are free.
    std::vector<Tensor> others;
    for (int i = 0; i < 8; ++i) others.push_back(random_tensor(device, {1000}, 77));
    const std::vector<double> before = values_of(others[0]);
    recording.replay();
    for (const Tensor& other : others) {
      CHECK(other.data() != out.data());
      CHECK(values_of(other) == before);
    }
    std::vector<double> expected = values_of(x);
    for (double& value : expected)
      value = static_cast<float>(static_cast<float>(static_cast<float>(value * 2) * 3) * 5);
    CHECK(values_of(out) == expected);
  }
}

TEST_CASE("memory that runs out during a capture is not taken from what is already captured") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = random_tensor(device, {100'000}, 1);
    Tensor out;
    std::string text;
    Recording recording(*device, [&] {
      out = scale(scale(x, 2), 3);
      text = message_of<DeviceError>([&] { Tensor::empty(device, {int64_t{1} << 50}, DType::u8); });
      out = scale(out, 5);
    });
    CHECK(text.substr(0, 13) == "out of memory");
    std::vector<Tensor> others;
    for (int i = 0; i < 4; ++i) others.push_back(Tensor::zeros(device, {100'000}));
    recording.replay();
    CHECK(values_of(out)[7] == static_cast<float>(static_cast<float>(static_cast<float>(values_of(x)[7] * 2) * 3) * 5));
    for (const Tensor& other : others) CHECK(values_of(other) == std::vector<double>(100'000, 0));
  }
}

TEST_CASE("what cannot be captured is refused and leaves the device usable") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = random_tensor(device, {3}, 1);
    Tensor target = Tensor::zeros(device, {3});
    const auto refusal = [&](auto body) {
      const std::string text = message_of<DeviceError>([&] { Recording(*device, [&] { body(); }); });
      // The device computes, copies and captures again, and allocates from its own pool.
      CHECK(values_of(scale(x, 2))[0] == 2 * values_of(x)[0]);
      Tensor out;
      Recording again(*device, [&] { out = scale(x, 3); });
      again.replay();
      CHECK(values_of(out)[1] == static_cast<float>(3 * values_of(x)[1]));
      return text;
    };
    CHECK(refusal([&] { scale(x, 2).to_host<float>(); }) == "reading a result back cannot be part of a captured step");
    CHECK(refusal([&] { sum(x).item(); }) == "reading a result back cannot be part of a captured step");
    CHECK(refusal([&] { target.set<float>(std::vector<float>(3)); }) ==
          "a copy from the host cannot be part of a captured step");
    CHECK(refusal([&] { device->synchronize(); }) == "waiting for the device cannot be part of a captured step");
    CHECK(refusal([&] { Recording inner(*device, [] {}); }) == "a capture cannot be part of a captured step");
    Recording other(*device, [] {});
    CHECK(refusal([&] { other.replay(); }) == "a replay cannot be part of a captured step");
  }
}

TEST_CASE("the first use of a constant is refused in a capture") {
  for (const auto& shared : devices()) {
    const auto device = Device::open({.implementation = shared->implementation(), .where = name_of(shared->where())});
    Tensor x = random_tensor(device, {3}, 1);
    x.set_requires_grad(true);
    CHECK(message_of<DeviceError>([&] { Recording(*device, [&] { backward(sum(x)); }); }) ==
          "the first use of a constant cannot be part of a captured step");
  }
}

TEST_CASE("an exception from a captured body comes through") {
  for (const auto& device : devices()) {
    const Tensor x = random_tensor(device, {3}, 1);
    CHECK(message_of<ShapeError>([&] {
            Recording(*device, [&] {
              scale(x, 2);
              throw ShapeError("as planned");
            });
          }) == "as planned");
    CHECK(values_of(scale(x, 1)) == values_of(x));
  }
}

TEST_CASE("recordings and their tensors go in any order") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = random_tensor(device, {1000}, 1);
    const MemoryCounters before = device->memory();
    {
      Tensor out;
      {
        Recording recording(*device, [&] { out = scale(scale(x, 2), 3); });
        recording.replay();
      }
      CHECK(values_of(out)[5] == static_cast<float>(static_cast<float>(values_of(x)[5] * 2) * 3));
    }
    {
      std::optional<Tensor> out;
      Recording recording(*device, [&] { out = scale(scale(x, 2), 3); });
      recording.replay();
      out.reset();
      recording.replay();
    }
    CHECK(device->memory().live == before.live);
    CHECK(device->memory().cached == before.cached);  // a recording's pool gives everything back
  }
}

TEST_CASE("a recording holds one call per primitive on the CPU") {
  const Tensor x = random_tensor(reference(), {3}, 1);
  Recording recording(*reference(), [&] { scale(add(x, x), 2); });
  CHECK(recording.call_count() == 2);
}

TEST_CASE("zeroing and copies on the device are part of a recording") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor x = random_tensor(device, {1000}, 1), sums = random_tensor(device, {1000}, 2);
    const Tensor copy = Tensor::zeros(device, {1000});
    const size_t bytes = bytes_of(sums.shape(), sums.dtype());
    Tensor zeros;
    Recording recording(*device, [&] {
      device->fill_zero(sums.data(), bytes);
      device->copy_on_device(copy.data(), x.data(), bytes);
      zeros = Tensor::zeros(device, {7});
    });
    CHECK(values_of(sums) == values_of(random_tensor(device, {1000}, 2)));  // captured calls do not run
    for (int i = 0; i < 2; ++i) {
      recording.replay();
      CHECK(values_of(sums) == std::vector<double>(1000, 0));
      CHECK(values_of(copy) == values_of(x));
      CHECK(values_of(zeros) == std::vector<double>(7, 0));
      device->copy_on_device(sums.data(), x.data(), bytes);
      device->copy_on_device(copy.data(), sums.data(), bytes);
    }
  }
}

// Arguments of all sizes in turn, more of them than a growing list keeps where they were.
TEST_CASE("a recording keeps the arguments of many calls of different sizes") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor count = Tensor::zeros(device, {}, DType::i64);
    const Tensor x = random_tensor(device, {2, 3, 5, 5}, 1), weight = random_tensor(device, {4, 3, 3, 3}, 2);
    const Tensor bias = random_tensor(device, {4}, 3);
    std::vector<Tensor> outputs;
    Recording recording(*device, [&] {
      for (int i = 0; i < 100; ++i) {
        device->call(&Backend::increment, IncrementArgs{.value = count.data<int64_t>()});
        outputs.push_back(conv2d(x, weight, bias, {}));
        device->fill_zero(outputs.back().data(), 4);
        outputs.push_back(scale(x, i));
      }
    });
    recording.replay();
    recording.replay();
    CHECK(count.item() == 200);
    std::vector<double> convolved = values_of(conv2d(x, weight, bias, {}));
    convolved[0] = 0;
    for (int i = 0; i < 100; ++i) {
      CHECK(values_of(outputs[static_cast<size_t>(2 * i)]) == convolved);
      CHECK(values_of(outputs[static_cast<size_t>(2 * i + 1)]) == values_of(scale(x, i)));
    }
  }
}

TEST_CASE("a view's gradient is passed on without a copy") {
  const auto calls = [](auto op) {
    Tensor x = random_tensor(reference(), {2, 3, 4, 5}, 1);
    x.set_requires_grad(true);
    backward(sum(op(scale(x, 2))));  // makes the gradient's buffer
    return Recording(*reference(), [&] { backward(sum(op(scale(x, 2)))); }).call_count();
  };
  const size_t without = calls([](const Tensor& y) { return y; });
  CHECK(calls([](const Tensor& y) { return flatten(y); }) == without);
  CHECK(calls([](const Tensor& y) { return reshape(flatten(y), {120}); }) == without);
}

}  // namespace cairn::test
