// The data set `digits` as IDX files, for programs that cannot draw it. Not here: drawing (digits.h), reading IDX
// (idx.h).
#pragma once

#include <filesystem>

namespace cairn::datasets {

// Afterwards <data_dir>/digits holds the set of seed 0 under MNIST's file names, not gzipped. True: something had to be
// written. Errors: DataError (a file of that name holds something else), IoError.
bool write_digits(const std::filesystem::path& data_dir);

}  // namespace cairn::datasets
