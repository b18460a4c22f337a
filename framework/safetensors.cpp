// The header is read by a SAX handler that accepts exactly the format's grammar: a hostile header is refused at the
// first token that does not belong, before anything is built from it.
#include "framework/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <unordered_set>

#include "framework/error.h"
#include "framework/file.h"

namespace cairn {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are written as they lie in memory");

using nlohmann::json;

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr const char* kMetadataKey = "__metadata__";

struct DTypeName {
  DType dtype;
  const char* name;
};
constexpr std::array<DTypeName, 5> kDTypeNames = {
    {{DType::f32, "F32"}, {DType::f64, "F64"}, {DType::u8, "U8"}, {DType::i32, "I32"}, {DType::i64, "I64"}}};

// What the header says about one tensor.
struct HeaderEntry {
  std::string name;
  std::optional<DType> dtype;
  std::optional<std::vector<uint64_t>> shape, offsets;  // offsets: begin and end in the data
};

class HeaderReader : public nlohmann::json_sax<json> {
 public:
  HeaderReader(const std::string& file, SafetensorsMetadata& metadata) : file_(file), metadata_(metadata) {}

  std::vector<HeaderEntry> entries;

  [[noreturn]] void fail(const std::string& what) const { throw DataError(file_ + ": " + what); }
  [[noreturn]] void not_json(size_t position) const {
    fail("its header is not valid JSON (at byte " + std::to_string(position) + " of the header)");
  }

  bool start_object(size_t) override {
    if (place_ == Place::start)
      place_ = Place::top;
    else if (place_ == Place::top && key_ == kMetadataKey)
      place_ = Place::metadata;
    else if (place_ == Place::top)
      place_ = Place::tensor, entries.push_back({key_, {}, {}, {}});
    else
      unexpected("an object");
    return true;
  }

  bool end_object() override {
    if (place_ == Place::tensor) {
      const HeaderEntry& entry = entries.back();
      const char* missing = !entry.dtype ? "dtype" : !entry.shape ? "shape" : !entry.offsets ? "data_offsets" : nullptr;
      if (missing) fail("tensor " + in_quotes(entry.name) + " has no '" + missing + "'");
    }
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }

  bool key(std::string& name) override {
    key_ = name;
    if (place_ == Place::top) {
      if (!names_.insert(name).second) fail("its header has the key " + in_quotes(name) + " twice");
    } else if (place_ == Place::metadata) {
      if (metadata_.contains(name)) fail("its metadata has the key " + in_quotes(name) + " twice");
    } else {
      const HeaderEntry& entry = entries.back();
      const bool is_dtype = name == "dtype", is_shape = name == "shape", is_offsets = name == "data_offsets";
      if (!is_dtype && !is_shape && !is_offsets)
        fail("tensor " + in_quotes(entry.name) + " has the unknown key " + in_quotes(name));
      if ((is_dtype && entry.dtype) || (is_shape && entry.shape) || (is_offsets && entry.offsets))
        fail("tensor " + in_quotes(entry.name) + " has the key " + in_quotes(name) + " twice");
    }
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::metadata) {
      metadata_[key_] = text;
    } else if (place_ == Place::tensor && key_ == "dtype") {
      for (const DTypeName& known : kDTypeNames)
        if (text == known.name) entries.back().dtype = known.dtype;
      if (!entries.back().dtype)
        fail("tensor " + in_quotes(entries.back().name) + " has the dtype " + in_quotes(text) +
             "; F32, F64, U8, I32 and I64 can be read");
    } else {
      unexpected("a text");
    }
    return true;
  }

  bool start_array(size_t) override {
    if (place_ == Place::tensor && key_ == "shape")
      place_ = Place::shape, entries.back().shape.emplace();
    else if (place_ == Place::tensor && key_ == "data_offsets")
      place_ = Place::offsets, entries.back().offsets.emplace();
    else
      unexpected("a list");
    return true;
  }

