// Every op's gradient against central differences, in every way an op can be used: with each input left out of the
// differentiation, and with inputs whose gradient comes from two places.
#include <doctest/doctest.h>

#include "framework/autograd.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "tests/framework/gradcheck.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

struct Dimensions {
  int64_t n, c, k;
};
constexpr Dimensions kShapes[] = {{3, 5, 7}, {1, 1, 1}, {7, 2, 3}, {5, 3, 1}, {1, 7, 5}};

std::vector<Tensor> make_inputs(const OpCase& op) {
  std::vector<Tensor> inputs;
  for (const Shape& shape : op.inputs) {
    inputs.push_back(random_tensor(reference(), shape, 17 + inputs.size(), DType::f64));
    inputs.back().set_requires_grad(true);
  }
  return inputs;
}

void check(const Function& function, const std::vector<Tensor>& inputs) {
  const Gradcheck result = gradcheck(function, inputs);
  CHECK(result.fault == "");
  CHECK(result.checked > 0);
  CHECK(result.kinks == 0);  // none of these inputs lies on a corner
}

// Every op at one size.
std::vector<OpCase> all_cases() {
  std::vector<OpCase> cases = op_cases(3, 5, 7);
  for (OpCase& op : image_op_cases(2, 3, 5, 6)) cases.push_back(std::move(op));
  return cases;
}

}  // namespace

TEST_CASE("gradcheck of every op") {
  for (const Dimensions& d : kShapes) {
    for (const OpCase& op : op_cases(d.n, d.c, d.k)) {
      CAPTURE(op.name);
      CAPTURE(d.n);
      CAPTURE(d.c);
      CAPTURE(d.k);
      check(op.run, make_inputs(op));
    }
  }
}

TEST_CASE("gradcheck of every op on images") {
  const int64_t shapes[][4] = {{2, 3, 5, 6}, {1, 1, 7, 4}, {3, 2, 4, 5}, {1, 5, 8, 8}};
  for (const auto& s : shapes) {
    for (const OpCase& op : image_op_cases(s[0], s[1], s[2], s[3])) {
      CAPTURE(op.name);
      const std::string shape = Shape{s[0], s[1], s[2], s[3]}.text();
      CAPTURE(shape);
      check(op.run, make_inputs(op));
    }
  }
}

TEST_CASE("gradcheck of every op with one input that requires no gradient") {
  for (const OpCase& op : all_cases()) {
    if (op.inputs.size() < 2) continue;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      CAPTURE(op.name);
      CAPTURE(i);
      std::vector<Tensor> inputs = make_inputs(op);
      inputs[i].set_requires_grad(false);
      check(op.run, inputs);
    }
  }
}

TEST_CASE("gradcheck of every op whose gradients add up in a leaf") {
  for (const OpCase& op : all_cases()) {
    CAPTURE(op.name);
    const auto twice = [&](const std::vector<Tensor>& in) { return add(op.run(in), scale(op.run(in), 0.5)); };
    check(twice, make_inputs(op));
  }
}

TEST_CASE("gradcheck of every op whose gradients add up between ops") {
  for (const OpCase& op : all_cases()) {
    CAPTURE(op.name);
    const auto twice = [&](const std::vector<Tensor>& in) {
      std::vector<Tensor> inner;
      for (const Tensor& x : in) inner.push_back(scale(x, 1.25));
      return add(op.run(inner), scale(op.run(inner), 0.5));
    };
    check(twice, make_inputs(op));
  }
}

TEST_CASE("gradcheck of a network") {
  const auto network = [](const std::vector<Tensor>& in) {
    const Tensor hidden = linear(in[0], in[1], in[2], Activation::relu);
    return cross_entropy(linear(hidden, in[3], in[4]), labels_of(reference(), {0, 2, 1, 2}));
  };
  std::vector<Tensor> inputs;
  for (const Shape& shape : {Shape{4, 6}, Shape{5, 6}, Shape{5}, Shape{3, 5}, Shape{3}}) {
    inputs.push_back(random_tensor(reference(), shape, 31 + inputs.size(), DType::f64));
    inputs.back().set_requires_grad(true);
  }
  check(network, inputs);
}

TEST_CASE("gradcheck finds a wrong gradient") {
  // x^2 whose backward forgets the 2.
  const auto wrong = [](const std::vector<Tensor>& in) {
    const Tensor x = in[0];
    Tensor y = multiply(x.detach(), x.detach());
    if (needs_gradient({x}))
      record(y, "wrong", {x}, [x = x.detach()](const Tensor& dy, Gradients& gradients) {
        if (const auto dx = gradients.destination(0))
          dy.device()->call(&Backend::multiply, BinaryArgs{dy.dtype(), dy.count(), dy.data(), x.data(),
                                                           dx->gradient.data(), dx->accumulate});
      });
    return y;
  };
  Tensor x = random_tensor(reference(), {3}, 1, DType::f64, 0.5, 1);
  x.set_requires_grad(true);
  CHECK(gradcheck(wrong, {x}).fault.substr(0, 36) == "input 0, element 0: backward gives 0");
}

TEST_CASE("gradcheck finds a gradient that overwrites instead of adding") {
  const auto wrong = [](const std::vector<Tensor>& in) {
    const Tensor x = in[0];
    Tensor y = scale(x.detach(), 3);
    if (needs_gradient({x}))
      record(y, "wrong", {x}, [](const Tensor& dy, Gradients& gradients) {
        if (const auto dx = gradients.destination(0))
          dy.device()->call(&Backend::scale, ScaleArgs{dy.dtype(), dy.count(), dy.data(), dx->gradient.data(), 3.0, 0});
      });
    return y;
  };
  Tensor x = random_tensor(reference(), {3}, 1, DType::f64);
  x.set_requires_grad(true);
  CHECK(gradcheck(wrong, {x}).fault == "");
  const auto twice = [&](const std::vector<Tensor>& in) { return add(wrong(in), wrong(in)); };
  CHECK(gradcheck(twice, {x}).fault.find("element 0: backward gives") != std::string::npos);
}

TEST_CASE("gradcheck finds a missing gradient") {
  Tensor x = random_tensor(reference(), {3}, 1, DType::f64), y = random_tensor(reference(), {3}, 2, DType::f64);
  x.set_requires_grad(true);
  y.set_requires_grad(true);
  const auto cut = [](const std::vector<Tensor>& in) { return add(in[0], in[1].detach()); };
  CHECK(gradcheck(cut, {x, y}).fault == "input 1 got no gradient");
}

TEST_CASE("gradcheck leaves out corners and nothing else") {
  Tensor x = tensor_of(reference(), {4}, DType::f64, {-0.5, 0.0, 0.00005, 0.5});
  x.set_requires_grad(true);
  const Gradcheck result = gradcheck([](const std::vector<Tensor>& in) { return relu(in[0]); }, {x});
  CHECK(result.fault == "");
  CHECK(result.kinks == 2);
  CHECK(result.checked == 2);
}

}  // namespace cairn::test
