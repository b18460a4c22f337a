// Implementation of the tests' common ground.
#include "tests/datasets/support.h"

#include <libdeflate.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

namespace cairn::datasets {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "cairn-datasets-XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ScopedVariable::ScopedVariable(const char* name, const char* value) : name_(name) {
  const char* const before = std::getenv(name);
  was_set_ = before != nullptr;
  if (was_set_) before_ = before;
  value != nullptr ? setenv(name, value, 1) : unsetenv(name);
}

ScopedVariable::~ScopedVariable() {
  was_set_ ? setenv(name_.c_str(), before_.c_str(), 1) : unsetenv(name_.c_str());
}

void write_file(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  REQUIRE(file.flush().good());
}

Bytes to_bytes(const std::string& text) {
  return Bytes(text.begin(), text.end());
}

Bytes pattern(size_t count) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(i * 2654435761u >> 13);
  return bytes;
}

Bytes make_idx(uint32_t magic, std::initializer_list<uint32_t> sizes, std::span<const uint8_t> content) {
  Bytes file;
  const auto append = [&](uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) file.push_back(static_cast<uint8_t>(value >> shift));
  };
  append(magic);
  for (const uint32_t size : sizes) append(size);
  file.insert(file.end(), content.begin(), content.end());
  return file;
}

Bytes make_gzip(std::span<const uint8_t> content, int level) {
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(level);
  REQUIRE(compressor != nullptr);
  Bytes file(libdeflate_gzip_compress_bound(compressor, content.size()));
  file.resize(libdeflate_gzip_compress(compressor, content.data(), content.size(), file.data(), file.size()));
  libdeflate_free_compressor(compressor);
  REQUIRE(!file.empty());
  return file;
}

std::vector<int> histogram(const Bytes& labels) {
  std::vector<int> counts(10);
  for (const uint8_t label : labels) ++counts.at(label);
  return counts;
}

std::pair<double, double> mean_and_deviation(const Bytes& pixels) {
  double sum = 0, squares = 0;
  for (const uint8_t pixel : pixels) {
    sum += pixel;
    squares += double{1} * pixel * pixel;
  }
  const double mean = sum / static_cast<double>(pixels.size());
  return {mean / 255, std::sqrt(squares / static_cast<double>(pixels.size()) - mean * mean) / 255};
}

double mean_difference(const DigitPixels& a, const DigitPixels& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

double difference_but_for_a_pixel(const DigitPixels& a, const DigitPixels& b) {
  double least = 255;
  for (int shift_y = -1; shift_y <= 1; ++shift_y) {
    for (int shift_x = -1; shift_x <= 1; ++shift_x) {
      DigitPixels shifted{};
      for (int y = 1; y < 27; ++y)
        for (int x = 1; x < 27; ++x)
          shifted[static_cast<size_t>(y * 28 + x)] = a[static_cast<size_t>((y + shift_y) * 28 + x + shift_x)];
      least = std::min(least, mean_difference(shifted, b));
    }
  }
  return least;
}

}  // namespace cairn::datasets
