// One implementation's products and convolutions against the library on the same device: the sizes of a ladder, and
// every layer of every network, each direction. Not here: the calls (layers.h), every other primitive (kernels.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "benchmarks/kernels.h"

namespace cairn::benchmarks {

struct LadderOptions {
  std::string implementation = "vanilla";
  std::string where;  // cpu, cuda; "" = a GPU if there is one
  Precision precision = Precision::fp32;
  std::string only;            // parts of primitives' names, separated by commas; "" = all
  std::string use;             // part of what makes the call, "lenet conv2"; "" = all
  std::vector<int64_t> sizes;  // of square products
  bool networks = false;       // the layers of the networks
  bool rungs = false;          // each rung beside the implementation's own choice
  bool once = false;           // one call of each instead, with `kernels`; nothing checked or timed: for a profiler
  std::string kernels;         // as in StreamOptions; only with `once`
  int threads = 0;
  Sampling sampling;
  bool warm = false;
};

// Rows as run_kernels' have them; a library that can choose by timing stands once for each of its rungs, and
// library_seconds is the best of them.
KernelReport run_ladder(const LadderOptions& options, const std::function<void(const KernelRow&)>& progress);

// The calls that such options name.
std::vector<Case> ladder_cases(const LadderOptions& options);

}  // namespace cairn::benchmarks
