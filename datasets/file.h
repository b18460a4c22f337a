// Reads a whole file into memory, with faults told in one line. Not here: what the bytes mean.
#pragma once

#include <filesystem>

#include "datasets/bytes.h"
#include "framework/file.h"

namespace cairn::datasets {

// Larger files are refused before anything is allocated.
inline constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

// DataError: missing, a directory or another thing that is not to be read, not readable, too large, read error.
Bytes read_file(const std::filesystem::path& path, Pipes pipes = Pipes::refuse);

}  // namespace cairn::datasets
