#include "apps/flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "kernels/number.h"

namespace cairn::app {
namespace {

constexpr uint64_t kMostConfigBytes = 1 << 20;

std::string read_text(const std::string& flag, const std::string& path, Pipes pipes) {
  try {
    const InputFile file(path, pipes);
    if (file.size() > kMostConfigBytes)
      throw DataError(path + ": has " + std::to_string(file.size()) + " bytes, too many for settings");
    std::string text(file.size(), '\0');
    file.read(0, std::as_writable_bytes(std::span(text)));
    return text;
  } catch (const DataError& error) {
    throw UsageError(flag + ": " + error.what());
  }
}

// Reads a flag's value. What is wrong with the word, or null.
const char* read_value(const std::string& word, std::string& value) {
  value = word;
  return nullptr;
}

const char* read_value(const std::string& word, bool& value) {
  for (const char* yes : {"true", "yes", "on", "1"})
    if (word == yes) return value = true, nullptr;
  for (const char* no : {"false", "no", "off", "0"})
    if (word == no) return value = false, nullptr;
  return "is neither true nor false";
}

template <class Number>
const char* read_value(const std::string& word, Number& value) {
  return read_number(word, value);
}

template <class Value>
std::string fault_of(const std::string& word) {
  Value value{};
  const char* const fault = read_value(word, value);
  return fault ? in_quotes(word) + " " + fault : "";
}

template <class Value>
const char* kind_of() {
  if (std::is_same_v<Value, std::string>) return "TEXT";
  if (std::is_same_v<Value, bool>) return "BOOLEAN";
  return std::is_floating_point_v<Value> ? "FLOAT" : std::is_unsigned_v<Value> ? "UINT" : "INT";
}

// CLI11's own conversion would take 064 for 52 and cast what does not fit. Every value is checked, also one that a
// later one replaces.
template <class Value, class Target>
CLI::Option* add_option(CLI::App& app, const char* name, Target& target, const char* help) {
  const auto store = [&target](const CLI::results_t& words) {
    Value value{};
    if (read_value(words.back(), value)) return false;
    target = value;
    return true;
  };
  return app.add_option(name, CLI::callback_t(store), help)->type_name(kind_of<Value>())->check(fault_of<Value>);
}

// CLI11 takes whatever follows for a flag's value: `--recipe= --json` would name a recipe --json. Here an empty value
// becomes a word of its own, and a flag that stands where a value belongs is refused.
std::vector<std::string> with_values(const CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      result.insert(result.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
      break;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const CLI::Option* option = name.starts_with("--") ? app.get_option_no_throw(name) : nullptr;
    const bool takes_value = option && option->get_items_expected_max() > 0;
    if (option && !takes_value && equals + 1 == word.size()) throw UsageError(name + ": " + fault_of<bool>(""));
    result.push_back(takes_value && equals + 1 == word.size() ? name : word);
    if (!takes_value || (equals != std::string::npos && equals + 1 < word.size())) continue;
    if (equals == std::string::npos) {
      const bool flag_follows = i + 1 < words.size() && words[i + 1].starts_with("--") &&
                                app.get_option_no_throw(words[i + 1].substr(0, words[i + 1].find('='))) != nullptr;
      if (i + 1 == words.size() || flag_follows) throw UsageError(name + " needs a value");
      result.push_back(words[++i]);
    } else {
      result.emplace_back();
    }
  }
  return result;
}

}  // namespace

FileFlags flags_from_json(const std::string& text, const std::string& name, UpgradeFlags upgrade) {
  nlohmann::json values;
  try {
    values = parse_json(text, true);
  } catch (const nlohmann::json::exception& error) {
    throw UsageError(name + " is not JSON: " + error.what());
  }
  if (!values.is_object()) throw UsageError(name + " must hold one JSON object of flags and values");
  FileFlags flags;
  if (upgrade) flags.upgraded = upgrade(values);
  for (const auto& [key, value] : values.items()) {
    if (value.is_string()) {
      flags.words.push_back("--" + key + "=" + value.get<std::string>());
    } else if (value.is_boolean() || value.is_number() || value.is_array()) {
      flags.words.push_back("--" + key + "=" + dump_json(value));
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
  UpgradeFlags upgrade = nullptr;
};

Flags::Flags(const char* program, const char* description) : parser_(std::make_unique<Parser>(program, description)) {}

Flags::~Flags() = default;

template <class Value>
void Flags::add(const char* name, Value& value, const char* help) {
  add_option<Value>(parser_->app, name, value, help)->default_str(fmt::format("{}", value));
}

template <class Value>
void Flags::add(const char* name, std::optional<Value>& value, const char* help) {
  add_option<Value>(parser_->app, name, value, help);
}

template void Flags::add(const char*, std::string&, const char*);
template void Flags::add(const char*, double&, const char*);
template void Flags::add(const char*, int&, const char*);
template void Flags::add(const char*, int64_t&, const char*);
template void Flags::add(const char*, uint64_t&, const char*);
template void Flags::add(const char*, bool&, const char*);
template void Flags::add(const char*, std::optional<std::string>&, const char*);
template void Flags::add(const char*, std::optional<double>&, const char*);
template void Flags::add(const char*, std::optional<int>&, const char*);
template void Flags::add(const char*, std::optional<int64_t>&, const char*);
template void Flags::add(const char*, std::optional<bool>&, const char*);

void Flags::add_switch(const char* name, bool& value, const char* help) {
  parser_->app.add_flag(name, value, help)->check(fault_of<bool>);
}

void Flags::add_words(const char* label, std::vector<std::string>& words, const char* help) {
  parser_->app.add_option(label, words, help)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Flags::add_config(const char* folder_flag, const char* file_name, const char* help, UpgradeFlags upgrade) {
  const std::string text = help;  // CLI11 would take a char* for a variable to store into
  parser_->app.add_option("--config", text)->type_name("FILE");
  parser_->folder_flag = folder_flag;
  parser_->file_name = file_name;
  parser_->upgrade = upgrade;
}

void Flags::set_footer(const std::string& text) {
  parser_->app.footer(text);
}

bool Flags::parse(int argc, char** argv) {
  CLI::App& app = parser_->app;
  const std::vector<std::string> arguments = with_values(app, {argv + 1, argv + argc});
  std::vector<std::string> words;
  bool from_input = false;
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const size_t equals = arguments[i].find('=');
    const std::string name = arguments[i].substr(0, equals);
    const bool folder = name == parser_->folder_flag;
    if (parser_->file_name.empty() || !(folder || name == "--config")) continue;
    std::string path = equals == std::string::npos ? arguments[i + 1] : arguments[i].substr(equals + 1);
    if (path == "-" && !folder && std::exchange(from_input, true))
      throw UsageError("--config: standard input (-) can be read only once");
    if (folder) path += "/" + parser_->file_name;
    const std::string text = read_text(name, path, folder ? Pipes::refuse : Pipes::read);
    const FileFlags flags = flags_from_json(text, name + ": " + path, parser_->upgrade);
    if (!flags.upgraded.empty() && !folder) say(path + ": " + flags.upgraded);
    words.insert(words.end(), flags.words.begin(), flags.words.end());
  }
  words = with_values(app, words);
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
