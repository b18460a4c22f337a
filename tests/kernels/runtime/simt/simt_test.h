// What the executor's tests share. Not here: tests.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "kernels/runtime/simt/config.h"
#include "kernels/runtime/simt/cuda_source.h"

namespace cairn::simt {

inline constexpr unsigned kAll = 0xffffffffu;  // the lanes of a warp

// The settings as they were, once a test that changes them is over.
class ScopedConfig {
 public:
  ScopedConfig() : before_(config()) {}
  ~ScopedConfig() { config() = before_; }
  ScopedConfig(const ScopedConfig&) = delete;
  ScopedConfig& operator=(const ScopedConfig&) = delete;

 private:
  Config before_;
};

inline Stream make_stream(int threads) {
  StreamOptions options{};
  options.threads = threads;
  return Stream(options);
}

// The text of the exception that `body` throws.
inline std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// An error is one line that names all of the parts.
inline void check_error(const std::function<void()>& body, const std::vector<std::string>& parts) {
  const std::string text = error_of(body);
  INFO(text);
  for (const std::string& part : parts) {
    INFO("expected: " << part);
    CHECK(contains(text, part));
  }
  CHECK_FALSE(contains(text, "\n"));
}

// Runs `body` forward, in reverse and in four shuffled orders.
inline void in_every_order(const std::function<void()>& body) {
  const ScopedConfig scoped;
  for (const Order order : {Order::forward, Order::reverse}) {
    config().order = order;
    INFO("order " << static_cast<int>(order));
    body();
  }
  config().order = Order::shuffled;
  for (const uint64_t seed : {1, 2, 3, 77}) {
    config().seed = seed;
    INFO("seed " << seed);
    body();
  }
}

inline std::vector<float> counting(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i);
  return values;
}

}  // namespace cairn::simt
