#include "datasets/fetch.h"

#include <fmt/format.h>

#include "datasets/archive.h"
#include "datasets/file.h"
#include "datasets/registry.h"
#include "datasets/sha256.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

// False: it is not there. DataError: something else is.
bool is_there(const fs::path& path, const RemoteFile& file, const DataSource& source) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return false;
  const Bytes bytes = read_file(path);
  if (file.is(bytes.size(), sha256(bytes))) return true;
  throw DataError(fmt::format("{}: is not the published {} file (sha256 {}): move or delete it to have it fetched",
                              path.string(), source.name, sha256(bytes)));
}

std::vector<RemoteFile> missing_files(const DataSource& source, const std::vector<RemoteFile>& files,
                                      const fs::path& folder) {
  std::vector<RemoteFile> missing;
  for (const RemoteFile& file : files)
    if (!is_there(folder / file.name, file, source)) missing.push_back(file);
  return missing;
}

}  // namespace

bool fetch_source(const DataSource& source, const fs::path& data_dir, const std::vector<std::string>& mirrors,
                  const DownloadOptions& options) {
  const fs::path path = data_dir / source.name;
  if (!source.by_hand.empty())
    throw MissingDataError(
        fmt::format("{}: cannot be fetched, since {} into {}", source.name, source.by_hand, path.string()));
  const bool is_archive = !source.archive_folder.empty();
  const std::vector<RemoteFile>& wanted = is_archive ? source.members : source.files;
  if (missing_files(source, wanted, path).empty()) return false;

  const HeldFolder folder(path, options.quiet, options.stop);
  if (missing_files(source, wanted, path).empty()) return false;  // another process was quicker
  download_files(missing_files(source, source.files, path), mirrors, folder, options);
  if (is_archive) {
    const fs::path archive = path / source.files.front().name;
    unpack_archive(archive, source.archive_folder, source.members, path, options);
    std::error_code ignored;  // a leftover costs room only
    fs::remove(archive, ignored);
  }
  return true;
}

DownloadOptions unasked_download(const LoadOptions& options) {
  return {.quiet = options.quiet,
          .stop = options.stop,
          .connect_timeout = std::chrono::milliseconds(3'000),
          .stall_timeout = std::chrono::milliseconds(10'000)};
}

}  // namespace cairn::datasets
