// Reading "--kernel gemm=3,softmax_forward=1": which rung of which ladder was asked for, and whether a device has what
// a rung needs. Not here: what the rungs are.
#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/number.h"

namespace cairn {

// One choice, as it was written and as it was read: where it is not of the form primitive=rung, the rung is -1.
struct RungChoice {
  std::string text, primitive;
  int rung;
};

// all: choices separated by commas; empty for none.
inline std::vector<RungChoice> rung_choices(const std::string& all) {
  std::vector<RungChoice> choices;
  for (size_t begin = 0; !all.empty() && begin <= all.size();) {
    const size_t comma = std::min(all.find(',', begin), all.size());
    const std::string pair = all.substr(begin, comma - begin);
    const size_t equals = std::min(pair.find('='), pair.size());
    int rung = -1;
    if (equals == 0 || equals == pair.size() || read_number(pair.substr(equals + 1), rung) || rung < 0) rung = -1;
    choices.push_back({pair, pair.substr(0, equals), rung});
    begin = comma + 1;
  }
  return choices;
}

class Rungs {
 public:
  // text: as above, or null for none.
  explicit Rungs(const char* text) {
    for (const RungChoice& choice : rung_choices(text ? text : "")) {
      if (choice.rung < 0)
        throw std::invalid_argument("kernel choice '" + choice.text +
                                    "' is not of the form primitive=rung, such as gemm=3");
      chosen_[choice.primitive] = choice.rung;
    }
  }

  // The rung asked for, or `otherwise`.
  int get(const std::string& primitive, int otherwise) const {
    const auto found = chosen_.find(primitive);
    return found == chosen_.end() ? otherwise : found->second;
  }
  const std::map<std::string, int>& all() const { return chosen_; }

 private:
  std::map<std::string, int> chosen_;
};

// A rung that not every GPU runs begins its idea with "compute capability 9.0: ", where it is that generation's alone,
// or with "compute capability 9.0 or newer: ". description: as a backend describes the stream's device, where a GPU's
// has its capability; a CPU has none, and the executor acts all generations. Such a rung is left out, not called.
inline bool device_has(const std::string& description, const std::string& idea) {
  static const std::string mark = "compute capability ";
  const size_t place = description.find(mark);
  if (place == std::string::npos || idea.rfind(mark, 0) != 0) return true;
  // 10 * major + minor of "9.0".
  const auto number_at = [](const std::string& text, size_t at) {
    int number = 0;
    for (; at < text.size() && (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == '.'); ++at)
      if (text[at] != '.') number = 10 * number + (text[at] - '0');
    return number;
  };
  const int there = number_at(description, place + mark.size()), needed = number_at(idea, mark.size());
  return idea.find(" or newer: ") == std::string::npos ? there == needed : there >= needed;
}

}  // namespace cairn
