// One call with its guarded arrays, and one case on an implementation and on the oracle.
#include "tests/kernels/harness.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "kernels/reference/backend.h"
#include "kernels/runtime/cpu/address_sanitizer.h"

#if CAIRN_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace cairn::test {
namespace {

constexpr size_t kGuardBytes = 256;

void require(const Backend& backend, Status status, const char* what) {
  if (status != 0) throw std::runtime_error(place_of(backend) + ": " + what + ": " + backend.last_error());
}

struct Closer {
  const Backend* backend;
  void operator()(Stream* stream) const { backend->close_stream(stream); }
};
using StreamKey = std::tuple<const Backend*, std::string, Precision, int>;
std::map<StreamKey, std::unique_ptr<Stream, Closer>>& open_streams() {
  static std::map<StreamKey, std::unique_ptr<Stream, Closer>> streams;
  return streams;
}

// Streams stay open for the whole run: opening one starts threads or claims a device.
Stream* open_stream(const Backend& backend, const std::string& kernels, Precision precision, int threads) {
  auto& entry = open_streams()[{&backend, kernels, precision, threads}];
  if (!entry) {
    const StreamOptions options{.ordinal = 0, .threads = threads, .precision = precision, .kernels = kernels.c_str()};
    Stream* stream = nullptr;
    require(backend, backend.open_stream(&options, &stream), "open_stream");
    entry = std::unique_ptr<Stream, Closer>(stream, Closer{&backend});
  }
  return entry.get();
}

size_t element_size(DType dtype) {
  switch (dtype) {
    case DType::u8:
      return 1;
    case DType::f32:
    case DType::i32:
      return 4;
    default:
      return 8;
  }
}

// Calls body with a null pointer to the C++ type of dtype.
template <class Body>
void with_element_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(static_cast<float*>(nullptr));
    case DType::f64:
      return body(static_cast<double*>(nullptr));
    case DType::u8:
      return body(static_cast<uint8_t*>(nullptr));
    case DType::i32:
      return body(static_cast<int32_t*>(nullptr));
    case DType::i64:
      return body(static_cast<int64_t*>(nullptr));
  }
}

// The elements of an image from its first element on, row by row; arrays may be unaligned, hence memcpy.
void write_elements(DType dtype, const Layout& layout, unsigned char* data, const Values& values) {
  with_element_type(dtype, [&]<class V>(V*) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / layout.columns, column = static_cast<int64_t>(i) % layout.columns;
      const V value = static_cast<V>(values[i]);
      std::memcpy(data + static_cast<size_t>(row * layout.leading + column) * sizeof(V), &value, sizeof(V));
    }
  });
}
Values read_elements(DType dtype, const Layout& layout, const unsigned char* data) {
  Values values(static_cast<size_t>(layout.count()));
  with_element_type(dtype, [&]<class V>(V*) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<int64_t>(i) / layout.columns, column = static_cast<int64_t>(i) % layout.columns;
      V value;
      std::memcpy(&value, data + static_cast<size_t>(row * layout.leading + column) * sizeof(V), sizeof(V));
      values[i] = static_cast<double>(value);
    }
  });
  return values;
}

// All-ones bytes are a nan, so that a value read from where nothing was written shows in the result.
unsigned char poison_of(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64 ? 0xFF : 0xA5;
}

// With AddressSanitizer a touch of a guard zone is reported where it happens, reads included.
void set_guards(const Backend& backend, const Call::Array& array, bool forbidden) {
#if CAIRN_ADDRESS_SANITIZER
  if (backend.where != Where::cpu) return;
  auto* begin = static_cast<unsigned char*>(array.allocation);
  const size_t end = array.data_offset + static_cast<size_t>(array.layout.span()) * element_size(array.dtype);
  if (forbidden) {
    ASAN_POISON_MEMORY_REGION(begin, array.data_offset);
    ASAN_POISON_MEMORY_REGION(begin + end, array.image.size() - end);
  } else {
    ASAN_UNPOISON_MEMORY_REGION(begin, array.image.size());
  }
#else
  (void)backend, (void)array, (void)forbidden;
#endif
}

