// What every program shares: results on stdout, failures as one line and an exit code, interruption. Not here: flags
// (flags.h), what a program does, messages on the way (framework/message.h).
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <string>

namespace cairn::app {

enum ExitCode { kDone = 0, kFailed = 1, kBadInput = 2, kInterrupted = 130 };

// Runs body and turns what it throws into one line on stderr, "NAME: ...", and an exit code. So does a result that
// could not be written to stdout: kFailed, and no line where its reader went away. It ends no work on the way.
int guarded(const char* name, const std::function<int()>& body);

// Results, to stdout. What cannot be written is guarded's to tell.
void print_text(const std::string& text);
template <class... Values>
void print(fmt::format_string<Values...> format, Values&&... values) {
  print_text(fmt::format(format, std::forward<Values>(values)...));
}
// Hands what was printed to its reader now, where more comes much later.
void flush_results();

// Becomes true at the first Ctrl-C, SIGTERM or SIGHUP, but for those that were ignored when the program started (by
// nohup, or a shell's background job). A second Ctrl-C or SIGTERM ends the process at once with exit code 130.
const std::atomic<bool>& interruption();

}  // namespace cairn::app
