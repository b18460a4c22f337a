// Reading "--kernel gemm=3,softmax_forward=1": which rung of which ladder was asked for. Not here: what the rungs are.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>

#include "kernels/number.h"

namespace cairn {

class Rungs {
 public:
  // text: "primitive=rung" pairs separated by commas; null or empty for none.
  explicit Rungs(const char* text) {
    const std::string all = text ? text : "";
    for (size_t begin = 0; !all.empty() && begin <= all.size();) {
      const size_t comma = std::min(all.find(',', begin), all.size());
      const std::string pair = all.substr(begin, comma - begin);
      const size_t equals = std::min(pair.find('='), pair.size());
      int rung = -1;
      if (equals == 0 || equals == pair.size() || read_number(pair.substr(equals + 1), rung) || rung < 0)
        throw std::invalid_argument("kernel choice '" + pair + "' is not of the form primitive=rung, such as gemm=3");
      chosen_[pair.substr(0, equals)] = rung;
      begin = comma + 1;
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

}  // namespace cairn
