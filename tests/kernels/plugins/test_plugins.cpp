// Loading plugins: a sound one from its file to its results, and each way in which one can be wrong. Not here: the
// torch plugin's results (the kernel tests run over it).
#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "framework/error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/tensor.h"
#include "kernels/registry.h"

namespace cairn::test {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = CAIRN_FAKE_PLUGINS;

// Where programs look without $CAIRN_PLUGIN_PATH, as the error names it.
std::string own_folder() {
  return (fs::read_symlink("/proc/self/exe").parent_path().parent_path() / CAIRN_PLUGIN_FOLDER).string();
}

// $CAIRN_PLUGIN_PATH for the life of one of these.
class PluginPath {
 public:
  explicit PluginPath(const std::string& path) { setenv("CAIRN_PLUGIN_PATH", path.c_str(), 1); }
  ~PluginPath() { unsetenv("CAIRN_PLUGIN_PATH"); }
  PluginPath(const PluginPath&) = delete;
  PluginPath& operator=(const PluginPath&) = delete;
};

std::string refusal(const std::string& implementation, const std::string& where = "auto") {
  try {
    Device::open({.implementation = implementation, .where = where});
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a plugin that is not there: what was looked for, where, what to do") {
  const std::string absent = " is a plugin, and cairn-absent.so was not found in ";
  const std::string advice = ": build it (docs/install.md says how) or name its folder in $CAIRN_PLUGIN_PATH";
  CHECK(load_plugin("absent") == "implementation 'absent'" + absent + own_folder() + advice);
  const PluginPath path("/nowhere::" + kFolder);
  CHECK(load_plugin("absent") ==
        "implementation 'absent'" + absent + "/nowhere, " + kFolder + ", " + own_folder() + advice);
  CHECK(loaded_backends().empty());
}

TEST_CASE("a name that no plugin has is an unknown implementation; the choices name the plugins there are") {
  CHECK(refusal("sound").find("unknown implementation 'sound': choose one of reference, ") == 0);
  const PluginPath path(kFolder);
  CHECK(refusal("../found/sound").find("unknown implementation '../found/sound': choose one of reference, ") == 0);
  CHECK(refusal("absent").find(", sound") != std::string::npos);
  const std::vector<std::string> names = plugin_names();
  for (const char* name : {"disguised", "foreign", "hollow", "mute", "sound", "unlinked"})
    CHECK(std::count(names.begin(), names.end(), name) == 1);
}

TEST_CASE("broken plugins are refused in one line and leave nothing behind") {
  const PluginPath path(kFolder);
  const auto file = [](const std::string& name) { return "plugin " + kFolder + "/cairn-" + name + ".so"; };
  CHECK(refusal("mute") == file("mute") + " is not one of Cairn's: it exports no function cairn_backend_plugin");
  CHECK(refusal("foreign") == file("foreign") +
                                  " was built for another version of Cairn's seam: build it and this program from the "
                                  "same sources");
  CHECK(refusal("disguised") == file("disguised") + " holds the implementation 'sound', not 'disguised'");
  CHECK(refusal("hollow") == file("hollow") + " holds no implementation");
  const std::string unlinked = refusal("unlinked");
  CHECK(unlinked.find(file("unlinked") + " cannot be loaded: undefined symbol: ") == 0);
  CHECK(unlinked.find('\n') == std::string::npos);
  CHECK(loaded_backends().empty());
}

TEST_CASE("a file that is no library, and a folder in its place") {
  std::string folder = (fs::temp_directory_path() / "cairn-plugins-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const PluginPath path(folder);
  std::ofstream(folder + "/cairn-text.so") << "This is no library.\n";
  const std::string text = refusal("text");
  CHECK(text.find("plugin " + folder + "/cairn-text.so cannot be loaded: ") == 0);
  CHECK(text.find('\n') == std::string::npos);
  fs::create_directory(folder + "/cairn-folder.so");
  CHECK(refusal("folder").find("implementation 'folder' is a plugin, and cairn-folder.so was not found in " + folder) ==
        0);
  fs::remove_all(folder);
}

TEST_CASE("a sound plugin computes, falls back and fails like any implementation") {
  {
    const PluginPath path(kFolder);
    CHECK(find_backend("sound", Where::cpu) == nullptr);
    CHECK(refusal("sound", "cuda").find("'sound' runs only on the CPU") == std::string::npos);  // no CUDA comes first
    CHECK(load_plugin("sound") == "");
    CHECK(load_plugin("sound") == "");
  }
  // Once it is loaded nothing is looked for any more.
  const Backend* backend = find_backend("sound", Where::cpu);
  REQUIRE(backend);
  CHECK(loaded_backends() == std::vector<const Backend*>{backend});
  CHECK(known_backends().back() == backend);
  CHECK(known_backends().size() == compiled_backends().size() + 1);
  CHECK((plugin_function("sound", "cairn_backend_plugin") != nullptr));
  CHECK((plugin_function("sound", "another_function") == nullptr));
  CHECK((plugin_function("absent", "cairn_backend_plugin") == nullptr));

  const auto device = Device::open({.implementation = "sound"});
  CHECK(device->label() == "sound on cpu");
  CHECK(device->origins()[0] == "reference");
  CHECK(device->origins()[3] == "sound");
  const Tensor a = Tensor::from_host<float>(device, {1, 1}, std::vector<float>{3});
  CHECK(add(a, a).item() == 1006);
  CHECK(matmul(a, a).item() == 9);
  const Tensor wide = Tensor::from_host<double>(device, {1, 1}, std::vector<double>{3});
  try {
    add(wide, wide);
    FAIL("a failure of the plugin went unnoticed");
  } catch (const DeviceError& error) {
    CHECK(std::string(error.what()) == "add failed (sound on cpu): this fake adds f32 arrays only");
  }
}

}  // namespace cairn::test
