// CAIRN_TEST_SWEEP=small: fewer sizes, pictures and steps, where each takes many times as long (sanitizers, the race
// detector, an emulator) or where the whole is run on another day.
#pragma once

#include <cstdlib>
#include <string_view>

namespace cairn::testing {

inline bool small_sweep() {
  const char* sweep = std::getenv("CAIRN_TEST_SWEEP");
  return sweep != nullptr && std::string_view(sweep) == "small";
}

}  // namespace cairn::testing
