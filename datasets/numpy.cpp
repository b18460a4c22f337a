// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html for .npy. In a pickle an array is a call of
// numpy's _reconstruct, whose state is (version, shape, type, order, bytes or list), or from protocol 5 on a call of
// _frombuffer(bytes, type, shape, order).
#include "datasets/numpy.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <utility>

#include "framework/error.h"
#include "framework/file.h"

namespace cairn::datasets {
namespace {

constexpr size_t kMostDimensions = 32;  // numpy's own limit for long

// "<f4", "|u1", "O": what elements are.
void set_type(NumpyArray& array, std::string_view type, const std::string& where) {
  const auto refuse = [&] {
    return DataError(
        fmt::format("{}: has elements of the type {}, which is not read", where, in_quotes(std::string(type))));
  };
  std::string_view rest = type;
  if (!rest.empty() && std::string_view("<>|=").find(rest[0]) != std::string_view::npos) {
    array.big_endian = rest[0] == '>';
    rest.remove_prefix(1);
  }
  if (rest.empty() || std::string_view("buifO").find(rest[0]) == std::string_view::npos) throw refuse();
  array.kind = rest[0];
  rest.remove_prefix(1);
  array.element_bytes = 8;
  if (rest.empty() && array.kind == 'O') return;
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), array.element_bytes);
  const size_t bytes = array.element_bytes;
  if (fault != std::errc() || end != rest.data() + rest.size()) throw refuse();
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) throw refuse();
}

// The number of elements; nothing: a shape that no memory holds.
std::optional<uint64_t> product(const std::vector<int64_t>& shape) {
  uint64_t product = 1;
  for (const int64_t dimension : shape)
    if (dimension < 0 || __builtin_mul_overflow(product, static_cast<uint64_t>(dimension), &product) ||
        product > INT64_MAX)
      return std::nullopt;
  return product;
}

// Against what there is of the array: its bytes, or its objects.
void check_size(const NumpyArray& array, const std::string& where) {
  const std::optional<uint64_t> count = product(array.shape);
  uint64_t wanted = 0;
  if (!count || __builtin_mul_overflow(*count, array.objects ? 1 : array.element_bytes, &wanted))
    throw DataError(where + ": has a shape that no memory holds");
  const uint64_t there = array.objects ? array.objects->size("the array's elements") : array.bytes.size();
  if (there != wanted)
    throw DataError(fmt::format("{}: has {} {}, where its shape and type make {}", where, there,
                                array.objects ? "elements" : "bytes", wanted));
}

void set_shape(NumpyArray& array, const PickleValue& shape, const std::string& where) {
  const size_t dimensions = shape.size("an array's shape");
  if (dimensions > kMostDimensions)
    throw DataError(
        fmt::format("{}: has {} dimensions, more than the {} of numpy", where, dimensions, kMostDimensions));
  for (size_t i = 0; i < dimensions; ++i)
    array.shape.push_back(shape.element(i, "an array's shape").integer("an array's dimension"));
}

void set_type(NumpyArray& array, const PickleValue& type, const std::string& where) {
  if (type.callee("an array's type").global("an array's type") != PickleGlobal::numpy_dtype)
    throw DataError(where + ": has a type that is none of numpy's");
  const std::string_view name =
      type.arguments("an array's type").element(0, "an array's type").characters("an array's type");
  set_type(array, name, where);
  if (const PickleValue state = type.state("an array's type"); !state.is(PickleKind::none))
    array.big_endian = state.element(1, "a type's state").characters("a type's order") == ">";
}

std::span<const uint8_t> as_bytes(std::string_view characters) {
  return {reinterpret_cast<const uint8_t*>(characters.data()), characters.size()};
}

