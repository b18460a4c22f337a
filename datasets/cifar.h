// CIFAR-10 and CIFAR-100, in their binary version and in that for Python (pixel_batch.h). The binary one: records of
// one label byte (CIFAR-100: two, a coarse and a fine one) and 3 x 32 x 32 pixels, plane by plane. (A. Krizhevsky,
// "Learning Multiple Layers of Features from Tiny Images", 2009.) Not here: archives (archive.h), fetching (fetch.h).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "datasets/registry.h"

namespace cairn::datasets {

inline constexpr size_t kCifarImageBytes = 3 * 32 * 32;

struct CifarRecord {
  size_t label_bytes = 1;  // of which the last one counts
  int classes = 10;

  size_t bytes() const { return label_bytes + kCifarImageBytes; }
};

// Images in a file of so many bytes. DataError: no whole number of records, or none.
int64_t count_cifar(size_t file_bytes, const CifarRecord& record, const std::string& name);

// Takes a whole file apart, into room for its images and labels. `name` is what errors call it. DataError: as above, or
// a label over the last class.
void decode_cifar(std::span<const uint8_t> file, const CifarRecord& record, const std::string& name,
                  std::span<uint8_t> pixels, std::span<int32_t> labels);

// The published files (data_batch_1.bin to 5 and test_batch.bin) are looked for in <data_dir>/cifar10, in
// cifar-10-batches-bin there or in <data_dir>, and in <data_dir>; plain, or compressed by gzip or xz (.gz, .xz). The
// first folder that has any of them counts. Else the archive as published, cifar-10-binary.tar.gz, in
// <data_dir>/cifar10 or <data_dir>, is read as it is. Where there is none of these, the version for Python is taken:
// cifar-10-batches-py in either place, or cifar-10-python.tar.gz there. Else the binary archive is downloaded and
// unpacked, where that is allowed.
DatasetInfo cifar10_info();

// The same with train.bin and test.bin, cifar100, cifar-100-binary and cifar-100-python; with the fine labels.
DatasetInfo cifar100_info();

}  // namespace cairn::datasets
