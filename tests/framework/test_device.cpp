// Opening a device, and whose primitives it runs. Not here: memory (test_allocator.cpp).
#include <doctest/doctest.h>

#include "framework/error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "kernels/registry.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

std::string refusal(const DeviceOptions& options) {
  return message_of<UsageError>([&] { Device::open(options); });
}

std::string known_implementations() {
  std::string names;
  for (const Backend* backend : compiled_backends()) {
    if (names.find(backend->name) != std::string::npos) continue;
    names += (names.empty() ? "" : ", ") + std::string(backend->name);
  }
  for (const std::string& plugin : plugin_names()) names += ", " + plugin;
  return names;
}

const Backend& reference_backend() {
  return *find_backend("reference", Where::cpu);
}

}  // namespace

TEST_CASE("an unknown implementation or place is refused with the choices") {
  CHECK(refusal({.implementation = "referenze"}) ==
        "unknown implementation 'referenze': choose one of " + known_implementations());
  CHECK(refusal({.implementation = ""}) == "unknown implementation '': choose one of " + known_implementations());
  CHECK(refusal({.implementation = "reference", .where = "gpu"}) == "unknown device 'gpu': choose auto, cpu or cuda");
  CHECK(refusal({.implementation = "referenze", .where = "gpu"}) == "unknown device 'gpu': choose auto, cpu or cuda");
  if (!find_backend("cudnn", Where::cuda))
    CHECK(refusal({.implementation = "cudnn"}) ==
          "this build has no implementation 'cudnn', which needs CUDA and cuDNN; it has " + known_implementations());
}

TEST_CASE("a CPU implementation is not to be had on a GPU") {
  const bool has_cuda = find_backend("vanilla", Where::cuda) != nullptr;
  for (const char* name : {"reference", "simd"}) {
    if (!find_backend(name, Where::cpu)) continue;
    CHECK(refusal({.implementation = name, .where = "cuda"}) ==
          (has_cuda ? std::string("implementation '") + name + "' runs only on the CPU: use --device cpu"
                    : "this build has no CUDA: install the CUDA toolkit and build again, or use --device cpu"));
  }
}

TEST_CASE("a GPU implementation without a GPU says so") {
  for (const Backend* backend : compiled_backends()) {
    if (backend->where != Where::cuda || backend->device_count() > 0) continue;
    const bool on_cpu = find_backend(backend->name, Where::cpu) != nullptr;
    CHECK(refusal({.implementation = backend->name, .where = "cuda"}) ==
          std::string("no CUDA device was found: implementation '") + backend->name +
              "' on cuda needs an NVIDIA GPU and its driver" + (on_cpu ? "; --device cpu runs it here" : ""));
    if (!on_cpu)
      CHECK(refusal({.implementation = backend->name, .where = "cpu"}) ==
            std::string("implementation '") + backend->name + "' runs only on a GPU: use --device cuda");
  }
}

TEST_CASE("an unknown kernel rung is refused with the choices") {
  for (const auto& device : devices()) {
    const Backend& backend = *find_backend(device->implementation().c_str(), device->where());
    int32_t count = 0;
    const KernelVariant* variants = backend.variants ? backend.variants(&count) : nullptr;
    // Those of gemm's ladder, or all there are.
    const auto choices_of = [&](bool all) {
      std::string choices;
      for (int32_t i = 0; i < count; ++i)
        if (all || variants[i].primitive == std::string("gemm"))
          choices += (choices.empty() ? "choose from " : ", ") + std::string(variants[i].primitive) + "=" +
                     std::to_string(variants[i].rung);
      return choices.empty() ? "it has no ladders" : choices;
    };
    for (const std::string kernel : {"gemm=99", "gemm", "gem=1", "gemm=-1", "gemm=1x", "=", "gemm=1 "}) {
      const bool has_gemm = choices_of(false) != "it has no ladders";
      const std::string choices = choices_of(!has_gemm || kernel == "gem=1" || kernel == "=");
      DeviceOptions options{.implementation = device->implementation(), .where = name_of(device->where())};
      options.kernels = kernel;
      CHECK(refusal(options) == "unknown kernel '" + kernel + "' of " + device->label() + ": " + choices);
      if (count == 0) continue;
      options.kernels = std::string(variants[0].primitive) + "=" + std::to_string(variants[0].rung) + "," + kernel;
      CHECK(refusal(options) == "unknown kernel '" + kernel + "' of " + device->label() + ": " + choices);
    }
    for (int32_t i = 0; i < count; ++i) {
      DeviceOptions options{.implementation = device->implementation(), .where = name_of(device->where())};
      options.kernels = std::string(variants[i].primitive) + "=" + std::to_string(variants[i].rung);
      CHECK_NOTHROW(Device::open(options));
    }
  }
}

