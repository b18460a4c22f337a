// Learning-rate schedules against their formulas, and their texts.
#include <doctest/doctest.h>

#include <cmath>

#include "framework/error.h"
#include "framework/optim/schedule.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

using Kind = Schedule::Kind;

constexpr const char* kChoices =
    "; choose one of constant, step:gamma=G,size=STEPS, exponential:gamma=G, inverse:gamma=G,power=P, "
    "cosine[:total=STEPS], each with warmup=STEPS";

std::string schedule_refusal(const std::string& text) {
  return message_of<UsageError>([&] { parse_schedule(text); });
}

}  // namespace

TEST_CASE("schedules follow their formulas") {
  const Schedule constant{.kind = Kind::constant};
  const Schedule step{.kind = Kind::step, .gamma = 0.1, .step_size = 3};
  const Schedule exponential{.kind = Kind::exponential, .gamma = 0.999};
  const Schedule inverse{.kind = Kind::inverse, .gamma = 1e-4, .power = 0.75};
  const Schedule cosine{.kind = Kind::cosine, .total_steps = 8};
  for (const int64_t t : {0, 1, 7, 1000, 1'000'000}) CHECK(learning_rate_at(constant, 0.3, t) == 0.3);

  // By hand: 0.5, times a tenth at 3, 6, 9.
  const double expected[] = {0.5, 0.5, 0.5, 0.05, 0.05, 0.05, 0.005, 0.005, 0.005, 0.0005};
  for (int t = 0; t < 10; ++t) CHECK(learning_rate_at(step, 0.5, t) == doctest::Approx(expected[t]).epsilon(1e-12));

  double rate = 0.1;
  for (int t = 0; t < 1000; ++t, rate *= 0.999)
    CHECK(learning_rate_at(exponential, 0.1, t) == doctest::Approx(rate).epsilon(1e-11));

  CHECK(learning_rate_at(inverse, 0.01, 0) == 0.01);
  CHECK(learning_rate_at(inverse, 0.01, 10'000) ==
        doctest::Approx(0.01 * 0.5946035575013605).epsilon(1e-12));  // 2^-0.75

  const double root = std::sqrt(0.5);
  const double half_turn[] = {1, 0, (1 + root) / 2, 0, 0.5, 0, (1 - root) / 2, 0};
  for (const int t : {0, 2, 4, 6}) CHECK(learning_rate_at(cosine, 2, t) == doctest::Approx(2 * half_turn[t]));
  for (const int t : {8, 9, 1000}) CHECK(learning_rate_at(cosine, 2, t) == 0);
  CHECK(learning_rate_at(cosine, 2, 7) > 0);
}

TEST_CASE("a warm-up raises the rate to the schedule's own") {
  const Schedule warm{.kind = Kind::step, .gamma = 0.5, .step_size = 4, .warmup = 5};
  // (t + 1) / 5 of 1, 1, 1, 1, 0.5, and then the staircase alone.
  const double expected[] = {0.2, 0.4, 0.6, 0.8, 0.5, 0.5, 0.5, 0.5, 0.25};
  for (int t = 0; t < 9; ++t) CHECK(learning_rate_at(warm, 1, t) == doctest::Approx(expected[t]).epsilon(1e-12));
  CHECK(text_of(warm) == "step:gamma=0.5,size=4,warmup=5");
  CHECK(parse_schedule("cosine:warmup=100") == Schedule{.kind = Kind::cosine, .warmup = 100});
}

TEST_CASE("a schedule that cannot be evaluated says why") {
  CHECK(message_of<UsageError>([] { learning_rate_at({.kind = Kind::cosine}, 1, 0); }) ==
        "schedule cosine: its total number of steps is not known");
  CHECK(message_of<UsageError>([] { learning_rate_at({.kind = Kind::step, .step_size = 0}, 1, 0); }) ==
        "schedule step: its size must be at least 1 step");
}

TEST_CASE("schedules are read from text and written back") {
  const struct {
    std::string text;
    Schedule schedule;
  } cases[] = {
      {"constant", {.kind = Kind::constant}},
      {"step:gamma=0.1,size=1000", {.kind = Kind::step, .gamma = 0.1, .step_size = 1000}},
      {"exponential:gamma=0.999", {.kind = Kind::exponential, .gamma = 0.999}},
      {"inverse:gamma=1e-04,power=0.75", {.kind = Kind::inverse, .gamma = 1e-4, .power = 0.75}},
      {"cosine", {.kind = Kind::cosine}},
      {"cosine:total=5000", {.kind = Kind::cosine, .total_steps = 5000}},
  };
  for (const auto& each : cases) {
    CAPTURE(each.text);
    CHECK(parse_schedule(each.text) == each.schedule);
    CHECK(text_of(each.schedule) == each.text);
  }
  CHECK(parse_schedule("inverse:power=0.75,gamma=0.0001") == cases[3].schedule);
  CHECK(parse_schedule("step:size=7,gamma=5e-1") == Schedule{.kind = Kind::step, .gamma = 0.5, .step_size = 7});
  // A double with all its digits survives.
  const Schedule thirds{.kind = Kind::exponential, .gamma = 1.0 / 3};
  CHECK(parse_schedule(text_of(thirds)) == thirds);
}

TEST_CASE("texts that are no schedule are refused with the choices") {
  CHECK(schedule_refusal("") == std::string("schedule '': unknown kind ''") + kChoices);
  CHECK(schedule_refusal("linear") == std::string("schedule 'linear': unknown kind 'linear'") + kChoices);
  CHECK(schedule_refusal("Step:gamma=1,size=1") ==
        std::string("schedule 'Step:gamma=1,size=1': unknown kind 'Step'") + kChoices);
  CHECK(schedule_refusal("step") == std::string("schedule 'step': 'step' needs gamma") + kChoices);
  CHECK(schedule_refusal("step:gamma=0.1") == std::string("schedule 'step:gamma=0.1': 'step' needs size") + kChoices);
  CHECK(schedule_refusal("constant:gamma=1") ==
        std::string("schedule 'constant:gamma=1': 'constant' has no parameter 'gamma'") + kChoices);
  CHECK(schedule_refusal("constant:") ==
        std::string("schedule 'constant:': '' is not of the form name=value") + kChoices);
  CHECK(schedule_refusal("exponential:gamma=0.9,") ==
        std::string("schedule 'exponential:gamma=0.9,': '' is not of the form name=value") + kChoices);
  CHECK(schedule_refusal("exponential:gamma=0.9,gamma=0.8") ==
        std::string("schedule 'exponential:gamma=0.9,gamma=0.8': gamma is given twice") + kChoices);
  for (const std::string value : {"", "x", "0", "-1", "nan", "inf", "1e999", "0.5x", " 1"})
    CHECK(schedule_refusal("exponential:gamma=" + value) == "schedule 'exponential:gamma=" + value +
                                                                "': gamma must be a positive number, not '" + value +
                                                                "'" + kChoices);
  for (const std::string value : {"", "1.5", "0", "-3", "99999999999999999999", "1 "})
    CHECK(schedule_refusal("cosine:total=" + value) == "schedule 'cosine:total=" + value +
                                                           "': total must be a positive whole number, not '" + value +
                                                           "'" + kChoices);
}

}  // namespace cairn::test
