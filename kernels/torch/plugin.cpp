// The torch plugin: its one exported function, the manifest, and what stands around each entry. Not here: the
// primitives (primitives.h).
//
// Streams, memory and the error text are the program's own implementation's at the same place, `reference`, so that
// entries of either take the other's streams and arrays.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "kernels/plugin.h"
#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

const PluginHost* host = nullptr;
const Backend* services = nullptr;  // of `reference`

// The number of threads that each stream was opened with. ATen knows one number for the whole process.
class Threads {
 public:
  void set(Stream* stream, int32_t threads) {
    const std::lock_guard lock(mutex_);
    of_[stream] = threads;
  }
  void forget(Stream* stream) {
    const std::lock_guard lock(mutex_);
    of_.erase(stream);
  }
  int32_t get(Stream* stream) {
    const std::lock_guard lock(mutex_);
    const auto found = of_.find(stream);
    return found == of_.end() ? 1 : found->second;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Stream*, int32_t> of_;
};
Threads& threads() {
  static Threads all;
  return all;
}

// Runs body as an entry of the seam: on the stream's threads, without gradients, and with an exception as an error.
template <class Body>
Status guarded(Stream* stream, const Body& body) {
  try {
    const int32_t wanted = threads().get(stream);
    if (at::get_num_threads() != wanted) at::set_num_threads(wanted);
    const c10::InferenceMode without_gradients;
    body(Place(at::kCPU));
    return 0;
  } catch (const c10::Error& error) {
    host->set_error(Where::cpu, ("LibTorch: " + error.msg().substr(0, error.msg().find('\n'))).c_str());
  } catch (const std::exception& error) {
    host->set_error(Where::cpu, error.what());
  }
  return 1;
}

template <auto function>
struct Entry;
template <class Args, void (*function)(const Place&, const Args&)>
struct Entry<function> {
  static Status call(Stream* stream, const Args* args) {
    return guarded(stream, [&](const Place& place) { function(place, *args); });
  }
};
template <auto function>
constexpr auto entry = &Entry<function>::call;

Status open_stream(const StreamOptions* options, Stream** out) {
  const Status status = services->open_stream(options, out);
  if (status == 0)
    threads().set(*out,
                  options->threads > 0 ? options->threads : static_cast<int32_t>(std::thread::hardware_concurrency()));
  return status;
}

void close_stream(Stream* stream) {
  threads().forget(stream);
  services->close_stream(stream);
}

Status describe(Stream* stream, char* text, size_t capacity) {
  const Status status = services->describe(stream, text, capacity);
  const size_t length = std::strlen(text);
  std::snprintf(text + length, capacity - length, ", LibTorch %s", TORCH_VERSION);
  return status;
}

Backend filled() {
  return {
      .version = kBackendVersion,
      .name = "torch",
      .where = Where::cpu,
      .falls_back = "reference",
      .supports_f64 = 1,
      .summary = "LibTorch's ATen, as a plugin; the last bits of a sum depend on the number of threads",
      .last_error = services->last_error,
      .device_count = services->device_count,
      .open_stream = open_stream,
      .close_stream = close_stream,
      .describe = describe,
      .memory_info = services->memory_info,
      .allocate = services->allocate,
      .release = services->release,
      .copy = services->copy,
      .fill_bytes = services->fill_bytes,
      .synchronize = services->synchronize,

      .gemm = entry<gemm>,
      .byte_linear_forward = entry<byte_linear_forward>,
      .byte_linear_backward_weight = entry<byte_linear_backward_weight>,
      .add = entry<add>,
      .multiply = entry<multiply>,
      .scale = entry<scale>,
      .bias_forward = entry<bias_forward>,
      .bias_backward = entry<bias_backward>,
      .bias_relu_backward = entry<bias_relu_backward>,
      .relu_forward = entry<relu_forward>,
      .relu_backward = entry<relu_backward>,
      .tanh_forward = entry<tanh_forward>,
      .tanh_backward = entry<tanh_backward>,
      .dropout = entry<dropout>,
      .conv2d_forward = entry<conv2d_forward>,
      .conv2d_backward_data = entry<conv2d_backward_data>,
      .conv2d_backward_filter = entry<conv2d_backward_filter>,
      .conv2d_backward_bias = entry<conv2d_backward_bias>,
      .max_pool_forward = entry<max_pool_forward>,
      .max_pool_backward = entry<max_pool_backward>,
      .average_pool_forward = entry<average_pool_forward>,
      .average_pool_backward = entry<average_pool_backward>,
      .batch_norm_forward = entry<batch_norm_forward>,
      .batch_norm_backward = entry<batch_norm_backward>,
      .local_response_norm_forward = entry<local_response_norm_forward>,
      .local_response_norm_backward = entry<local_response_norm_backward>,
      .copy_rows = entry<copy_rows>,
      .softmax_forward = entry<softmax_forward>,
      .softmax_backward = entry<softmax_backward>,
      .cross_entropy_forward = entry<cross_entropy_forward>,
      .cross_entropy_backward = entry<cross_entropy_backward>,
      .squared_error_forward = entry<squared_error_forward>,
      .squared_error_backward = entry<squared_error_backward>,
      .sum = entry<sum>,
      .broadcast_scalar = entry<broadcast_scalar>,
      .argmax = entry<argmax>,
      .classification_metrics = entry<classification_metrics>,
      .gather_bytes = entry<gather_bytes>,
      .sgd = entry<sgd>,
      .adam = entry<adam>,
  };
}

}  // namespace

// The first call counts.
extern "C" __attribute__((visibility("default"))) const Plugin* cairn_backend_plugin(const PluginHost* given) {
  static Backend table;
  static const Backend* const tables[] = {&table};
  static Plugin plugin{.layout = seam_layout(), .count = 0, .backends = tables};
  if (given->layout != seam_layout() || plugin.count > 0) return &plugin;
  host = given;
  services = host->find("reference", Where::cpu);
  if (!services) return &plugin;
  table = filled();
  plugin.count = 1;
  return &plugin;
}

}  // namespace cairn::torch
