// Batches read ahead: in order, in bounded memory, past slow, failing and stopping sources.
#include "datasets/stream.h"

#include <array>
#include <chrono>
#include <cstring>
#include <set>

#include "datasets/order.h"
#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

const std::atomic<bool> kNeverStop{false};

// Rows of four bytes that are their own number. Reading a row may take a while, or fail.
class Numbers : public BatchSource {
 public:
  int64_t count() const override { return 1000; }
  size_t row_bytes() const override { return sizeof(int32_t); }
  void read(std::span<const int32_t> rows, std::byte* into) const override {
    const int here = ++at_once_;
    int most = most_at_once_;
    while (here > most && !most_at_once_.compare_exchange_weak(most, here)) continue;
    for (const int32_t row : rows) {
      if (row == slow_row) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (row == faulty_row) {
        --at_once_;
        throw DataError("row " + std::to_string(row) + " is damaged");
      }
    }
    std::memcpy(into, rows.data(), rows.size_bytes());
    ++batches_read;
    --at_once_;
  }

  int32_t slow_row = -1, faulty_row = -1;
  mutable std::atomic<int> batches_read{0};
  mutable std::atomic<int> at_once_{0}, most_at_once_{0};
};

std::vector<int32_t> numbers_in(const StreamedBatch& batch) {
  std::vector<int32_t> numbers(static_cast<size_t>(batch.rows));
  REQUIRE(batch.bytes.size() == numbers.size() * sizeof(int32_t));
  std::memcpy(numbers.data(), batch.bytes.data(), batch.bytes.size());
  return numbers;
}

std::vector<int32_t> take(Stream& stream, int batches) {
  std::vector<int32_t> all;
  for (int i = 0; i < batches; ++i) {
    const StreamedBatch batch = stream.next(kNeverStop).value();
    const std::vector<int32_t> numbers = numbers_in(batch);
    all.insert(all.end(), numbers.begin(), numbers.end());
    stream.release(batch);
  }
  return all;
}

}  // namespace

TEST_CASE("a stream gives every batch of every order, in order, whatever its threads and buffers") {
  for (const int threads : {1, 2, 5})
    for (const int buffers : {1, 2, 4}) {
      CAPTURE(threads);
      CAPTURE(buffers);
      const auto source = std::make_shared<Numbers>();
      source->slow_row = 3;  // the first batch comes last off its thread
      Stream stream(source, 7, buffers, threads);
      const std::vector<int32_t> first = epoch_order(1000, 1, 0, true), second = epoch_order(100, 1, 1, true);
      stream.add(first);
      stream.add(second);
      CHECK(take(stream, 143) == first);  // 142 of 7 and one of 6
      CHECK(take(stream, 15) == second);
      check_error<UsageError>([&] { stream.next(kNeverStop); }, {"after its last"});
      CHECK(source->most_at_once_ <= std::min(threads, buffers));
    }
}

