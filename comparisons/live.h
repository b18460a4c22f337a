// The live comparison: a network of Cairn's and its twin in LibTorch, from the same weights, on the same batches and
// dropout masks, step by step and in time, taking turns in one process. Not here: comparison with recorded figures, the
// twin itself (kernels/twin.h), flags (apps/compare.cpp).
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "trainers/run_config.h"

namespace cairn::comparisons {

struct LiveOptions {
  RunConfig run;        // model, recipe, data, device; drop_last is taken as true, so that every step is alike
  int64_t steps = 100;  // at least 2
  const std::atomic<bool>* stop = nullptr;
};

struct LiveResult {
  std::string cairn, twin, dataset;  // "simd on cpu, 2 threads", "LibTorch 2.15.0"
  std::vector<float> losses[2];      // of each step: Cairn's, the twin's
  std::vector<double> seconds[2];    // a step, by turn; the first turn, in which both warm up, is left out
  double ratio = 0;                  // median over the turns of the twin's time / Cairn's
  double weight_deviation = 0;       // after the last step, the largest of a tensor: |difference| / |twin's|, norms
  std::string worst_tensor;
  bool interrupted = false;

  // The largest |Cairn's - twin's| / |twin's| of the first `steps` losses; nan where one is.
  double loss_deviation(size_t steps) const;
};

// How far losses may be apart: of the first ten steps, and of the first hundred.
inline constexpr double kFirstTenTolerance = 1e-5, kFirstHundredTolerance = 1e-3;

// Throws UsageError where there is no plugin with a twin, or the device is a GPU; and what training throws.
LiveResult run_live(const LiveOptions& options);

// The result as lines of text, with a verdict on each line that has a tolerance.
std::string text(const LiveResult& result);
bool within_tolerance(const LiveResult& result);

}  // namespace cairn::comparisons