TEST_CASE("auto takes the CPU where there is no GPU") {
  for (const auto& device : devices()) {
    const Backend* cuda = find_backend(device->implementation().c_str(), Where::cuda);
    const bool gpu = cuda && cuda->device_count() > 0;
    const auto opened = Device::open({.implementation = device->implementation(), .where = "auto"});
    CHECK(opened->where() == (gpu ? Where::cuda : Where::cpu));
    CHECK_FALSE(opened->description().empty());
  }
}

TEST_CASE("labels and supported types") {
  CHECK(reference()->label() == "reference on cpu");
  CHECK(reference()->implementation() == "reference");
  CHECK(reference()->supports(DType::f64));
  for (const auto& device : devices()) CHECK(device->supports(DType::f32));
}

TEST_CASE("every primitive of every implementation comes from somewhere that is named") {
  for (const auto& device : devices()) {
    CAPTURE(device->label());
    for (size_t i = 0; i < kPrimitiveCount; ++i) {
      CAPTURE(kPrimitives[i]);
      CHECK_FALSE(device->origins()[i].empty());
    }
  }
}

TEST_CASE("a missing primitive is an error that names it and those who have it") {
  Backend backend = reference_backend();
  backend.name = "partial";
  backend.gemm = nullptr;
  const auto device = std::make_shared<Device>(backend, DeviceOptions{});
  CHECK(device->origins()[0] == "");
  CHECK(device->origins()[3] == "partial");
  const Tensor a = Tensor::zeros(device, {2, 2});
  CHECK(values_of(add(a, a)) == std::vector<double>(4, 0));
  std::string owners;
  for (const Backend* each : compiled_backends())
    if (each->gemm) owners += (owners.empty() ? "" : ", ") + std::string(each->name) + " on " + name_of(each->where);
  CHECK(message_of<DeviceError>([&] { matmul(a, a); }) ==
        "primitive 'gemm' is not implemented by partial on cpu; it is by " + owners);
}

TEST_CASE("what an implementation lacks comes from the one it falls back on, and from no other") {
  Backend backend = reference_backend();
  backend.name = "partial";
  backend.falls_back = "reference";
  backend.gemm = nullptr;
  const auto device = std::make_shared<Device>(backend, DeviceOptions{});
  CHECK(device->origins()[0] == "reference");
  CHECK(device->origins()[1] == "partial");
  const Tensor a = tensor_of(device, {1, 1}, DType::f32, {3});
  CHECK(matmul(a, a).item() == 9);
}

TEST_CASE("what the fallback lacks comes from the one that it falls back on") {
  const Backend* simd = find_backend("simd", Where::cpu);
  REQUIRE(simd);
  REQUIRE((simd->sgd_steps == nullptr));
  Backend backend = *simd;
  backend.name = "partial";
  backend.falls_back = "simd";
  backend.gemm = nullptr;
  const auto origins = primitive_origins(backend);
  CHECK(origins.front() == "simd");
  CHECK(origins.back() == "reference");
  CHECK(std::string(kPrimitives[kPrimitiveCount - 1]) == "sgd_steps");
  CHECK(Device(backend, DeviceOptions{}).origins().back() == "reference");
}

TEST_CASE("an implementation built for another seam is refused") {
  Backend backend = reference_backend();
  backend.version = kBackendVersion + 1;
  CHECK(message_of<DeviceError>([&] { Device(backend, DeviceOptions{}); }) ==
        "implementation 'reference' was built for version " + std::to_string(kBackendVersion + 1) +
            " of the seam, this program has version " + std::to_string(kBackendVersion));
}

TEST_CASE("a primitive that fails is named with what it said") {
  Backend backend = reference_backend();
  backend.add = [](Stream*, const BinaryArgs*) -> Status { return 1; };
  backend.last_error = []() -> const char* { return "the dog ate it"; };
  const auto device = std::make_shared<Device>(backend, DeviceOptions{});
  const Tensor a = Tensor::zeros(device, {2, 2});
  CHECK(message_of<DeviceError>([&] { add(a, a); }) == "add failed (reference on cpu): the dog ate it");
}

}  // namespace cairn::test
