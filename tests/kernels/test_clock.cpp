// finish_step and increment.
#include <doctest/doctest.h>

#include "tests/kernels/harness.h"

namespace cairn::test {

TEST_CASE("finish_step") {
  for (DType real : kReals) {
    for (int64_t step : {0, 3, 4, 1001}) {
      Values history{10, 20, 30, 40}, expected = history;
      expected[static_cast<size_t>(step % 4)] = 2.625;
      const auto run = [=](Call& call) {
        const FinishStepArgs args{.dtype = call.real(),
                                  .value = call.input("value", 1, {2.625}),
                                  .history = call.typed_output<float>("history", 4, {}, history),
                                  .capacity = 4,
                                  .step = call.typed_output<int64_t>("step", 1, {}, {static_cast<double>(step)})};
        return call.invoke(&Backend::finish_step, args);
      };
      check({.primitive = "finish_step",
             .shape = shape_text({{"step", step}}),
             .real = real,
             .offset = step % 2,
             .run = run,
             .expected = {expected, {static_cast<double>(step + 1)}}});
    }
  }
}

TEST_CASE("increment") {
  for (int64_t value : {int64_t{0}, int64_t{41}, int64_t{1} << 40}) {
    const auto run = [=](Call& call) {
      const IncrementArgs args{.value = call.typed_output<int64_t>("value", 1, {}, {static_cast<double>(value)})};
      return call.invoke(&Backend::increment, args);
    };
    check({.primitive = "increment",
           .shape = shape_text({{"value", value}}),
           .offset = value % 2,
           .run = run,
           .expected = {{static_cast<double>(value + 1)}}});
  }
}

}  // namespace cairn::test
