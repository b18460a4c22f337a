#include "framework/autograd.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <unordered_set>

#include "framework/error.h"
#include "framework/tensor_state.h"

namespace cairn {
namespace {

// Whether ops on this thread record; NoGrad turns it off.
thread_local bool gradients_on = true;

std::atomic<uint64_t> nodes_made{0};

}  // namespace

// A chain of nodes is released by a loop: each node hands its inputs to a list instead of destroying them in place, so
// that a graph of any depth needs no stack.
Node::~Node() {
  std::vector<Tensor> pending = std::move(inputs);
  while (!pending.empty()) {
    std::shared_ptr<TensorState> state = std::move(Autograd::handle(pending.back()));
    pending.pop_back();
    if (!state || state.use_count() > 1 || !state->node || state->node.use_count() > 1) continue;
    std::vector<Tensor>& further = state->node->inputs;
    std::move(further.begin(), further.end(), std::back_inserter(pending));
    further.clear();
  }
}

bool needs_gradient(std::span<const Tensor> inputs) {
  return gradients_on && std::any_of(inputs.begin(), inputs.end(),
                                     [](const Tensor& input) { return input.defined() && input.requires_grad(); });
}

void record(Tensor& output, const char* op, std::vector<Tensor> inputs, Backward backward) {
  auto node = std::make_shared<Node>();
  node->number = ++nodes_made;
  node->op = op;
  node->inputs = std::move(inputs);
  node->backward = std::move(backward);
  node->output = Autograd::handle(output);
  TensorState& state = Autograd::state(output);
  state.requires_grad = true;
  state.node = std::move(node);
}

std::optional<Destination> Gradients::destination(size_t i) {
  const Tensor& input = node_.inputs[i];
  if (!input.defined() || !input.requires_grad()) return std::nullopt;
  TensorState& state = Autograd::state(input);
  if (state.node) {
    const bool there = state.node->gradient.defined();
    if (!there) state.node->gradient = Tensor::empty(state.device, state.shape, state.dtype, node_.op);
    return Destination{state.node->gradient, there};
  }
  const bool there = state.grad_valid;
  if (!state.grad.defined()) state.grad = Tensor::empty(state.device, state.shape, state.dtype, node_.op);
  state.grad_valid = true;
  return Destination{state.grad, there};
}

void Gradients::pass_on(size_t i, const Tensor& output_gradient) {
  const Tensor& input = node_.inputs[i];
  if (!input.defined() || !input.requires_grad()) return;
  const std::shared_ptr<Node>& node = Autograd::state(input).node;
  if (node && !node->gradient.defined()) {
    node->gradient = output_gradient.detach_as(input.shape());
    return;
  }
  const Destination to = *destination(i);
  input.device()->call(&Backend::scale, ScaleArgs{.dtype = input.dtype(),
                                                  .count = input.count(),
                                                  .x = output_gradient.data(),
                                                  .out = to.gradient.data(),
                                                  .factor = 1.0,
                                                  .accumulate = to.accumulate});
}

void backward(const Tensor& loss) {
  if (!loss.defined()) throw ShapeError("backward: the loss must be a tensor; got none");
  if (loss.count() != 1)
    throw ShapeError("backward: the loss must have one element, not the shape " + loss.shape().text());
  if (!loss.requires_grad()) throw ShapeError("backward: the loss depends on nothing that requires a gradient");
  NoGrad no_grad;
  TensorState& start = Autograd::state(loss);
  if (!start.node)
    throw ShapeError(start.released
                         ? "backward: the loss's graph was released by an earlier backward(); compute it again"
                         : "backward: the loss is a leaf; there is nothing to differentiate");

  // Every node that the loss depends on, once; then newest first. What is wrong with the graph shows here, before any
  // gradient is touched.
  std::vector<std::shared_ptr<Node>> nodes, open = {start.node};
  std::unordered_set<const Node*> seen;
  while (!open.empty()) {
    std::shared_ptr<Node> node = std::move(open.back());
    open.pop_back();
    if (!seen.insert(node.get()).second) continue;
    for (const Tensor& input : node->inputs) {
      if (!input.defined() || !input.requires_grad()) continue;
      const TensorState& state = Autograd::state(input);
      if (state.released)
        throw ShapeError(std::string("backward: the graph of an input of ") + node->op +
                         " was released by an earlier backward(); compute it again");
      if (state.node) open.push_back(state.node);
    }
    nodes.push_back(std::move(node));
  }
  std::sort(nodes.begin(), nodes.end(), [](const auto& a, const auto& b) { return a->number > b->number; });

  // The gradient of the loss itself is 1: a constant in device memory, so that a captured step needs no copy.
  Device& device = *start.device;
  Tensor one = Tensor::empty(start.device, start.shape, start.dtype, "backward");
  device.call(&Backend::broadcast_scalar, BroadcastScalarArgs{.dtype = start.dtype,
                                                              .count = 1,
                                                              .x = device.one(start.dtype),
                                                              .out = one.data(),
                                                              .factor = 1.0,
                                                              .accumulate = 0});
  start.node->gradient = one;

  for (std::shared_ptr<Node>& node : nodes) {
    Gradients gradients(*node);
    node->backward(node->gradient, gradients);
    // What the node kept is not needed again, and neither is its output's gradient.
    node->gradient = Tensor();
    node->backward = nullptr;
    if (const auto output = node->output.lock()) {
      output->node.reset();
      output->released = true;
    }
    node.reset();
  }
}

NoGrad::NoGrad() : before_(gradients_on) {
  gradients_on = false;
}
NoGrad::~NoGrad() {
  gradients_on = before_;
}

}  // namespace cairn
