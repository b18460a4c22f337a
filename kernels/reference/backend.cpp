// The reference implementation's manifest: every primitive there is. Not here: the loops themselves.
#include "kernels/reference/backend.h"

#include "kernels/reference/primitives.h"
#include "kernels/runtime/cpu/stream.h"

namespace cairn::reference {

const Backend& backend() {
  using cpu::entry;
  static const Backend instance =
      cpu::with_services({.name = "reference",
                          .falls_back = nullptr,
                          .supports_f64 = 1,
                          .summary = "plain loops in float and double: the oracle, and the page to read first",

#define CAIRN_PRIMITIVE(family, name, Args) .name = entry<name>,
                          CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
      });
  return instance;
}

}  // namespace cairn::reference
