#include "framework/message.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace cairn {
namespace {

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

void show(const std::string& text, std::FILE* out) {
  [[maybe_unused]] const size_t written = std::fwrite(text.data(), 1, text.size(), out);
  std::fflush(out);
  std::clearerr(out);  // a disk that has room again, or a terminal that is back, gets the next line
}

void say(const std::string& line, std::FILE* out) {
  show(line + "\n", out);
}

bool can_redraw(std::FILE* out) {
  return isatty(fileno(out)) != 0 && is_set("TERM") && std::strcmp(std::getenv("TERM"), "dumb") != 0 &&
         !is_set("NO_COLOR");
}

}  // namespace cairn
