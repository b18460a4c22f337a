// Labelled images as CIFAR and downsampled ImageNet are published for Python: a dict of `data`, an array of bytes with
// a row for each image, plane by plane, and of labels; as a pickle, or as a .npz archive of arrays of the same names.
// Not here: where the files are (imagenet32.h, cifar.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/numpy.h"
#include "framework/shape.h"

namespace cairn::datasets {

struct PixelBatchFormat {
  Shape image;
  const char* labels = "labels";  // their key
  int first_label = 0;            // in the file; here they begin at 0
  int classes = 10;
};

class PixelBatch {
 public:
  // `name` is what errors call the file. DataError: neither a pickle nor a .npz, no such dict or arrays, another number
  // of labels than of images, a label that is no class.
  PixelBatch(Bytes file, const PixelBatchFormat& format, const std::string& name);

  int64_t count() const { return static_cast<int64_t>(labels_.size()); }
  std::span<const uint8_t> pixels() const { return pixels_; }
  const std::vector<int32_t>& labels() const { return labels_; }
  // More numbers of the images, of a pickle. DataError: it has no such key, or another number of them.
  std::vector<int64_t> numbers(const std::string& key) const;
  // Where the file has the pixels as they are; nothing: they are packed in it.
  std::optional<uint64_t> pixels_begin() const;

 private:
  PickleValue find(const std::string& key) const;
  void read_pickle(const PixelBatchFormat& format);
  void read_npz(const PixelBatchFormat& format);
  void take(const NumpyArray& data, const std::vector<int64_t>& labels, const PixelBatchFormat& format);

  std::string name_;
  Bytes file_, unpacked_;
  std::optional<Pickle> pickle_;
  std::span<const uint8_t> pixels_;
  std::vector<int32_t> labels_;
};

}  // namespace cairn::datasets
