// A plugin that a user could have written: `reference` under another name, with an `add` of its own; and the same with
// one flaw, by number (CMakeLists.txt names them).
#include "kernels/plugin.h"

#define CAIRN_EXPORT extern "C" __attribute__((visibility("default")))

namespace cairn {
namespace {

const PluginHost* host = nullptr;

Status add(Stream*, const BinaryArgs* args) {
  if (args->dtype != DType::f32) {
    host->set_error(Where::cpu, "this fake adds f32 arrays only");
    return 1;
  }
  for (int64_t i = 0; i < args->count; ++i)
    static_cast<float*>(args->out)[i] =
        static_cast<const float*>(args->a)[i] + static_cast<const float*>(args->b)[i] + 1000;
  return 0;
}

}  // namespace

#if CAIRN_FLAW == 1
CAIRN_EXPORT int another_function() {
  return add(nullptr, nullptr);
}
#else
#if CAIRN_FLAW == 5
int nobody_has_this();
#endif

CAIRN_EXPORT const Plugin* cairn_backend_plugin(const PluginHost* given) {
  static Backend table;
  static const Backend* const tables[] = {&table};
  static Plugin plugin{.layout = seam_layout(), .count = 1, .backends = tables};
  host = given;
  table = *host->find("reference", Where::cpu);
  table.name = "sound";
  table.falls_back = "reference";
  table.summary = "a fake";
  table.gemm = nullptr;
  table.add = add;
#if CAIRN_FLAW == 2
  plugin.layout += 1;
#elif CAIRN_FLAW == 4
  plugin.count = 0;
#elif CAIRN_FLAW == 5
  plugin.count = nobody_has_this();
#endif
  return &plugin;
}
#endif

}  // namespace cairn
