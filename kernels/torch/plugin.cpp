// The torch plugin: its one exported function, the manifest, and what stands around each entry. Not here: the
// primitives (primitives.h).
//
// Streams, memory and the error text are those of the program's own implementation at the same place, `reference` on
// the CPU and `vanilla` on a GPU, so that entries of either take the other's streams and arrays. The form for GPUs is
// there where the program has CUDA and LibTorch has too. It has not yet been run on a GPU.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/StreamGuard.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <unordered_map>

#include "kernels/cpu_share.h"
#include "kernels/manifest.h"
#include "kernels/plugin.h"
#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

const PluginHost* host = nullptr;
const Backend* services[2] = {};  // whose device services are taken, by Where
const Backend& services_at(Where where) {
  return *services[static_cast<int>(where)];
}

// What a stream was opened for. ATen knows one number of threads for the whole process.
struct Opened {
  Where where;
  int32_t ordinal, threads;
};
class Streams {
 public:
  void add(Stream* stream, const Opened& opened) {
    const std::lock_guard lock(mutex_);
    all_[stream] = opened;
  }
  void remove(Stream* stream) {
    const std::lock_guard lock(mutex_);
    all_.erase(stream);
  }
  Opened at(Stream* stream) {
    const std::lock_guard lock(mutex_);
    return all_.at(stream);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Stream*, Opened> all_;
};
Streams& streams() {
  static Streams all;
  return all;
}

// Runs body as an entry of the seam: on the stream or its threads, without gradients, and with an exception as an
// error.
template <class Body>
Status guarded(Stream* stream, const Body& body) {
  Where where = Where::cpu;
  try {
    const Opened opened = streams().at(stream);
    where = opened.where;
    const c10::InferenceMode without_gradients;
    if (where == Where::cpu) {
      if (at::get_num_threads() != opened.threads) at::set_num_threads(opened.threads);
      body(Place(at::kCPU));
    } else {
      // A stream that is not LibTorch's own has its handle as its number.
      const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(opened.ordinal));
      const auto number = reinterpret_cast<c10::StreamId>(host->cuda_stream(stream));
      const c10::StreamGuard on_stream(c10::Stream(c10::Stream::UNSAFE, device, number));
      body(Place(device));
    }
    return 0;
  } catch (const c10::Error& error) {
    host->set_error(where, ("LibTorch: " + error.msg().substr(0, error.msg().find('\n'))).c_str());
  } catch (const std::exception& error) {
    host->set_error(where, error.what());
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
template <bool there, auto function>
consteval auto entry_if() {
  if constexpr (there)
    return &Entry<function>::call;
  else
    return nullptr;
}

template <Where where>
Status open_stream(const StreamOptions* options, Stream** out) {
  const Status status = services_at(where).open_stream(options, out);
  if (status != 0) return status;
  streams().add(*out, {where, options->ordinal, options->threads > 0 ? options->threads : cpu_share().cpus()});
  if (where == Where::cuda) {
    at::Context& context = at::globalContext();
    context.setAllowTF32CuBLAS(options->precision == Precision::tf32);
    context.setAllowTF32CuDNN(options->precision == Precision::tf32);
    context.setDeterministicCuDNN(true);
    context.setDeterministicAlgorithms(true, /*warn_only=*/true);
    context.setBenchmarkCuDNN(options->autotune);
  }
  return 0;
}

template <Where where>
void close_stream(Stream* stream) {
  streams().remove(stream);
  services_at(where).close_stream(stream);
}

template <Where where>
Status describe(Stream* stream, char* text, size_t capacity) {
  const Status status = services_at(where).describe(stream, text, capacity);
  const size_t length = std::strlen(text);
  std::snprintf(text + length, capacity - length, ", LibTorch %s", TORCH_VERSION);
  return status;
}

// LibTorch's CUDA half is a library of its own, half a gigabyte: loaded only where there is a GPU.
int32_t cuda_device_count() {
  static const bool loaded = services_at(Where::cuda).device_count() > 0 &&
                             dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) && at::globalContext().hasCUDA();
  return loaded ? services_at(Where::cuda).device_count() : 0;
}

template <Where where>
Backend with_services(Backend table) {
  const Backend& from = services_at(where);
  table.version = kBackendVersion;
  table.name = "torch";
  table.where = where;
  table.falls_back = from.name;
  table.last_error = from.last_error;
  table.device_count = where == Where::cuda ? cuda_device_count : from.device_count;
  table.open_stream = open_stream<where>;
  table.close_stream = close_stream<where>;
  table.describe = describe<where>;
  table.memory_info = from.memory_info;
  table.allocate = from.allocate;
  table.release = from.release;
  table.copy = from.copy;
  table.fill_bytes = from.fill_bytes;
  table.synchronize = from.synchronize;
  return table;
}

// ATen draws by a generator of its own, and knows neither the order of a data set nor a clock.
constexpr std::string_view kLacking[] = {"uniform", "normal", "add_noise", "select_rows",
                                         "augment", "clock",  "sgd_steps"};

Backend primitives() {
  return {

#define CAIRN_PRIMITIVE(family, name, Args) .name = entry_if<has(kLacking, #family, #name), name>(),
      CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
  };
}

// On the CPU everything that ATen has; `reference` stands in for the rest.
Backend cpu_backend() {
  Backend table = with_services<Where::cpu>(primitives());
  table.supports_f64 = 1;
  table.summary = "LibTorch's ATen, as a plugin; the last bits of a sum depend on the number of threads";
  return table;
}

// On a GPU without what reads the step's number, for which the host would have to wait, and without capture, which
// ATen's memory would have to know of: steps are replayed as a list of calls.
Backend cuda_backend() {
  Backend table = with_services<Where::cuda>(primitives());
  table.summary = "LibTorch's ATen, as a plugin; not yet run on a GPU";
  table.dropout = nullptr;
  table.sgd = nullptr;
  table.adam = nullptr;
  table.moving_average = nullptr;
  return table;
}

}  // namespace

// The first call counts.
extern "C" __attribute__((visibility("default"))) const Plugin* cairn_backend_plugin(const PluginHost* given) {
  static Backend tables[2];
  static const Backend* const pointers[] = {&tables[0], &tables[1]};
  static Plugin plugin{.layout = seam_layout(), .count = 0, .backends = pointers};
  if (given->layout != seam_layout() || plugin.count > 0) return &plugin;
  host = given;
  services[0] = host->find("reference", Where::cpu);
  services[1] = host->find("vanilla", Where::cuda);
  if (!services[0]) return &plugin;
  tables[0] = cpu_backend();
  if (services[1]) tables[1] = cuda_backend();
  plugin.count = services[1] ? 2 : 1;
  return &plugin;
}

}  // namespace cairn::torch
