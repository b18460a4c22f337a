// The IDX format of MNIST: big-endian magic 0x0000 08 <dimensions>, one 32-bit size per dimension, then bytes; plain or
// gzipped. (Y. LeCun, "THE MNIST DATABASE of handwritten digits", file formats.) Everything here works on memory.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace cairn::datasets {

inline constexpr int64_t kMaxIdxItems = 10'000'000;
inline constexpr int64_t kMaxIdxSide = 4096;
inline constexpr int64_t kMaxIdxBytes = int64_t{1} << 30;

struct IdxArray {
  std::vector<int64_t> sizes;  // outermost first
  Bytes bytes;                 // row-major
};

// `file` is the whole file; `name` is what errors call it. The size is known from the header, and checked against the
// limits above, before anything is allocated. DataError on every fault.
IdxArray decode_idx(std::span<const uint8_t> file, int dimensions, const std::string& name);

// Images (count x height x width) and their labels, checked against each other; labels must be below `classes`.
Split join_idx(IdxArray images, IdxArray labels, int classes, const std::string& images_name,
               const std::string& labels_name);

}  // namespace cairn::datasets
