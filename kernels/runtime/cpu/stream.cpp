#include "kernels/runtime/cpu/stream.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "kernels/runtime/cpu/memory.h"

namespace cairn::cpu {
namespace {

thread_local std::string last_error_text;

const char* last_error() {
  return last_error_text.c_str();
}

int32_t device_count() {
  return 1;
}

Status open_stream(const StreamOptions* options, cairn::Stream** out) {
  try {
    *out = wrap(new Stream(*options));
    return 0;
  } catch (const std::exception& error) {
    set_last_error(error.what());
    return 1;
  }
}

void close_stream(cairn::Stream* stream) {
  if (stream) delete &unwrap(stream);
}

Status describe(cairn::Stream* stream, char* text, size_t capacity) {
  std::string model = "CPU";
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) model = line.substr(colon + 2);
    break;
  }
  const int size = unwrap(stream).pool.size();
  std::snprintf(text, capacity, "%s, %d thread%s", model.c_str(), size, size == 1 ? "" : "s");
  return 0;
}

Status memory_info(cairn::Stream*, size_t* free_bytes, size_t* total_bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  *free_bytes = static_cast<size_t>(sysconf(_SC_AVPHYS_PAGES)) * page;
  *total_bytes = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * page;
  return 0;
}

Status allocate(cairn::Stream*, size_t bytes, void** out) {
  *out = allocate_memory(bytes);
  if (*out || bytes == 0) return 0;
  set_last_error("out of memory");
  return 1;
}

void release(cairn::Stream*, void* pointer) {
  std::free(pointer);
}

Status copy(cairn::Stream*, void* to, const void* from, size_t bytes, CopyKind) {
  if (bytes) std::memmove(to, from, bytes);
  return 0;
}

Status fill_bytes(cairn::Stream*, void* to, int32_t byte, size_t bytes) {
  if (bytes) std::memset(to, byte, bytes);
  return 0;
}

Status synchronize(cairn::Stream*) {
  return 0;
}

}  // namespace

void* Stream::workspace(size_t bytes) {
  if (bytes > workspace_bytes_) {
    void* memory = allocate_memory(bytes);
    if (!memory) throw std::runtime_error("out of memory: a workspace of " + std::to_string(bytes) + " bytes");
    workspace_.reset(memory);
    workspace_bytes_ = bytes;
  }
  return workspace_.get();
}

void set_last_error(const std::string& text) {
  last_error_text = text;
}

Backend with_services(Backend backend) {
  backend.version = kBackendVersion;
  backend.where = Where::cpu;
  backend.last_error = last_error;
  backend.device_count = device_count;
  backend.open_stream = open_stream;
  backend.close_stream = close_stream;
  backend.describe = describe;
  backend.memory_info = memory_info;
  backend.allocate = allocate;
  backend.release = release;
  backend.copy = copy;
  backend.fill_bytes = fill_bytes;
  backend.synchronize = synchronize;
  return backend;
}

}  // namespace cairn::cpu
