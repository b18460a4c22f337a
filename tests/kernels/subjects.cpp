// Which implementations and rungs the cases run on.
#include <doctest/doctest.h>

#include <cstring>
#include <map>
#include <stdexcept>

#include "kernels/registry.h"
#include "kernels/rungs.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

const Backend* selected = nullptr;

bool has(const Backend& backend, size_t primitive) {
  void* entry;
  const char* address = reinterpret_cast<const char*>(&backend) + kFirstPrimitiveOffset + primitive * sizeof(void*);
  std::memcpy(&entry, address, sizeof entry);
  return entry != nullptr;
}

std::string description_of(const Backend& backend) {
  const StreamOptions options{.ordinal = 0, .threads = 1, .precision = Precision::fp32, .kernels = ""};
  Stream* stream = nullptr;
  char text[512] = "";
  if (backend.open_stream(&options, &stream) != 0 || backend.describe(stream, text, sizeof text) != 0)
    throw std::runtime_error(place_of(backend) + ": " + backend.last_error());
  backend.close_stream(stream);
  return text;
}

bool runs_here(const Backend& backend, const KernelVariant& rung) {
  const bool runs = device_has(description_of(backend), rung.idea);
  const std::string primitive = rung.primitive, idea = rung.idea;
  if (!runs) MESSAGE(place_of(backend), " ", primitive, "=", rung.rung, " is skipped, it needs ", idea);
  return runs;
}

}  // namespace

std::string Subject::name() const {
  return place_of(*backend) + (kernels.empty() ? "" : " " + kernels);
}

std::string place_of(const Backend& backend) {
  std::string text = backend.name;
  return text += backend.where == Where::cpu ? "/cpu" : "/cuda";
}

const Backend& select_implementation(const std::string& text) {
  for (const Backend* backend : compiled_backends())
    if (place_of(*backend) == text) return *(selected = backend);
  throw std::invalid_argument("this build has no implementation " + text);
}

std::vector<const Backend*> implementations() {
  std::vector<const Backend*> result;
  for (const Backend* backend : compiled_backends())
    if ((!selected || backend == selected) && backend->device_count() > 0) result.push_back(backend);
  return result;
}

bool device_of_subject_has(const Subject& subject, const char* needs) {
  return device_has(description_of(*subject.backend), needs);
}

const std::vector<Subject>& subjects(const char* primitive) {
  static std::map<std::string, std::vector<Subject>> known;
  const auto [place, is_new] = known.try_emplace(primitive);
  std::vector<Subject>& result = place->second;
  if (!is_new) return result;
  size_t index = 0;
  while (std::strcmp(kPrimitives[index], primitive) != 0) ++index;
  for (const Backend* backend : implementations()) {
    if (!has(*backend, index)) {
      bool covered = false;
      for (const Backend* other : fallbacks_of(*backend)) covered = covered || has(*other, index);
      CHECK_MESSAGE(covered, place_of(*backend), " has no ", primitive, " and names no fallback that has it");
      continue;
    }
    const bool on_any_threads = !std::strstr(backend->summary, "depend on the number of threads");
    result.push_back({.backend = backend, .kernels = "", .on_any_threads = on_any_threads});
    int32_t count = 0;
    const KernelVariant* variants = backend->variants ? backend->variants(&count) : nullptr;
    for (int32_t i = 0; i < count; ++i) {
      if (std::strcmp(variants[i].primitive, primitive) != 0 || !runs_here(*backend, variants[i])) continue;
      Subject rung{.backend = backend, .kernels = std::string(primitive) + "=" + std::to_string(variants[i].rung)};
      if (std::strstr(variants[i].idea, "TF32")) {
        rung.precision = Precision::tf32;
        rung.input_rounding = std::strstr(variants[i].idea, "cut to TF32") ? 0x1p-10 : 0x1p-11;
      }
      rung.same_bits = !std::strstr(variants[i].idea, "not bitwise");
      result.push_back(rung);
      if (std::strstr(variants[i].idea, "bf16")) {
        rung.precision = Precision::bf16;
        rung.input_rounding = 0x1p-9;
        result.push_back(rung);
      }
    }
  }
  return result;
}

}  // namespace cairn::test
