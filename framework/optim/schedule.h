// Learning-rate schedules: plain data, and a function of the optimizer step. Not here: the optimizers that use the rate
// (optim/optimizer.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>

namespace cairn {

// The rate at optimizer step t = 0, 1, 2, ...:
//   constant     base
//   step         base * gamma^floor(t / step_size)
//   exponential  base * gamma^t
//   inverse      base * (1 + gamma * t)^-power                    ("inv" in Caffe)
//   cosine       base * (1 + cos(pi * t / total_steps)) / 2       and 0 from total_steps on
//                (Loshchilov & Hutter 2017, "SGDR", without restarts)
// and, with any of them, during the first `warmup` steps that times (t + 1) / warmup (Goyal et al. 2017, section 2.2).
// The staircase that TensorFlow calls exponential decay is `step`.
struct Schedule {
  enum class Kind { constant, step, exponential, inverse, cosine };
  Kind kind = Kind::constant;
  double gamma = 1;
  double power = 1;
  int64_t step_size = 1;
  int64_t warmup = 0;
  int64_t total_steps = 0;  // 0: not known yet; whoever knows the length of the run fills it in

  bool operator==(const Schedule&) const = default;
};

// Throws UsageError for a step_size, or a cosine's total_steps, that is not positive.
double learning_rate_at(const Schedule& schedule, double base_rate, int64_t step);

// "constant", "step:gamma=0.1,size=1000", "exponential:gamma=0.999", "inverse:gamma=1e-4,power=0.75", "cosine" or
// "cosine:total=5000"; each also with "warmup=500". Throws UsageError, listing the choices.
Schedule parse_schedule(const std::string& text);

// What parse_schedule reads back as the same schedule.
std::string text_of(const Schedule& schedule);

// The kind's name, and the parameters that it has or that are not as they are by default, in the order of the text.
const char* name_of(Schedule::Kind kind);
using ScheduleNumber = std::variant<double, int64_t>;
void visit_parameters(const Schedule& schedule,
                      const std::function<void(const char* name, const ScheduleNumber& value)>& visit);

}  // namespace cairn
