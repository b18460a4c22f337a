// Reverse-mode differentiation: ops record a node each, backward() walks them from the loss to the leaves.
// Not here: the gradients themselves, which stand beside each op's forward in framework/ops.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "framework/tensor.h"

namespace cairn {

// Where an op's backward writes the gradient of one of its inputs.
struct Destination {
  Tensor gradient;     // of the input's shape
  int32_t accumulate;  // 1: add to what is there; 0: overwrite, there is nothing yet
};

class Gradients {
 public:
  // For input i of the node (in the order given to record), or nothing if that input needs no gradient.
  // Each may be asked for once, and must then be written.
  std::optional<Destination> destination(size_t input);
  // For an input of which the output is a view: the output's gradient becomes its own, without a copy where it can.
  void pass_on(size_t input, const Tensor& output_gradient);

 private:
  friend void backward(const Tensor& loss);
  explicit Gradients(Node& node) : node_(node) {}
  Node& node_;
};

// Called with the gradient of the op's output, which is the node's alone: it may be overwritten. Captures detached
// tensors only: a node must not keep its own output alive.
using Backward = std::function<void(const Tensor& output_gradient, Gradients& gradients)>;

// True if the op has to record: gradients are on and one of the inputs needs one.
bool needs_gradient(std::span<const Tensor> inputs);
inline bool needs_gradient(std::initializer_list<Tensor> inputs) {
  return needs_gradient(std::span(inputs.begin(), inputs.size()));
}

// Makes `output` the result of an op on `inputs`. Call it only if needs_gradient(inputs).
void record(Tensor& output, const char* op, std::vector<Tensor> inputs, Backward backward);

// Computes the gradient of a loss of one element with respect to every leaf that requires it, adding to gradients that
// are there already, and releases the graph. Throws ShapeError if the loss has more elements or no graph.
void backward(const Tensor& loss);

// While one lives, ops on this thread record nothing (evaluation).
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

}  // namespace cairn