TEST_CASE("a stream reads no further ahead than it has buffers, and they stay where they are") {
  const auto source = std::make_shared<Numbers>();
  Stream stream(source, 10, 3, 2);
  stream.add(epoch_order(1000, 1, 0, false));
  std::set<const std::byte*> places;
  const StreamedBatch held = stream.next(kNeverStop).value();
  for (int i = 0; i < 2; ++i) stream.next(kNeverStop);
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(source->batches_read == 3);
  check_error<UsageError>([&] { stream.next(kNeverStop); }, {"while all its buffers are held"});
  CHECK(numbers_in(held) == std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  stream.release(held);
  check_error<UsageError>([&] { stream.release(held); }, {"batch 0 of a stream was released, but is not held"});
  CHECK(numbers_in(stream.next(kNeverStop).value())[0] == 30);

  stream.clear();
  stream.add(epoch_order(1000, 1, 0, true));
  for (int i = 0; i < 100; ++i) {
    const StreamedBatch batch = stream.next(kNeverStop).value();
    places.insert(batch.bytes.data());
    stream.release(batch);
  }
  CHECK(places.size() == 3);
}

TEST_CASE("what a source throws comes with its batch, and stays until the stream is cleared") {
  const auto source = std::make_shared<Numbers>();
  source->faulty_row = 25;
  Stream stream(source, 10, 4, 3);
  stream.add(epoch_order(1000, 1, 0, false));
  CHECK(take(stream, 2).back() == 19);
  for (int i = 0; i < 2; ++i) check_error<DataError>([&] { stream.next(kNeverStop); }, {"row 25 is damaged"});
  stream.clear();
  stream.add({1, 2, 3});
  CHECK(take(stream, 1) == std::vector<int32_t>{1, 2, 3});
}

TEST_CASE("a stream is left at any moment, and stops waiting when asked to") {
  for (int taken = 0; taken < 6; ++taken) {
    Stream stream(std::make_shared<Numbers>(), 3, 2, 3);
    stream.add(epoch_order(1000, 1, 0, true));
    take(stream, taken);
  }
  const auto source = std::make_shared<Numbers>();
  source->slow_row = 0;
  Stream stream(source, 3, 2, 1);
  stream.add({0, 1, 2, 3});
  const std::atomic<bool> stop{true};
  CHECK_FALSE(stream.next(stop).has_value());
  CHECK(take(stream, 2) == std::vector<int32_t>{0, 1, 2, 3});  // nothing was lost
  check_error<UsageError>([&] { stream.add({0, 1000}); }, {"example 1000 was asked for, of 1000"});
  for (const std::array<int, 3>& sizes : {std::array{0, 1, 1}, {1, 0, 1}, {1, 1, 0}})
    check_error<UsageError>([&] { Stream(source, sizes[0], sizes[1], sizes[2]); }, {"each must be 1 or more"});
}

TEST_CASE("parts of records are read out of several files, and some rows of them") {
  const TemporaryFolder folder;
  // Records of a byte's number, twice its number, three times its number.
  Bytes one, two;
  for (uint8_t i = 0; i < 5; ++i)
    for (uint8_t factor = 1; factor <= 3; ++factor) (i < 2 ? one : two).push_back(static_cast<uint8_t>(factor * i));
  write_file(folder.path() / "one", one);
  write_file(folder.path() / "two", two);
  const std::vector<RecordFile> files = {{folder.path() / "one", 2}, {folder.path() / "two", 3}};
  const std::shared_ptr<BatchSource> source = record_source(files, {.record_bytes = 3, .offset = 1, .bytes = 2});
  CHECK(source->count() == 5);
  std::array<uint8_t, 6> read{};
  source->read(std::array<int32_t, 3>{4, 1, 2}, reinterpret_cast<std::byte*>(read.data()));
  CHECK(read == std::array<uint8_t, 6>{8, 12, 2, 3, 4, 6});
  const std::shared_ptr<BatchSource> chosen = chosen_rows(source, {3, 0});
  CHECK(chosen->count() == 2);
  chosen->read(std::array<int32_t, 1>{0}, reinterpret_cast<std::byte*>(read.data()));
  CHECK(read[0] == 6);
  check_error<UsageError>([&] { chosen_rows(source, {5}); }, {"example 5 was asked for, of 5"});
  // A fingerprint is of all bytes, and of which rows were chosen.
  CHECK(source->fingerprint() == sha256(Bytes{0, 0, 2, 3, 4, 6, 6, 9, 8, 12}));
  CHECK(chosen->fingerprint() != source->fingerprint());
  CHECK(chosen->fingerprint() != chosen_rows(source, {0, 3})->fingerprint());
  CHECK(chosen->fingerprint() == chosen_rows(source, {3, 0})->fingerprint());
  check_error<DataError>(
      [&] {
        record_source({{folder.path() / "one", 3}}, {3, 0, 1});
      },
      {"one: has 6 bytes, not the 9 of 3 records"});
  // Records amid other things.
  const RecordFile amid{.path = folder.path() / "two", .count = 2, .begin = 3, .alone = false};
  record_source({amid}, {3, 0, 3})->read(std::array<int32_t, 1>{1}, reinterpret_cast<std::byte*>(read.data()));
  CHECK(read[0] == 4);
  check_error<DataError>(
      [&] {
        record_source({{.path = amid.path, .count = 3, .begin = 3, .alone = false}}, {3, 0, 3});
      },
      {"two: has 9 bytes, not the 12 of 3 records"});
  check_error<DataError>([&] { record_source({{folder.path() / "none", 3}}, {3, 0, 1}); }, {"none: cannot be opened"});
  std::filesystem::resize_file(folder.path() / "two", 4);
  check_error<DataError>([&] { source->read(std::array<int32_t, 1>{4}, reinterpret_cast<std::byte*>(read.data())); },
                         {"two"});
}

}  // namespace cairn::datasets
