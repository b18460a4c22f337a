#include "benchmarks/place.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "framework/device.h"
#include "framework/error.h"

namespace cairn::benchmarks {
namespace {

// splitmix64 (Steele, Lea & Flood 2014): enough to make values that have no pattern.
uint64_t scrambled(uint32_t seed, int64_t index) {
  uint64_t x = (static_cast<uint64_t>(seed) << 40) + static_cast<uint64_t>(index) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

constexpr size_t kAlignment = 256;

template <class V>
void fill(std::byte* to, int64_t count, const Generator& values) {
  V* elements = reinterpret_cast<V*>(to);
  for (int64_t i = 0; i < count; ++i) elements[i] = static_cast<V>(values(i));
}

template <class V>
std::vector<double> widened(const std::vector<std::byte>& bytes) {
  const V* elements = reinterpret_cast<const V*>(bytes.data());
  return std::vector<double>(elements, elements + bytes.size() / sizeof(V));
}

}  // namespace

OpenStream::OpenStream(const Backend& backend, int threads, const std::string& kernels, Precision precision)
    : backend_(backend) {
  const StreamOptions options{0, threads, precision, kernels.c_str()};
  if (backend.open_stream(&options, &stream_) != 0)
    throw DeviceError(std::string(backend.name) + ": " + backend.last_error());
}

OpenStream::~OpenStream() {
  backend_.close_stream(stream_);
}

void OpenStream::check(Status status, const char* what) const {
  if (status != 0)
    throw DeviceError(
        fmt::format("{} failed ({} on {}): {}", what, backend_.name, name_of(backend_.where), backend_.last_error()));
}

std::string OpenStream::description() const {
  char text[256] = "";
  check(backend_.describe(stream_, text, sizeof text), "describe");
  return text;
}

Generator reals(uint32_t seed, double low, double high) {
  return [=](int64_t i) {
    const double unit = static_cast<double>(scrambled(seed, i) >> 40) * 0x1p-24;
    return static_cast<double>(static_cast<float>(low + (high - low) * unit));
  };
}

Generator integers(uint32_t seed, int64_t low, int64_t high) {
  return [=](int64_t i) {
    return static_cast<double>(low + static_cast<int64_t>(scrambled(seed, i) % static_cast<uint64_t>(high - low + 1)));
  };
}

Generator pixels(uint32_t seed) {
  return [=](int64_t i) {
    const uint64_t draw = scrambled(seed, i);
    return (draw >> 32) % 5 == 0 ? static_cast<double>(1 + draw % 255) : 0.0;
  };
}

Generator constant(double value) {
  return [=](int64_t) { return value; };
}

void* Place::array(DType dtype, int64_t count, const Generator& values) {
  const size_t offset = bytes_;
  const size_t bytes = static_cast<size_t>(count) * size_of(dtype);
  bytes_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (image_) {
    std::byte* to = image_ + offset;
    if (!values)
      std::memset(to, 0xff, bytes);
    else if (dtype == DType::f32)
      fill<float>(to, count, values);
    else if (dtype == DType::f64)
      fill<double>(to, count, values);
    else if (dtype == DType::u8)
      fill<uint8_t>(to, count, values);
    else if (dtype == DType::i32)
      fill<int32_t>(to, count, values);
    else
      fill<int64_t>(to, count, values);
  }
  return data_ ? data_ + offset : nullptr;
}

void* Place::output(const char* name, DType dtype, int64_t count, double tolerance, const Generator& initial) {
  void* data = array(dtype, count, initial);
  outputs_.push_back({name, dtype, count, tolerance, data});
  return data;
}

DeviceBlock::DeviceBlock(const OpenStream& stream, size_t bytes) : stream_(stream) {
  stream.check(stream.backend().allocate(stream.get(), bytes, &data_), "allocation");
}

DeviceBlock::~DeviceBlock() {
  stream_.backend().release(stream_.get(), data_);
}

std::vector<double> read(const OpenStream& stream, const Place::Output& output) {
  std::vector<std::byte> bytes(static_cast<size_t>(output.count) * size_of(output.dtype));
  stream.check(stream.backend().copy(stream.get(), bytes.data(), output.data, bytes.size(), CopyKind::to_host),
               "copy to host");
  switch (output.dtype) {
    case DType::f32:
      return widened<float>(bytes);
    case DType::f64:
      return widened<double>(bytes);
    case DType::u8:
      return widened<uint8_t>(bytes);
    case DType::i32:
      return widened<int32_t>(bytes);
    case DType::i64:
      return widened<int64_t>(bytes);
  }
  return {};
}

std::string difference(const Place::Output& output, const std::vector<double>& actual,
                       const std::vector<double>& expected) {
  if (std::isinf(output.tolerance)) return "";  // what an implementation keeps for itself
  int64_t wrong = 0, worst = 0;
  double worst_excess = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double allowed = output.tolerance * std::fmax(1, std::fabs(expected[i]));
    const double off = std::fabs(actual[i] - expected[i]);
    if (off <= allowed) continue;  // a nan is not
    ++wrong;
    const double excess = std::isnan(off) ? HUGE_VAL : off - allowed;
    if (excess > worst_excess) worst_excess = excess, worst = static_cast<int64_t>(i);
  }
  if (wrong == 0) return "";
  return fmt::format("{}: {} of {} values are off; [{}] is {:.9g}, expected {:.9g} within {:.2g}", output.name, wrong,
                     expected.size(), worst, actual[static_cast<size_t>(worst)], expected[static_cast<size_t>(worst)],
                     output.tolerance * std::fmax(1, std::fabs(expected[static_cast<size_t>(worst)])));
}

}  // namespace cairn::benchmarks
