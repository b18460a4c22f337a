#include "benchmarks/timing.h"

#include <algorithm>
#include <cmath>

#include "trainers/median.h"

namespace cairn::benchmarks {

double quantile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Timing summary(const std::vector<double>& seconds_per_call, int64_t calls_per_sample) {
  Timing timing;
  timing.seconds = median(seconds_per_call);
  timing.samples = static_cast<int>(seconds_per_call.size());
  timing.calls_per_sample = calls_per_sample;
  if (timing.seconds > 0)
    timing.spread = (quantile(seconds_per_call, 0.75) - quantile(seconds_per_call, 0.25)) / timing.seconds;
  return timing;
}

Timing measure(const Sampling& sampling, const std::function<void(int64_t)>& run) {
  const auto start = Clock::now();
  run(1);
  const auto second = Clock::now();
  run(1);
  const double once = std::max(seconds_since(second), 1e-8);
  const double wanted = sampling.seconds / sampling.repeats / once;
  const auto calls = static_cast<int64_t>(std::clamp(std::floor(wanted), 1.0, 1e6));
  std::vector<double> samples;
  if (once > sampling.seconds / kFewestSamples) samples.push_back(once);  // too slow to give one away
  while (static_cast<int>(samples.size()) < sampling.repeats) {
    const bool enough = static_cast<int>(samples.size()) >= kFewestSamples;
    if (enough && seconds_since(start) > 2 * sampling.seconds) break;
    const auto begin = Clock::now();
    run(calls);
    samples.push_back(seconds_since(begin) / static_cast<double>(calls));
  }
  return summary(samples, calls);
}

}  // namespace cairn::benchmarks
