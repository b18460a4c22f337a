// Takes known files out of an archive (tar, gzipped or not). Nothing in the archive decides where bytes go or how many:
// names and sizes come from the caller. Not here: where the archive comes from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/download.h"

namespace cairn::datasets {

// Writes each of `members` (found as <folder_in_archive>/<name>) to `folder`, each atomically. Other entries are passed
// over, up to 1000 of them and 64 MiB.
// Errors: DataError (a member is missing, no regular file, of another size or hash; a damaged archive),
// InterruptedError, and those of PartFile.
void unpack_archive(const std::filesystem::path& archive, const std::string& folder_in_archive,
                    const std::vector<RemoteFile>& members, const std::filesystem::path& folder,
                    const DownloadOptions& options);

}  // namespace cairn::datasets
