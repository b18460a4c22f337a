// What the CUDA implementations share: the stream, the device services and the error path of the seam.
// Not here: any primitive. Not yet run on a GPU.
#pragma once

#include <cuda_runtime_api.h>

#include <exception>
#include <string>
#include <vector>

#include "kernels/backend.h"
#include "kernels/rungs.h"
#include "kernels/runtime/cuda/check.h"

namespace cairn::cuda {

// Behind the seam's opaque cairn::Stream* stands one of these (for a CUDA implementation) or a cpu::Stream; an
// implementation says which with `using cuda::Stream;`. One that needs library handles derives from it.
class Stream {
 public:
  // Throws where there is no such GPU.
  explicit Stream(const StreamOptions& options);
  virtual ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Makes this stream's GPU the calling thread's: every entry begins with it.
  void activate() const { check(cudaSetDevice(ordinal), "choosing the GPU"); }

  // Device memory for the call in hand, at least `bytes`, aligned to 256; the next call may get the same bytes.
  // It only ever grows, and never during capture.
  void* workspace(size_t bytes);

  // "NVIDIA H100, 132 SMs, compute capability 9.0, driver 13.0, CUDA runtime 13.0"
  virtual std::string description() const;

  void* allocate(size_t bytes);
  void release(void* pointer);
  void copy(void* to, const void* from, size_t bytes, CopyKind kind);
  void synchronize();

  void begin_capture();
  cudaGraphExec_t end_capture();
  // Throws "<what> while a step was being captured: ..." while one is.
  void forbid_while_capturing(const char* what) const;

  const int32_t ordinal;
  const Precision precision;
  const Rungs rungs;
  cudaStream_t handle = nullptr;
  int32_t multiprocessors = 0;
  int32_t compute_capability = 0;       // 90 for 9.0
  std::string capability_text() const;  // "9.0"

 private:
  void copy_to_device(char* to, const char* from, size_t bytes);

  // Host memory goes to the device through two pinned buffers in turn, so that the caller's array is free on return
  // while the copy still runs.
  static constexpr size_t kStagingBytes = size_t{1} << 20;
  struct Staging {
    void* pinned = nullptr;
    cudaEvent_t copied = nullptr;
  };
  Staging staging_[2];
  int next_staging_ = 0;

  size_t workspace_bytes_ = 0;
  std::vector<void*> workspaces_;  // the last one is in use; captured graphs may still refer to the others
  bool capturing_ = false;
  std::vector<void*> released_while_capturing_;
};

inline Stream& unwrap(cairn::Stream* stream) {
  return *reinterpret_cast<Stream*>(stream);
}
inline cairn::Stream* wrap(Stream* stream) {
  return reinterpret_cast<cairn::Stream*>(stream);
}

// Text of the calling thread's last failure.
void set_last_error(const std::string& text);

// Runs `body`; turns an exception into the seam's error.
template <class Body>
Status guard(const Body& body) {
  try {
    body();
    return 0;
  } catch (const std::exception& error) {
    set_last_error(error.what());
    return 1;
  }
}

// Turns a function that throws into an entry of the seam: entry<gemm> for `void gemm(Stream&, const GemmArgs&)`,
// with Stream this one or one derived from it (which the implementation's open_stream then makes).
template <auto function>
struct Guarded;
template <class AnyStream, class Args, void (*function)(AnyStream&, const Args&)>
struct Guarded<function> {
  static Status call(cairn::Stream* stream, const Args* args) {
    return guard([&] {
      unwrap(stream).activate();
      function(static_cast<AnyStream&>(unwrap(stream)), *args);
    });
  }
};
template <auto function>
inline constexpr auto entry = &Guarded<function>::call;

template <class AnyStream>
Status open_stream(const StreamOptions* options, cairn::Stream** out) {
  *out = nullptr;
  return guard([&] { *out = wrap(new AnyStream(*options)); });
}

// "13.0" for CUDA's 13000.
std::string version_text(int version);

// Fills the device services of a CUDA implementation; primitives stay as they are, and so does open_stream
// where it is set: an implementation with a stream of its own gives open_stream<its stream>.
Backend with_services(Backend backend);

}  // namespace cairn::cuda
