// A kernel's result is looked at before its time: planted faults are found.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "benchmarks/kernels.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {
namespace {

// eigen's add with one wrong value in the middle.
Status wrong_add(Stream* stream, const BinaryArgs* args) {
  const Status status = find_backend("eigen", Where::cpu)->add(stream, args);
  static_cast<float*>(args->out)[args->count / 2] += 0.001f;
  return status;
}

// Leaves the last value as it was.
Status short_add(Stream* stream, const BinaryArgs* args) {
  BinaryArgs fewer = *args;
  --fewer.count;
  return find_backend("eigen", Where::cpu)->add(stream, &fewer);
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
    Backend planted = *find_backend("eigen", Where::cpu);
    planted.add = entry;
    const std::vector<KernelRow> rows = run_case(first_case(cases, "add"), {{.backend = &planted}}, report);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].wrong.find("out: 1 of 2048 values are off") != std::string::npos);
    CHECK(rows[0].timing.samples == 0);
  }
  const Backend& right = *find_backend("eigen", Where::cpu);
  const std::vector<KernelRow> rows = run_case(first_case(cases, "add"), {{.backend = &right}}, report);
  CHECK(rows[0].wrong == "");
  CHECK(rows[0].timing.samples > 0);
  CHECK(rows[0].timing.seconds > 0);
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
