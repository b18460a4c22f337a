// What every implementation says about itself, and how it refuses what it cannot do. Not here: what its primitives
// compute.
#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

#include "kernels/registry.h"
#include "kernels/rungs.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

void check_one_line(const Backend& backend) {
  const std::string text = backend.last_error();
  CHECK_MESSAGE(!text.empty(), place_of(backend), " fails without a text");
  CHECK_MESSAGE(text.find('\n') == std::string::npos, text);
}

// Opens a stream with these choices, or fails with one line.
Stream* open(const Backend& backend, const char* kernels) {
  const StreamOptions options{.ordinal = 0, .threads = 1, .precision = Precision::fp32, .kernels = kernels};
  Stream* stream = nullptr;
  if (backend.open_stream(&options, &stream) == 0) return stream;
  check_one_line(backend);
  return nullptr;
}

Status call_scale(const Backend& backend, Stream* stream, DType dtype) {
  const ScaleArgs args{.dtype = dtype, .count = 0, .x = nullptr, .out = nullptr, .factor = 1, .accumulate = 0};
  return backend.scale(stream, &args);
}

}  // namespace

TEST_CASE("manifests: every implementation of this build has its run of these tests") {
  std::string places;
  for (const Backend* backend : compiled_backends())
    places.append(places.empty() ? "" : " ").append(place_of(*backend));
  CHECK(places == tested_places());
}

TEST_CASE("manifests: what a rung needs stands at the beginning of its idea") {
  const std::string ampere = "A GPU, 108 SMs, compute capability 8.0, driver 13.0", hopper = "compute capability 9.0";
  const std::string blackwell = "B, compute capability 10.0, driver 13.0", processor = "AMD EPYC, 2 threads";
  const std::string one = "compute capability 9.0: the copy engine",
                    newer = "compute capability 9.0 or newer: clusters";
  for (const std::string& device : {ampere, hopper, blackwell, processor}) CHECK(device_has(device, "tiles: small"));
  CHECK_FALSE(device_has(ampere, one));
  CHECK_FALSE(device_has(ampere, newer));
  CHECK(device_has(hopper, one));
  CHECK(device_has(hopper, newer));
  CHECK_FALSE(device_has(blackwell, one));
  CHECK(device_has(blackwell, newer));
  CHECK(device_has(processor, one));
  CHECK(device_has(processor, newer));
}

TEST_CASE("manifests: names, texts and services") {
  std::set<std::string> places;
  for (const Backend* backend : compiled_backends()) {
    const std::string place = place_of(*backend);
    INFO(place);
    CHECK(places.insert(place).second);
    CHECK(backend->version == kBackendVersion);
    REQUIRE(backend->summary);
    CHECK(std::strlen(backend->summary) > 0);
    CHECK((backend->last_error != nullptr));
    CHECK((backend->device_count != nullptr));
    CHECK((backend->open_stream != nullptr));
    CHECK((backend->close_stream != nullptr));
    CHECK((backend->describe != nullptr));
    CHECK((backend->memory_info != nullptr));
    CHECK((backend->allocate != nullptr));
    CHECK((backend->release != nullptr));
    CHECK((backend->copy != nullptr));
    CHECK((backend->fill_bytes != nullptr));
    CHECK((backend->synchronize != nullptr));
    const bool captures = backend->begin_capture != nullptr;
    CHECK(captures == (backend->where == Where::cuda));
    CHECK(captures == (backend->end_capture != nullptr));
    CHECK(captures == (backend->replay != nullptr));
    CHECK(captures == (backend->release_graph != nullptr));
  }
}

TEST_CASE("manifests: every primitive is there or covered by the fallback") {
  for (const char* primitive : kPrimitives) subjects(primitive);
}

TEST_CASE("manifests: ladders") {
  for (const Backend* backend : compiled_backends()) {
    if (!backend->variants) continue;
    int32_t count = 0;
    const KernelVariant* variants = backend->variants(&count);
    std::set<std::string> primitives(std::begin(kPrimitives), std::end(kPrimitives));
    std::set<std::pair<std::string, int32_t>> rungs;
    std::multiset<std::string> defaults;
    for (int32_t i = 0; i < count; ++i) {
      INFO(place_of(*backend), " ", variants[i].primitive, "=", variants[i].rung);
      CHECK(primitives.count(variants[i].primitive) == 1);
      CHECK(rungs.emplace(variants[i].primitive, variants[i].rung).second);
      CHECK(std::strlen(variants[i].name) > 0);
      CHECK(std::strlen(variants[i].idea) > 0);
      if (variants[i].is_default) defaults.insert(variants[i].primitive);
    }
    for (const auto& entry : rungs) CHECK_MESSAGE(defaults.count(entry.first) == 1, entry.first, " ", entry.second);
  }
}

