// Reads a whole file into memory, with faults told in one line. Not here: what the bytes mean.
#pragma once

#include <filesystem>

#include "datasets/bytes.h"

namespace cairn::datasets {

// Larger files are refused before anything is allocated.
inline constexpr int64_t kMaxFileBytes = int64_t{1} << 30;

// DataError: missing, a directory or another thing that is no regular file, not readable, too large, read error.
Bytes read_file(const std::filesystem::path& path);

}  // namespace cairn::datasets
