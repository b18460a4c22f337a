// libarchive reads the formats; this file decides what may come out of them.
#include "datasets/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "datasets/dataset.h"
#include "datasets/download_display.h"
#include "datasets/part_file.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = size_t{1} << 18;
constexpr size_t kMostSkipped = 1000, kMostNames = 20000;
constexpr int64_t kMostSkippedBytes = int64_t{64} << 20;

// An archive open for reading, from a file or from memory.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)), archive_(archive_read_new(), archive_read_free) {
    if (archive_ == nullptr) throw std::bad_alloc();
    archive_read_support_filter_gzip(archive_.get());
  }

  void open_tar(const fs::path& path) {
    archive_read_support_format_tar(archive_.get());
    if (archive_read_open_filename(archive_.get(), path.c_str(), kBlockBytes) != ARCHIVE_OK) fail(reason());
  }
  void open_tar(std::span<const uint8_t> bytes) {
    archive_read_support_format_tar(archive_.get());
    open_memory(bytes);
  }
  void open_zip(std::span<const uint8_t> bytes) {
    archive_read_support_format_zip_seekable(archive_.get());
    most_skipped_bytes_ = INT64_MAX;  // they are not read
    most_skipped_ = kMostNames;
    open_memory(bytes);
  }
  // One file, compressed.
  void open_file(std::span<const uint8_t> bytes) {
    archive_read_support_filter_xz(archive_.get());
    archive_read_support_format_raw(archive_.get());
    open_memory(bytes);
    if (archive_filter_count(archive_.get()) < 2) fail("is not compressed by gzip or xz");
    if (next() == nullptr) fail("holds nothing");
  }

  // Calls take(entry, i) at the entry of names[i], for each of them, and reads on to the archive's end. `folder`: with
  // its '/', or empty.
  template <class Take>
  void visit(const std::string& folder, const std::vector<std::string>& names, Take&& take) {
    std::map<std::string, size_t, std::less<>> wanted;
    for (size_t i = 0; i < names.size(); ++i) wanted.emplace(folder + names[i], i);
    std::vector<bool> found(names.size());
    int64_t skipped = 0;
    size_t entries = 0;
    while (archive_entry* const entry = next()) {
      const char* const path = archive_entry_pathname(entry);
      const auto name = path != nullptr ? wanted.find(std::string_view(path)) : wanted.end();
      if (name == wanted.end()) {
        skipped += std::clamp(archive_entry_size(entry), int64_t{0}, kMostSkippedBytes);
        if (++entries > most_skipped_ || skipped >= most_skipped_bytes_) fail("holds more than the published one");
        continue;
      }
      const size_t i = name->second;
      if (found[i]) fail(fmt::format("has {} twice in it", names[i]));
      if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
        fail(fmt::format("{} is no regular file in it", names[i]));
      found[i] = true;
      take(entry, i);
    }
    if (const auto lacking = std::ranges::find(found, false); lacking != found.end())
      fail(fmt::format("has no {}{}", folder, names[static_cast<size_t>(lacking - found.begin())]));
  }

  // Of all entries; nothing of them is read.
  std::vector<std::string> names() {
    std::vector<std::string> all;
    while (archive_entry* const entry = next()) {
      const char* const path = archive_entry_pathname(entry);
      all.emplace_back(path != nullptr ? path : "");
      if (all.size() > kMostNames) fail(fmt::format("holds more than {} files", kMostNames));
    }
    return all;
  }

  // Calls take(path, content) for each regular file with a wanted path.
  template <class Wanted, class Take>
  void visit_all(const ArchiveLimits& limits, const Wanted& wanted, const Take& take) {
    uint64_t bytes = 0;
    int64_t entries = 0;
    while (archive_entry* const entry = next()) {
      const char* const path = archive_entry_pathname(entry);
      const bool regular = archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == nullptr;
      const bool taken = path != nullptr && regular && wanted(path);
      const std::string name = taken ? path : "";
      const Bytes content = taken ? read_all(limits.file_bytes) : Bytes();
      // What is passed over is believed: libarchive skips no more than that.
      bytes += taken ? content.size() : static_cast<uint64_t>(std::max(archive_entry_size(entry), int64_t{0}));
      if (++entries > limits.entries || bytes > limits.all_bytes) fail("holds more than the published one");
      if (taken) take(name, content);
    }
  }

  // 0: the entry has ended.
  size_t read(std::span<uint8_t> to) {
    const la_ssize_t count = archive_read_data(archive_.get(), to.data(), to.size());
    if (count < 0) fail(reason());
    return static_cast<size_t>(count);
  }

  // The same of a zip's entry, in place if it can be: libarchive then hands out pieces of the archive itself, one after
  // the other.
  ZipMember read_zipped(std::span<const uint8_t> archive, uint64_t most_bytes) {
    const std::string_view method = archive_format_name(archive_.get());  // "ZIP 2.0 (deflation)"
    if (method.ends_with("(deflation)")) {
      ZipMember member{{}, read_all(most_bytes)};
      member.content = member.unpacked;
      return member;
    }
    // Others take memory by what they claim.
    if (!method.ends_with("(uncompressed)")) fail("is compressed in another way than by deflation");
    const uint8_t* begin = nullptr;
    size_t size = 0;
    const void* piece = nullptr;
    size_t bytes = 0;
    int64_t place = 0;
    int status = ARCHIVE_OK;
    while ((status = archive_read_data_block(archive_.get(), &piece, &bytes, &place)) == ARCHIVE_OK) {
      if (bytes == 0) continue;
      const auto* const at = static_cast<const uint8_t*>(piece);
      if (begin == nullptr) begin = at;
      const bool inside = at >= archive.data() && bytes <= static_cast<size_t>(archive.data() + archive.size() - at);
      if (!inside || at != begin + size) fail("cannot be read in place");
      size += bytes;
    }
    if (status != ARCHIVE_EOF) fail(reason());
    return {std::span(begin, size), {}};
  }
  // The rest of the entry.
  Bytes read_all(uint64_t most_bytes) {
    Bytes content;
    block_.resize(kBlockBytes);
    while (const size_t count = read(block_)) {
      if (content.size() + count > most_bytes) fail(fmt::format("holds more than {} bytes", most_bytes));
      content.insert(content.end(), block_.begin(), block_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return content;
  }

  [[noreturn]] void fail(const std::string& what) const { throw DataError(name_ + ": " + what); }

 private:
  void open_memory(std::span<const uint8_t> bytes) {
    if (archive_read_open_memory(archive_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) fail(reason());
  }
  // Null: the archive has ended.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return nullptr;
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail(reason());
    return entry;
  }
  std::string reason() const {
    const char* const text = archive_error_string(archive_.get());
    return fmt::format("cannot be unpacked: {}", text != nullptr ? text : "unknown reason");
  }

  std::string name_;
  int64_t most_skipped_bytes_ = kMostSkippedBytes;
  size_t most_skipped_ = kMostSkipped;
  Bytes block_;  // for read_all
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;
};

// Writes the entry's content as a file that is there whole or not at all.
void write_member(Reader& reader, archive_entry* entry, const RemoteFile& file, const fs::path& archive,
                  const fs::path& folder, const DownloadOptions& options) {
  if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) != static_cast<int64_t>(file.bytes))
    reader.fail(fmt::format("{} has another size in it than {}", file.name, size_text(file.bytes)));
  PartFile part(folder / file.name);
  part.truncate(0);
  std::vector<uint8_t> block(kBlockBytes);
  try {
    while (part.size() < file.bytes) {
      if (options.stop != nullptr && *options.stop)
        throw InterruptedError(fmt::format("interrupted while unpacking {}, which is kept", archive.string()));
      const size_t wanted = std::min(block.size(), static_cast<size_t>(file.bytes - part.size()));
      const size_t count = reader.read(std::span(block).first(wanted));
      if (count == 0) reader.fail(file.name + " ends early in it");
      part.append(std::span(block).first(count));
    }
    if (part.sha256() != file.sha256)
      reader.fail(fmt::format("{} has another sha256 in it than the published one", file.name));
  } catch (const Error&) {
    part.truncate(0);
    throw;
  }
  part.publish();
}

}  // namespace

