#include "trainers/progress.h"
#include "framework/message.h"

#include <fmt/format.h>

#include <algorithm>

namespace cairn {
namespace {

constexpr int kBarWidth = 24;

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::max(0.0, seconds) + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string rate(double per_second, const char* examples) {
  if (per_second >= 1e6) return fmt::format("{:.2f}M {}/s", per_second / 1e6, examples);
  if (per_second >= 1e3) return fmt::format("{:.0f}k {}/s", per_second / 1e3, examples);
  return fmt::format("{:.0f} {}/s", per_second, examples);
}

}  // namespace

ProgressDisplay::ProgressDisplay(bool quiet, int64_t total_steps, int64_t steps_per_epoch, const char* examples)
    : quiet_(quiet),
      terminal_(can_redraw()),
      total_steps_(total_steps),
      steps_per_epoch_(steps_per_epoch),
      epochs_((total_steps + steps_per_epoch - 1) / steps_per_epoch),
      examples_(examples),
      start_(std::chrono::steady_clock::now()) {}

int64_t ProgressDisplay::interval(int64_t asked) const {
  if (quiet_) return 0;
  if (asked > 0) return asked;
  return terminal_ ? std::max<int64_t>(1, steps_per_epoch_ / 50) : 0;
}

void ProgressDisplay::clear_line() {
  if (terminal_) show(kClearLine);
}

void ProgressDisplay::step(int64_t epoch, int64_t steps_done, double loss) {
  if (quiet_) return;
  const int64_t before = (epoch - 1) * steps_per_epoch_, step = before + steps_done;
  const int64_t steps = std::min(steps_per_epoch_, total_steps_ - before);
  if (!terminal_) {
    say(fmt::format("epoch {}/{}  step {}/{}  loss {:.4f}", epoch, epochs_, steps_done, steps, loss));
    return;
  }
  if (first_step_ < 0) {
    first_step_ = step;
    start_ = std::chrono::steady_clock::now();
  }
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const int64_t left = total_steps_ - step;
  const std::string eta = step > first_step_
                              ? duration(elapsed * static_cast<double>(left) / static_cast<double>(step - first_step_))
                              : "-";
  const auto filled = static_cast<size_t>(kBarWidth * steps_done / steps);
  clear_line();
  show(fmt::format("epoch {}/{} [{}{}] loss {:.4f}  ETA {}", epoch, epochs_, std::string(filled, '#'),
                   std::string(kBarWidth - filled, '.'), loss, eta));
}

void ProgressDisplay::epoch(const EpochResult& result, const std::optional<Evaluation>& evaluation) {
  if (quiet_) return;
  // A recipe of hundreds of one-step epochs prints the evaluated ones.
  if (!evaluation && !terminal_) return;
  clear_line();
  std::string train, test;
  if (result.train_accuracy) train = fmt::format("  train accuracy {:.2f} %", 100 * *result.train_accuracy);
  if (evaluation)
    test = fmt::format("  test loss {:.4f}  accuracy {:.2f} %", evaluation->loss, 100 * evaluation->accuracy);
  if (evaluation && evaluation->top5) test += fmt::format("  top-5 {:.2f} %", 100 * *evaluation->top5);
  show(fmt::format("epoch {}/{}  train loss {:.4f}{}{}  {:.3g} s  {}{}", result.epoch, epochs_, result.train_loss,
                   train, test, result.train_seconds, rate(result.images_per_second, examples_),
                   evaluation ? "\n" : ""));
}

}  // namespace cairn