std::string element_text(const Call::Array& array, int64_t i) {
  std::ostringstream text;
  text << array.name << '[';
  if (array.layout.rows != 1) text << i / array.layout.columns << ", ";
  text << i % array.layout.columns << ']';
  return text.str();
}

void compare(const Call::Array& array, const Values& expected, std::vector<std::string>& faults) {
  const Values actual = array.values();
  if (array.tolerance.absolute == kInfinity) return;
  if (actual.size() != expected.size()) throw std::logic_error("the test expects another number of values");
  size_t wrong = 0, first = 0;
  double first_bound = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const Tolerance& tolerance = array.tolerance;
    double bound = tolerance.absolute + tolerance.relative * std::fabs(expected[i]);
    if (!tolerance.each.empty()) bound += tolerance.each.at(i);
    const bool both_nan = std::isnan(actual[i]) && std::isnan(expected[i]);
    if (both_nan || actual[i] == expected[i] || std::fabs(actual[i] - expected[i]) <= bound) continue;
    if (wrong++ == 0) first = i, first_bound = bound;
  }
  if (wrong == 0) return;
  std::ostringstream text;
  text.precision(17);
  text << element_text(array, static_cast<int64_t>(first)) << " is " << actual[first] << ", expected "
       << expected[first];
  text.precision(3);
  text << " within " << first_bound << " (" << wrong << " of " << actual.size() << " elements are wrong)";
  faults.push_back(text.str());
}

// The first byte that changed without being the call's to write.
std::string trespass(const Call::Array& array, const std::vector<unsigned char>& after) {
  const std::vector<unsigned char>& before = array.image;
  const size_t size = element_size(array.dtype);
  const size_t begin = array.data_offset, end = begin + static_cast<size_t>(array.layout.span()) * size;
  const auto changed = [&](size_t from, size_t to) {
    if (std::memcmp(&before[from], &after[from], to - from) == 0) return to;
    while (before[from] == after[from]) ++from;
    return from;
  };
  size_t at = changed(0, begin);
  if (at < begin) return "wrote " + std::to_string(begin - at) + " bytes before " + array.name;
  at = changed(end, before.size());
  if (at < before.size()) return "wrote " + std::to_string(at - end + 1) + " bytes past the end of " + array.name;
  if (!array.is_output) {
    at = changed(begin, end);
    if (at == end) return "";
    return "changed element " + std::to_string((at - begin) / size) + " of its input " + array.name;
  }
  for (int64_t row = 0; row + 1 < array.layout.rows; ++row) {
    const size_t gap_begin = begin + static_cast<size_t>(row * array.layout.leading + array.layout.columns) * size;
    const size_t gap_end = begin + static_cast<size_t>((row + 1) * array.layout.leading) * size;
    if (gap_end <= end && changed(gap_begin, gap_end) < gap_end)
      return "wrote between the rows of " + array.name + ", after row " + std::to_string(row);
  }
  return "";
}

}  // namespace

// ---- one call ------------------------------------------------------------------------------------------------

Call::Call(const Backend& backend, Stream* stream, DType real, int64_t offset, double input_rounding)
    : backend_(backend), stream_(stream), real_(real), offset_(offset), input_rounding_(input_rounding) {}

Call::~Call() {
  for (Array& array : arrays_) {
    set_guards(backend_, array, false);
    backend_.release(stream_, array.allocation);
  }
  for (void* each : prepared_) backend_.release(stream_, each);
}

const void* Call::input(const char* name, Layout layout, const Values& values) {
  return place(name, false, real_, layout, values, {});
}

void* Call::output(const char* name, Layout layout, const Tolerance& tolerance, const Values& initial) {
  return place(name, true, real_, layout, initial, tolerance);
}

