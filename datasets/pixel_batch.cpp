#include "datasets/pixel_batch.h"

#include <fmt/format.h>

#include "datasets/archive.h"
#include "datasets/file.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

bool is_zip(std::span<const uint8_t> file) {
  return file.size() >= 2 && file[0] == 'P' && file[1] == 'K';
}

}  // namespace

PixelBatch::PixelBatch(Bytes file, const PixelBatchFormat& format, const std::string& name)
    : name_(name), file_(std::move(file)) {
  if (is_zip(file_))
    read_npz(format);
  else
    read_pickle(format);
}

std::optional<uint64_t> PixelBatch::pixels_begin() const {
  // Of two allocations at most one holds them.
  const bool inside = pixels_.data() >= file_.data() && pixels_.data() + pixels_.size() <= file_.data() + file_.size();
  if (!inside) return std::nullopt;
  return static_cast<uint64_t>(pixels_.data() - file_.data());
}

PickleValue PixelBatch::find(const std::string& key) const {
  if (pickle_)
    if (const std::optional<PickleValue> value = pickle_->root().find(key, "what the pickle holds")) return *value;
  throw DataError(fmt::format("{}: has no '{}'", name_, key));
}

std::vector<int64_t> PixelBatch::numbers(const std::string& key) const {
  std::vector<int64_t> numbers = integers(find(key), key);
  if (static_cast<int64_t>(numbers.size()) != count())
    throw DataError(fmt::format("{}: has {} {} for {} images", name_, numbers.size(), key, count()));
  return numbers;
}

void PixelBatch::read_pickle(const PixelBatchFormat& format) {
  pickle_.emplace(std::as_bytes(std::span(file_)), name_);
  take(numpy_array(find("data"), "data"), integers(find(format.labels), format.labels), format);
}

void PixelBatch::read_npz(const PixelBatchFormat& format) {
  const std::string labels_file = std::string(format.labels) + ".npy";
  std::vector<ZipMember> members = read_zip(file_, {"data.npy", labels_file}, kMaxFileBytes, name_);
  const NpyFile data(members[0].content, name_ + ": data.npy"), labels(members[1].content, name_ + ": " + labels_file);
  unpacked_ = std::move(members[0].unpacked);  // what the array's bytes may be
  take(data.array(), integers(labels.array(), name_ + ": " + labels_file), format);
}

void PixelBatch::take(const NumpyArray& data, const std::vector<int64_t>& labels, const PixelBatchFormat& format) {
  const int64_t row = format.image.count();
  if (data.kind != 'u' || data.element_bytes != 1 || data.columns_first || data.shape.size() != 2 ||
      data.shape[1] != row || data.shape[0] == 0)
    throw DataError(fmt::format("{}: its data are no rows of {} bytes, one for each image", name_, row));
  if (static_cast<int64_t>(labels.size()) != data.shape[0])
    throw DataError(fmt::format("{}: has {} labels for {} images", name_, labels.size(), data.shape[0]));
  labels_.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < format.first_label || labels[i] >= format.first_label + format.classes)
      throw DataError(fmt::format("{}: label {} of image {} is not from {} to {}", name_, labels[i], i,
                                  format.first_label, format.first_label + format.classes - 1));
    labels_.push_back(static_cast<int32_t>(labels[i] - format.first_label));
  }
  pixels_ = data.bytes;
}

}  // namespace cairn::datasets
