// Takes known files out of an archive (tar, gzipped or not; zip), to disk or to memory, and reads single compressed
// files. Nothing in the archive decides where bytes go or how many: names and limits come from the caller. Not here:
// where the archive comes from, gzip of a known size (gzip.h), which is faster.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/download.h"

namespace cairn::datasets {

// Writes each of `members` (found as <folder_in_archive>/<name>) to `folder`, each atomically, unless it is there
// already. Other entries are passed over, up to 1000 of them and 64 MiB.
// Errors: DataError (a member is missing, there twice, no regular file, of another size or hash; a damaged archive),
// InterruptedError, and those of PartFile.
void unpack_archive(const std::filesystem::path& archive, const std::string& folder_in_archive,
                    const std::vector<RemoteFile>& members, const std::filesystem::path& folder,
                    const DownloadOptions& options);

// The members' contents, in the order of `names`, out of an archive in memory; `archive_name` is what errors call it.
// Other entries as above. DataError: as above, or a member of more than `most_bytes`.
std::vector<Bytes> read_members(std::span<const uint8_t> archive, const std::string& folder_in_archive,
                                const std::vector<std::string>& names, uint64_t most_bytes,
                                const std::string& archive_name);

// Of an archive of more files than names could be given for; all_bytes: of what comes out of it, taken or not.
struct ArchiveLimits {
  int64_t entries;
  uint64_t file_bytes, all_bytes;
};
// Calls take for the content of each regular file of a tar archive in memory whose path is wanted, in their order
// there. DataError: as above, or more than the limits.
void visit_tar(std::span<const uint8_t> archive, const ArchiveLimits& limits,
               const std::function<bool(const std::string& path)>& wanted,
               const std::function<void(const std::string& path, const Bytes& content)>& take,
               const std::string& archive_name);

// A member of a zip archive: where the archive has it as it is, a view of that, else `unpacked`.
struct ZipMember {
  std::span<const uint8_t> content;
  Bytes unpacked;
};

// The names of a zip archive's entries, up to 20,000. DataError: more, or no such archive.
std::vector<std::string> zip_names(std::span<const uint8_t> archive, const std::string& archive_name);

// The members of a zip archive in memory (stored or deflated, with the 64-bit sizes that numpy writes), in the order of
// `names`; other entries are passed over, up to 20,000. What an entry claims to hold is believed only once it has come
// out. DataError: as above; another way of compression.
std::vector<ZipMember> read_zip(std::span<const uint8_t> archive, const std::vector<std::string>& names,
                                uint64_t most_bytes, const std::string& archive_name);

// What gzip or xz compressed. DataError: neither of them, cut short or damaged, more than `most_bytes`.
Bytes decompress(std::span<const uint8_t> file, uint64_t most_bytes, const std::string& name);

}  // namespace cairn::datasets
