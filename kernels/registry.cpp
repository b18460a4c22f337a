#include "kernels/registry.h"

#include <cstring>

#include "kernels/reference/backend.h"
#if !defined(CAIRN_REFERENCE_ONLY)
#include "kernels/eigen/backend.h"
#include "kernels/simd/backend.h"
#include "kernels/vanilla/backend.h"
#endif
#if defined(CAIRN_HAS_CUDNN)
#include "kernels/cudnn/backend.h"
#endif

namespace cairn {

const std::vector<const Backend*>& compiled_backends() {
  static const std::vector<const Backend*> backends = {
    &reference::backend(),
#if !defined(CAIRN_REFERENCE_ONLY)
    &simd::backend(),
    &eigen::backend(),
    &vanilla_cpu::backend(),
#endif
#if defined(CAIRN_HAS_CUDA)
    &vanilla_cuda::backend(),
#endif
#if defined(CAIRN_HAS_CUDNN)
    &cudnn::backend(vanilla_cuda::backend()),
#endif
  };
  return backends;
}

std::vector<const Backend*> known_backends() {
  std::vector<const Backend*> all = compiled_backends();
  all.insert(all.end(), loaded_backends().begin(), loaded_backends().end());
  return all;
}

const Backend* find_backend(const char* name, Where where) {
  for (const Backend* backend : known_backends())
    if (backend->where == where && std::strcmp(backend->name, name) == 0) return backend;
  return nullptr;
}

}  // namespace cairn
