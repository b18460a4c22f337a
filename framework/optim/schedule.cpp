// The schedules' formulas, and one table of their names and parameters, from which texts are read and written.
#include "framework/optim/schedule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <set>
#include <variant>
#include <vector>

#include "framework/error.h"
#include "kernels/number.h"

namespace cairn {
namespace {

struct Parameter {
  const char* name;
  std::variant<double Schedule::*, int64_t Schedule::*> member;
  bool required;
};

struct Description {
  Schedule::Kind kind;
  const char* name;
  std::vector<Parameter> parameters;
};

const std::array<Description, 5>& descriptions() {
  static const Parameter warmup{"warmup", &Schedule::warmup, false};
  static const std::array<Description, 5> all = {{
      {Schedule::Kind::constant, "constant", {warmup}},
      {Schedule::Kind::step, "step", {{"gamma", &Schedule::gamma, true}, {"size", &Schedule::step_size, true}, warmup}},
      {Schedule::Kind::exponential, "exponential", {{"gamma", &Schedule::gamma, true}, warmup}},
      {Schedule::Kind::inverse,
       "inverse",
       {{"gamma", &Schedule::gamma, true}, {"power", &Schedule::power, true}, warmup}},
      {Schedule::Kind::cosine, "cosine", {{"total", &Schedule::total_steps, false}, warmup}},
  }};
  return all;
}

const Description& description_of(Schedule::Kind kind) {
  return *std::find_if(descriptions().begin(), descriptions().end(),
                       [&](const Description& each) { return each.kind == kind; });
}

constexpr const char* kChoices =
    "constant, step:gamma=G,size=STEPS, exponential:gamma=G, inverse:gamma=G,power=P, cosine[:total=STEPS], each with "
    "warmup=STEPS";

[[noreturn]] void fail(const std::string& text, const std::string& what) {
  throw UsageError("schedule '" + text + "': " + what + "; choose one of " + kChoices);
}

template <class T>
T parse_positive(const std::string& text, const std::string& name, const std::string& value) {
  T number{};
  if (read_number(value, number) || !(number > 0))
    fail(text, name + " must be a positive " + (std::is_integral_v<T> ? "whole " : "") + "number, not '" + value + "'");
  return number;
}

}  // namespace

double learning_rate_at(const Schedule& schedule, double base_rate, int64_t step) {
  if (step < schedule.warmup) base_rate *= static_cast<double>(step + 1) / static_cast<double>(schedule.warmup);
  const auto t = static_cast<double>(step);
  switch (schedule.kind) {
    case Schedule::Kind::constant:
      return base_rate;
    case Schedule::Kind::step:
      if (schedule.step_size <= 0) throw UsageError("schedule step: its size must be at least 1 step");
      return base_rate * std::pow(schedule.gamma, static_cast<double>(step / schedule.step_size));
    case Schedule::Kind::exponential:
      return base_rate * std::pow(schedule.gamma, t);
    case Schedule::Kind::inverse:
      return base_rate * std::pow(1 + schedule.gamma * t, -schedule.power);
    case Schedule::Kind::cosine:
      if (schedule.total_steps <= 0) throw UsageError("schedule cosine: its total number of steps is not known");
      if (step >= schedule.total_steps) return 0;
      return base_rate * (1 + std::cos(std::numbers::pi * t / static_cast<double>(schedule.total_steps))) / 2;
  }
  throw UsageError("unknown kind of schedule");
}

Schedule parse_schedule(const std::string& text) {
  const size_t colon = text.find(':');
  const std::string name = text.substr(0, colon);
  const Description* description = nullptr;
  for (const Description& each : descriptions())
    if (name == each.name) description = &each;
  if (!description) fail(text, "unknown kind '" + name + "'");

  Schedule schedule;
  schedule.kind = description->kind;
  std::set<std::string> given;
  size_t begin = colon == std::string::npos ? text.size() + 1 : colon + 1;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string pair = text.substr(begin, end - begin);
    begin = end + 1;
    const size_t equals = pair.find('=');
    if (equals == std::string::npos) fail(text, "'" + pair + "' is not of the form name=value");
    const std::string key = pair.substr(0, equals), value = pair.substr(equals + 1);
    const Parameter* parameter = nullptr;
    for (const Parameter& each : description->parameters)
      if (key == each.name) parameter = &each;
    if (!parameter) fail(text, "'" + name + "' has no parameter '" + key + "'");
    if (!given.insert(key).second) fail(text, key + " is given twice");
    std::visit([&]<class T>(T Schedule::*member) { schedule.*member = parse_positive<T>(text, key, value); },
               parameter->member);
  }
  for (const Parameter& parameter : description->parameters)
    if (parameter.required && !given.contains(parameter.name)) fail(text, "'" + name + "' needs " + parameter.name);
  return schedule;
}

const char* name_of(Schedule::Kind kind) {
  return description_of(kind).name;
}

void visit_parameters(const Schedule& schedule,
                      const std::function<void(const char* name, const ScheduleNumber& value)>& visit) {
  for (const Parameter& parameter : description_of(schedule.kind).parameters) {
    const ScheduleNumber value =
        std::visit([&](auto member) { return ScheduleNumber(schedule.*member); }, parameter.member);
    if (parameter.required || value != ScheduleNumber(int64_t{0})) visit(parameter.name, value);
  }
}

std::string text_of(const Schedule& schedule) {
  std::string text = name_of(schedule.kind);
  const char* separator = ":";
  visit_parameters(schedule, [&](const char* name, const ScheduleNumber& value) {
    std::array<char, 32> digits{};
    const auto write = [&](auto number) {
      return std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    };
    const std::string number(digits.data(), std::visit(write, value));
    text += separator + std::string(name) + "=" + number;
    separator = ",";
  });
  return text;
}

}  // namespace cairn
