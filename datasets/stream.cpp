#include "datasets/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "datasets/sha256.h"
#include "framework/error.h"
#include "framework/file.h"

namespace cairn::datasets {
namespace {

constexpr std::chrono::milliseconds kStopInterval{20};  // how often a wait looks at `stop`

class RecordSource : public BatchSource {
 public:
  RecordSource(const std::vector<RecordFile>& files, const RecordPart& part) : part_(part) {
    for (const RecordFile& file : files) {
      files_.push_back(std::make_unique<InputFile>(file.path));
      const uint64_t expected = file.begin + static_cast<uint64_t>(file.count) * part.record_bytes;
      const uint64_t size = files_.back()->size();
      if (file.alone ? size != expected : size < expected)
        throw DataError(
            fmt::format("{}: has {} bytes, not the {} of {} records", file.path.string(), size, expected, file.count));
      ends_.push_back(count() + file.count);
      begins_.push_back(file.begin);
    }
  }

  int64_t count() const override { return ends_.empty() ? 0 : ends_.back(); }
  size_t row_bytes() const override { return part_.bytes; }
  void read(std::span<const int32_t> rows, std::byte* into) const override {
    for (const int32_t row : rows) {
      const auto file = static_cast<size_t>(std::ranges::upper_bound(ends_, int64_t{row}) - ends_.begin());
      const auto record = static_cast<uint64_t>(row - (file == 0 ? 0 : ends_[file - 1]));
      files_[file]->read(begins_[file] + record * part_.record_bytes + part_.offset, {into, part_.bytes});
      into += part_.bytes;
    }
  }

 private:
  RecordPart part_;
  std::vector<std::unique_ptr<InputFile>> files_;
  std::vector<int64_t> ends_;  // the row after each file's last
  std::vector<uint64_t> begins_;
};

class ChosenRows : public BatchSource {
 public:
  ChosenRows(std::shared_ptr<BatchSource> source, std::vector<int32_t> rows)
      : source_(std::move(source)), rows_(std::move(rows)) {}

  int64_t count() const override { return static_cast<int64_t>(rows_.size()); }
  size_t row_bytes() const override { return source_->row_bytes(); }
  void read(std::span<const int32_t> rows, std::byte* into) const override {
    std::vector<int32_t> theirs;
    for (const int32_t row : rows) theirs.push_back(rows_[static_cast<size_t>(row)]);
    source_->read(theirs, into);
  }
  std::string fingerprint() const override {
    std::string text = source_->fingerprint();
    for (const int32_t row : rows_) text += fmt::format(" {}", row);
    return sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

 private:
  std::shared_ptr<BatchSource> source_;
  std::vector<int32_t> rows_;
};

void check_rows(std::span<const int32_t> rows, const BatchSource& source) {
  for (const int32_t row : rows)
    if (row < 0 || row >= source.count())
      throw UsageError(fmt::format("example {} was asked for, of {}", row, source.count()));
}

}  // namespace

std::string BatchSource::fingerprint() const {
  Sha256 hash;
  std::vector<std::byte> bytes(row_bytes());
  for (int64_t row = 0; row < count(); ++row) {
    const auto number = static_cast<int32_t>(row);
    read({&number, 1}, bytes.data());
    hash.update({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }
  return hash.finish();
}

std::shared_ptr<BatchSource> record_source(const std::vector<RecordFile>& files, const RecordPart& part) {
  return std::make_shared<RecordSource>(files, part);
}

std::shared_ptr<BatchSource> chosen_rows(std::shared_ptr<BatchSource> source, std::vector<int32_t> rows) {
  check_rows(rows, *source);
  return std::make_shared<ChosenRows>(std::move(source), std::move(rows));
}

Stream::Stream(std::shared_ptr<const BatchSource> source, int64_t batch_size, int buffers, int threads)
    : source_(std::move(source)), batch_size_(static_cast<size_t>(batch_size)) {
  if (batch_size < 1 || buffers < 1 || threads < 1)
    throw UsageError(fmt::format("a stream of batches of {} with {} buffers and {} threads: each must be 1 or more",
                                 batch_size, buffers, threads));
  buffers_.resize(static_cast<size_t>(buffers));
  for (Buffer& buffer : buffers_) buffer.bytes.resize(batch_size_ * source_->row_bytes());
  try {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { read_ahead(); });
  } catch (...) {  // no room for another thread: those that there are must not wait for ever
    end_threads();
    throw;
  }
}

Stream::~Stream() {
  end_threads();
}

void Stream::end_threads() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  fillable_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// There is something to read and a place to read it to.
bool Stream::can_fill() const {
  return !orders_.empty() && !failed_ &&
         buffers_[static_cast<size_t>(next_fill_) % buffers_.size()].state == State::free;
}

// What each thread does: takes the next batch that nobody reads yet, and reads it outside of the lock.
void Stream::read_ahead() {
  std::unique_lock lock(mutex_);
  while (true) {
    fillable_.wait(lock, [this] { return ending_ || can_fill(); });
    if (ending_) return;
    Order& order = orders_.front();
    const std::shared_ptr<const std::vector<int32_t>> all = order.rows;
    const std::span<const int32_t> rows =
        std::span(*all).subspan(order.done, std::min(batch_size_, all->size() - order.done));
    order.done += rows.size();
    if (order.done == all->size()) orders_.pop_front();
    Buffer& buffer = buffer_of(next_fill_++);
    buffer.state = State::filling;
    buffer.rows = static_cast<int64_t>(rows.size());
    ++filling_;

    lock.unlock();
    std::exception_ptr error;
    try {
      source_->read(rows, buffer.bytes.data());
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    buffer.error = error;
    buffer.state = State::full;
    failed_ = failed_ || error != nullptr;
    --filling_;
    filled_.notify_all();
  }
}

void Stream::add(std::vector<int32_t> order) {
  check_rows(order, *source_);
  if (order.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    orders_.push_back({std::make_shared<const std::vector<int32_t>>(std::move(order)), 0});
  }
  fillable_.notify_all();
}

std::optional<StreamedBatch> Stream::next(const std::atomic<bool>& stop) {
  std::unique_lock lock(mutex_);
  Buffer& buffer = buffer_of(next_take_);
  if (next_take_ == next_fill_ && orders_.empty()) throw UsageError("a stream was asked for a batch after its last");
  if (buffer.state == State::held) throw UsageError("a stream was asked for a batch while all its buffers are held");
  while (buffer.state != State::full) {
    if (stop) return std::nullopt;
    filled_.wait_for(lock, kStopInterval);
  }
  if (buffer.error) std::rethrow_exception(buffer.error);
  buffer.state = State::held;
  return StreamedBatch{
      next_take_++, buffer.rows,
      std::span<const std::byte>(buffer.bytes).first(static_cast<size_t>(buffer.rows) * source_->row_bytes())};
}

void Stream::release(const StreamedBatch& batch) {
  {
    const std::scoped_lock lock(mutex_);
    Buffer& buffer = buffer_of(batch.number);
    if (buffer.state != State::held || batch.bytes.data() != buffer.bytes.data())
      throw UsageError(fmt::format("batch {} of a stream was released, but is not held", batch.number));
    buffer.state = State::free;
  }
  fillable_.notify_all();
}

void Stream::clear() {
  std::unique_lock lock(mutex_);
  orders_.clear();
  filled_.wait(lock, [this] { return filling_ == 0; });
  for (Buffer& buffer : buffers_) {
    buffer.state = State::free;
    buffer.error = nullptr;
  }
  next_fill_ = next_take_ = 0;
  failed_ = false;
}

}  // namespace cairn::datasets