  bool end_array() override {
    if (place_ == Place::offsets && entries.back().offsets->size() != 2) wrong_offset_count();
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(uint64_t value) override {
    if (place_ == Place::shape) {
      std::vector<uint64_t>& shape = *entries.back().shape;
      if (shape.size() == Shape::kMaxRank)
        fail("tensor " + in_quotes(entries.back().name) + " has more than " + std::to_string(Shape::kMaxRank) +
             " dimensions");
      shape.push_back(value);
    } else if (place_ == Place::offsets) {
      std::vector<uint64_t>& offsets = *entries.back().offsets;
      if (offsets.size() == 2) wrong_offset_count();
      offsets.push_back(value);
    } else {
      unexpected("a number");
    }
    return true;
  }
  bool number_integer(int64_t value) override { return not_a_count(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { return not_a_count(text); }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool binary(json::binary_t&) override { unexpected("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    not_json(position);
  }

 private:
  enum class Place { start, top, metadata, tensor, shape, offsets, end };

  [[noreturn]] void wrong_offset_count() const {
    fail("tensor " + in_quotes(entries.back().name) + " must have two data_offsets, begin and end");
  }
  bool not_a_count(const std::string& text) const {
    if (place_ == Place::shape)
      fail("tensor " + in_quotes(entries.back().name) + " has the dimension " + in_quotes(text) +
           ", which is negative, fractional or too large");
    if (place_ == Place::offsets)
      fail("tensor " + in_quotes(entries.back().name) + " has the offset " + in_quotes(text) +
           ", which is negative, fractional or too large");
    unexpected("a number");
  }
  [[noreturn]] void unexpected(const std::string& what) const {
    if (place_ == Place::start) fail("its header is not a JSON object");
    if (place_ == Place::metadata) fail("its metadata " + in_quotes(key_) + " is " + what + ", not a text");
    if (place_ == Place::top) fail("its header has " + what + " for " + in_quotes(key_) + " instead of a tensor");
    fail("tensor " + in_quotes(entries.back().name) + " has " + what + " in " + in_quotes(key_) +
         ", where it does not belong");
  }

  std::string file_;
  SafetensorsMetadata& metadata_;
  Place place_ = Place::start;
  std::string key_;
  std::unordered_set<std::string> names_;
};

// Dimension times dimension times element size, or nothing if that is beyond any file.
std::optional<uint64_t> byte_count(const HeaderEntry& entry) {
  uint64_t product = size_of(*entry.dtype);
  for (const uint64_t dimension : *entry.shape)
    if (dimension > INT64_MAX || __builtin_mul_overflow(product, dimension, &product) || product > INT64_MAX) return {};
  return product;
}

// Copies bytes from a place in the file.
using ReadAt = std::function<void(uint64_t offset, std::span<std::byte> to)>;

std::vector<HostTensor> decode(const ReadAt& read, uint64_t size, const std::string& file,
                               SafetensorsMetadata* metadata) {
  SafetensorsMetadata discarded;
  HeaderReader header(file, metadata ? *metadata : discarded);
  if (metadata) metadata->clear();
  if (size < kLengthBytes)
    header.fail("has " + std::to_string(size) + " bytes, too few for the 8 that open a safetensors file");
  uint64_t header_bytes = 0;
  read(0, std::as_writable_bytes(std::span(&header_bytes, 1)));
  if (header_bytes > kMaxHeaderBytes)
    header.fail("says that its header has " + std::to_string(header_bytes) + " bytes; at most " +
                std::to_string(kMaxHeaderBytes) + " are accepted (is this a safetensors file?)");
  if (header_bytes > size - kLengthBytes)
    header.fail("is cut short: it says that its header has " + std::to_string(header_bytes) + " bytes, and only " +
                std::to_string(size - kLengthBytes) + " follow");

  std::string text(header_bytes, '\0');
  read(kLengthBytes, std::as_writable_bytes(std::span(text)));
  if (text.empty() || text[0] != '{') header.fail("its header is not a JSON object");
  // The parser would take a zero byte for the end of the text.
  if (const size_t zero = text.find('\0'); zero != std::string::npos) header.not_json(zero + 1);
  json::sax_parse(text, &header);

  std::vector<HeaderEntry>& entries = header.entries;
  std::sort(entries.begin(), entries.end(),
            [](const HeaderEntry& a, const HeaderEntry& b) { return *a.offsets < *b.offsets; });
  const uint64_t data_bytes = size - kLengthBytes - header_bytes;
  uint64_t place = 0;  // where the next tensor has to begin
  for (const HeaderEntry& entry : entries) {
    const uint64_t begin = (*entry.offsets)[0], end = (*entry.offsets)[1];
    const std::string which = "tensor " + in_quotes(entry.name);
    const std::optional<uint64_t> expected = byte_count(entry);
    if (!expected) header.fail(which + " has a shape with more bytes than any file");
    if (begin > end)
      header.fail(which + " ends (" + std::to_string(end) + ") before it begins (" + std::to_string(begin) + ")");
    if (end > data_bytes)
      header.fail(which + " ends at byte " + std::to_string(end) + " of the data, and the file has only " +
                  std::to_string(data_bytes));
    if (end - begin != *expected)
      header.fail(which + " has " + std::to_string(end - begin) + " bytes of data; its dtype and shape make " +
                  std::to_string(*expected));
    if (begin != place)
      header.fail(which + (begin < place ? " overlaps the tensor before it" : " leaves a hole before it") +
                  ": it begins at " + std::to_string(begin) + " instead of " + std::to_string(place));
    place = end;
  }
  if (place != data_bytes) header.fail("has " + std::to_string(data_bytes - place) + " bytes after the last tensor");

  std::vector<HostTensor> tensors;
  tensors.reserve(entries.size());
  for (HeaderEntry& entry : entries) {
    const std::vector<int64_t> shape(entry.shape->begin(), entry.shape->end());
    tensors.push_back({std::move(entry.name), *entry.dtype, Shape(shape), {}});
    HostTensor& tensor = tensors.back();
    tensor.bytes.resize((*entry.offsets)[1] - (*entry.offsets)[0]);
    read(kLengthBytes + header_bytes + (*entry.offsets)[0], tensor.bytes);
  }
  return tensors;
}

const char* format_name(DType dtype) {
  for (const DTypeName& known : kDTypeNames)
    if (known.dtype == dtype) return known.name;
  return "?";
}

}  // namespace

std::vector<HostTensor> parse_safetensors(std::span<const std::byte> file, const std::string& name,
                                          SafetensorsMetadata* metadata) {
  const auto read = [&](uint64_t offset, std::span<std::byte> to) {
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
  };
  return decode(read, file.size(), name, metadata);
}

std::vector<HostTensor> read_safetensors(const std::filesystem::path& path, SafetensorsMetadata* metadata,
                                         Pipes pipes) {
  const InputFile file(path, pipes);
  const auto read = [&](uint64_t offset, std::span<std::byte> to) { file.read(offset, to); };
  return decode(read, file.size(), path.string(), metadata);
}

void write_safetensors(const std::filesystem::path& path, const std::vector<HostTensor>& tensors,
                       const SafetensorsMetadata& metadata) {
  const auto refuse = [&](const std::string& what) { throw DataError(path.string() + ": " + what); };
  std::vector<const HostTensor*> order(tensors.size());
  std::transform(tensors.begin(), tensors.end(), order.begin(), [](const HostTensor& tensor) { return &tensor; });
  std::stable_sort(order.begin(), order.end(),
                   [](const HostTensor* a, const HostTensor* b) { return size_of(a->dtype) > size_of(b->dtype); });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::unordered_set<std::string> names;
  uint64_t place = 0;
  for (const HostTensor* tensor : order) {
    if (tensor->name == kMetadataKey)
      refuse("cannot hold a tensor named '" + tensor->name + "', which the format reserves");
    if (!names.insert(tensor->name).second) refuse("cannot hold two tensors named " + in_quotes(tensor->name));
    if (tensor->bytes.size() != bytes_of(tensor->shape, tensor->dtype))
      refuse("tensor " + in_quotes(tensor->name) + " has " + std::to_string(tensor->bytes.size()) +
             " bytes, not those of " + name_of(tensor->dtype) + tensor->shape.text());
    std::vector<int64_t> shape;
    for (int i = 0; i < tensor->shape.rank(); ++i) shape.push_back(tensor->shape[i]);
    header.push_back({tensor->name,
                      {{"dtype", format_name(tensor->dtype)},
                       {"shape", shape},
                       {"data_offsets", {place, place + tensor->bytes.size()}}}});
    place += tensor->bytes.size();
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    refuse("cannot hold names or metadata that are not UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data begins at a multiple of 8
  const uint64_t length = text.size();
  if (length > kMaxHeaderBytes) refuse("cannot hold a header of " + std::to_string(length) + " bytes");

  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(&length, 1)),
                                                   std::as_bytes(std::span(text))};
  for (const HostTensor* tensor : order) parts.emplace_back(tensor->bytes);
  write_file_atomically(path, parts);
}

}  // namespace cairn
