// The walk over the graph of gradients: what it refuses, what it releases, how gradients add up, and that depth costs
// no stack. Not here: whether an op's gradient is right (test_gradcheck.cpp).
#include <doctest/doctest.h>

#include "framework/autograd.h"
#include "framework/error.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

Tensor leaf(Shape shape, const std::vector<double>& values) {
  Tensor x = tensor_of(reference(), shape, DType::f64, values);
  x.set_requires_grad(true);
  return x;
}

}  // namespace

TEST_CASE("backward refuses what it cannot differentiate") {
  const auto refusal = [](const Tensor& loss) { return message_of<ShapeError>([&] { backward(loss); }); };
  CHECK(refusal(Tensor()) == "backward: the loss must be a tensor; got none");
  CHECK(refusal(scale(leaf({2, 3}, std::vector<double>(6)), 2)) ==
        "backward: the loss must have one element, not the shape [2, 3]");
  CHECK(refusal(Tensor::zeros(reference(), {0})) == "backward: the loss must have one element, not the shape [0]");
  CHECK(refusal(sum(Tensor::zeros(reference(), {3}))) ==
        "backward: the loss depends on nothing that requires a gradient");
  CHECK(refusal(leaf({}, {1})) == "backward: the loss is a leaf; there is nothing to differentiate");
}

TEST_CASE("a second backward through the same graph is refused") {
  const Tensor x = leaf({2}, {1, 2});
  const Tensor loss = sum(multiply(x, x));
  backward(loss);
  CHECK(message_of<ShapeError>([&] { backward(loss); }) ==
        "backward: the loss's graph was released by an earlier backward(); compute it again");
  CHECK(values_of(x.grad()) == std::vector<double>{2, 4});
}

TEST_CASE("a backward that meets a released graph is refused before it touches a gradient") {
  const Tensor x = leaf({2}, {1, 2}), z = leaf({2}, {5, 6});
  const Tensor shared = scale(x, 3);
  const Tensor first = sum(shared), second = sum(add(multiply(z, z), shared));
  backward(first);
  CHECK(message_of<ShapeError>([&] { backward(second); }) ==
        "backward: the graph of an input of add was released by an earlier backward(); compute it again");
  CHECK(values_of(x.grad()) == std::vector<double>{3, 3});
  CHECK_FALSE(z.grad().defined());
}

TEST_CASE("gradients add up over backwards until they are cleared, in one buffer") {
  Tensor x = leaf({2}, {1, 2});
  CHECK_FALSE(x.grad().defined());
  backward(sum(scale(x, 3)));
  const void* buffer = x.grad().data();
  CHECK(values_of(x.grad()) == std::vector<double>{3, 3});
  backward(sum(scale(x, 4)));
  CHECK(values_of(x.grad()) == std::vector<double>{7, 7});
  x.clear_grad();
  CHECK_FALSE(x.grad().defined());
  backward(sum(scale(x, 5)));
  CHECK(values_of(x.grad()) == std::vector<double>{5, 5});
  CHECK(x.grad().data() == buffer);
}

TEST_CASE("gradients of several uses meet before they are passed on") {
  // y = 2 x; loss = sum(y * y + y) : dloss/dx = 2 (2 y + 1)
  const Tensor x = leaf({2}, {1, -3});
  const Tensor y = scale(x, 2);
  backward(sum(add(multiply(y, y), y)));
  CHECK(values_of(x.grad()) == std::vector<double>{10, -22});
}

TEST_CASE("nothing is recorded without a reason") {
  const Tensor x = leaf({2}, {1, 2}), constant = tensor_of(reference(), {2}, DType::f64, {1, 1});
  CHECK_FALSE(add(constant, constant).requires_grad());
  CHECK(add(constant, x).requires_grad());
  CHECK_FALSE(add(constant, x.detach()).requires_grad());
  {
    NoGrad outer;
    CHECK_FALSE(add(x, x).requires_grad());
    { NoGrad inner; }
    CHECK_FALSE(add(x, x).requires_grad());
  }
  CHECK(add(x, x).requires_grad());
}

TEST_CASE("gradients are on again after a backward, also one that failed") {
  const Tensor x = leaf({2}, {1, 2});
  backward(sum(x));
  CHECK(add(x, x).requires_grad());
  CHECK_THROWS(backward(add(x, x)));
  CHECK(add(x, x).requires_grad());
}

TEST_CASE("only floating tensors have gradients") {
  Tensor labels = labels_of(reference(), {1});
  CHECK(message_of<ShapeError>([&] { labels.set_requires_grad(true); }) ==
        "only f32 and f64 tensors have gradients, not i32");
  CHECK_FALSE(labels.set_requires_grad(false).requires_grad());
}

TEST_CASE("backward releases what the graph kept") {
  const Tensor x = leaf({1000}, std::vector<double>(1000, 1.5));
  backward(sum(x));  // the gradient's buffer and the constants are there from now on
  const size_t before = reference()->memory().live;
  {
    Tensor loss = sum(relu(multiply(relu(x), relu(x))));
    CHECK(reference()->memory().live >= before + 3 * 8000);
    backward(loss);
    CHECK(reference()->memory().live <= before + 256);  // the loss itself
  }
  CHECK(reference()->memory().live == before);
}

TEST_CASE("a graph is released where it is dropped without a backward") {
  const Tensor x = leaf({1000}, std::vector<double>(1000, 1.5));
  const size_t before = reference()->memory().live;
  { const Tensor loss = sum(relu(multiply(relu(x), relu(x)))); }
  CHECK(reference()->memory().live == before);
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("a chain of 200,000 ops is differentiated and released without recursion") {
  constexpr int kDepth = 200'000;
  const Tensor x = leaf({}, {1});
  backward(sum(x));
  const size_t before = reference()->memory().live;

  SUBCASE("by backward") {
    Tensor y = x;
    for (int i = 0; i < kDepth; ++i) y = scale(y, i % 2 ? 2.0 : 0.5);
    backward(y);
    CHECK(x.grad().item() == 2.0);  // 1 for this chain, 1 from before
  }
  SUBCASE("by dropping it") {
    Tensor y = x;
    for (int i = 0; i < kDepth; ++i) y = scale(y, i % 2 ? 2.0 : 0.5);
    y = Tensor();
  }
  SUBCASE("by dropping one whose ops use their input twice") {
    Tensor y = x;
    for (int i = 0; i < kDepth / 2; ++i) y = scale(add(y, y), 0.5);
    y = Tensor();
  }
  SUBCASE("by backward through one whose ops use their input twice") {
    Tensor y = x;
    for (int i = 0; i < kDepth / 2; ++i) y = scale(add(y, y), 0.5);
    backward(y);
    CHECK(x.grad().item() == 2.0);
  }
  SUBCASE("by dropping a long comb") {
    std::vector<Tensor> teeth;
    Tensor y = x;
    for (int i = 0; i < kDepth / 2; ++i) {
      y = scale(y, 1);
      if (i % 1000 == 0) teeth.push_back(scale(y, 2));
    }
    y = Tensor();
    CHECK(teeth.back().item() == 2.0);
  }
  CHECK(reference()->memory().live == before);
}

}  // namespace cairn::test
