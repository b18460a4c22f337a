#include "apps/app.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "datasets/held_folder.h"
#include "framework/error.h"
#include "framework/message.h"

namespace cairn::app {
namespace {

std::atomic<bool> interrupted{false}, asked_to_end{false};
int output_fault = 0;  // errno of the first result that could not be written

void on_signal(int signal) {
  interrupted = true;
  // A terminal that closes sends SIGHUP twice, and service managers after a SIGTERM: that hurries nobody.
  if (signal != SIGHUP && asked_to_end.exchange(true)) _exit(kInterrupted);
}

// The first line of a text, so that what a library has to say fits the rule of one line.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

int report(const char* name, const std::string& text, int code) {
  say(std::string(name) + ": " + first_line(text));
  return code;
}

// A stream that is closed gives its number to the next file that is opened, and messages would go into weights. Opened
// the wrong way round, it fails as a closed one does.
void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // the lowest free number: this one
}

int run_body(const char* name, const std::function<int()>& body) {
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

}  // namespace

int guarded(const char* name, const std::function<int()>& body) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is then a write error, which has its line
  std::signal(SIGPIPE, SIG_IGN);  // so is a reader that is gone: a message is lost, and a training goes on
  occupy_closed_streams();
  const int code = run_body(name, body);
  flush_results();
  if (output_fault == 0 && std::ferror(stdout)) output_fault = EIO;  // written past print_text
  if (output_fault == 0) return code;
  if (output_fault != EPIPE)
    report(name, std::string("the results cannot be written to standard output: ") + std::strerror(output_fault), 0);
  return code == kDone ? kFailed : code;
}

void print_text(const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() && output_fault == 0) output_fault = errno;
}

void flush_results() {
  if (std::fflush(stdout) != 0 && output_fault == 0) output_fault = errno;
}

const std::atomic<bool>& interruption() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = on_signal;
    sigaction(signal, &action, nullptr);
  }
  return interrupted;
}

}  // namespace cairn::app
