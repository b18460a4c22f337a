// One training from the start that PyTorch had, and how far its losses, gradients and accuracies lie from the recorded
// ones. Not here: the recordings (reference.h), tables and pages (parity_report.h).
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "benchmarks/table.h"
#include "comparisons/accuracy.h"
#include "comparisons/reference.h"
#include "datasets/dataset.h"
#include "framework/device.h"
#include "models/model.h"

namespace cairn::comparisons {

// What must hold. Losses relative, gradients relative to the tensor's norm.
struct ParityLimits {
  double ten_losses, hundred_losses, first_gradients;
};
// In double precision rounding explains nothing of this size: losses are kept as floats, which rounds them by 6e-8.
inline constexpr ParityLimits kFloatLimits{1e-5, kHundredLosses, 1e-4}, kDoubleLimits{1e-6, 1e-6, 1e-6};

// Rounding grows from step to step, in some trainings beyond every limit. Where PyTorch's own losses, in double or
// summed in another order, had left the recorded ones by a tenth of a limit before ours left them by all of it, that is
// said in place of a failure: Verdict::as_pytorch_itself. What accuracies must do is in accuracy.h.

struct ParityData {
  datasets::Dataset dataset;
  std::string train_sha256;
};
// With the hash of its training bytes.
ParityData parity_data(datasets::Dataset dataset);

struct ParityOptions {
  DeviceOptions device;
  // f64: with the recording in double precision, by limits that rounding is no excuse for; no epochs and no times.
  DType real = DType::f32;
  int64_t steps = 100;  // losses to compare; fewer than were recorded leave the epochs out
  int64_t epochs = -1;  // to compare; -1: those that were recorded
  const std::atomic<bool>* stop = nullptr;
};

struct GradientDeviation {
  std::string name;  // the tensor that is worst
  double norm = 0, expected_norm = 0, deviation = 0;
};

struct ParityResult {
  ReferenceCase reference;
  std::string implementation, device;  // "simd", "simd on cpu, 2 threads"
  DType real = DType::f32;
  bool interrupted = false;
  std::vector<double> losses;
  // Of the first ten losses, and of all.
  struct Losses {
    double deviation = 0;  // the worst
    int64_t worst = 0;     // at which step, 1 for the first
    int64_t left = 0;      // the first step beyond the limit; 0: none
    int64_t own_left = 0;  // the first step at which PyTorch's own lie beyond a tenth of it; 0: none
    Verdict verdict() const;
  } first, all;
  std::map<int64_t, GradientDeviation> gradients;
  std::vector<AccuracyCheck> epochs;
  double step_seconds = 0, epoch_seconds = 0;  // median over pieces of the run after step 10; 0: too few steps
  int threads = 0;
  // The recorded figures to stand beside: this machine's of the newest PyTorch, or else any machine's.
  std::optional<ReferenceRun> timed;
  bool same_machine = false;

  double accuracy_deviation() const;  // the worst, from the recorded ones of the same seed
  const ParityLimits& limits() const { return real == DType::f64 ? kDoubleLimits : kFloatLimits; }
  Verdict verdict() const;  // the worst of all lines
  bool holds() const { return verdict() != Verdict::beyond; }
  // PyTorch's time over ours; nothing where that would compare machines or numbers of threads.
  std::optional<double> ratio(const ReferenceTime& time) const;
};

// UsageError where the device does not compute in that precision.
void check_precision(const Device& device, DType real);

// DataError, one line that names the field: the recorded recipe, parameters or data are not those of this program.
void check_reference(const ReferenceCase& reference, const ParityData& data);

// Trains and compares. Throws as check_reference, and what opening a device and training throw.
ParityResult compare_with_reference(const ReferenceCase& reference, const ParityData& data,
                                    const ParityOptions& options);

}  // namespace cairn::comparisons
