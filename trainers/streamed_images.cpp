#include "trainers/streamed_images.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "framework/error.h"
#include "trainers/stopwatch.h"

namespace cairn {
namespace {

constexpr int kBuffers = 4, kThreads = 2;

class RowsInMemory : public datasets::BatchSource {
 public:
  RowsInMemory(datasets::Column column, int64_t count) : column_(std::move(column)), count_(count) {}
  int64_t count() const override { return count_; }
  size_t row_bytes() const override { return column_.row_bytes(); }
  void read(std::span<const int32_t> rows, std::byte* into) const override {
    for (size_t i = 0; i < rows.size(); ++i)
      std::memcpy(into + i * row_bytes(), column_.bytes.data() + static_cast<size_t>(rows[i]) * row_bytes(),
                  row_bytes());
  }

 private:
  datasets::Column column_;
  int64_t count_;
};

std::shared_ptr<const datasets::BatchSource> source_of(datasets::Column column, int64_t count) {
  if (column.source) return column.source;
  return std::make_shared<RowsInMemory>(std::move(column), count);
}

Tensor images_of(const std::shared_ptr<Device>& device, int64_t count, const Shape& image) {
  return Tensor::empty(device, {count, image[0], image[1], image[2]}, DType::u8, "a batch of images");
}

}  // namespace

StreamedImages::StreamedImages(const std::shared_ptr<Device>& device, datasets::Column column, int64_t count)
    : device_(device), image_(column.row_shape), source_(source_of(std::move(column), count)) {}

void StreamedImages::prepare(int64_t batch_size) {
  buffer_ = images_of(device_, batch_size, image_);
  stream_.emplace(source_, batch_size, kBuffers, kThreads);
}

void StreamedImages::begin_epoch(std::span<const int32_t> order, int64_t done) {
  stream_->clear();
  stream_->add({order.begin() + done, order.end()});
}

void StreamedImages::next(int64_t rows) {
  static const std::atomic<bool> never{false};
  const datasets::StreamedBatch batch = *stream_->next(never);
  if (batch.rows != rows)
    throw Error("a batch of " + std::to_string(rows) + " images was asked for, and " + std::to_string(batch.rows) +
                " came");
  device_->synchronize();  // the step before may still read the buffer
  device_->copy_to_device(buffer_.data(), batch.bytes.data(), batch.bytes.size());
  device_->synchronize();  // and this copy the stream's
  stream_->release(batch);
}

void StreamedImages::visit(int64_t batch_size,
                           const std::function<void(const Tensor& images, int64_t begin, int64_t end)>& use) {
  static const std::atomic<bool> never{false};
  const int64_t count = source_->count(), batches = (count + batch_size - 1) / batch_size;
  if (count == 0) return;
  datasets::Stream stream(source_, batch_size, static_cast<int>(std::min<int64_t>(kBuffers, batches)), kThreads);
  std::vector<int32_t> rows(static_cast<size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  stream.add(std::move(rows));
  for (int64_t begin = 0; begin < count; begin += batch_size) {
    const Stopwatch watch;
    const datasets::StreamedBatch batch = *stream.next(never);
    waited_seconds_ += watch.seconds();
    const Tensor images = images_of(device_, batch.rows, image_);
    device_->copy_to_device(images.data(), batch.bytes.data(), batch.bytes.size());
    device_->synchronize();  // before the rows go
    stream.release(batch);
    use(images, begin, begin + batch.rows);
  }
}

Tensor StreamedImages::read(int64_t begin, int64_t end) const {
  std::vector<int32_t> rows(static_cast<size_t>(end - begin));
  std::iota(rows.begin(), rows.end(), static_cast<int32_t>(begin));
  std::vector<std::byte> bytes(rows.size() * source_->row_bytes());
  source_->read(rows, bytes.data());
  const Tensor images = images_of(device_, end - begin, image_);
  device_->copy_to_device(images.data(), bytes.data(), bytes.size());
  return images;
}

}  // namespace cairn
