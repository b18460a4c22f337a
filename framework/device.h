// A device: one implementation at one place (vanilla on cuda, simd on cpu, ...), its stream and its memory, and the
// one door through which primitives are called. Not here: tensors, gradients, and the implementations themselves.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/allocator.h"
#include "framework/shape.h"
#include "kernels/backend.h"

namespace cairn {

class Recording;

struct DeviceOptions {
  std::string implementation = "vanilla";
  std::string where = "auto";  // auto (a GPU if the implementation runs on one and one is there), cpu, cuda
  int threads = 0;             // CPU threads, 0 = as many as the process may use
  Precision precision = Precision::fp32;
  std::string kernels = "";  // rung choices, "gemm=3"
  bool autotune = false;     // as in StreamOptions
};

const char* name_of(Where where);

// Who computes each primitive of kPrimitives when `backend` is asked to: itself, the one it falls back on, or nobody
// ("").
std::array<std::string, kPrimitiveCount> primitive_origins(const Backend& backend);

// Everything that is opened here must be destroyed before the Device is.
class Device {
 public:
  // Throws UsageError for an unknown implementation or place (listing the choices) and DeviceError for a missing GPU.
  static std::shared_ptr<Device> open(const DeviceOptions& options);
  explicit Device(const Backend& backend, const DeviceOptions& options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& implementation() const { return name_; }
  Where where() const { return table_.where; }
  std::string label() const;                // "vanilla on cpu"
  std::string description() const;          // hardware and library versions
  int threads() const { return threads_; }  // of the CPU team; 0 on a GPU
  // Whether it computes in that floating type.
  bool supports(DType dtype) const { return dtype != DType::f64 || table_.supports_f64; }
  const MemoryCounters& memory() const { return memory_; }
  size_t free_bytes() const;  // of the device's memory, whoever else uses it

  // As primitive_origins.
  const std::array<std::string, kPrimitiveCount>& origins() const { return origins_; }

  // Runs a primitive, or adds it to the recording in progress: device.call(&Backend::gemm, args).
  template <class Args>
  void call(Primitive<Args> Backend::*entry, const Args& args);
  bool has(auto Backend::*entry) const { return table_.*entry != nullptr; }
  // Elements that a gated recurrent unit's forward pass keeps for its backward pass.
  int64_t gru_reserve(const GruShape& shape) const;
  // A convolution's weights as conv2d_forward may take them for that shape: so many floats, at once written to
  // `prepared` unless that is null; 0: as they are.
  int64_t prepare_conv2d(const Conv2dShape& shape, const void* weight, void* prepared);

  void copy_to_device(void* to, const void* from, size_t bytes);
  void copy_to_host(void* to, const void* from, size_t bytes);
  void copy_on_device(void* to, const void* from, size_t bytes);
  void fill_zero(void* to, size_t bytes);
  void synchronize();

  const std::shared_ptr<MemoryPool>& pool() const { return pool_; }
  // A scalar 1 of the given dtype in device memory.
  const void* one(DType dtype);

 private:
  friend class MemoryPool;
  friend class Recording;

  [[noreturn]] void fail(const char* what) const;
  [[noreturn]] void fail_missing(size_t primitive) const;
  void refuse_while_recording(const char* what) const;

  Backend table_;  // null entries filled from the implementation it falls back on
  std::string name_;
  std::array<std::string, kPrimitiveCount> origins_;
  Stream* stream_ = nullptr;
  int threads_ = 0;
  MemoryCounters memory_;
  std::shared_ptr<MemoryPool> eager_pool_,
      pool_;  // pool_: what is allocated from now, a recording's own while it captures
  std::array<std::unique_ptr<Storage>, 2> ones_;  // f32, f64
  Recording* recording_ = nullptr;
};

// A sequence of calls, captured once and replayed any number of times with the same buffers: a flat list on the CPU, a
// CUDA graph on a GPU. While it is captured nothing runs, and everything allocated comes from a pool that it keeps.
// What was allocated before (parameters, data) must live as long as it is replayed.
class Recording {
 public:
  // Captures what body calls on the device. body must not read results back or copy from the host (DeviceError).
  template <class Body>
  Recording(Device& device, Body&& body) : Recording(device) {
    begin();
    try {
      body();
    } catch (...) {
      abandon();
      throw;
    }
    end();
  }
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void replay();
  size_t call_count() const { return calls_.size(); }  // 0 on a GPU, where the graph holds them

 private:
  friend class Device;

  using Entry = void (*)();
  // One call: its entry, and where its arguments' copy begins in arguments_. Calling through the stored function
  // pointer is all that is left of dispatch.
  struct Call {
    Status (*run)(Entry, const void* args, Stream*);
    Entry entry;
    const char* name;
    size_t args;
  };

  explicit Recording(Device& device) : device_(device) {}
  void begin();
  void end();
  void abandon();

  template <class Args>
  void add(Primitive<Args> entry, const Args& args, const char* name) {
    static_assert(std::is_trivially_copyable_v<Args> && alignof(Args) <= kAlignment);
    const auto run = [](Entry function, const void* copy, Stream* stream) {
      return reinterpret_cast<Primitive<Args>>(function)(stream, static_cast<const Args*>(copy));
    };
    add(run, reinterpret_cast<Entry>(entry), name, &args, sizeof(Args));
  }
  void add(Status (*run)(Entry, const void*, Stream*), Entry entry, const char* name, const void* args, size_t bytes);
  void add_fill(void* to, size_t bytes);
  void add_copy(void* to, const void* from, size_t bytes);

  static constexpr size_t kAlignment = alignof(std::max_align_t);

  Device& device_;
  std::vector<Call> calls_;
  std::vector<std::byte> arguments_;  // of all calls, one after the other
  Graph* graph_ = nullptr;
  std::shared_ptr<MemoryPool> pool_;
};

template <class Args>
void Device::call(Primitive<Args> Backend::*entry, const Args& args) {
  // The entry's place among the primitives, for its name.
  const auto offset = reinterpret_cast<const char*>(&(table_.*entry)) - reinterpret_cast<const char*>(&table_);
  const size_t index = (static_cast<size_t>(offset) - kFirstPrimitiveOffset) / sizeof(void*);
  const Primitive<Args> function = table_.*entry;
  if (!function) fail_missing(index);
  if (recording_ && !table_.begin_capture) return recording_->add(function, args, kPrimitives[index]);
  if (function(stream_, &args) != 0) fail(kPrimitives[index]);
}

}  // namespace cairn
