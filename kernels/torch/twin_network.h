// A network in torch::nn, from the plain description of kernels/twin.h. Not here: its training (twin.cpp).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/twin.h"

namespace cairn::torch {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// What the dropout layers of a twin draw from, and how long they have taken.
struct Draws {
  uint64_t seed = 0;
  int64_t step = 0;
  double seconds = 0;
};

using Forward = std::function<at::Tensor(const at::Tensor& x)>;

// Holds its layers side by side; `run` knows in which order, and over which branches, they work.
struct Network : ::torch::nn::Module {
  at::Tensor forward(const at::Tensor& x) {
    auxiliary.clear();
    return run(x);
  }
  // Parameters and buffers by the names of the description.
  std::map<std::string, at::Tensor> state() const;

  Forward run;
  std::vector<std::pair<at::Tensor, double>> auxiliary;  // logits of the latest batch, each with its loss's weight
};

// given: the description's tensors by name. Throws std::invalid_argument for what it does not know.
std::shared_ptr<Network> build_network(const TwinNetwork& description,
                                       const std::map<std::string, const TwinTensor*>& given,
                                       const std::shared_ptr<Draws>& draws);

}  // namespace cairn::torch
