#include "kernels/runtime/simt/config.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kernels/number.h"

namespace cairn::simt {
namespace {

Config from_environment() {
  Config config;
  if (const char* text = std::getenv("CAIRN_SIMT_SEED")) {
    if (const char* fault = read_number(text, config.seed))
      throw std::invalid_argument("CAIRN_SIMT_SEED is '" + std::string(text) + "', which " + fault);
    config.order = Order::shuffled;
  }
  if (const char* text = std::getenv("CAIRN_SIMT_ORDER")) {
    const std::string order = text;
    if (order == "forward") {
      config.order = Order::forward;
    } else if (order == "reverse") {
      config.order = Order::reverse;
    } else if (order == "shuffled") {
      config.order = Order::shuffled;
    } else {
      throw std::invalid_argument("CAIRN_SIMT_ORDER is '" + order + "': expected forward, reverse or shuffled");
    }
  }
  return config;
}

}  // namespace

Config& config() {
  static Config settings = from_environment();
  return settings;
}

}  // namespace cairn::simt