TEST_CASE("services: allocate, fill, copy") {
  for (const Backend* backend : implementations()) {
    INFO(place_of(*backend));
    Stream* stream = open(*backend, "");
    REQUIRE(stream);
    void* memory = nullptr;
    REQUIRE(backend->allocate(stream, 1000, &memory) == 0);
    CHECK(reinterpret_cast<uintptr_t>(memory) % 256 == 0);
    REQUIRE(backend->fill_bytes(stream, memory, 0x5A, 1000) == 0);
    unsigned char seen[1000] = {};
    REQUIRE(backend->copy(stream, seen, memory, 1000, CopyKind::to_host) == 0);
    CHECK(seen[0] == 0x5A);
    CHECK(seen[999] == 0x5A);
    const unsigned char sent[3] = {1, 2, 3};
    REQUIRE(backend->copy(stream, memory, sent, 3, CopyKind::to_device) == 0);
    REQUIRE(backend->copy(stream, static_cast<unsigned char*>(memory) + 500, memory, 4, CopyKind::on_device) == 0);
    REQUIRE(backend->copy(stream, seen, memory, 1000, CopyKind::to_host) == 0);
    CHECK(seen[500] == 1);
    CHECK(seen[502] == 3);
    CHECK(seen[503] == 0x5A);
    backend->release(stream, memory);

    size_t free_bytes = 0, total_bytes = 0;
    CHECK(backend->memory_info(stream, &free_bytes, &total_bytes) == 0);
    CHECK(total_bytes > 0);
    CHECK(free_bytes <= total_bytes);
    char text[200] = {};
    CHECK(backend->describe(stream, text, sizeof text) == 0);
    CHECK(std::strlen(text) > 0);

    CHECK(backend->allocate(stream, SIZE_MAX, &memory) != 0);
    check_one_line(*backend);
    CHECK(backend->allocate(stream, SIZE_MAX / 2, &memory) != 0);
    check_one_line(*backend);
    backend->close_stream(stream);
  }
}

TEST_CASE("refusals: types") {
  for (const Backend* backend : implementations()) {
    if (!backend->scale) continue;
    INFO(place_of(*backend));
    Stream* stream = open(*backend, "");
    REQUIRE(stream);
    CHECK(call_scale(*backend, stream, DType::f32) == 0);
    CHECK((call_scale(*backend, stream, DType::f64) == 0) == (backend->supports_f64 != 0));
    CHECK(call_scale(*backend, stream, DType::u8) != 0);
    check_one_line(*backend);
    backend->close_stream(stream);
  }
}

TEST_CASE("refusals: kernel choices") {
  for (const Backend* backend : implementations()) {
    INFO(place_of(*backend));
    for (const char* malformed : {"gemm", "gemm=", "=3", "gemm=x", "gemm=3,,", "gemm=99999999999"}) {
      INFO(malformed);
      CHECK(open(*backend, malformed) == nullptr);
    }
  }
  // A rung that is not there is refused, when the stream is opened or when the primitive is called.
  for (const Subject& subject : subjects("gemm")) {
    if (subject.kernels.empty()) continue;
    Stream* stream = open(*subject.backend, "gemm=999");
    if (!stream) continue;
    {
      Call call(*subject.backend, stream, DType::f32, 0);
      const GemmArgs args{.dtype = DType::f32,
                          .m = 1,
                          .n = 1,
                          .k = 1,
                          .a = call.input("a", {1, 1}, {2}),
                          .lda = 1,
                          .transpose_a = 0,
                          .b = call.input("b", {1, 1}, {3}),
                          .ldb = 1,
                          .transpose_b = 0,
                          .c = call.output("c", {1, 1}, {}),
                          .ldc = 1,
                          .bias = nullptr,
                          .relu = 0,
                          .accumulate = 0};
      CHECK(call.invoke(&Backend::gemm, args) != 0);
      check_one_line(*subject.backend);
    }
    subject.backend->close_stream(stream);
  }
}

}  // namespace cairn::test
