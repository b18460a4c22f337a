// Medians, quartiles, and what the ceilings and cells must be.
#include <doctest/doctest.h>

#include "benchmarks/ceilings.h"
#include "benchmarks/table.h"
#include "benchmarks/timing.h"
#include "trainers/median.h"

namespace cairn::benchmarks {

TEST_CASE("median and spread") {
  CHECK(median({}) == 0);
  CHECK(median({3, 1, 2}) == 2);
  CHECK(median({4, 1, 2, 3}) == 2.5);
  const Timing timing = summary({1, 2, 3, 4, 5}, 7);
  CHECK(timing.seconds == 3);
  CHECK(timing.spread == doctest::Approx(2.0 / 3));
  CHECK(timing.samples == 5);
  CHECK(timing.calls_per_sample == 7);
}

TEST_CASE("measure divides by the calls it made") {
  int64_t calls = 0;
  const Timing timing = measure({3, 0.003}, [&](int64_t count) {
    calls += count;
    const auto begin = Clock::now();
    while (seconds_since(begin) < 1e-5 * static_cast<double>(count)) {
    }
  });
  CHECK(timing.seconds > 0.9e-5);
  CHECK(timing.samples >= 1);
  CHECK(calls > 2);
}

TEST_CASE("a machine multiplies and moves something") {
  const Ceilings ceilings = measure_cpu(2, 1 << 16);
  CHECK(ceilings.threads == 2);
  CHECK(ceilings.flops_one_thread > 1e8);
  CHECK(ceilings.flops > 1e8);
  CHECK(ceilings.bandwidth > 1e8);
  CHECK(ceilings.cache_bandwidth > 1e8);
}

TEST_CASE("tables and cells") {
  const Table table{{"a", "b"}, {false, true}, {{"x", "1"}, {"", "20"}}};
  CHECK(text(table) == "a   b\nx   1\n   20\n");
  CHECK(markdown(table) == "| a | b |\n|---|---:|\n| x | 1 |\n| | 20 |\n");
  CHECK(duration(1.234e-7) == "123 ns");
  CHECK(duration(0.0123) == "12.3 ms");
  CHECK(percent(1, 3) == "33 %");
  CHECK(percent(1, 0) == "");
}

}  // namespace cairn::benchmarks
