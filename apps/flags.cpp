#include "apps/flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>

#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"

namespace cairn::app {
namespace {

std::string read_text(const std::string& flag, const std::string& path) {
  std::ifstream file(path);
  if (!file) throw UsageError(flag + ": cannot read " + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// CLI11 takes an integer that does not fit for a real number and casts it, to whatever comes out.
template <class Integer>
std::string range_fault(const std::string& word) {
  Integer value;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value);
  return fault == std::errc::result_out_of_range ? word + " is out of range" : "";
}

template <class Value>
CLI::Option* in_range(CLI::Option* option) {
  if constexpr (std::is_integral_v<Value> && !std::is_same_v<Value, bool>) option->check(range_fault<Value>);
  return option;
}

}  // namespace

std::vector<std::string> flags_from_json(const std::string& text, const std::string& name) {
  nlohmann::json values;
  try {
    values = parse_json(text, true);
  } catch (const nlohmann::json::exception& error) {
    throw UsageError(name + " is not JSON: " + error.what());
  }
  if (!values.is_object()) throw UsageError(name + " must hold one JSON object of flags and values");
  std::vector<std::string> flags;
  for (const auto& [key, value] : values.items()) {
    if (value.is_string()) {
      if (!value.get<std::string>().empty()) flags.push_back("--" + key + "=" + value.get<std::string>());
    } else if (value.is_boolean() || value.is_number() || value.is_array()) {
      flags.push_back("--" + key + "=" + dump_json(value));
    } else {
      throw UsageError(name + ": " + in_quotes(key) + " must be a number, a text, true or false");
    }
  }
  return flags;
}

struct Flags::Parser {
  Parser(const char* program, const char* description) : app(description, program) {
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  CLI::App app;
  std::string folder_flag, file_name;  // another name for --config, see Flags::add_config
};

Flags::Flags(const char* program, const char* description) : parser_(std::make_unique<Parser>(program, description)) {}

Flags::~Flags() = default;

template <class Value>
void Flags::add(const char* name, Value& value, const char* help) {
  in_range<Value>(parser_->app.add_option(name, value, help))->capture_default_str();
}

template <class Value>
void Flags::add(const char* name, std::optional<Value>& value, const char* help) {
  in_range<Value>(parser_->app.add_option(name, value, help));
}

template void Flags::add(const char*, std::string&, const char*);
template void Flags::add(const char*, double&, const char*);
template void Flags::add(const char*, int&, const char*);
template void Flags::add(const char*, int64_t&, const char*);
template void Flags::add(const char*, uint64_t&, const char*);
template void Flags::add(const char*, bool&, const char*);
template void Flags::add(const char*, std::optional<std::string>&, const char*);
template void Flags::add(const char*, std::optional<double>&, const char*);
template void Flags::add(const char*, std::optional<int64_t>&, const char*);
template void Flags::add(const char*, std::optional<bool>&, const char*);

void Flags::add_switch(const char* name, bool& value, const char* help) {
  parser_->app.add_flag(name, value, help);
}

void Flags::add_words(const char* label, std::vector<std::string>& words, const char* help) {
  parser_->app.add_option(label, words, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Flags::add_config(const char* folder_flag, const char* file_name, const char* help) {
  const std::string text = help;  // CLI11 would take a char* for a variable to store into
  parser_->app.add_option("--config", text)->type_name("FILE");
  parser_->folder_flag = folder_flag;
  parser_->file_name = file_name;
}

void Flags::set_footer(const std::string& text) {
  parser_->app.footer(text);
}

bool Flags::parse(int argc, char** argv) {
  CLI::App& app = parser_->app;
  std::vector<std::string> words;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const size_t equals = arguments[i].find('=');
    const std::string name = arguments[i].substr(0, equals);
    const bool folder = name == parser_->folder_flag;
    if (parser_->file_name.empty() || !(folder || name == "--config")) continue;
    if (equals == std::string::npos && i + 1 == arguments.size()) continue;
    std::string path = equals == std::string::npos ? arguments[i + 1] : arguments[i].substr(equals + 1);
    if (folder) path += "/" + parser_->file_name;
    const std::vector<std::string> flags = flags_from_json(read_text(name, path), name + ": " + path);
    words.insert(words.end(), flags.begin(), flags.end());
  }
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::reverse(words.begin(), words.end());  // CLI11 takes them last first
  try {
    app.parse(words);
  } catch (const CLI::Success& request) {
    app.exit(request);
    return false;
  } catch (const CLI::ExtrasError&) {
    std::string known, unknown;
    for (const CLI::Option* option : app.get_options()) known += " " + option->get_name();
    for (const std::string& word : app.remaining()) unknown += " " + word;
    throw UsageError("unknown argument" + unknown + "; the flags are" + known);
  } catch (const CLI::Error& error) {
    const std::string text = error.what();
    throw UsageError(text.substr(0, text.find('\n')));
  }
  return true;
}

}  // namespace cairn::app
