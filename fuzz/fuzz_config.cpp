// A configuration file, and the flags that it stands for.
#include "apps/flags.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  const std::string text(input.begin(), input.end());
  std::vector<std::string> words = app::flags_from_json(text, "file").words;
  std::string name = "dnn";
  int64_t epochs = 1;
  uint64_t seed = 1;
  std::optional<double> rate;
  bool check = true, quiet = false;
  app::Flags flags("fuzz", "");
  flags.add("--model", name, "");
  flags.add("--epochs", epochs, "");
  flags.add("--seed", seed, "");
  flags.add("--lr", rate, "");
  flags.add("--check-hash", check, "");
  flags.add_switch("--quiet", quiet, "");
  std::string program = "fuzz";
  std::vector<char*> arguments = {program.data()};
  for (std::string& word : words)
    if (word.rfind("--help", 0) != 0) arguments.push_back(word.data());
  flags.parse(static_cast<int>(arguments.size()), arguments.data());
}
