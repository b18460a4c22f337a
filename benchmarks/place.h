// The arrays of the calls that are timed, on one device: placed in one block of memory, filled, compared. Not here:
// which calls (cases.h).
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace cairn::benchmarks {

// A stream of an implementation, open as long as this lives. Throws DeviceError.
class OpenStream {
 public:
  OpenStream(const Backend& backend, int threads, const std::string& kernels, Precision precision);
  ~OpenStream();
  OpenStream(const OpenStream&) = delete;
  OpenStream& operator=(const OpenStream&) = delete;

  const Backend& backend() const { return backend_; }
  Stream* get() const { return stream_; }
  void check(Status status, const char* what) const;  // throws DeviceError
  std::string description() const;

 private:
  const Backend& backend_;
  Stream* stream_ = nullptr;
};

using Generator = std::function<double(int64_t index)>;
// Deterministic values, exact in float: in [low, high), and whole numbers in [low, high].
Generator reals(uint32_t seed, double low = -1, double high = 1);
Generator integers(uint32_t seed, int64_t low, int64_t high);
// Bytes of which about four in five are 0, as in MNIST.
Generator pixels(uint32_t seed);
Generator constant(double value);

inline constexpr double kUnit = 0x1p-24;        // of float: half the distance from 1 to the next number
inline constexpr double kRounding = 4 * kUnit;  // of what one or two operations made
// Allowed for a float32 sum of that many terms of size 1 at most, in any order.
inline double sum_tolerance(int64_t terms) {
  return 4 * kUnit * static_cast<double>(terms > 1 ? terms : 1);
}

// Places array after array and hands out their addresses. A case places its arrays in the same order each time, so
// that a second set of arrays is the first one's bytes copied.
class Place {
 public:
  struct Output {
    const char* name;
    DType dtype;
    int64_t count;
    double tolerance;  // |actual - expected| <= tolerance * max(1, |expected|)
    const void* data;
  };

  // real: the type of arrays whose type the primitive leaves open. data: where to place, or null to find out only how
  // many bytes it takes. image: the host's copy of those bytes to fill in, or null.
  Place(DType real, std::byte* data, std::byte* image, double input_rounding)
      : real_(real), data_(data), image_(image), input_rounding_(input_rounding) {}

  DType real() const { return real_; }
  // What a matrix product's inputs may be rounded to, relative: 0, or TF32's 2^-11.
  double input_rounding() const { return input_rounding_; }

  const void* input(int64_t count, const Generator& values) { return array(real_, count, values); }
  template <class V>
  const V* typed_input(int64_t count, const Generator& values) {
    return static_cast<const V*>(array(dtype_of<V>(), count, values));
  }
  // Without initial values it starts as nan (integers as -1).
  void* output(const char* name, int64_t count, double tolerance, const Generator& initial = {}) {
    return output(name, real_, count, tolerance, initial);
  }
  template <class V>
  V* typed_output(const char* name, int64_t count, double tolerance, const Generator& initial = {}) {
    return static_cast<V*>(output(name, dtype_of<V>(), count, tolerance, initial));
  }
  // Host memory that lives as long as `keeper`, which outlives this Place.
  template <class T>
  const T* keep(std::vector<T> values) {
    const auto kept = std::make_shared<std::vector<T>>(std::move(values));
    keeper_->push_back(kept);
    return kept->data();
  }

  size_t bytes() const { return bytes_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  using Keeper = std::deque<std::shared_ptr<const void>>;
  void set_keeper(Keeper* keeper) { keeper_ = keeper; }

 private:
  template <class V>
  static constexpr DType dtype_of() {
    if constexpr (std::is_same_v<V, float>) return DType::f32;
    if constexpr (std::is_same_v<V, double>) return DType::f64;
    if constexpr (std::is_same_v<V, uint8_t>) return DType::u8;
    if constexpr (std::is_same_v<V, int32_t>) return DType::i32;
    if constexpr (std::is_same_v<V, int64_t>) return DType::i64;
  }
  void* array(DType dtype, int64_t count, const Generator& values);
  void* output(const char* name, DType dtype, int64_t count, double tolerance, const Generator& initial);

  DType real_;
  std::byte* data_;
  std::byte* image_;
  double input_rounding_;
  size_t bytes_ = 0;
  std::vector<Output> outputs_;
  Keeper* keeper_ = nullptr;
};

// Device memory, released with it.
class DeviceBlock {
 public:
  DeviceBlock(const OpenStream& stream, size_t bytes);
  ~DeviceBlock();
  DeviceBlock(const DeviceBlock&) = delete;
  DeviceBlock& operator=(const DeviceBlock&) = delete;
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  const OpenStream& stream_;
  void* data_ = nullptr;
};

// What an output holds, as doubles.
std::vector<double> read(const OpenStream& stream, const Place::Output& output);
// "" or what is wrong: the output, how many values are off, and the worst.
std::string difference(const Place::Output& output, const std::vector<double>& actual,
                       const std::vector<double>& expected);

}  // namespace cairn::benchmarks
