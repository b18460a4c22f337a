// Reading "--kernel gemm=3,softmax_forward=1": which rung of which ladder was asked for. Not here: what the rungs are.
#pragma once

#include <map>
#include <stdexcept>
#include <string>

namespace cairn {

class Rungs {
 public:
  // text: "primitive=rung" pairs separated by commas; null or empty for none.
  explicit Rungs(const char* text) {
    std::string rest = text ? text : "";
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      const std::string pair = rest.substr(0, comma);
      rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
      const size_t equals = pair.find('=');
      const std::string number = equals == std::string::npos ? "" : pair.substr(equals + 1);
      if (equals == 0 || number.empty() || number.size() > 4 ||
          number.find_first_not_of("0123456789") != std::string::npos)
        throw std::invalid_argument("kernel choice '" + pair + "' is not of the form primitive=rung, such as gemm=3");
      chosen_[pair.substr(0, equals)] = std::stoi(number);
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