void unpack_archive(const fs::path& archive, const std::string& folder_in_archive,
                    const std::vector<RemoteFile>& members, const fs::path& folder, const DownloadOptions& options) {
  if (!options.quiet) say(fmt::format("unpacking {}", archive.string()));
  std::vector<std::string> names;
  for (const RemoteFile& member : members) names.push_back(member.name);
  Reader reader(archive.string());
  reader.open_tar(archive);
  reader.visit(folder_in_archive + "/", names, [&](archive_entry* entry, size_t i) {
    if (!fs::exists(folder / names[i])) write_member(reader, entry, members[i], archive, folder, options);
  });
}

std::vector<Bytes> read_members(std::span<const uint8_t> archive, const std::string& folder_in_archive,
                                const std::vector<std::string>& names, uint64_t most_bytes,
                                const std::string& archive_name) {
  std::vector<Bytes> contents(names.size());
  Reader reader(archive_name);
  reader.open_tar(archive);
  reader.visit(folder_in_archive + "/", names,
               [&](archive_entry*, size_t i) { contents[i] = reader.read_all(most_bytes); });
  return contents;
}

void visit_tar(std::span<const uint8_t> archive, const ArchiveLimits& limits,
               const std::function<bool(const std::string&)>& wanted,
               const std::function<void(const std::string&, const Bytes&)>& take, const std::string& archive_name) {
  Reader reader(archive_name);
  reader.open_tar(archive);
  reader.visit_all(limits, wanted, take);
}

std::vector<std::string> zip_names(std::span<const uint8_t> archive, const std::string& archive_name) {
  Reader reader(archive_name);
  reader.open_zip(archive);
  return reader.names();
}

std::vector<ZipMember> read_zip(std::span<const uint8_t> archive, const std::vector<std::string>& names,
                                uint64_t most_bytes, const std::string& archive_name) {
  std::vector<ZipMember> members(names.size());
  Reader reader(archive_name);
  reader.open_zip(archive);
  reader.visit("", names, [&](archive_entry*, size_t i) { members[i] = reader.read_zipped(archive, most_bytes); });
  return members;
}

Bytes decompress(std::span<const uint8_t> file, uint64_t most_bytes, const std::string& name) {
  Reader reader(name);
  reader.open_file(file);
  return reader.read_all(most_bytes);
}

}  // namespace cairn::datasets
