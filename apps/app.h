// What every program shares: failures as one line and an exit code, interruption. Not here: flags (flags.h), what a
// program does.
#pragma once

#include <atomic>
#include <functional>

namespace cairn::app {

enum ExitCode { kDone = 0, kFailed = 1, kBadInput = 2, kInterrupted = 130 };

// Runs body and turns what it throws into one line on stderr, "NAME: ...", and an exit code.
int guarded(const char* name, const std::function<int()>& body);

// Becomes true at the first Ctrl-C or termination signal; a second one ends the process at once with exit code 130.
const std::atomic<bool>& interruption();

}  // namespace cairn::app