// numpy.core.multiarray._reconstruct, with its state.
void set_reconstructed(NumpyArray& array, const PickleValue& call, const std::string& where) {
  constexpr const char* kState = "an array's state";
  const PickleValue state = call.state(kState);
  const size_t parts = state.size(kState);
  if (parts != 4 && parts != 5)
    throw DataError(fmt::format("{}: has a state of {} parts, where numpy writes 5", where, parts));
  const size_t first = parts - 4;  // the oldest has no version
  set_shape(array, state.element(first, kState), where);
  set_type(array, state.element(first + 1, kState), where);
  const PickleValue order = state.element(first + 2, kState);
  array.columns_first =
      order.is(PickleKind::boolean) ? order.boolean("an array's order") : order.integer("an array's order") != 0;
  const PickleValue elements = state.element(first + 3, kState);
  if (array.kind == 'O') {
    if (!elements.is(PickleKind::list)) elements.wrong_kind("an array's objects", "a list");
    array.objects = elements;
  } else {
    array.bytes = as_bytes(elements.characters("an array's bytes"));
  }
}

// numpy.core.numeric._frombuffer(bytes, type, shape, order).
void set_from_buffer(NumpyArray& array, const PickleValue& call, const std::string& where) {
  constexpr const char* kArguments = "_frombuffer's arguments";
  const PickleValue arguments = call.arguments(kArguments);
  array.bytes = as_bytes(arguments.element(0, kArguments).characters("an array's bytes"));
  set_type(array, arguments.element(1, kArguments), where);
  set_shape(array, arguments.element(2, kArguments), where);
  array.columns_first = arguments.element(3, kArguments).characters("an array's order") == "F";
  if (array.kind == 'O') throw DataError(where + ": has objects as bytes");
}

// The header of a .npy file, a dict as Python writes it: {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }.
class Header {
 public:
  Header(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  void read(NumpyArray& array) {
    bool type = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !type) {
        type = true;
        set_type(array, quoted(), name_);
      } else if (key == "fortran_order" && !order) {
        order = true;
        array.columns_first = word() == "True";
      } else if (key == "shape" && !shape) {
        shape = true;
        read_shape(array);
      } else {
        fail();
      }
      if (!accept(',') && next() != '}') fail();
    }
    skip_spaces();
    if (!rest_.empty() || !type || !order || !shape) fail();
  }

 private:
  [[noreturn]] void fail() const { throw DataError(name_ + ": has a header that no .npy file has"); }
  void skip_spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  char next() {
    skip_spaces();
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool accept(char c) {
    if (next() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }
  std::string_view quoted() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail();  // a list: elements of several parts
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) fail();
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::string_view word() {
    skip_spaces();
    const size_t end = rest_.find_first_of(" ,})");
    if (end == std::string_view::npos || end == 0) fail();
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return text;
  }
  void read_shape(NumpyArray& array) {
    expect('(');
    while (!accept(')')) {
      std::string_view text = word();
      if (text.ends_with('L')) text.remove_suffix(1);  // Python 2
      int64_t dimension = 0;
      const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), dimension);
      if (fault != std::errc() || end != text.data() + text.size()) fail();
      if (array.shape.size() == kMostDimensions) fail();
      array.shape.push_back(dimension);
      if (!accept(',') && next() != ')') fail();
    }
  }

  std::string_view rest_;
  const std::string& name_;
};

template <class Number>
std::vector<int64_t> widen(const NumpyArray& array, const std::string& where) {
  std::vector<int64_t> values;
  values.reserve(array.bytes.size() / sizeof(Number));
  for (size_t i = 0; i < array.bytes.size(); i += sizeof(Number)) {
    uint8_t bytes[sizeof(Number)];
    for (size_t j = 0; j < sizeof(Number); ++j)
      bytes[array.big_endian ? sizeof(Number) - 1 - j : j] = array.bytes[i + j];
    Number value;
    std::memcpy(&value, bytes, sizeof(Number));
    if (!std::in_range<int64_t>(value)) throw DataError(fmt::format("{}: {} is too large", where, value));
    values.push_back(static_cast<int64_t>(value));
  }
  return values;
}

}  // namespace

int64_t NumpyArray::count() const {
  return static_cast<int64_t>(product(shape).value_or(0));
}

