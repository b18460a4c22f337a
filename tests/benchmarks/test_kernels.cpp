// A kernel's result is looked at before its time: planted faults are found.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "benchmarks/kernels.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {
namespace {

// simd's add with one wrong value in the middle.
Status wrong_add(Stream* stream, const BinaryArgs* args) {
  const Status status = find_backend("simd", Where::cpu)->add(stream, args);
  static_cast<float*>(args->out)[args->count / 2] += 0.001f;
  return status;
}

// Leaves the last value as it was.
Status short_add(Stream* stream, const BinaryArgs* args) {
  BinaryArgs fewer = *args;
  --fewer.count;
  return find_backend("simd", Where::cpu)->add(stream, &fewer);
}

const Case& first_case(const std::vector<Case>& cases, const std::string& primitive) {
  for (const Case& one : cases)
    if (one.primitive == primitive) return one;
  throw std::logic_error("no case for " + primitive);
}

KernelReport brief_report() {
  KernelReport report;
  report.options.threads = 1;
  report.options.sampling = {1, 1e-4};
  report.rotation_bytes = 1 << 16;
  report.cpu.flops = report.cpu.bandwidth = 1e9;
  return report;
}

}  // namespace

TEST_CASE("a wrong kernel is refused, not timed") {
  const std::vector<Case> cases = all_cases();
  KernelReport report = brief_report();
  for (const auto entry : {wrong_add, short_add}) {
    Backend planted = *find_backend("simd", Where::cpu);
    planted.add = entry;
    const std::vector<KernelRow> rows = run_case(first_case(cases, "add"), {{.backend = &planted}}, report);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].wrong.find("out: 1 of 2048 values are off") != std::string::npos);
    CHECK(rows[0].timing.samples == 0);
  }
  const Backend& right = *find_backend("simd", Where::cpu);
  const std::vector<KernelRow> rows = run_case(first_case(cases, "add"), {{.backend = &right}}, report);
  CHECK(rows[0].wrong == "");
  CHECK(rows[0].timing.samples > 0);
  CHECK(rows[0].timing.seconds > 0);
}

// As of a device that has no room for what was asked.
Status refused_add(Stream*, const BinaryArgs*) {
  return 1;
}

TEST_CASE("what one subject cannot do is said in its row, and the next is timed") {
  KernelReport report = brief_report();
  Backend planted = *find_backend("simd", Where::cpu);
  planted.add = refused_add;
  planted.last_error = [] { return "needs what this device has not"; };
  const std::vector<KernelRow> rows = run_case(
      first_case(all_cases(), "add"), {{.backend = &planted}, {.backend = find_backend("simd", Where::cpu)}}, report);
  REQUIRE(rows.size() == 2);
  CHECK_MESSAGE(rows[0].wrong.find("needs what this device has not") != std::string::npos, rows[0].wrong);
  CHECK(rows[0].timing.samples == 0);
  CHECK(rows[1].wrong == "");
  CHECK(rows[1].timing.samples > 0);
}

TEST_CASE("a rung that the device has not is left out") {
  Backend planted = *find_backend("simd", Where::cpu);
  const KernelVariant newer{"gemm", 10, "warpgroup", "compute capability 9.0: the copy engine", 0};
  CHECK(device_runs(planted, newer));
  planted.where = Where::cuda;
  planted.describe = [](Stream*, char* text, size_t) -> Status {
    std::strcpy(text, "A GPU, 108 SMs, compute capability 8.0, driver 13.0");
    return 0;
  };
  CHECK_FALSE(device_runs(planted, newer));
  CHECK(device_runs(planted, {"gemm", 9, "warp_tile", "tiles for warps", 0}));
}

// Zeros are multiplied at higher clocks than anything else.
TEST_CASE("a GPU's ceiling is measured on data") {
  static int zeros, calls;
  zeros = calls = 0;
  Backend planted = *find_backend("simd", Where::cpu);
  planted.gemm = [](Stream* stream, const GemmArgs* args) -> Status {
    for (const void* matrix : {args->a, args->b})
      for (int64_t i = 0; i < args->m * args->k; ++i) zeros += static_cast<const float*>(matrix)[i] == 0;
    ++calls;
    CHECK((args->a != args->b));
    return find_backend("simd", Where::cpu)->gemm(stream, args);
  };
  Ceilings ceilings;
  measure_device(planted, Precision::fp32, 33, 1 << 12, ceilings);
  CHECK(calls > 0);
  CHECK(zeros <= calls);  // chance may draw one
  CHECK(ceilings.flops > 0);
  CHECK(ceilings.bandwidth > 0);
}

TEST_CASE("difference: nan, tolerance and relative size") {
  const Place::Output output{"y", DType::f32, 2, 0.01, nullptr};
  CHECK(difference(output, {1, 100}, {1.009, 100.9}) == "");
  CHECK(difference(output, {1, 100}, {1.011, 100.9}) != "");
  CHECK(difference(output, {1, 100}, {1, 101.2}) != "");
  CHECK(difference(output, {1, std::numeric_limits<double>::quiet_NaN()}, {1, 100}).find("1 of 2") !=
        std::string::npos);
}

// Except those that take the oracle's plain loops seconds; the benchmark itself checks them before it times them.
TEST_CASE("the networks' own cases are right on every implementation") {
  constexpr double kMostFlops = 1.5e8;
  KernelReport report = brief_report();
  for (const Case& one : all_cases()) {
    if (one.large) continue;
    const std::unique_ptr<Calls> calls = one.calls();
    Place sizes_only(DType::f32, nullptr, nullptr, 0);
    calls->add(sizes_only);
    if (calls->cost().flops > kMostFlops) continue;
    for (const KernelRow& row : run_case(one, subjects_of(one.primitive, report.options), report))
      CHECK_MESSAGE(row.wrong == "", row.primitive, " ", row.use, " ", row.implementation, " ", row.kernel);
  }
}

}  // namespace cairn::benchmarks
