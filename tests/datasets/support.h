// What the tests of data sets share: a temporary folder, small IDX and gzip files, and a check of error texts.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/digit_image.h"
#include "datasets/download.h"
#include "datasets/registry.h"

namespace cairn::datasets {

// A new folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Sets an environment variable, or unsets it where `value` is null, until the object goes.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value);
  ~ScopedVariable();

 private:
  std::string name_, before_;
  bool was_set_;
};

// No proxy from the environment: the tests' servers are on this machine.
struct NoProxy {
  ScopedVariable lower{"no_proxy", "*"}, upper{"NO_PROXY", "*"};
};

inline const LoadOptions kUnchecked{.allow_download = false, .check_hash = false};
inline const LoadOptions kChecked{.allow_download = false};
inline const DownloadOptions kQuiet{.quiet = true};

void write_file(const std::filesystem::path& path, std::span<const uint8_t> bytes);
Bytes to_bytes(const std::string& text);

// Bytes that differ from place to place.
Bytes pattern(size_t count);

Bytes make_idx(uint32_t magic, std::initializer_list<uint32_t> sizes, std::span<const uint8_t> content);

// One gzip member; level 0 stores the content in plain blocks.
Bytes make_gzip(std::span<const uint8_t> content, int level = 6);

// Runs `function`, which must throw exactly an Exception; its text must be one line that has all of `parts`.
template <typename Exception, typename Function>
void check_error(Function&& function, std::initializer_list<const char*> parts) {
  try {
    function();
  } catch (const Exception& error) {
    const std::string text = error.what();
    INFO(text);
    CHECK(text.find('\n') == std::string::npos);
    for (const char* part : parts) {
      INFO("expected: ", std::string(part));
      CHECK(text.find(part) != std::string::npos);
    }
    return;
  } catch (const std::exception& error) {
    FAIL_CHECK("another kind of error: ", error.what());
    return;
  }
  FAIL_CHECK("nothing was thrown");
}

// How often each of ten classes occurs.
std::vector<int> histogram(const Bytes& labels);
// Of pixels / 255.
std::pair<double, double> mean_and_deviation(const Bytes& pixels);

// Of two images, a pixel, of 255.
double mean_difference(const DigitPixels& a, const DigitPixels& b);
// Noise may tip the centre of mass to the next pixel: the least difference over shifts by one.
double difference_but_for_a_pixel(const DigitPixels& a, const DigitPixels& b);

}  // namespace cairn::datasets
