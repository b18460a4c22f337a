#include "apps/app.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "datasets/held_folder.h"
#include "framework/error.h"

namespace cairn::app {
namespace {

std::atomic<bool> interrupted{false};

void on_signal(int) {
  if (interrupted.exchange(true)) _exit(kInterrupted);
}

// The first line of a text, so that what a library has to say fits the rule of one line.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int report(const char* name, const std::string& text, int code) {
  fmt::print(stderr, "{}: {}\n", name, first_line(text));
  return code;
}

}  // namespace

int guarded(const char* name, const std::function<int()>& body) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is then a write error, which has its line
  try {
    return body();
  } catch (const RunError& error) {
    return report(name, error.what(), kFailed);
  } catch (const DeviceError& error) {
    return report(name, error.what(), kFailed);
  } catch (const datasets::InterruptedError& error) {
    return report(name, error.what(), kInterrupted);
  } catch (const Error& error) {
    return report(name, error.what(), kBadInput);
  } catch (const std::bad_alloc&) {
    return report(name, "out of memory", kFailed);
  } catch (const std::exception& error) {
    return report(name, error.what(), kFailed);
  }
}

const std::atomic<bool>& interruption() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupted;
}

}  // namespace cairn::app
