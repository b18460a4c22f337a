// The registry of cairn_kernel_torch_tests: the oracle, and what the torch plugin adds. Not here: the build's own list
// (kernels/registry.cpp).
#include "kernels/registry.h"

#include <cstring>
#include <stdexcept>

#include "kernels/reference/backend.h"

namespace cairn {

const std::vector<const Backend*>& compiled_backends() {
  static const std::vector<const Backend*> backends = [] {
    const std::string problem = load_plugin("torch");
    if (!problem.empty()) throw std::runtime_error(problem);
    std::vector<const Backend*> all = {&reference::backend()};
    all.insert(all.end(), loaded_backends().begin(), loaded_backends().end());
    return all;
  }();
  return backends;
}

// What the plugin asks for while it is loaded.
const Backend* find_backend(const char* name, Where where) {
  return where == Where::cpu && std::strcmp(name, "reference") == 0 ? &reference::backend() : nullptr;
}

}  // namespace cairn
