#include "datasets/download_display.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/message.h"

namespace cairn::datasets {
namespace {

constexpr size_t kBarWidth = 16;
constexpr std::chrono::milliseconds kBarInterval{100}, kLineInterval{10'000};

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

DownloadDisplay::DownloadDisplay(bool quiet, std::FILE* out) : out_(out), quiet_(quiet), terminal_(can_redraw(out)) {}

DownloadDisplay::~DownloadDisplay() {
  clear_line();
}

void DownloadDisplay::clear_line() {
  if (!quiet_ && terminal_) show(kClearLine, out_);
}

void DownloadDisplay::start(const std::string& url, uint64_t have, uint64_t total) {
  name_ = url.substr(url.rfind('/') + 1);
  first_ = have;
  total_ = total;
  start_ = shown_ = std::chrono::steady_clock::now();
  note(fmt::format("downloading {} ({}{})", url, total == 0 ? "of unknown size" : size_text(total),
                   have != 0 ? ", continuing after " + size_text(have) : std::string()));
}

void DownloadDisplay::progress(uint64_t have) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now - shown_ < (terminal_ ? kBarInterval : kLineInterval)) return;
  shown_ = now;
  first_ = std::min(first_, have);  // a server that cannot continue begins anew
  const double elapsed = seconds(now - start_);
  const double rate = static_cast<double>(have - first_) / elapsed;
  const auto percent = total_ == 0 ? size_t{0} : static_cast<size_t>(100 * have / total_);
  const std::string so_far = total_ == 0 ? size_text(have) : fmt::format("{:3} %", percent);
  const std::string of_total = fmt::format("{}  {}/s", so_far, size_text(static_cast<uint64_t>(rate)));
  if (!terminal_ || total_ == 0) {
    say(fmt::format("{}: {}", name_, of_total), out_);
    return;
  }
  const size_t filled = std::min(kBarWidth, kBarWidth * percent / 100);
  const auto left = rate > 0 ? static_cast<uint64_t>(static_cast<double>(total_ - std::min(have, total_)) / rate) : 0;
  clear_line();
  show(fmt::format("{} [{}{}] {}{}", name_, std::string(filled, '#'), std::string(kBarWidth - filled, '.'), of_total,
                   rate > 0 ? fmt::format("  ETA {}:{:02}", left / 60, left % 60) : std::string()),
       out_);
}

void DownloadDisplay::note(const std::string& line) {
  if (quiet_) return;
  clear_line();
  say(line, out_);
}

std::string size_text(uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= uint64_t{1} << 20) return fmt::format("{:.1f} MiB", value / (1 << 20));
  if (bytes >= uint64_t{1} << 10) return fmt::format("{:.1f} KiB", value / (1 << 10));
  return fmt::format("{} bytes", bytes);
}

}  // namespace cairn::datasets