const OptimizerTensor* Call::keep(std::vector<OptimizerTensor> tensors) {
  kept_.push_back(std::move(tensors));
  return kept_.back().data();
}

void* Call::place(const char* name, bool is_output, DType dtype, Layout layout, const Values& values,
                  const Tolerance& tolerance) {
  if (!values.empty() && static_cast<int64_t>(values.size()) != layout.count())
    throw std::logic_error(std::string("the test gives ") + name + " another number of values than its layout has");
  const size_t size = element_size(dtype);
  const size_t data_offset = kGuardBytes + static_cast<size_t>(offset_) * size;
  const size_t bytes = data_offset + static_cast<size_t>(layout.span()) * size + kGuardBytes;
  std::vector<unsigned char> image(bytes, poison_of(dtype));
  write_elements(dtype, layout, &image[data_offset], values);
  void* allocation = nullptr;
  require(backend_, backend_.allocate(stream_, bytes, &allocation), "allocate");
  arrays_.push_back({name, is_output, dtype, layout, tolerance, data_offset, std::move(image), allocation});
  require(backend_, backend_.copy(stream_, allocation, arrays_.back().image.data(), bytes, CopyKind::to_device),
          "copy");
  set_guards(backend_, arrays_.back(), true);
  return static_cast<unsigned char*>(allocation) + data_offset;
}

int64_t Call::gru_reserve(const GruShape& shape) {
  int64_t count = gru_reserve_count(shape);
  if (backend_.gru_reserve && backend_.gru_reserve(stream_, &shape, &count) != 0)
    throw std::runtime_error(backend_.last_error());
  return count;
}

const void* Call::prepared(const Conv2dShape& shape, const void* weight) {
  constexpr int64_t kGuard = 64;
  int64_t count = 0;
  const auto prepare = [&](void* to) {
    if (backend_.prepare_conv2d(stream_, &shape, weight, to, &count) != 0)
      throw std::runtime_error(backend_.last_error());
  };
  if (!backend_.prepare_conv2d || real_ != DType::f32) return nullptr;
  prepare(nullptr);
  if (count == 0) return nullptr;
  void* to = nullptr;
  const size_t bytes = static_cast<size_t>(count + kGuard) * sizeof(float);
  require(backend_, backend_.allocate(stream_, bytes, &to), "allocate");
  prepared_.push_back(to);
  require(backend_, backend_.fill_bytes(stream_, to, 0x5a, bytes), "fill");
  prepare(to);
  std::vector<unsigned char> image(bytes);
  require(backend_, backend_.copy(stream_, image.data(), to, bytes, CopyKind::to_host), "copy");
  if (!std::all_of(image.end() - kGuard * 4, image.end(), [](unsigned char byte) { return byte == 0x5a; }))
    throw std::runtime_error("more was written to the prepared weights than was asked for");
  return to;
}

void Call::finish(std::vector<std::string>& faults) {
  require(backend_, backend_.synchronize(stream_), "synchronize");
  for (Array& array : arrays_) {
    set_guards(backend_, array, false);
    std::vector<unsigned char> after(array.image.size());
    require(backend_, backend_.copy(stream_, after.data(), array.allocation, after.size(), CopyKind::to_host), "copy");
    const std::string fault = trespass(array, after);
    if (!fault.empty()) faults.push_back(fault);
    array.image = std::move(after);
  }
}

Values Call::Array::values() const {
  return read_elements(dtype, layout, &image[data_offset]);
}

std::vector<const Call::Array*> Call::outputs() const {
  std::vector<const Array*> result;
  for (const Array& array : arrays_)
    if (array.is_output) result.push_back(&array);
  return result;
}

void close_streams() {
  open_streams().clear();
}

// ---- one case ------------------------------------------------------------------------------------------------

