#include "apps/app.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/error.h"
#include "trainers/trainer.h"

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

// {"lr": 0.1, "drop-last": true} as {"--lr=0.1", "--drop-last"}.
std::vector<std::string> flags_from_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw UsageError("--config: cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  nlohmann::json values;
  try {
    values = nlohmann::json::parse(text.str());
  } catch (const nlohmann::json::exception& error) {
    throw UsageError("--config: " + path + " is not JSON: " + error.what());
  }
  if (!values.is_object()) throw UsageError("--config: " + path + " must hold one JSON object of flags and values");
  std::vector<std::string> flags;
  for (const auto& [key, value] : values.items()) {
    if (value.is_boolean()) {
      flags.push_back(fmt::format("--{}={}", key, value.get<bool>()));
    } else if (value.is_string()) {
      if (!value.get<std::string>().empty()) flags.push_back(fmt::format("--{}={}", key, value.get<std::string>()));
    } else if (value.is_number()) {
      flags.push_back(fmt::format("--{}={}", key, value.dump()));
    } else {
      throw UsageError("--config: " + path + ": '" + key + "' must be a number, a text, true or false");
    }
  }
  return flags;
}

}  // namespace

int guarded(const char* name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const DivergedError& error) {
    return report(name, error.what(), kFailed);
  } catch (const DeviceError& error) {
    return report(name, error.what(), kFailed);
  } catch (const Error& error) {
    return report(name, error.what(), kBadInput);
  } catch (const std::bad_alloc&) {
    return report(name, "out of memory", kFailed);
  } catch (const std::exception& error) {
    return report(name, error.what(), kFailed);
  }
}

bool parse(CLI::App& app, int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc), from_file;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string path;
    if (arguments[i].rfind("--config=", 0) == 0) {
      path = arguments[i].substr(9);
    } else if (arguments[i] == "--config" && i + 1 < arguments.size()) {
      path = arguments[i + 1];
    } else {
      continue;
    }
    const std::vector<std::string> flags = flags_from_file(path);
    from_file.insert(from_file.end(), flags.begin(), flags.end());
  }
  from_file.insert(from_file.end(), arguments.begin(), arguments.end());
  std::reverse(from_file.begin(), from_file.end());  // CLI11 takes them last first
  try {
    app.parse(from_file);
  } catch (const CLI::Success& request) {
    app.exit(request);
    return false;
  } catch (const CLI::ExtrasError&) {
    std::string known, unknown;
    for (const CLI::Option* option : app.get_options()) known += " " + option->get_name();
    for (const std::string& word : app.remaining()) unknown += " " + word;
    throw UsageError("unknown argument" + unknown + "; the flags are" + known);
  } catch (const CLI::Error& error) {
    throw UsageError(first_line(error.what()));
  }
  return true;
}

const std::atomic<bool>& interruption() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupted;
}

}  // namespace cairn::app
