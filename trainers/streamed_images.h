// Images of a split that do not lie on the device: a few threads read batches ahead, and each is copied into one buffer
// there, just before its step. Not here: reading ahead (datasets/stream.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "datasets/dataset.h"
#include "datasets/stream.h"
#include "framework/tensor.h"
#include "trainers/feed.h"

namespace cairn {

class StreamedImages : public Feed {
 public:
  // The column's rows stay where they are, in host memory or in files.
  StreamedImages(const std::shared_ptr<Device>& device, datasets::Column column, int64_t count);

  // Makes room for batches of so many rows; before the first of them.
  void prepare(int64_t batch_size);
  void begin_epoch(std::span<const int32_t> order, int64_t done) override;
  void next(int64_t rows) override;
  // The batch that next() brought, in its buffer.
  Tensor batch(int64_t rows) const { return buffer_.rows(0, rows); }
  // Rows begin .. end - 1 of the split in a tensor of their own.
  Tensor read(int64_t begin, int64_t end) const;
  // All rows in their order, batch by batch, read ahead: for evaluation. The last batch may be smaller.
  void visit(int64_t batch_size, const std::function<void(const Tensor& images, int64_t begin, int64_t end)>& use);
  // How long visit has waited for rows that were not there yet.
  double waited_seconds() const { return waited_seconds_; }

 private:
  std::shared_ptr<Device> device_;
  Shape image_;
  std::shared_ptr<const datasets::BatchSource> source_;
  std::optional<datasets::Stream> stream_;
  Tensor buffer_;  // batch_size x image, u8
  double waited_seconds_ = 0;
};

}  // namespace cairn
