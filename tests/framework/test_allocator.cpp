// The caching allocator: reuse, counters, giving back when memory runs out, empty tensors, and what AddressSanitizer is
// told. Not here: the pools of recordings (test_recording.cpp).
#include <doctest/doctest.h>

#include <regex>

#include "framework/error.h"
#include "framework/ops/activations.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "kernels/runtime/cpu/address_sanitizer.h"
#include "tests/framework/support.h"

#if CAIRN_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif

namespace cairn::test {
namespace {

constexpr int64_t kTooMuch = int64_t{1} << 50;  // a pebibyte

std::vector<std::shared_ptr<Device>> fresh_devices() {
  std::vector<std::shared_ptr<Device>> fresh;
  for (const auto& device : devices())
    fresh.push_back(Device::open({.implementation = device->implementation(), .where = name_of(device->where())}));
  return fresh;
}

}  // namespace

TEST_CASE("a freed block is handed out again for the same size") {
  for (const auto& device : fresh_devices()) {
    CAPTURE(device->label());
    const void* first = nullptr;
    {
      const Tensor tensor = Tensor::empty(device, {1000});
      first = tensor.data();
    }
    CHECK(device->memory().cached >= 4000);
    const Tensor again = Tensor::empty(device, {1000});
    CHECK(again.data() == first);
    CHECK(device->memory().cached == 0);
    CHECK(Tensor::empty(device, {1000}).data() != first);
  }
}

TEST_CASE("a block is not wasted on something much smaller") {
  for (const auto& device : fresh_devices()) {
    CAPTURE(device->label());
    const void* large = Tensor::empty(device, {1 << 20}).data();
    CHECK(Tensor::empty(device, {100}).data() != large);
    CHECK(Tensor::empty(device, {1 << 19}).data() == large);
  }
}

TEST_CASE("counters follow what is in use, the most that was, and what waits for reuse") {
  for (const auto& device : fresh_devices()) {
    CAPTURE(device->label());
    const MemoryCounters& memory = device->memory();
    CHECK(memory.live == 0);
    {
      const Tensor a = Tensor::empty(device, {1024});
      CHECK(memory.live == 4096);
      {
        const Tensor b = Tensor::empty(device, {2048});
        CHECK(memory.live == 3 * 4096);
      }
      CHECK(memory.live == 4096);
      CHECK(memory.cached == 2 * 4096);
    }
    CHECK(memory.live == 0);
    CHECK(memory.peak == 3 * 4096);
    CHECK(memory.cached == 3 * 4096);
    device->pool()->trim();
    CHECK(memory.cached == 0);
    CHECK(memory.peak == 3 * 4096);
  }
}

TEST_CASE("blocks are at most an eighth larger than what was asked for") {
  const std::shared_ptr<Device> device = fresh_devices().front();
  for (const int64_t bytes : {1, 255, 256, 257, 2049, 5000, 100'001, 1'000'001, 50'000'001}) {
    CAPTURE(bytes);
    const size_t before = device->memory().live;
    device->pool()->trim();
    const Tensor tensor = Tensor::empty(device, {bytes}, DType::u8);
    const size_t taken = device->memory().live - before;
    CHECK(taken >= static_cast<size_t>(bytes));
    CHECK(taken <= static_cast<size_t>(bytes) + std::max<size_t>(256, static_cast<size_t>(bytes) / 4));
  }
}

TEST_CASE("out of memory says what was asked for, in use and free, after everything unused was given back") {
  for (const auto& device : fresh_devices()) {
    CAPTURE(device->label());
    const Tensor kept = Tensor::empty(device, {3 << 20}, DType::u8);
    { const Tensor dropped = Tensor::empty(device, {5 << 20}, DType::u8); }
    CHECK(device->memory().cached == size_t{5} << 20);
    const std::string text = message_of<DeviceError>([&] { Tensor::empty(device, {kTooMuch}, DType::u8, "a batch"); });
    const std::regex expected("out of memory on " + device->label() +
                              ": a batch asked for 1073741824 MiB with 3 MiB in use and [0-9]+ MiB of [0-9]+ MiB free; "
                              "try a smaller --batch-size");
    CAPTURE(text);
    CHECK(std::regex_match(text, expected));
    CHECK(device->memory().cached == 0);
    CHECK(device->memory().live == size_t{3} << 20);
    const Tensor x = random_tensor(device, {4}, 1);  // it goes on working
    CHECK(values_of(add(x, x)) == values_of(scale(x, 2)));
  }
}

TEST_CASE("out of memory names the op") {
  for (const auto& device : fresh_devices()) {
    const Tensor column = Tensor::zeros(device, {1 << 22, 0}), row = Tensor::zeros(device, {0, 1 << 27});
    const std::string text = message_of<DeviceError>([&] { matmul(column, row); });
    CHECK(text.substr(0, text.find(" with")) ==
          "out of memory on " + device->label() + ": matmul asked for 2147483648 MiB");
  }
}

TEST_CASE("a size beyond all addresses is refused") {
  const auto refusal = [](Shape shape, DType dtype) {
    return message_of<ShapeError>([&] { Tensor::empty(reference(), shape, dtype); });
  };
  CHECK(refusal({int64_t{1} << 61}, DType::f64) ==
        "shape [2305843009213693952] has more bytes than an address can reach");
  CHECK(refusal({int64_t{1} << 32, int64_t{1} << 32}, DType::u8) ==
        "shape [4294967296, 4294967296] has more elements than an address can reach");
  CHECK(message_of<DeviceError>([] { Tensor::empty(reference(), {INT64_MAX}, DType::u8); }).substr(0, 13) ==
        "out of memory");
}

TEST_CASE("tensors without elements can be made, computed with and read") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    const Tensor none = Tensor::zeros(device, {0, 3});
    CHECK(none.data() != nullptr);
    CHECK(none.to_host<float>().empty());
    CHECK(add(none, none).shape() == Shape{0, 3});
    CHECK(relu(scale(none, 2)).count() == 0);
    CHECK(softmax(none).count() == 0);
    CHECK(argmax(none).count() == 0);
    CHECK(linear(none, Tensor::zeros(device, {5, 3})).shape() == Shape{0, 5});
    CHECK(sum(none).item() == 0);
    CHECK(mean(none).item() == 0);
    CHECK(cross_entropy(none, labels_of(device, {})).item() == 0);
    // An inner dimension of nothing: every sum is empty.
    const Tensor product = matmul(Tensor::zeros(device, {2, 0}), none);
    CHECK(values_of(product) == std::vector<double>(6, 0));
    const Tensor bias = random_tensor(device, {4}, 1);
    const Tensor y = linear(Tensor::zeros(device, {1, 0}), Tensor::zeros(device, {4, 0}), bias);
    CHECK(values_of(y) == values_of(bias));
  }
}

#if CAIRN_ADDRESS_SANITIZER
TEST_CASE("AddressSanitizer knows which bytes of a block may be touched") {
  for (const auto& shared : devices()) {
    if (shared->where() != Where::cpu) continue;
    CAPTURE(shared->label());
    // One of its own, whose pool holds no block that other tests left.
    const auto device = Device::open({.implementation = shared->implementation(), .where = "cpu"});
    const uint8_t* data = nullptr;
    {
      const Tensor tensor = Tensor::empty(device, {1001}, DType::u8);
      data = tensor.data<uint8_t>();
      CHECK_FALSE(__asan_address_is_poisoned(data));
      CHECK_FALSE(__asan_address_is_poisoned(data + 1000));
      CHECK(__asan_address_is_poisoned(data + 1001));
    }
    CHECK(__asan_address_is_poisoned(data));
    const Tensor smaller = Tensor::empty(device, {999}, DType::u8);
    REQUIRE(smaller.data<uint8_t>() == data);
    CHECK_FALSE(__asan_address_is_poisoned(data + 998));
    CHECK(__asan_address_is_poisoned(data + 999));
  }
}
#endif

}  // namespace cairn::test