NumpyArray numpy_array(const PickleValue& value, const std::string& what) {
  const std::string where = value.file() + ": " + what;
  if (!value.is(PickleKind::call)) value.wrong_kind(what.c_str(), "an array");
  NumpyArray array;
  const PickleGlobal maker = value.callee(what.c_str()).global(what.c_str());
  if (maker == PickleGlobal::numpy_reconstruct)
    set_reconstructed(array, value, where);
  else if (maker == PickleGlobal::numpy_from_buffer)
    set_from_buffer(array, value, where);
  else
    value.wrong_kind(what.c_str(), "an array");
  check_size(array, where);
  return array;
}

NpyFile::NpyFile(std::span<const uint8_t> file, const std::string& name) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  constexpr size_t kVersionBytes = 2;
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + kVersionBytes)
    throw DataError(name + ": is no .npy file");
  const auto version = static_cast<uint8_t>(text[kMagic.size()]);
  if (version < 1 || version > 3)
    throw DataError(fmt::format("{}: has version {} of the .npy format, where 1 to 3 are read", name, version));
  const size_t length_bytes = version == 1 ? 2 : 4;
  size_t begin = kMagic.size() + kVersionBytes + length_bytes;
  uint64_t length = 0;
  if (file.size() >= begin)
    for (size_t i = 0; i < length_bytes; ++i) length |= uint64_t{file[begin - length_bytes + i]} << (8 * i);
  if (file.size() < begin || length > file.size() - begin) throw DataError(name + ": is cut short inside its header");
  Header(text.substr(begin, length), name).read(array_);
  array_.bytes = file.subspan(begin + length);
  if (array_.kind == 'O') {
    pickle_.emplace(std::as_bytes(array_.bytes), name);
    const NumpyArray objects = numpy_array(pickle_->root(), "the array");
    if (objects.kind != 'O' || objects.shape != array_.shape)
      throw DataError(name + ": has another array in its pickle than its header says");
    array_ = objects;
  }
  check_size(array_, name);
}

std::vector<int64_t> integers(const NumpyArray& array, const std::string& where) {
  if (array.shape.size() != 1 || (array.kind != 'u' && array.kind != 'i'))
    throw DataError(where + ": is no row of integers");
  const bool is_signed = array.kind == 'i';
  switch (array.element_bytes) {
    case 1:
      return is_signed ? widen<int8_t>(array, where) : widen<uint8_t>(array, where);
    case 2:
      return is_signed ? widen<int16_t>(array, where) : widen<uint16_t>(array, where);
    case 4:
      return is_signed ? widen<int32_t>(array, where) : widen<uint32_t>(array, where);
    default:
      return is_signed ? widen<int64_t>(array, where) : widen<uint64_t>(array, where);
  }
}

std::vector<int64_t> integers(const PickleValue& value, const std::string& what) {
  if (value.is(PickleKind::call)) return integers(numpy_array(value, what), value.file() + ": " + what);
  std::vector<int64_t> values(value.size(what.c_str()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = value.element(i, what.c_str()).integer(what.c_str());
  return values;
}

Bytes encode_npy(const HostTensor& tensor) {
  constexpr size_t kAlignment = 64, kPrefix = 10;  // mark, version, the header's length
  const auto type = [&]() -> const char* {
    switch (tensor.dtype) {
      case DType::f32:
        return "<f4";
      case DType::f64:
        return "<f8";
      case DType::i32:
        return "<i4";
      case DType::i64:
        return "<i8";
      default:
        return "|u1";
    }
  };
  std::string shape;
  for (int i = 0; i < tensor.shape.rank(); ++i) shape += fmt::format("{},", tensor.shape[i]);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type(), shape);
  header.resize((kPrefix + header.size() + kAlignment) / kAlignment * kAlignment - kPrefix - 1, ' ');
  header += '\n';
  Bytes file{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  file.push_back(static_cast<uint8_t>(header.size() % 256));
  file.push_back(static_cast<uint8_t>(header.size() / 256));
  file.insert(file.end(), header.begin(), header.end());
  const size_t begin = file.size();
  file.resize(begin + tensor.bytes.size());
  if (!tensor.bytes.empty()) std::memcpy(file.data() + begin, tensor.bytes.data(), tensor.bytes.size());
  return file;
}

}  // namespace cairn::datasets
