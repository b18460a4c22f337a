#include "trainers/tensorboard.h"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <vector>

#include "framework/file.h"

namespace cairn {
namespace {

constexpr std::string_view kFileName = "events.out.tfevents.";

std::array<uint32_t, 256> crc_table() {
  constexpr uint32_t kPolynomial = 0x82F63B78;  // with its bits reversed
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

template <class Unsigned>
void put_little_endian(std::string& out, Unsigned value) {
  for (size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> 8 * i & 0xFF);
}

void put_masked_crc(std::string& out, std::string_view bytes) {
  put_little_endian(out, std::rotr(crc32c(bytes), 15) + 0xA282EAD8u);
}

// A message of protobuf's, as far as events need it.
class Message {
 public:
  Message& whole_number(int field, int64_t value) {
    key(field, 0);
    varint(static_cast<uint64_t>(value));
    return *this;
  }
  Message& real(int field, double value) {
    key(field, 1);
    put_little_endian(bytes_, std::bit_cast<uint64_t>(value));
    return *this;
  }
  Message& real(int field, float value) {
    key(field, 5);
    put_little_endian(bytes_, std::bit_cast<uint32_t>(value));
    return *this;
  }
  Message& text(int field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }
  Message& reals(int field, std::span<const double> values) {  // "packed"
    std::string packed;
    for (const double value : values) put_little_endian(packed, std::bit_cast<uint64_t>(value));
    return text(field, packed);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire_type) { varint(static_cast<uint64_t>(field << 3 | wire_type)); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7F) | 0x80);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

// Fields of Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7.
Message event_at(double wall_time, int64_t step) {
  return Message().real(1, wall_time).whole_number(2, step);
}

std::string header(double wall_time, int64_t first_step) {
  constexpr int64_t kStart = 1;
  return record_of(Message().real(1, wall_time).text(3, "brain.Event:2").bytes()) +
         record_of(event_at(wall_time, first_step).message(7, Message().whole_number(1, kStart)).bytes());
}

// Summary.value is field 1; of a Value: tag 1, simple_value 2, histo 5.
void add_scalar(Message& summary, std::string_view tag, double value) {
  summary.message(1, Message().text(1, tag).real(2, static_cast<float>(value)));
}

// HistogramProto: min 1, max 2, num 3, sum 4, sum_squares 5, bucket_limit 6, bucket 7. Buckets of equal width; a limit
// is its bucket's right end.
void add_histogram(Message& summary, const std::string& tag, const std::vector<float>& values) {
  constexpr size_t kBuckets = 30;
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value;
    squares += value * value;
  }
  if (values.empty() || !std::isfinite(squares)) return;
  const auto [least, most] = std::ranges::minmax(values);
  const double low = least, width = (static_cast<double>(most) - low) / kBuckets;
  std::vector<double> limits, counts(width > 0 ? kBuckets : 1);
  for (size_t i = 1; i < counts.size(); ++i) limits.push_back(low + static_cast<double>(i) * width);
  limits.push_back(most);
  for (const double value : values)
    ++counts[width > 0 ? std::min(static_cast<size_t>((value - low) / width), kBuckets - 1) : 0];
  summary.message(1, Message().text(1, tag).message(5, Message()
                                                           .real(1, low)
                                                           .real(2, static_cast<double>(most))
                                                           .real(3, static_cast<double>(values.size()))
                                                           .real(4, sum)
                                                           .real(5, squares)
                                                           .reals(6, limits)
                                                           .reals(7, counts)));
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const std::array<uint32_t, 256> table = crc_table();
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = crc >> 8 ^ table[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  return ~crc;
}

std::string record_of(std::string_view payload) {
  std::string record;
  put_little_endian(record, static_cast<uint64_t>(payload.size()));
  put_masked_crc(record, record);
  record += payload;
  put_masked_crc(record, payload);
  return record;
}

TensorBoardLog::TensorBoardLog(const std::filesystem::path& folder) {
  int64_t time = static_cast<int64_t>(seconds_now());
  std::error_code ignored;  // what cannot be listed cannot be written to either
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(kFileName, 0) == 0) time = std::max<int64_t>(time, std::atoll(name.c_str() + kFileName.size()) + 1);
  }
  path_ = folder / (std::string(kFileName) + std::to_string(time) + ".cairn");
}

bool TensorBoardLog::is_event_file(const std::filesystem::path& path) {
  return path.filename().string().rfind(kFileName, 0) == 0 && path.extension() == ".cairn";
}

void TensorBoardLog::append(const EpochResult& epoch, std::span<const float> losses,
                            const std::optional<Evaluation>& evaluation, const Module& model) {
  const int64_t before = epoch.steps - static_cast<int64_t>(losses.size());
  const double now = seconds_now();
  std::string records = started_ ? "" : header(now - epoch.train_seconds, before + 1);
  // Steps are not timed one by one: they share the epoch's time evenly.
  const double step_seconds = epoch.train_seconds / std::max(1.0, static_cast<double>(losses.size()));
  for (size_t i = 0; i < losses.size(); ++i) {
    Message summary;
    add_scalar(summary, "train/loss", losses[i]);
    const double left = static_cast<double>(losses.size() - 1 - i);
    records += record_of(
        event_at(now - left * step_seconds, before + static_cast<int64_t>(i) + 1).message(5, summary).bytes());
  }
  Message summary;
  if (!epoch.interrupted) {
    add_scalar(summary, "train/epoch_loss", epoch.train_loss);
    if (epoch.train_accuracy) add_scalar(summary, "train/accuracy", *epoch.train_accuracy);
    add_scalar(summary, "train/learning_rate", epoch.learning_rate);
    add_scalar(summary, "train/images_per_second", epoch.images_per_second);
  }
  if (evaluation) {
    add_scalar(summary, "test/loss", evaluation->loss);
    add_scalar(summary, "test/accuracy", evaluation->accuracy);
    if (evaluation->top5) add_scalar(summary, "test/top5_accuracy", *evaluation->top5);
    for (const NamedTensor& parameter : model.parameters())
      add_histogram(summary, "weights/" + parameter.name, parameter.tensor.to_host<float>());
  }
  if (!summary.bytes().empty()) records += record_of(event_at(now, epoch.steps).message(5, summary).bytes());
  append_to_file(path_, std::as_bytes(std::span(records)));
  started_ = true;
}

}  // namespace cairn
