// libarchive reads the formats; this file decides what may come out of them.
#include "datasets/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "datasets/dataset.h"
#include "datasets/download_display.h"
#include "datasets/part_file.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = size_t{1} << 18;
constexpr int kMostEntries = 1000;
constexpr int64_t kMostSkippedBytes = int64_t{64} << 20;

class Unpacker {
 public:
  Unpacker(const fs::path& path, const DownloadOptions& options)
      : path_(path), options_(options), archive_(archive_read_new(), archive_read_free) {
    if (archive_ == nullptr) throw std::bad_alloc();
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_format_tar(archive_.get());
    if (archive_read_open_filename(archive_.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK) fail(reason());
  }

  void unpack(const std::string& folder_in_archive, std::vector<RemoteFile> members, const fs::path& folder) {
    int64_t skipped = 0;
    for (int entries = 0; !members.empty(); ++entries) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(archive_.get(), &entry);
      if (status == ARCHIVE_EOF) fail(fmt::format("has no {}/{}", folder_in_archive, members.front().name));
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail(reason());
      const char* const name = archive_entry_pathname(entry);
      const auto member = std::find_if(members.begin(), members.end(), [&](const RemoteFile& file) {
        return name != nullptr && folder_in_archive + "/" + file.name == name;
      });
      if (member != members.end()) {
        take(entry, *member, folder);
        members.erase(member);
        continue;
      }
      skipped += std::clamp(archive_entry_size(entry), int64_t{0}, kMostSkippedBytes);
      if (entries >= kMostEntries || skipped >= kMostSkippedBytes) fail("holds more than the published one");
    }
  }

 private:
  void take(archive_entry* entry, const RemoteFile& file, const fs::path& folder) {
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      fail(fmt::format("{} is no regular file in it", file.name));
    if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) != static_cast<int64_t>(file.bytes))
      fail(fmt::format("{} has another size in it than {}", file.name, size_text(file.bytes)));
    PartFile part(folder / file.name);
    part.truncate(0);
    std::vector<uint8_t> block(kBlockBytes);
    while (part.size() < file.bytes) {
      if (options_.stop != nullptr && *options_.stop) {
        part.truncate(0);
        throw InterruptedError(fmt::format("interrupted while unpacking {}, which is kept", path_.string()));
      }
      const size_t wanted = std::min(block.size(), static_cast<size_t>(file.bytes - part.size()));
      const la_ssize_t count = archive_read_data(archive_.get(), block.data(), wanted);
      const std::string fault = count < 0 ? reason() : file.name + " ends early in it";
      if (count <= 0) part.truncate(0);
      if (count <= 0) fail(fault);
      part.append({block.data(), static_cast<size_t>(count)});
    }
    if (part.sha256() != file.sha256) {
      part.truncate(0);
      fail(fmt::format("{} has another sha256 in it than the published one", file.name));
    }
    part.publish();
  }

  std::string reason() const {
    const char* const text = archive_error_string(archive_.get());
    return fmt::format("cannot be unpacked: {}", text != nullptr ? text : "unknown reason");
  }

  [[noreturn]] void fail(const std::string& what) const { throw DataError(path_.string() + ": " + what); }

  fs::path path_;
  const DownloadOptions& options_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;
};

}  // namespace

void unpack_archive(const fs::path& archive, const std::string& folder_in_archive,
                    const std::vector<RemoteFile>& members, const fs::path& folder, const DownloadOptions& options) {
  if (!options.quiet) say(fmt::format("unpacking {}", archive.string()));
  Unpacker(archive, options).unpack(folder_in_archive, members, folder);
}

}  // namespace cairn::datasets
