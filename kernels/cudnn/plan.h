// From a graph of operations to what runs it: which engines may, which one does, and running it. Not here: the graphs
// (conv2d_graph.h), and which plans a stream has made already (conv2d.cpp). Not yet run on a GPU.
#pragma once

#include <cstddef>
#include <string>

#include "kernels/backend.h"
#include "kernels/cudnn/graph.h"

namespace cairn::cudnn {

// What plans are made for: the GPU of a handle, or one that is only described. Plans for the latter cannot run here;
// they show what cuDNN would choose there.
struct Target {
  cudnnHandle_t handle = nullptr;
  const Descriptor* description = nullptr;  // CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, where there is no handle
};

// Of one or more operations, in their order.
Descriptor operation_graph(const Target& target, std::span<const Descriptor* const> operations);

// What an engine may do to the numbers and how much memory it may take.
struct Limits {
  Precision precision = Precision::fp32;
  bool any_order = false;  // sums in an order that differs from run to run: not the same bits
  int64_t workspace_bytes = 0;
  bool keeps_nan = false;  // a ReLU that the engine fuses must not turn nan into 0
};

// What runs a graph on one kind of GPU.
struct Plan {
  Descriptor configuration;  // of the engine
  Descriptor plan;
  int64_t workspace_bytes;
};

// Up to `most` plans, the heuristic's favourite first; none where no engine may run the graph.
std::vector<Plan> find_plans(const Target& target, const Descriptor& graph, const Limits& limits, size_t most);

// The arrays of one run, by the identities of the graph's tensors.
struct Arrays {
  std::vector<int64_t> identities;
  std::vector<void*> pointers;
  void add(int64_t identity, const void* pointer) {
    identities.push_back(identity);
    pointers.push_back(const_cast<void*>(pointer));
  }
};

void run(cudnnHandle_t handle, const Plan& plan, const Arrays& arrays, void* workspace);

}  // namespace cairn::cudnn
