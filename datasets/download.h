// Fetches published files from a list of mirrors. What appears under a file's own name is complete and has the right
// hash: it is written beside it first, checked, and renamed. Not here: which files a data set needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cairn::datasets {

struct RemoteFile {
  std::string name;  // appended to a mirror's URL and to the folder
  std::string sha256;
};

// Downloads each file into `folder` (created when missing). A mirror that fails, stalls for 10 s or serves something
// else is left for the next one. Errors: MissingDataError when no mirror has it; IoError when `folder` cannot be
// written.
void download_files(const std::vector<RemoteFile>& files, const std::vector<std::string>& mirrors,
                    const std::filesystem::path& folder, bool quiet);

}  // namespace cairn::datasets
