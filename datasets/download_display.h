// What a download shows while it goes: a bar on a terminal that can redraw, plain lines otherwise; all of it on stderr.
// Not here: what an app prints as its result.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace cairn::datasets {

class DownloadDisplay {
 public:
  // quiet: shows nothing.
  explicit DownloadDisplay(bool quiet, std::FILE* out = stderr);
  // A bar that was left in the middle is wiped.
  ~DownloadDisplay();
  DownloadDisplay(const DownloadDisplay&) = delete;
  DownloadDisplay& operator=(const DownloadDisplay&) = delete;

  // `have` bytes of `total` are here from an earlier time.
  void start(const std::string& url, uint64_t have, uint64_t total);
  void progress(uint64_t have);
  void note(const std::string& line);

 private:
  void clear_line();

  std::FILE* out_;
  bool quiet_, terminal_;
  std::string name_;
  uint64_t first_ = 0, total_ = 0;
  std::chrono::steady_clock::time_point start_, shown_;
};

// "162.2 MiB": as disks and other tools count files.
std::string size_text(uint64_t bytes);

}  // namespace cairn::datasets
