// The device services of the CUDA implementations, as the seam has them. Not here: what they do (stream.cpp).
#include <cstdio>

#include "kernels/runtime/cuda/stream.h"

namespace cairn::cuda {
namespace {

thread_local std::string last_error_text;

const char* last_error() {
  return last_error_text.c_str();
}

// Without a driver or a GPU this is 0, quietly; open_stream says why.
int32_t device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

void close_stream(cairn::Stream* stream) {
  if (stream) delete &unwrap(stream);
}

Status describe(cairn::Stream* stream, char* text, size_t capacity) {
  return guard([&] { std::snprintf(text, capacity, "%s", unwrap(stream).description().c_str()); });
}

// The stream's GPU must be current for all that follows.
template <class Body>
Status on_gpu(cairn::Stream* stream, const Body& body) {
  return guard([&] {
    unwrap(stream).activate();
    body(unwrap(stream));
  });
}

Status memory_info(cairn::Stream* stream, size_t* free_bytes, size_t* total_bytes) {
  return on_gpu(stream, [&](Stream&) { check(cudaMemGetInfo(free_bytes, total_bytes), "asking for free GPU memory"); });
}

Status allocate(cairn::Stream* stream, size_t bytes, void** out) {
  *out = nullptr;
  return on_gpu(stream, [&](Stream& on) { *out = on.allocate(bytes); });
}

void release(cairn::Stream* stream, void* pointer) {
  on_gpu(stream, [&](Stream& on) { on.release(pointer); });
}

Status copy(cairn::Stream* stream, void* to, const void* from, size_t bytes, CopyKind kind) {
  return on_gpu(stream, [&](Stream& on) { on.copy(to, from, bytes, kind); });
}

Status fill_bytes(cairn::Stream* stream, void* to, int32_t byte, size_t bytes) {
  return on_gpu(stream, [&](Stream& on) {
    if (bytes) check(cudaMemsetAsync(to, byte, bytes, on.handle), "filling GPU memory");
  });
}

Status synchronize(cairn::Stream* stream) {
  return on_gpu(stream, [](Stream& on) { on.synchronize(); });
}

// The seam's opaque cairn::Graph* is the executable graph itself.
Graph* wrap(cudaGraphExec_t executable) {
  return reinterpret_cast<Graph*>(executable);
}
cudaGraphExec_t unwrap(Graph* graph) {
  return reinterpret_cast<cudaGraphExec_t>(graph);
}

Status begin_capture(cairn::Stream* stream) {
  return on_gpu(stream, [](Stream& on) { on.begin_capture(); });
}

Status end_capture(cairn::Stream* stream, Graph** out) {
  *out = nullptr;
  return on_gpu(stream, [&](Stream& on) { *out = wrap(on.end_capture()); });
}

Status replay(cairn::Stream* stream, Graph* graph) {
  return on_gpu(stream, [&](Stream& on) { check(cudaGraphLaunch(unwrap(graph), on.handle), "replaying a step"); });
}

void release_graph(Graph* graph) {
  if (graph) cudaGraphExecDestroy(unwrap(graph));
}

}  // namespace

void set_last_error(const std::string& text) {
  last_error_text = text;
}

Backend with_services(Backend backend) {
  backend.version = kBackendVersion;
  backend.where = Where::cuda;
  backend.last_error = last_error;
  backend.device_count = device_count;
  if (!backend.open_stream) backend.open_stream = open_stream<Stream>;
  backend.close_stream = close_stream;
  backend.describe = describe;
  backend.memory_info = memory_info;
  backend.allocate = allocate;
  backend.release = release;
  backend.copy = copy;
  backend.fill_bytes = fill_bytes;
  backend.synchronize = synchronize;
  backend.begin_capture = begin_capture;
  backend.end_capture = end_capture;
  backend.replay = replay;
  backend.release_graph = release_graph;
  return backend;
}

}  // namespace cairn::cuda
