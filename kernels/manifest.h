// Manifests out of the one list of primitives: an implementation says what it lacks, by family or by name, and has the
// rest. A function that is neither there nor lacking does not link. Not here: the list (primitives.h).
//
//   constexpr std::string_view kLacking[] = {"pooling", "sgd_steps"};
//   #define CAIRN_PRIMITIVE(family, name, Args) .name = entry_if<has(kLacking, #family, #name), name>(),
//   CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "kernels/primitives.h"

namespace cairn {

constexpr bool has(std::span<const std::string_view> lacking, std::string_view family, std::string_view primitive) {
  return std::none_of(lacking.begin(), lacking.end(),
                      [&](std::string_view name) { return name == family || name == primitive; });
}

}  // namespace cairn
