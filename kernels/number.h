// The one reader of numbers that people write: in flags, settings, `--kernel`, schedules, environment variables. Not
// here: formats of files.
#pragma once

#include <charconv>
#include <cmath>
#include <string_view>
#include <type_traits>

namespace cairn {

// Reads the whole word as a decimal number into value: digits and, where Number has one, a sign '-'. No '+', no spaces,
// no octal or hexadecimal, no nan or inf. Returns what is wrong with the word, or null; value is then as it was.
template <class Number>
const char* read_number(std::string_view word, Number& value) {
  constexpr bool kReal = std::is_floating_point_v<Number>;
  Number number{};
  const char* const end = word.data() + word.size();
  const auto [stopped, fault] = std::from_chars(word.data(), end, number);
  const bool whole_word = stopped == end && !word.empty();
  if (whole_word && fault == std::errc::result_out_of_range) return "is out of range";
  bool good = whole_word && fault == std::errc();
  if constexpr (kReal) good = good && std::isfinite(number);
  if (!good)
    return kReal                        ? "is not a number"
           : std::is_unsigned_v<Number> ? "is not a whole number of 0 or more"
                                        : "is not a whole number";
  value = number;
  return nullptr;
}

}  // namespace cairn
