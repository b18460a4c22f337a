// Puts a published data set where it belongs: what is there is checked, what is missing is downloaded and unpacked. Not
// here: which data sets there are (sources.h), transfers (download.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/sources.h"

namespace cairn::datasets {

struct LoadOptions;

// Afterwards <data_dir>/<name> holds the published files. True: something had to be downloaded.
// Errors: MissingDataError (it is to be had by hand only), DataError (a file of that name is another one, a faulty
// archive), and those of download_files.
bool fetch_source(const DataSource& source, const std::filesystem::path& data_dir,
                  const std::vector<std::string>& mirrors, const DownloadOptions& options);

// How a data set is downloaded that a training wants: with shorter waits than `fetch` has, since where there is no
// network another set may do.
DownloadOptions unasked_download(const LoadOptions& options);

}  // namespace cairn::datasets
