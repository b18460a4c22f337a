// Timing of one call: how often it is repeated, the median and the spread. Not here: what is called (kernels.h,
// step.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace cairn::benchmarks {

struct Sampling {
  int repeats = 9;       // samples
  double seconds = 0.2;  // of all samples together, about; a slow call still gets kFewestSamples
};
inline constexpr int kFewestSamples = 3;

struct Timing {
  double seconds = 0;  // of one call: the median over the samples
  double spread = 0;   // distance between the quartiles / median
  int samples = 0;
  int64_t calls_per_sample = 0;
};

// The value below which `fraction` of the values lie, between neighbours in proportion; 0 for none.
double quantile(std::vector<double> values, double fraction);
// Of samples that each are the time of one call.
Timing summary(const std::vector<double>& seconds_per_call, int64_t calls_per_sample);

// run(n) makes n calls and returns when they are done. Two calls come first: they start threads and
// allocate workspaces, and say how many calls a sample takes.
Timing measure(const Sampling& sampling, const std::function<void(int64_t)>& run);

using Clock = std::chrono::steady_clock;
inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace cairn::benchmarks
