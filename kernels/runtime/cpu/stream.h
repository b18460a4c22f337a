// What the CPU implementations share: the stream, the device services and the error path of the seam.
// Not here: any primitive.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>

#include "kernels/backend.h"
#include "kernels/rungs.h"
#include "kernels/runtime/cpu/thread_pool.h"

namespace cairn::cpu {

// A CPU stream runs each call before returning from it. Behind the seam's opaque cairn::Stream* stands one of these
// (for a CPU implementation) or a cuda::Stream; an implementation says which with `using cpu::Stream;`.
struct Stream {
  explicit Stream(const StreamOptions& options)
      : pool(options.threads), precision(options.precision), rungs(options.kernels) {}

  // Memory for the call in hand, at least `bytes`, aligned to 256; the next call may get the same bytes.
  void* workspace(size_t bytes);

  ThreadPool pool;
  const Precision precision;  // only rungs that were asked for look at it: nothing here is faster for rounding
  Rungs rungs;

 private:
  struct Free {
    void operator()(void* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<void, Free> workspace_;
  size_t workspace_bytes_ = 0;
};

inline Stream& unwrap(cairn::Stream* stream) {
  return *reinterpret_cast<Stream*>(stream);
}
inline cairn::Stream* wrap(Stream* stream) {
  return reinterpret_cast<cairn::Stream*>(stream);
}

// Text of the calling thread's last failure.
void set_last_error(const std::string& text);

// Turns a function that throws into an entry of the seam: entry<gemm> for `void gemm(Stream&, const GemmArgs&)`.
template <auto function>
struct Guarded;
template <class Args, void (*function)(Stream&, const Args&)>
struct Guarded<function> {
  static Status call(cairn::Stream* stream, const Args* args) {
    try {
      function(unwrap(stream), *args);
      return 0;
    } catch (const std::exception& error) {
      set_last_error(error.what());
      return 1;
    }
  }
};
template <auto function>
inline constexpr auto entry = &Guarded<function>::call;

// The same, or null where the implementation lacks the function (manifest.h).
template <bool there, auto function>
consteval auto entry_if() {
  if constexpr (there)
    return entry<function>;
  else
    return nullptr;
}

// Fills the device services of a CPU implementation; primitives stay null.
Backend with_services(Backend backend);

}  // namespace cairn::cpu
