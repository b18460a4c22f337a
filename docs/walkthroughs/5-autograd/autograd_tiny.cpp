// Walkthrough 5: a network of three layers, 2-2-2-2, whose every number can be computed on paper. First the framework
// with its graph, then every gradient by hand. Arguments: the labels of the two rows, 0 0 if there are none.
#include <algorithm>
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "framework/tensor_state.h"  // private to the framework: only to look at the graph
#include "kernels/number.h"

using namespace cairn;
using walkthrough::show;
using walkthrough::values_of;

namespace {

Tensor matrix(const std::shared_ptr<Device>& device, Shape shape, std::vector<double> values) {
  return Tensor::from_host<double>(device, shape, values);
}

struct Named {
  const char* name;
  Tensor tensor;
};

// Prints the nodes that the tensor depends on, newest first. Here the graph is a chain: each node has at most one input
// that was computed.
void show_graph(const Tensor& output, const std::vector<Named>& leaves) {
  const Node* node = Autograd::state(output).node.get();
  while (node) {
    std::printf("node %d, %s, of", static_cast<int>(node->number), node->op);
    const Node* next = nullptr;
    for (const Tensor& input : node->inputs) {
      const TensorState& state = Autograd::state(input);
      if (state.node) next = state.node.get();
      const auto leaf = std::find_if(leaves.begin(), leaves.end(),
                                     [&](const Named& named) { return named.tensor.data() == input.data(); });
      if (state.node)
        std::printf(" (node %d)", static_cast<int>(state.node->number));
      else
        std::printf(" %s%s", leaf->name, state.requires_grad ? "*" : "");
    }
    std::printf("\n");
    node = next;
  }
}

// c = op(a) op(b), where op transposes what is marked. Shapes: of the arrays as they are stored.
Tensor product(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b) {
  const int64_t m = a.shape()[transpose_a ? 1 : 0], k = a.shape()[transpose_a ? 0 : 1];
  const int64_t n = b.shape()[transpose_b ? 0 : 1];
  Tensor c = Tensor::empty(a.device(), {m, n}, a.dtype());
  GemmArgs args{};
  args.dtype = a.dtype();
  args.m = m, args.n = n, args.k = k;
  args.a = a.data(), args.lda = a.shape()[1], args.transpose_a = transpose_a;
  args.b = b.data(), args.ldb = b.shape()[1], args.transpose_b = transpose_b;
  args.c = c.data(), args.ldc = n;
  a.device()->call(&Backend::gemm, args);
  return c;
}

Tensor column_sums(const Tensor& dz) {
  const int64_t rows = dz.shape()[0], columns = dz.shape()[1];
  Tensor sums = Tensor::empty(dz.device(), {columns}, dz.dtype());
  dz.device()->call(&Backend::bias_backward, BiasBackwardArgs{dz.dtype(), rows, columns, dz.data(), sums.data(), 0});
  return sums;
}

// dz where the ReLU let its input through, that is where its output h is positive; 0 elsewhere.
Tensor through_relu(const Tensor& dh, const Tensor& h) {
  Tensor dz = Tensor::empty(dh.device(), dh.shape(), dh.dtype());
  dh.device()->call(&Backend::relu_backward,
                    ReluBackwardArgs{dh.dtype(), dh.count(), dh.data(), h.data(), dz.data(), 0});
  return dz;
}

void compare(const char* name, const Tensor& by_hand, const Tensor& parameter) {
  show(name, by_hand);
  if (values_of(by_hand) != values_of(parameter.grad())) std::printf("         backward() says otherwise\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  const Tensor x = matrix(device, {2, 2}, {1, 2, 2, 1});
  std::vector<int32_t> classes = {0, 0};
  for (size_t i = 0; i < 2 && static_cast<int>(i) + 1 < argc; ++i)
    if (read_number(argv[i + 1], classes[i]) || classes[i] < 0 || classes[i] > 1)
      return std::printf("usage: walkthrough_autograd_tiny [CLASS CLASS], each 0 or 1\n"), 2;
  const Tensor labels = Tensor::from_host<int32_t>(device, {2}, classes);
  Tensor w1 = matrix(device, {2, 2}, {1, 0, 1, -1}).set_requires_grad(true);
  Tensor b1 = matrix(device, {2}, {0, 0}).set_requires_grad(true);
  Tensor w2 = matrix(device, {2, 2}, {1, 2, 2, 1}).set_requires_grad(true);
  Tensor b2 = matrix(device, {2}, {1, 0}).set_requires_grad(true);
  Tensor w3 = matrix(device, {2, 2}, {2, 1, 1, 2}).set_requires_grad(true);
  Tensor b3 = matrix(device, {2}, {0, 0}).set_requires_grad(true);

  std::printf("-- forward\n");
  const Tensor h1 = linear(x, w1, b1, Activation::relu);
  const Tensor h2 = linear(h1, w2, b2, Activation::relu);
  const Tensor z3 = linear(h2, w3, b3);
  const Tensor loss = cross_entropy(z3, labels);
  show("h1", h1);
  show("h2", h2);
  show("z3", z3);
  show("loss", loss);

  std::printf("-- the graph (* wants a gradient)\n");
  show_graph(loss, {{"x", x}, {"W1", w1}, {"b1", b1}, {"W2", w2}, {"b2", b2}, {"W3", w3}, {"b3", b3}});
  backward(loss);

  std::printf("-- backward by hand\n");
  NoGrad no_grad;
  std::vector<double> p_minus_y;  // (p - y) / rows, and every p is 1/2
  for (const int32_t label : classes)
    for (int32_t column = 0; column < 2; ++column) p_minus_y.push_back((0.5 - (column == label ? 1 : 0)) / 2);
  const Tensor dz3 = matrix(device, {2, 2}, p_minus_y);
  show("dz3", dz3);
  compare("dW3", product(dz3, true, h2, false), w3);
  compare("db3", column_sums(dz3), b3);

  const Tensor dz2 = through_relu(product(dz3, false, w3, false), h2);
  show("dz2", dz2);
  compare("dW2", product(dz2, true, h1, false), w2);
  compare("db2", column_sums(dz2), b2);

  const Tensor dh1 = product(dz2, false, w2, false);
  const Tensor dz1 = through_relu(dh1, h1);
  show("dh1", dh1);
  show("dz1", dz1);
  compare("dW1", product(dz1, true, x, false), w1);
  compare("db1", column_sums(dz1), b1);
}
