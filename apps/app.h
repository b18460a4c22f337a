// What every program shares: failures as one line and an exit code, interruption, flags from a file. Not here: what a
// program does.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace cairn::app {

enum ExitCode { kDone = 0, kFailed = 1, kBadInput = 2, kInterrupted = 130 };

// Runs body and turns what it throws into one line on stderr, "NAME: ...", and an exit code.
int guarded(const char* name, const std::function<int()>& body);

// Parses the flags; returns false when --help or --version was printed. Throws UsageError in one line, with the flags
// there are when one is unknown. A `--config FILE` among the arguments puts the file's entries ahead of the others, so
// that those on the command line win.
bool parse(CLI::App& app, int argc, char** argv);

// Becomes true at the first Ctrl-C or termination signal; a second one ends the process at once with exit code 130.
const std::atomic<bool>& interruption();

}  // namespace cairn::app
