// What a Tensor handle and the graph of gradients point to. Private to framework/tensor.cpp and framework/autograd.cpp.
#pragma once

#include <vector>

#include "framework/autograd.h"
#include "framework/row_scale.h"
#include "framework/tensor.h"

namespace cairn {

struct TensorState {
  std::shared_ptr<Device> device;  // first: destroyed last
  Shape shape;
  DType dtype = DType::f32;
  std::shared_ptr<Storage> storage;
  size_t offset = 0;                      // bytes from the storage's start
  std::shared_ptr<PendingBytes> pending;  // set while storage is not

  bool requires_grad = false;
  Tensor grad;  // of a leaf: the buffer stays when the gradient is cleared
  bool grad_valid = false;
  std::shared_ptr<Node> node;  // what computed this tensor; null for leaves
  bool released = false;       // was computed by a node that a backward() has used up
};

// One op's place in the graph. Numbers grow with time, so descending order is a topological order.
struct Node {
  ~Node();

  uint64_t number = 0;
  const char* op = "";
  std::vector<Tensor> inputs;
  Backward backward;
  Tensor gradient;  // of the output, while backward() runs
  std::weak_ptr<TensorState> output;
};

// Gives the files of the framework access to a Tensor's state.
struct Autograd {
  static TensorState& state(const Tensor& tensor) { return *tensor.state_; }
  static std::shared_ptr<TensorState>& handle(Tensor& tensor) { return tensor.state_; }
  static Tensor wrap(std::shared_ptr<TensorState> state) { return Tensor(std::move(state)); }
};

}  // namespace cairn
