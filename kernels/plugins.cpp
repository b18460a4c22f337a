// Finds and loads plugins. Not here: what they are told and tell (plugin.h).
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "kernels/plugin.h"
#include "kernels/registry.h"
#include "kernels/runtime/cpu/stream.h"
#if defined(CAIRN_HAS_CUDA)
#include "kernels/runtime/cuda/stream.h"
#endif

namespace cairn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStart = "cairn-";
constexpr const char* kEnd = ".so";

struct Loaded {
  std::map<std::string, void*> libraries;  // by the plugin's name
  std::vector<const Backend*> backends;
};
Loaded& loaded() {
  static Loaded all;
  return all;
}

void set_error(Where where, const char* text) {
#if defined(CAIRN_HAS_CUDA)
  if (where == Where::cuda) return cuda::set_last_error(text);
#endif
  if (where == Where::cpu) cpu::set_last_error(text);
}

void* cuda_stream([[maybe_unused]] Stream* stream) {
#if defined(CAIRN_HAS_CUDA)
  return cuda::unwrap(stream).handle;
#else
  return nullptr;
#endif
}

std::vector<fs::path> folders() {
  std::vector<fs::path> result;
  if (const char* path = std::getenv("CAIRN_PLUGIN_PATH")) {
    std::istringstream stream(path);
    for (std::string folder; std::getline(stream, folder, ':');)
      if (!folder.empty()) result.emplace_back(folder);
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) result.push_back(program.parent_path().parent_path() / CAIRN_PLUGIN_FOLDER);
  return result;
}

// The name that a file has as a plugin, or "".
std::string name_of_file(const std::string& file) {
  const size_t start = std::strlen(kStart), ends = start + std::strlen(kEnd);
  if (file.size() <= ends || file.rfind(kStart, 0) != 0 || file.substr(file.size() - std::strlen(kEnd)) != kEnd)
    return "";
  return file.substr(start, file.size() - ends);
}

// A library's own text may have several lines, and begins with the path that the error has already.
std::string dynamic_linker_error(const std::string& path) {
  const char* reported = dlerror();
  std::string text = reported ? reported : "unknown error";
  text = text.substr(0, text.find('\n'));
  return text.rfind(path + ": ", 0) == 0 ? text.substr(path.size() + 2) : text;
}

// Adds what the library has; returns what is wrong with it, or "".
std::string add(const std::string& name, const std::string& path, void* library) {
  const auto function = reinterpret_cast<PluginFunction*>(dlsym(library, kPluginFunction));
  if (!function) return "plugin " + path + " is not one of Cairn's: it exports no function " + kPluginFunction;
  static const PluginHost host{
      .layout = seam_layout(), .find = find_backend, .set_error = set_error, .cuda_stream = cuda_stream};
  const Plugin* plugin = function(&host);
  if (!plugin) return "plugin " + path + " gave no reason for having no implementation";
  if (plugin->layout != seam_layout())
    return "plugin " + path +
           " was built for another version of Cairn's seam: build it and this program from the same "
           "sources";
  for (int32_t i = 0; i < plugin->count; ++i)
    if (plugin->backends[i]->name != name || plugin->backends[i]->version != kBackendVersion)
      return "plugin " + path + " holds the implementation '" + plugin->backends[i]->name + "', not '" + name + "'";
  if (plugin->count < 1) return "plugin " + path + " holds no implementation";
  loaded().libraries[name] = library;
  loaded().backends.insert(loaded().backends.end(), plugin->backends, plugin->backends + plugin->count);
  return "";
}

}  // namespace

std::string load_plugin(const std::string& name) {
  if (loaded().libraries.count(name)) return "";
  const std::string file = kStart + name + kEnd;
  std::string searched;
  for (const fs::path& folder : folders()) {
    const std::string path = (folder / file).string();
    std::error_code error;
    if (!fs::is_regular_file(path, error)) {
      searched += (searched.empty() ? "" : ", ") + folder.string();
      continue;
    }
    // Local, so that two plugins that bring the same library in two versions stay out of each other's way.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) return "plugin " + path + " cannot be loaded: " + dynamic_linker_error(path);
    const std::string problem = add(name, path, library);
    if (!problem.empty()) dlclose(library);
    return problem;
  }
  return "implementation '" + name + "' is a plugin, and " + file + " was not found in " + searched +
         ": build it (docs/install.md says how) or name its folder in $CAIRN_PLUGIN_PATH";
}

std::vector<std::string> plugin_names() {
  std::vector<std::string> names;
  for (const fs::path& folder : folders()) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const std::string name = name_of_file(entry->path().filename().string());
      if (!name.empty()) names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

const std::vector<const Backend*>& loaded_backends() {
  return loaded().backends;
}

void* plugin_function(const std::string& name, const char* function) {
  const auto library = loaded().libraries.find(name);
  return library == loaded().libraries.end() ? nullptr : dlsym(library->second, function);
}

}  // namespace cairn
