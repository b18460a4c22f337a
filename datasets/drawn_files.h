// The generated data sets as files, for programs that cannot draw them. Not here: drawing (digits.h), reading IDX
// (idx.h).
#pragma once

#include <filesystem>

namespace cairn::datasets {

// Afterwards <data_dir>/digits holds the set of seed 0 under MNIST's file names, not gzipped. True: something had to be
// written. Errors: DataError (a file of that name holds something else), IoError.
bool write_digits(const std::filesystem::path& data_dir);

// The same in <data_dir>/digits32, under the names and in the form of CIFAR-10's six files, of 4,000 images each.
bool write_digits32(const std::filesystem::path& data_dir);

// In <data_dir>/phrases: train.tsv and test.tsv, a line of label, tab and phrase for each, and words.txt
// (word_index.h).
bool write_phrases(const std::filesystem::path& data_dir);

}  // namespace cairn::datasets
