// Moving averages against their formula, in place of the tensors and back, in a recorded step; what they refuse.
#include <doctest/doctest.h>

#include <algorithm>

#include "framework/error.h"
#include "framework/ops/elementwise.h"
#include "framework/optim/moving_average.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

// Two tensors that go from one value to another; the average after step t.
struct Moving {
  explicit Moving(const std::shared_ptr<Device>& device, bool ramp)
      : a(random_tensor(device, {33}, 1)),
        b(random_tensor(device, {2, 3}, 2)),
        clock(device, 1),
        average({{"a", a}, {"b", b}}, kDecay, ramp) {}

  void set(int64_t t) {
    for (Tensor* tensor : {&a, &b}) {
      const std::vector<double> values = random_values(tensor->count(), 10 + static_cast<uint64_t>(t));
      tensor->set(std::span<const float>(std::vector<float>(values.begin(), values.end())));
    }
    clock.set_step(t);
  }

  static constexpr double kDecay = 0.75;
  Tensor a, b;
  StepClock clock;
  MovingAverage average;
};

}  // namespace

TEST_CASE("a moving average follows its formula, with a ramp and without") {
  for (const auto& device : devices()) {
    for (const bool ramp : {false, true}) {
      CAPTURE(device->label());
      Moving moving(device, ramp);
      std::vector<double> expected = values_of(moving.a);
      CHECK(values_of(moving.average.state()[0].tensor) == expected);  // it begins with the tensors
      Recording recording(*device, [&] { moving.average.update(moving.clock); });
      for (int64_t t = 0; t < 40; ++t) {
        moving.set(t);
        t % 2 ? recording.replay() : moving.average.update(moving.clock);
        const double ramped = (1 + static_cast<double>(t)) / (10 + static_cast<double>(t));
        const double decay = ramp ? std::min(Moving::kDecay, ramped) : Moving::kDecay;
        const std::vector<double> now = values_of(moving.a);
        for (size_t i = 0; i < expected.size(); ++i) expected[i] = decay * expected[i] + (1 - decay) * now[i];
      }
      CHECK(relative_error(values_of(moving.average.state()[0].tensor), expected) <= 1e-6);
      CHECK(moving.average.state()[0].name == "a.average");
      CHECK(moving.average.state()[1].name == "b.average");
      CHECK(moving.average.state()[1].tensor.shape() == Shape{2, 3});
    }
  }
}

TEST_CASE("averages take their tensors' place and give it back") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    Moving moving(device, false);
    moving.set(3);
    moving.average.update(moving.clock);
    const void* address = moving.b.data();
    const std::vector<double> tensor = values_of(moving.b), average = values_of(moving.average.state()[1].tensor);
    CHECK(tensor != average);
    {
      AveragesInPlace in_place(moving.average);
      CHECK(moving.average.swapped());
      CHECK(values_of(moving.b) == average);
      CHECK(moving.b.data() == address);
    }
    CHECK_FALSE(moving.average.swapped());
    CHECK(values_of(moving.b) == tensor);
    CHECK(values_of(moving.average.state()[1].tensor) == average);
  }
}

TEST_CASE("moving averages refuse what they cannot work on") {
  const Tensor p = Tensor::zeros(reference(), {2}), wide = Tensor::zeros(reference(), {2}, DType::f64);
  CHECK(message_of<UsageError>([] { MovingAverage({}, 0.9); }) == "a moving average needs at least one tensor");
  for (const double decay : {-0.5, 1.0})
    CHECK(message_of<UsageError>([&] {
            MovingAverage({{"p", p}}, decay);
          }) == "the decay of a moving average must be at least 0 and less than 1, not " + std::to_string(decay));
  CHECK(message_of<ShapeError>([&] {
          MovingAverage({{"p", p}, {"wide", wide}}, 0.9);
        }) == "moving average: tensors must have one dtype and live on one device; p and wide do not");
}

}  // namespace cairn::test
