// The folder that a download writes into, held by one process at a time. Not here: what is written there.
#pragma once

#include <atomic>
#include <filesystem>
#include <vector>

#include "framework/error.h"

namespace cairn::datasets {

// The user asked to stop: what has arrived stays for the next time.
struct InterruptedError : Error {
  using Error::Error;
};

class HeldFolder {
 public:
  // Creates the folder where it is missing and waits while another process holds it, saying so on stderr unless quiet.
  // IoError: it cannot be created or locked. InterruptedError: `stop` (may be null) became true meanwhile.
  HeldFolder(const std::filesystem::path& path, bool quiet, const std::atomic<bool>* stop);
  // Removes the folders that it created, as far as they are empty.
  ~HeldFolder();
  HeldFolder(const HeldFolder&) = delete;
  HeldFolder& operator=(const HeldFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  bool try_lock();

  std::filesystem::path path_;
  std::vector<std::filesystem::path> created_;  // innermost first
  int descriptor_ = -1;
};

}  // namespace cairn::datasets
