// Fetches published files from a list of mirrors. What appears under a file's own name is complete and has the right
// size and hash; until then it is NAME.part, which the next call continues. Not here: which files a data set needs
// (sources.h).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/held_folder.h"

namespace cairn::datasets {

struct RemoteFile {
  std::string name;    // appended to a mirror's URL and to the folder
  uint64_t bytes;      // 0: not published; at most 1 GiB then
  std::string sha256;  // or its first digits, where no more of it was published

  bool is(uint64_t size, const std::string& whole_sha256) const {
    return (bytes == 0 || size == bytes) && whole_sha256.starts_with(sha256);
  }
};

struct DownloadOptions {
  bool quiet = false;                       // nothing on stderr
  const std::atomic<bool>* stop = nullptr;  // true: end soon, keeping what has arrived
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds stall_timeout{10'000};  // a mirror that sends (almost) nothing for so long is left
};

// Downloads each file into the folder; one that is there already is left alone. Proxies come from the environment
// (http_proxy, https_proxy, all_proxy, no_proxy: libcurl reads them). A mirror that fails, stalls, lies about the size
// or serves something else is left for the next one, which continues where the last one stopped; as long as a round
// over all of them brings something new, there is another one, up to five.
// Errors: MissingDataError when no mirror has it; InterruptedError; IoError and RunError (part_file.h).
void download_files(const std::vector<RemoteFile>& files, const std::vector<std::string>& mirrors,
                    const HeldFolder& folder, const DownloadOptions& options);

}  // namespace cairn::datasets
