// A file on its way: NAME.part beside NAME, which survives a broken transfer and gets its name when it is complete.
// Not here: who may write in the folder (held_folder.h), where the bytes come from (download.h, archive.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace cairn::datasets {

// Errors: IoError where the folder is to blame, RunError where a write fails half-way (a full disk).
class PartFile {
 public:
  // Continues the .part file that is there, or makes one.
  explicit PartFile(const std::filesystem::path& destination);
  // Leaves what has arrived for the next time; an empty part is removed.
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  uint64_t size() const { return size_; }
  void append(std::span<const uint8_t> bytes);
  void truncate(uint64_t size);
  std::string sha256() const;  // of what is in the file, read anew
  // Flushed to disk, then renamed: whoever finds the destination finds all of it.
  void publish();

 private:
  std::filesystem::path destination_;
  std::string path_;
  int descriptor_;
  uint64_t size_ = 0;
  bool published_ = false;
};

}  // namespace cairn::datasets
