// Sets that do not fit: a source gives rows of a column out of files, and a stream has a few threads read batches of
// them ahead of the device, into buffers that stay where they are. Not here: copying to the device, the order itself
// (order.h).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace cairn::datasets {

// The rows of one column, wherever they lie.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  virtual int64_t count() const = 0;
  virtual size_t row_bytes() const = 0;
  // Writes these rows, one after the other; `into` has room for them. Several threads call it at once. What it throws
  // reaches whoever takes the batch.
  virtual void read(std::span<const int32_t> rows, std::byte* into) const = 0;
  // SHA-256, in hexadecimal digits, of what tells these rows from others: of all their bytes, or of less where reading
  // them takes too long.
  virtual std::string fingerprint() const;
};

// Rows of files that are records of one size, such as CIFAR's: of each record the same part.
struct RecordFile {
  std::filesystem::path path;
  int64_t count = 0;
  uint64_t begin = 0;  // where the first one is
  bool alone = true;   // nothing follows the last one
};
struct RecordPart {
  size_t record_bytes = 0, offset = 0, bytes = 0;
};
// The files stay open. DataError: one of them cannot be opened, has no room for count records, or, alone, for others.
std::shared_ptr<BatchSource> record_source(const std::vector<RecordFile>& files, const RecordPart& part);

// Some of another source's rows. UsageError: it has no such row.
std::shared_ptr<BatchSource> chosen_rows(std::shared_ptr<BatchSource> source, std::vector<int32_t> rows);

// A batch in one of the stream's buffers, until it is released.
struct StreamedBatch {
  int64_t number = 0;  // since the stream began, or was cleared
  int64_t rows = 0;
  std::span<const std::byte> bytes;
};

// The same batches in the same order for any number of threads and buffers. next, release, add and clear are called by
// one thread.
class Stream {
 public:
  // Memory: `buffers` batches, allocated here. Each is filled by one thread: with more threads than buffers some have
  // nothing to do. UsageError: a number that is not positive.
  Stream(std::shared_ptr<const BatchSource> source, int64_t batch_size, int buffers, int threads);
  // Waits for the batches that are being read.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Goes on with this order after those before, in batches that do not reach from one order into another; the last of
  // an order may be smaller. Adding the next epoch before this one is done lets the threads read on over its end.
  // UsageError: the source has no such row.
  void add(std::vector<int32_t> order);
  // Waits for the next batch. Nothing where `stop` becomes true first. Rethrows what reading that batch threw, then and
  // at every later call; the batches before it were whole. UsageError: no batch is to come, or every buffer is held.
  std::optional<StreamedBatch> next(const std::atomic<bool>& stop);
  // The batch's buffer may be filled again.
  void release(const StreamedBatch& batch);
  // Forgets every order, batch and error.
  void clear();

 private:
  enum class State { free, filling, full, held };
  struct Buffer {
    State state = State::free;
    std::vector<std::byte> bytes;
    int64_t rows = 0;
    std::exception_ptr error;
  };
  struct Order {
    std::shared_ptr<const std::vector<int32_t>> rows;
    size_t done = 0;  // rows that have been given to a thread
  };

  void read_ahead();
  void end_threads();
  bool can_fill() const;
  Buffer& buffer_of(int64_t number) { return buffers_[static_cast<size_t>(number) % buffers_.size()]; }

  const std::shared_ptr<const BatchSource> source_;
  const size_t batch_size_;
  std::mutex mutex_;  // of everything below
  std::condition_variable fillable_, filled_;
  std::vector<Buffer> buffers_;  // batch n lies in buffer n % size
  std::deque<Order> orders_;
  int64_t next_fill_ = 0, next_take_ = 0;
  int filling_ = 0;
  bool failed_ = false, ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cairn::datasets