std::vector<Values> expected_of(const Case& c) {
  if (!c.expected.empty()) return c.expected;
  const Backend& oracle = reference::backend();
  Call call(oracle, open_stream(oracle, "", Precision::fp32, 1), c.oracle_real, c.offset);
  require(oracle, c.run(call), (std::string(c.primitive) + " " + c.shape).c_str());
  std::vector<std::string> faults;
  call.finish(faults);
  std::vector<Values> expected;
  for (const Call::Array* array : call.outputs()) expected.push_back(array->values());
  return expected;
}

std::vector<std::string> faults_of(const Subject& subject, const Case& c, const std::vector<Values>& expected) {
  const std::string what = subject.name() + ": " + c.primitive + " " + c.shape + (c.real == DType::f64 ? " f64" : "") +
                           (c.offset ? " unaligned" : "") + ": ";
  struct Pass {
    int threads;
    const char* name;
  };
  constexpr Pass kCpuPasses[] = {{1, "on 1 thread: "}, {2, "on 2 threads: "}, {2, "on 2 threads, again: "}};
  constexpr Pass kGpuPasses[] = {{0, ""}, {0, "again: "}};
  const bool on_cpu = subject.backend->where == Where::cpu;
  std::vector<std::vector<unsigned char>> first_images;
  for (int pass = 0; pass < (on_cpu ? 3 : 2); ++pass) {
    const auto [threads, pass_name] = on_cpu ? kCpuPasses[pass] : kGpuPasses[pass];
    Stream* stream = open_stream(*subject.backend, subject.kernels, subject.precision, threads);
    Call call(*subject.backend, stream, c.real, c.offset, subject.input_rounding);
    std::vector<std::string> faults;
    if (c.run(call) != 0) faults.push_back(std::string("failed: ") + subject.backend->last_error());
    call.finish(faults);
    const auto outputs = call.outputs();
    if (outputs.size() != expected.size()) throw std::logic_error(what + "the test expects other outputs");
    for (size_t i = 0; faults.empty() && i < outputs.size(); ++i) {
      if (pass == 0) {
        compare(*outputs[i], expected[i], faults);
        first_images.push_back(outputs[i]->image);
      } else if (!subject.same_bits) {
        compare(*outputs[i], expected[i], faults);
      } else if (pass == 1 && !subject.on_any_threads) {
        compare(*outputs[i], expected[i], faults);
        first_images[i] = outputs[i]->image;
      } else if (outputs[i]->image != first_images[i]) {
        faults.push_back(outputs[i]->name + " has not the same bytes as in the first run");
      }
    }
    for (std::string& fault : faults) fault = what + pass_name + fault;
    if (!faults.empty()) return faults;
  }
  return {};
}

std::string refusal(const Subject& subject, const std::string& kernels, const std::function<Status(Call&)>& run) {
  const Backend& backend = *subject.backend;
  const StreamOptions options{.ordinal = 0, .threads = 1, .precision = subject.precision, .kernels = kernels.c_str()};
  Stream* stream = nullptr;
  bool refused = backend.open_stream(&options, &stream) != 0;
  if (!refused) {
    {
      Call call(backend, stream, DType::f32, 0);
      refused = run(call) != 0;
    }
    backend.close_stream(stream);
  }
  if (!refused) return "";
  const std::string text = backend.last_error();
  if (text.empty() || text.find('\n') != std::string::npos)
    throw std::runtime_error(subject.name() + " fails with '" + text + "', which is not one line");
  return text;
}

void check(const Case& c) {
  std::vector<Values> expected;
  for (const Subject& subject : subjects(c.primitive)) {
    if (c.real == DType::f64 && !subject.backend->supports_f64) continue;
    if (expected.empty()) expected = expected_of(c);
    const std::vector<std::string> faults = faults_of(subject, c, expected);
    std::string text;
    for (const std::string& fault : faults) text.append(text.empty() ? "" : "\n").append(fault);
    CHECK_MESSAGE(faults.empty(), text);
  }
}

}  // namespace cairn::test
