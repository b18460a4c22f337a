// Whether an accuracy is one that PyTorch could have had. It holds where it lies within a fixed limit of the recorded
// one of its own seed. In some trainings rounding grows until it sends them another way, and where they end then is a
// matter of chance, as it is with another seed: one accuracy of one seed is one draw. Where PyTorch's own show that
// (losses or accuracies of the same seed that differ by more than a tenth of their limit), it also holds where the
// prediction interval of PyTorch's accuracies after that epoch has it, of other seeds or of twins
// (comparisons/references/training.py), which differ by rounding alone. Where rounding changes nothing, no other seed
// excuses a difference. The interval for one more draw of a normal distribution of which n are known is
//   mean +- t(n - 1) * deviation * sqrt(1 + 1 / n)
// with Student's t (Hahn and Meeker, Statistical Intervals, 1991, section 4.7), here with a confidence of 99 %.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "comparisons/reference.h"

namespace cairn::comparisons {

inline constexpr double kAccuracy = 0.003;      // the fixed limit, as a fraction
inline constexpr double kHundredLosses = 1e-3;  // that of the first hundred losses, relative
// Of three draws the interval reaches 11 deviations either way, of two 78: nothing would ever be beyond it.
inline constexpr size_t kLeastDraws = 5;

// From good to bad; parity.h says what the words mean for losses.
enum class Verdict { within, as_pytorch_itself, beyond };

struct Spread {
  size_t count = 0;
  double mean = 0, deviation = 0;  // of a sample
  double low = 0, high = 1;        // the interval
  bool has(double accuracy) const { return low <= accuracy && accuracy <= high; }
};

// Nothing where there are fewer than kLeastDraws.
std::optional<Spread> spread_of(const std::vector<double>& accuracies);

// Student's t with that many degrees of freedom: between -t and t lie 99 %.
double t_quantile(size_t freedom);

// One accuracy of ours and what it is judged by.
struct AccuracyCheck {
  int64_t epoch = 0;
  double ours = 0, recorded = 0;
  size_t seeds_recorded = 0, twins_recorded = 0;  // the recorded run among both
  bool rounding_grows = false;                    // in PyTorch's own, so that chance has a say
  std::optional<Spread> seeds, twins;

  double difference() const;
  bool within_limit() const;
  // as_pytorch_itself: beyond the fixed limit, and in an interval of PyTorch's own.
  Verdict verdict() const;
  std::string verdict_text() const;  // in words
};

// With the accuracies that the case has of that epoch. Seeds: one a seed, of the run that computed the losses where it
// has it. Twins: all of the case's own seed, on every machine and by every version.
AccuracyCheck check_accuracy(const ReferenceCase& reference, int64_t epoch, double ours, double recorded);

}  // namespace cairn::comparisons
