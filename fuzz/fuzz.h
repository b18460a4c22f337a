// What a fuzz target is: one function over bytes that may throw cairn::Error and nothing else. Not here: who feeds it
// (libFuzzer in a build with CAIRN_FUZZ, replay.cpp in the others).
#pragma once

#include <cstdint>
#include <span>

namespace cairn::fuzz {

void run(std::span<const uint8_t> input);

}  // namespace cairn::fuzz
