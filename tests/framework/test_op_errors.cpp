// What every op refuses, word for word: op, rule, what was expected, what came.
#include <doctest/doctest.h>

#include <cmath>

#include "framework/error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "kernels/registry.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

// Another device of the same implementation: tensors of the two must not meet.
const std::shared_ptr<Device>& elsewhere() {
  static const std::shared_ptr<Device> device = Device::open({.implementation = "reference", .where = "cpu"});
  return device;
}

Tensor make(Shape shape, DType dtype = DType::f32) {
  return Tensor::zeros(reference(), shape, dtype);
}

template <class Body>
std::string refusal(const Body& body) {
  return message_of<ShapeError>(body);
}

}  // namespace

TEST_CASE("ops of one input refuse what is no floating tensor") {
  const auto refuse_all = [](const char* name, const char* argument, auto op) {
    CAPTURE(name);
    CHECK(refusal([&] { op(Tensor()); }) == std::string(name) + ": " + argument + " must be a tensor; got none");
    CHECK(refusal([&] {
            op(make({2, 3}, DType::i32));
          }) == std::string(name) + ": " + argument + " must be f32 or f64; got i32[2, 3] on reference on cpu");
  };
  refuse_all("scale", "x", [](const Tensor& x) { scale(x, 2); });
  refuse_all("relu", "x", [](const Tensor& x) { relu(x); });
  refuse_all("tanh", "x", [](const Tensor& x) { tanh(x); });
  refuse_all("softmax", "x", [](const Tensor& x) { softmax(x); });
  refuse_all("sum", "x", [](const Tensor& x) { sum(x); });
  refuse_all("mean", "x", [](const Tensor& x) { mean(x); });
  refuse_all("argmax", "x", [](const Tensor& x) { argmax(x); });
  refuse_all("dropout", "x", [](const Tensor& x) { dropout(x, 0.5, 1, 1, make({}, DType::i64)); });
  refuse_all("add", "a", [](const Tensor& x) { add(x, make({2, 3})); });
  refuse_all("add", "b", [](const Tensor& x) { add(make({2, 3}), x); });
  refuse_all("multiply", "a", [](const Tensor& x) { multiply(x, make({2, 3})); });
  refuse_all("multiply", "b", [](const Tensor& x) { multiply(make({2, 3}), x); });
  refuse_all("add_bias", "x", [](const Tensor& x) { add_bias(x, make({3})); });
  refuse_all("add_bias", "bias", [](const Tensor& x) { add_bias(make({2, 3}), x); });
  refuse_all("linear", "x", [](const Tensor& x) { linear(x, make({4, 3})); });
  refuse_all("linear", "weight", [](const Tensor& x) { linear(make({2, 3}), x); });
  refuse_all("matmul", "a", [](const Tensor& x) { matmul(x, make({3, 2})); });
  refuse_all("matmul", "b", [](const Tensor& x) { matmul(make({3, 2}), x); });
  refuse_all("cross_entropy", "logits", [](const Tensor& x) { cross_entropy(x, labels_of(reference(), {0, 0})); });
}

TEST_CASE("elementwise ops refuse tensors that do not go together") {
  CHECK(refusal([] {
          add(make({2, 3}), make({3, 2}));
        }) == "add: a and b must have one shape; got f32[2, 3] on reference on cpu and f32[3, 2] on reference on cpu");
  CHECK(refusal([] {
          add(make({2, 3}), make({2, 3}, DType::f64));
        }) ==
        "add: a and b must have one dtype and live on one device; got f32[2, 3] on reference on cpu and f64[2, 3] on "
        "reference on cpu");
  CHECK(refusal([] { multiply(make({2}), Tensor::zeros(elsewhere(), {2})); }) ==
        "multiply: a and b must have one dtype and live on one device; got f32[2] on reference on cpu and f32[2] on "
        "reference on cpu");
  CHECK(refusal([] { multiply(make({}), make({1})); }) ==
        "multiply: a and b must have one shape; got f32[] on reference on cpu and f32[1] on reference on cpu");
}

TEST_CASE("add_bias refuses wrong layouts") {
  CHECK(refusal([] {
          add_bias(make({2, 3, 4}), make({4}));
        }) == "add_bias: x must have the layout N x C; got f32[2, 3, 4] on reference on cpu");
  CHECK(refusal([] {
          add_bias(make({2, 3}), make({2}));
        }) ==
        "add_bias: bias must have one value per column of x (N x C); got f32[2, 3] on reference on cpu and f32[2] on "
        "reference on cpu");
  CHECK(refusal([] {
          add_bias(make({2, 3}), make({3}, DType::f64));
        }) ==
        "add_bias: x and bias must have one dtype and live on one device; got f32[2, 3] on reference on cpu and f64[3] "
        "on reference on cpu");
}

TEST_CASE("dropout refuses a probability or a step that cannot be") {
  const Tensor x = make({2}), step = make({}, DType::i64);
  CHECK(refusal([&] { dropout(x, 1.0, 1, 1, step); }) == "dropout: the probability must be in [0, 1); got 1.000000");
  CHECK(refusal([&] { dropout(x, -0.1, 1, 1, step); }) == "dropout: the probability must be in [0, 1); got -0.100000");
  CHECK(refusal([&] { dropout(x, NAN, 1, 1, step); }) == "dropout: the probability must be in [0, 1); got nan");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, Tensor()); }) == "dropout: step must be a tensor; got none");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, make({}, DType::i32)); }) ==
        "dropout: step must be one i64 on the device of x; got i32[] on reference on cpu");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, make({2}, DType::i64)); }) ==
        "dropout: step must be one i64 on the device of x; got i64[2] on reference on cpu");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, Tensor::zeros(elsewhere(), {}, DType::i64)); }) ==
        "dropout: step must be one i64 on the device of x; got i64[] on reference on cpu");
}

