#include "framework/device.h"

#include <algorithm>
#include <cstring>

#include "framework/error.h"
#include "kernels/cpu_share.h"
#include "kernels/registry.h"
#include "kernels/rungs.h"

namespace cairn {
namespace {

using Entry = void (*)();

Entry& primitive(Backend& backend, size_t index) {
  return *reinterpret_cast<Entry*>(reinterpret_cast<char*>(&backend) + kFirstPrimitiveOffset + index * sizeof(void*));
}

Entry primitive(const Backend& backend, size_t index) {
  return primitive(const_cast<Backend&>(backend), index);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> implementation_names() {
  std::vector<std::string> names;
  for (const Backend* backend : known_backends())
    if (std::find(names.begin(), names.end(), backend->name) == names.end()) names.push_back(backend->name);
  for (const std::string& plugin : plugin_names())
    if (std::find(names.begin(), names.end(), plugin) == names.end()) names.push_back(plugin);
  return names;
}

// Loads the plugin of that name, if there is one. `torch` is a name of ours: without its file the error says what is
// missing. Any other name that has no file is left to the caller, who lists the implementations there are.
void load_if_plugin(const std::string& name) {
  const std::vector<std::string> plugins = plugin_names();
  if (name != "torch" && std::find(plugins.begin(), plugins.end(), name) == plugins.end()) return;
  const std::string problem = load_plugin(name);
  if (!problem.empty()) throw UsageError(problem);
}

const Backend& choose(const DeviceOptions& options) {
  const char* name = options.implementation.c_str();
  if (options.where != "auto" && options.where != "cpu" && options.where != "cuda")
    throw UsageError("unknown device '" + options.where + "': choose auto, cpu or cuda");
  if (!find_backend(name, Where::cpu) && !find_backend(name, Where::cuda)) load_if_plugin(options.implementation);
  const Backend* cpu = find_backend(name, Where::cpu);
  const Backend* cuda = find_backend(name, Where::cuda);
  if (!cpu && !cuda) {
    if (options.implementation == "cudnn")
      throw UsageError("this build has no implementation 'cudnn', which needs CUDA and cuDNN; it has " +
                       joined(implementation_names()));
    throw UsageError("unknown implementation '" + options.implementation + "': choose one of " +
                     joined(implementation_names()));
  }
  if (options.where == "cpu") {
    if (!cpu) throw UsageError("implementation '" + options.implementation + "' runs only on a GPU: use --device cuda");
    return *cpu;
  }
  const bool has_gpu = cuda && cuda->device_count() > 0;
  if (options.where == "auto" && cpu && !has_gpu) return *cpu;
  if (!cuda) {
    const bool other = find_backend("vanilla", Where::cuda) != nullptr;
    if (options.where == "auto") return *cpu;
    throw UsageError(other ? "implementation '" + options.implementation + "' runs only on the CPU: use --device cpu"
                           : std::string("this build has no CUDA: install the CUDA toolkit and build again, or use "
                                         "--device cpu"));
  }
  if (!has_gpu)
    throw UsageError("no CUDA device was found: implementation '" + options.implementation +
                     "' on cuda needs an NVIDIA GPU and its driver" + (cpu ? "; --device cpu runs it here" : ""));
  return *cuda;
}

// A choice of a rung that does not exist is an error here, with the choices, rather than somewhere in a step.
void check_rungs(const Backend& backend, const std::string& kernels) {
  int32_t count = 0;
  const KernelVariant* variants = backend.variants ? backend.variants(&count) : nullptr;
  for (const RungChoice& choice : rung_choices(kernels)) {
    const auto of_its_ladder = [&](const KernelVariant& variant) { return choice.primitive == variant.primitive; };
    const bool known = std::any_of(variants, variants + count, [&](const KernelVariant& variant) {
      return of_its_ladder(variant) && choice.rung == variant.rung;
    });
    if (known) continue;
    // Those of the same ladder, if it is one: all ladders together make a long line.
    const bool ladder = std::any_of(variants, variants + count, of_its_ladder);
    std::vector<std::string> choices;
    for (int32_t i = 0; i < count; ++i)
      if (!ladder || of_its_ladder(variants[i]))
        choices.push_back(std::string(variants[i].primitive) + "=" + std::to_string(variants[i].rung));
    throw UsageError("unknown kernel '" + choice.text + "' of " + backend.name + " on " + name_of(backend.where) +
                     ": " + (choices.empty() ? "it has no ladders" : "choose from " + joined(choices)));
  }
}

}  // namespace

const char* name_of(Where where) {
  return where == Where::cuda ? "cuda" : "cpu";
}

std::shared_ptr<Device> Device::open(const DeviceOptions& options) {
  return std::make_shared<Device>(choose(options), options);
}

std::array<std::string, kPrimitiveCount> primitive_origins(const Backend& backend) {
  std::array<std::string, kPrimitiveCount> origins;
  for (size_t i = 0; i < kPrimitiveCount; ++i) {
    if (primitive(backend, i)) origins[i] = backend.name;
    for (const Backend* fallback : fallbacks_of(backend))
      if (origins[i].empty() && primitive(*fallback, i)) origins[i] = fallback->name;
  }
  return origins;
}

Device::Device(const Backend& backend, const DeviceOptions& options)
    : table_(backend), name_(backend.name), origins_(primitive_origins(backend)) {
  if (backend.version != kBackendVersion)
    throw DeviceError("implementation '" + name_ + "' was built for version " + std::to_string(backend.version) +
                      " of the seam, this program has version " + std::to_string(kBackendVersion));
  check_rungs(backend, options.kernels);
  for (const Backend* fallback : fallbacks_of(backend))
    for (size_t i = 0; i < kPrimitiveCount; ++i)
      if (!primitive(table_, i)) primitive(table_, i) = primitive(*fallback, i);
  if (backend.where == Where::cpu) threads_ = options.threads > 0 ? options.threads : cpu_share().cpus();
  const StreamOptions stream{0, threads_, options.precision, options.kernels.c_str(), options.autotune};
  if (table_.open_stream(&stream, &stream_) != 0) throw DeviceError(table_.last_error());
  eager_pool_ = std::make_shared<MemoryPool>(*this);
  pool_ = eager_pool_;
}

Device::~Device() {
  ones_ = {};
  pool_.reset();
  eager_pool_.reset();
  table_.close_stream(stream_);
}

std::string Device::label() const {
  return name_ + " on " + name_of(where());
}

std::string Device::description() const {
  char text[256] = "";
  table_.describe(stream_, text, sizeof text);
  return text;
}

int64_t Device::gru_reserve(const GruShape& shape) const {
  int64_t count = gru_reserve_count(shape);
  if (table_.gru_reserve && table_.gru_reserve(stream_, &shape, &count) != 0)
    fail("asking for a recurrent unit's room");
  return count;
}

int64_t Device::prepare_conv2d(const Conv2dShape& shape, const void* weight, void* prepared) {
  refuse_while_recording("preparing a convolution's weights");
  int64_t count = 0;
  if (table_.prepare_conv2d && table_.prepare_conv2d(stream_, &shape, weight, prepared, &count) != 0)
    fail("preparing a convolution's weights");
  return count;
}

size_t Device::free_bytes() const {
  size_t free_bytes = 0, total_bytes = 0;
  if (table_.memory_info(stream_, &free_bytes, &total_bytes) != 0) fail("asking for free memory");
  return free_bytes;
}

void Device::fail(const char* what) const {
  throw DeviceError(std::string(what) + " failed (" + label() + "): " + table_.last_error());
}

void Device::fail_missing(size_t index) const {
  std::vector<std::string> others;
  for (const Backend* backend : known_backends())
    if (primitive(*backend, index)) others.push_back(std::string(backend->name) + " on " + name_of(backend->where));
  throw DeviceError(std::string("primitive '") + kPrimitives[index] + "' is not implemented by " + label() +
                    "; it is by " + (others.empty() ? "nobody" : joined(others)));
}

void Device::refuse_while_recording(const char* what) const {
  if (recording_) throw DeviceError(std::string(what) + " cannot be part of a captured step");
}

void Device::copy_to_device(void* to, const void* from, size_t bytes) {
  refuse_while_recording("a copy from the host");
  if (table_.copy(stream_, to, from, bytes, CopyKind::to_device) != 0) fail("copy to device");
}

void Device::copy_to_host(void* to, const void* from, size_t bytes) {
  refuse_while_recording("reading a result back");
  if (table_.copy(stream_, to, from, bytes, CopyKind::to_host) != 0) fail("copy to host");
}

void Device::copy_on_device(void* to, const void* from, size_t bytes) {
  if (recording_ && !table_.begin_capture) return recording_->add_copy(to, from, bytes);
  if (table_.copy(stream_, to, from, bytes, CopyKind::on_device) != 0) fail("copy on device");
}

void Device::fill_zero(void* to, size_t bytes) {
  if (recording_ && !table_.begin_capture) return recording_->add_fill(to, bytes);
  if (table_.fill_bytes(stream_, to, 0, bytes) != 0) fail("fill");
}

void Device::synchronize() {
  refuse_while_recording("waiting for the device");
  if (table_.synchronize(stream_) != 0) fail("synchronize");
}

const void* Device::one(DType dtype) {
  std::unique_ptr<Storage>& storage = ones_[dtype == DType::f64];
  if (!storage) {
    refuse_while_recording("the first use of a constant");
    storage = std::make_unique<Storage>(pool_, size_of(dtype), "a constant");
    const float single = 1;
    const double wide = 1;
    copy_to_device(storage->data(), dtype == DType::f64 ? static_cast<const void*>(&wide) : &single, size_of(dtype));
  }
  return storage->data();
}

void Recording::begin() {
  device_.refuse_while_recording("a capture");
  pool_ = std::make_shared<MemoryPool>(device_);
  if (device_.table_.begin_capture && device_.table_.begin_capture(device_.stream_) != 0)
    device_.fail("begin of capture");
  device_.pool_ = pool_;
  device_.recording_ = this;
}

void Recording::end() {
  device_.recording_ = nullptr;
  device_.pool_ = device_.eager_pool_;
  if (device_.table_.end_capture && device_.table_.end_capture(device_.stream_, &graph_) != 0)
    device_.fail("end of capture");
}

void Recording::abandon() {
  device_.recording_ = nullptr;
  device_.pool_ = device_.eager_pool_;
  Graph* unfinished = nullptr;
  if (device_.table_.end_capture && device_.table_.end_capture(device_.stream_, &unfinished) == 0)
    device_.table_.release_graph(unfinished);
}

Recording::~Recording() {
  if (graph_) device_.table_.release_graph(graph_);
}

void Recording::add(Status (*run)(Entry, const void*, Stream*), Entry entry, const char* name, const void* args,
                    size_t bytes) {
  const size_t begin = (arguments_.size() + kAlignment - 1) / kAlignment * kAlignment;
  arguments_.resize(begin + bytes);
  std::memcpy(&arguments_[begin], args, bytes);
  calls_.push_back({run, entry, name, begin});
}

// Services of the seam take their values one by one.
void Recording::add_fill(void* to, size_t bytes) {
  struct Fill {
    void* to;
    size_t bytes;
  };
  const auto run = [](Entry entry, const void* args, Stream* stream) {
    const auto& fill = *static_cast<const Fill*>(args);
    return reinterpret_cast<decltype(Backend::fill_bytes)>(entry)(stream, fill.to, 0, fill.bytes);
  };
  const Fill fill{to, bytes};
  add(run, reinterpret_cast<Entry>(device_.table_.fill_bytes), "fill", &fill, sizeof fill);
}

void Recording::add_copy(void* to, const void* from, size_t bytes) {
  struct Copy {
    void* to;
    const void* from;
    size_t bytes;
  };
  const auto run = [](Entry entry, const void* args, Stream* stream) {
    const auto& copy = *static_cast<const Copy*>(args);
    return reinterpret_cast<decltype(Backend::copy)>(entry)(stream, copy.to, copy.from, copy.bytes,
                                                            CopyKind::on_device);
  };
  const Copy copy{to, from, bytes};
  add(run, reinterpret_cast<Entry>(device_.table_.copy), "copy on device", &copy, sizeof copy);
}

void Recording::replay() {
  device_.refuse_while_recording("a replay");
  if (graph_) {
    if (device_.table_.replay(device_.stream_, graph_) != 0) device_.fail("replay");
    return;
  }
  for (const Call& call : calls_)
    if (call.run(call.entry, &arguments_[call.args], device_.stream_) != 0) device_.fail(call.name);
}

}  // namespace cairn
