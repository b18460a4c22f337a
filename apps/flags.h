// A program's flags: names, defaults, help, and a `--config FILE` that holds them by name. Not here: what a program
// does with them; CLI11, which does the parsing, stays inside flags.cpp.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace cairn::app {

// Brings an older file's flags up to date; the result says what changed, "": nothing.
using UpgradeFlags = std::string (*)(nlohmann::json& values);
struct FileFlags {
  std::vector<std::string> words;
  std::string upgraded;  // what `upgrade` said
};
// {"lr": 0.1, "drop-last": true}, the text of a `--config` file, as {"--drop-last=true", "--lr=0.1"}. `name` is
// what errors call it. Throws UsageError.
FileFlags flags_from_json(const std::string& text, const std::string& name, UpgradeFlags upgrade = nullptr);

class Flags {
 public:
  Flags(const char* program, const char* description);
  ~Flags();

  // `--name VALUE`, once or more (the last one counts), stored into value, which must outlive parse. What value holds
  // now is the default that --help shows. Value: std::string, double, int, int64_t, uint64_t (kernels/number.h says
  // what a number is), or bool ("true" or "false", also yes, no, on, off, 1, 0).
  template <class Value>
  void add(const char* name, Value& value, const char* help);
  // The same without a default: empty unless given.
  template <class Value>
  void add(const char* name, std::optional<Value>& value, const char* help);
  // `--name` alone.
  void add_switch(const char* name, bool& value, const char* help);
  // Words without a name; `label` is what --help calls them.
  void add_words(const char* label, std::vector<std::string>& words, const char* help);
  // `--config FILE`, or - for standard input: a JSON object of flags and values, ahead of the others, so that those on
  // the command line win. `folder_flag FOLDER`, a flag added before, means FOLDER/file_name in the same way. That a
  // FILE was brought up to date is said here; of a folder's, whoever reads the folder says it.
  void add_config(const char* folder_flag, const char* file_name, const char* help, UpgradeFlags upgrade = nullptr);
  // Text under --help's list.
  void set_footer(const std::string& text);

  // Returns false when --help was printed. Throws UsageError in one line, with the flags there are when one is unknown.
  bool parse(int argc, char** argv);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace cairn::app