TEST_CASE("reshape and flatten refuse what they cannot view") {
  CHECK(refusal([] { reshape(make({2, 3}), {7}); }) == "reshape: [2, 3] has 6 elements, [7] needs 7");
  CHECK(refusal([] { reshape(Tensor(), {7}); }) == "reshape: x must be a tensor; got none");
  CHECK(refusal([] { flatten(Tensor()); }) == "flatten: x must be a tensor; got none");
  CHECK(refusal([] { reshape(make({1}), {-1}); }) == "a dimension cannot be negative: -1");
  CHECK(refusal([] { reshape(make({1}), {1, 1, 1, 1, 1}); }) == "a tensor has at most 4 dimensions, not 5");
}

TEST_CASE("linear refuses wrong layouts") {
  CHECK(refusal([] {
          linear(make({2, 3, 1}), make({4, 3}));
        }) == "linear: x must have the layout N x in; got f32[2, 3, 1] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({12}));
        }) == "linear: weight must have the layout out x in; got f32[12] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({3, 4}));
        }) ==
        "linear: x (N x in) and weight (out x in) must agree in `in`; got f32[2, 3] on reference on cpu and f32[3, 4] "
        "on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({4, 3}, DType::f64));
        }) ==
        "linear: x and weight must have one dtype and live on one device; got f32[2, 3] on reference on cpu and f64[4, "
        "3] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({4, 3}), make({3}));
        }) == "linear: bias must have one value per output, [4]; got f32[3] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({4, 3}), make({4}, DType::f64));
        }) ==
        "linear: weight and bias must have one dtype and live on one device; got f32[4, 3] on reference on cpu and "
        "f64[4] on reference on cpu");
}

TEST_CASE("matmul refuses wrong layouts") {
  CHECK(refusal([] {
          matmul(make({2}), make({2, 2}));
        }) == "matmul: a must have the layout M x K; got f32[2] on reference on cpu");
  CHECK(refusal([] {
          matmul(make({2, 2}), make({2}));
        }) == "matmul: b must have the layout K x N; got f32[2] on reference on cpu");
  CHECK(refusal([] {
          matmul(make({2, 3}), make({4, 2}));
        }) ==
        "matmul: a (M x K) and b (K x N) must agree in K; got f32[2, 3] on reference on cpu and f32[4, 2] on reference "
        "on cpu");
}

TEST_CASE("softmax, argmax and the losses refuse wrong layouts and labels") {
  CHECK(refusal([] { softmax(make({3})); }) == "softmax: x must have the layout N x C; got f32[3] on reference on cpu");
  CHECK(refusal([] { argmax(make({3})); }) == "argmax: x must have the layout N x C; got f32[3] on reference on cpu");
  CHECK(refusal([] {
          argmax(make({3, 0}));
        }) == "argmax: a row must have at least one column; got f32[3, 0] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3}), labels_of(reference(), {0, 0, 0}));
        }) == "cross_entropy: logits must have the layout N x classes; got f32[3] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3, 0}), labels_of(reference(), {0, 0, 0}));
        }) == "cross_entropy: logits must have at least one class (N x classes); got f32[3, 0] on reference on cpu");
  CHECK(refusal([] { cross_entropy(make({3, 2}), Tensor()); }) == "cross_entropy: labels must be a tensor; got none");
  const std::string rule = "cross_entropy: labels must be i32 with one value per row of logits (N x classes); got ";
  CHECK(refusal([] {
          cross_entropy(make({3, 2}), labels_of(reference(), {0, 1}));
        }) == rule + "i32[2] on reference on cpu for f32[3, 2] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3, 2}), make({3}));
        }) == rule + "f32[3] on reference on cpu for f32[3, 2] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3, 2}), labels_of(elsewhere(), {0, 1, 0}));
        }) == rule + "i32[3] on reference on cpu for f32[3, 2] on reference on cpu");
}

TEST_CASE("add_metrics refuses sums of another kind") {
  const Tensor logits = make({1, 2}), labels = labels_of(reference(), {0});
  const Tensor loss = make({}, DType::f64), correct = make({}, DType::i64);
  CHECK_NOTHROW(add_metrics(logits, labels, loss, correct));
  CHECK(refusal([&] { add_metrics(logits, labels, Tensor(), correct); }) ==
        "add_metrics: loss_sum must be a tensor; got none");
  CHECK(refusal([&] { add_metrics(logits, labels, loss, Tensor()); }) ==
        "add_metrics: correct must be a tensor; got none");
  const std::string rule = "add_metrics: loss_sum must be one f64 and correct one i64 on the device of logits; got ";
  CHECK(refusal([&] { add_metrics(logits, labels, correct, loss); }) ==
        rule + "i64[] on reference on cpu and f64[] on reference on cpu");
  CHECK(refusal([&] { add_metrics(logits, labels, loss, Tensor::zeros(elsewhere(), {}, DType::i64)); }) ==
        rule + "f64[] on reference on cpu and i64[] on reference on cpu");
  CHECK(refusal([&] { add_metrics(logits, make({1}), loss, correct); }) ==
        "add_metrics: labels must be i32 with one value per row of logits (N x classes); got f32[1] on reference on "
        "cpu for f32[1, 2] on reference on cpu");
}

TEST_CASE("doubles are refused where only floats are computed") {
  for (const auto& device : devices()) {
    if (device->supports(DType::f64)) continue;
    const Tensor x = Tensor::zeros(device, {2, 2}, DType::f64);
    CHECK(refusal([&] { relu(x); }) == "relu: " + device->label() +
                                           " computes in f32 only (--impl reference has f64); got f64[2, 2] on " +
                                           device->label());
  }
}

}  // namespace cairn::test
