// Files as bytes, with faults told in one line: reading at an offset and writing all or nothing. Not here: what the
// bytes mean (safetensors.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cairn {

// What a path may name besides a regular file. Pipes::read: also a pipe or a device, and "-" for standard input.
enum class Pipes { refuse, read };

// What such a path stands for, where a folder beside it would be looked for: nothing is beside a pipe.
bool names_pipe(const std::filesystem::path& path);

// A file open for reading at any place.
class InputFile {
 public:
  // Reads a pipe to its end at once, at most kMostPipedBytes of it.
  // DataError: missing, a directory or another thing that is not to be read, not readable, too much of it.
  explicit InputFile(const std::filesystem::path& path, Pipes pipes = Pipes::refuse);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }
  // Fills `to` from the given place. DataError: a read error, or the file became shorter.
  void read(uint64_t offset, std::span<std::byte> to) const;

 private:
  void read_pipe();

  std::filesystem::path path_;
  int descriptor_;
  uint64_t size_ = 0;
  bool piped_ = false;
  std::vector<std::byte> from_pipe_;
};

inline constexpr uint64_t kMostPipedBytes = uint64_t{1} << 29;

// Makes a file of the parts, one after the other. Whoever reads `path` finds the old contents or all of the new, even
// after a power cut: the parts go to a temporary file in the same folder, which is flushed and then renamed.
// IoError: it cannot be written; then nothing of it is left.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> parts);

// Adds to a file's end, or makes it: for files that only grow. What a full disk left half-written is taken off again.
// The bytes are in the system's hands on return, but not flushed to disk. IoError.
void append_to_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

// Flushes a file or folder to the disk. False: the system refused, and errno says why. Where the file system cannot do
// it at all, that is said on stderr, once in a process, and there is nothing more to do.
bool flush_to_disk(int descriptor, const std::filesystem::path& path);

// Makes a renaming or removal in the folder of `path` durable. IoError.
void flush_folder_of(const std::filesystem::path& path);

// Removes from a folder what write_file_atomically left of these files there when its process was killed, and nothing
// else. Only for a folder that nobody else is writing into.
void remove_stale_temporaries(const std::filesystem::path& folder, std::span<const char* const> files);

// Whoever holds a lock on a folder. `none`: its file system has no locks, which has been said on stderr, once in a
// process. `refused`: errno says why.
enum class Lock { held, taken, none, refused };
Lock try_lock(int folder, const std::filesystem::path& path);

// A folder held by one process at a time, until this object goes or the process ends, however it ends.
class FolderLock {
 public:
  // IoError: another process holds it, or it cannot be opened.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  // False: the file system has no locks, and others may be writing in the folder.
  bool held() const { return held_; }

 private:
  int descriptor_;
  bool held_ = true;
};

// A text that somebody else wrote, for a terminal: '?' for control characters.
std::string without_controls(std::string text);
// The same for a one-line message: in quotes, not endless.
std::string in_quotes(const std::string& text);

}  // namespace cairn
