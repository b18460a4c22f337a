// Files as bytes, with faults told in one line: reading at an offset and writing all or nothing. Not here: what the
// bytes mean (safetensors.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace cairn {

// A regular file open for reading.
class InputFile {
 public:
  // DataError: missing, a directory or another thing that is no regular file, not readable.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }
  // Fills `to` from the given place. DataError: a read error, or the file became shorter.
  void read(uint64_t offset, std::span<std::byte> to) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
  uint64_t size_ = 0;
};

// Makes a file of the parts, one after the other. Whoever reads `path` finds the old contents or all of the new, even
// after a power cut: the parts go to a temporary file in the same folder, which is flushed and then renamed.
// IoError: it cannot be written; then nothing of it is left.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);

// A text out of a file, for a one-line message: in quotes, without control characters, not endless.
std::string in_quotes(const std::string& text);

}  // namespace cairn
