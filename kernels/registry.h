// Which implementations this build holds, and those that plugins add. Not here: choosing one (framework/device.h does),
// what a plugin is (plugin.h).
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace cairn {

// In the order in which `info` lists them. Pointers stay valid for the life of the process.
const std::vector<const Backend*>& compiled_backends();

// The same and those of the plugins loaded so far.
std::vector<const Backend*> known_backends();

// The implementation of that name at that place, or null. Loads nothing.
const Backend* find_backend(const char* name, Where where);

// Whose entries stand in for null ones, the nearest first: what it falls back on, what that falls back on, ... A
// circle, which a plugin could make, is gone round once.
inline std::vector<const Backend*> fallbacks_of(const Backend& backend) {
  std::vector<const Backend*> all;
  const auto next = [](const Backend& b) { return b.falls_back ? find_backend(b.falls_back, b.where) : nullptr; };
  for (const Backend* one = next(backend); one && one != &backend; one = next(*one)) {
    if (std::find(all.begin(), all.end(), one) != all.end()) break;
    all.push_back(one);
  }
  return all;
}

// ---- plugins (plugins.cpp) -----------------------------------------------------------------------------------
// A plugin is a file cairn-<name>.so in one of the folders that $CAIRN_PLUGIN_PATH lists (separated by colons), or in
// lib/cairn beside the folder of the running program, in that order. It stays loaded to the end of the process.

// Loads the plugin of that name, unless it is. Returns "", or in one line what is wrong and where it was looked for.
std::string load_plugin(const std::string& name);

// The names of the plugins whose files are there, loaded or not.
std::vector<std::string> plugin_names();

// The implementations of the plugins loaded so far.
const std::vector<const Backend*>& loaded_backends();

// Another function that a loaded plugin exports, or null.
void* plugin_function(const std::string& name, const char* function);

}  // namespace cairn
