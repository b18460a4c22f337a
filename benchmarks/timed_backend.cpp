#include "benchmarks/timed_backend.h"

#include <cstring>
#include <memory>

#include "benchmarks/timing.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {
namespace {

// What stands behind the seam's Stream* here: the implementation's own stream, and where to note times.
struct TimedStream {
  const Backend* backend;             // whose services these are
  Backend table;                      // its entries and those that stand in for null ones
  std::shared_ptr<Profile*> profile;  // of the TimedDevice
  Stream* inner = nullptr;
  bool capturing = false;
};

TimedStream& unwrap(Stream* stream) {
  return *reinterpret_cast<TimedStream*>(stream);
}

// The steps of the training that a call ends.
template <class Args>
int64_t steps_of(const Args& args) {
  if constexpr (std::is_same_v<Args, SgdStepsArgs>) return args.steps;
  return std::is_same_v<Args, FinishStepArgs>;
}

template <class Args>
void note(Profile& profile, const char* primitive, const Args& args, double seconds) {
  const int64_t steps = steps_of(args);
  if (profile.steps == 0) {
    const Cost all = cost(args);
    const auto parts = static_cast<double>(steps > 1 ? steps : 1);
    profile.launches.push_back({primitive, shape_of(args), {all.flops / parts, all.bytes / parts}});
  }
  if (profile.next >= profile.launches.size() || std::strcmp(profile.launches[profile.next].primitive, primitive) != 0)
    profile.irregular = true;
  if (profile.irregular) return;
  profile.launches[profile.next++].seconds += seconds;
  if (steps > 0) profile.end_steps(steps);
}

template <auto member>
struct Entry;
template <class Args, Primitive<Args> Backend::*member>
struct Entry<member> {
  static Status call(Stream* stream, const Args* args) {
    TimedStream& timed = unwrap(stream);
    const Primitive<Args> entry = timed.table.*member;
    Profile* const profile = *timed.profile;
    if (!profile || timed.capturing) return entry(timed.inner, args);
    const auto begin = Clock::now();
    Status status = entry(timed.inner, args);
    if (status == 0 && timed.backend->where == Where::cuda) status = timed.backend->synchronize(timed.inner);
    const double seconds = seconds_since(begin);
    note(*profile, name_of(member), *args, seconds);
    return status;
  }
  static void put(const Backend& from, Backend& to) { to.*member = from.*member ? &call : nullptr; }
  static void fill(Backend& table, const Backend& fallback) {
    if (!(table.*member)) table.*member = fallback.*member;
  }
};

struct EntryServices {
  void (*put)(const Backend& from, Backend& to);
  void (*fill)(Backend& table, const Backend& fallback);
};
constexpr EntryServices kEntries[] = {
#define CAIRN_PRIMITIVE(family, name, Args) {&Entry<&Backend::name>::put, &Entry<&Backend::name>::fill},
    CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
};

// open_stream is told nothing but its options: what else it needs stands here while a TimedDevice opens its device.
thread_local const TimedStream* opening = nullptr;

Status open_stream(const StreamOptions* options, Stream** out) {
  auto timed = std::make_unique<TimedStream>(*opening);
  if (const Status status = timed->backend->open_stream(options, &timed->inner); status != 0) return status;
  *out = reinterpret_cast<Stream*>(timed.release());
  return 0;
}

// The implementation's table with the entries of what it falls back on.
Backend whole_table(const Backend& backend) {
  Backend whole = backend;
  for (const Backend* fallback : fallbacks_of(backend))
    for (const EntryServices& entry : kEntries) entry.fill(whole, *fallback);
  return whole;
}

Status begin_capture(Stream* stream) {
  TimedStream& timed = unwrap(stream);
  timed.capturing = true;
  return timed.backend->begin_capture(timed.inner);
}

Status end_capture(Stream* stream, Graph** graph) {
  TimedStream& timed = unwrap(stream);
  timed.capturing = false;
  return timed.backend->end_capture(timed.inner, graph);
}

}  // namespace

Backend timed(const Backend& backend) {
  const Backend whole = whole_table(backend);
  Backend table{.version = backend.version,
                .name = backend.name,
                .where = backend.where,
                .falls_back = nullptr,
                .supports_f64 = backend.supports_f64,
                .summary = backend.summary,
                .last_error = backend.last_error,
                .device_count = backend.device_count};
  table.open_stream = open_stream;
  table.close_stream = [](Stream* stream) {
    const std::unique_ptr<TimedStream> timed(&unwrap(stream));
    timed->backend->close_stream(timed->inner);
  };
  table.describe = [](Stream* stream, char* text, size_t capacity) {
    return unwrap(stream).backend->describe(unwrap(stream).inner, text, capacity);
  };
  table.memory_info = [](Stream* stream, size_t* free_bytes, size_t* total_bytes) {
    return unwrap(stream).backend->memory_info(unwrap(stream).inner, free_bytes, total_bytes);
  };
  table.allocate = [](Stream* stream, size_t bytes, void** out) {
    return unwrap(stream).backend->allocate(unwrap(stream).inner, bytes, out);
  };
  table.release = [](Stream* stream, void* data) { unwrap(stream).backend->release(unwrap(stream).inner, data); };
  table.copy = [](Stream* stream, void* to, const void* from, size_t bytes, CopyKind kind) {
    return unwrap(stream).backend->copy(unwrap(stream).inner, to, from, bytes, kind);
  };
  table.fill_bytes = [](Stream* stream, void* to, int32_t byte, size_t bytes) {
    return unwrap(stream).backend->fill_bytes(unwrap(stream).inner, to, byte, bytes);
  };
  table.synchronize = [](Stream* stream) { return unwrap(stream).backend->synchronize(unwrap(stream).inner); };
  if (backend.begin_capture) {
    table.begin_capture = begin_capture;
    table.end_capture = end_capture;
    table.replay = [](Stream* stream, Graph* graph) {
      return unwrap(stream).backend->replay(unwrap(stream).inner, graph);
    };
    table.release_graph = backend.release_graph;
  }
  table.variants = backend.variants;
  if (backend.gru_reserve)
    table.gru_reserve = [](Stream* stream, const GruShape* shape, int64_t* count) {
      return unwrap(stream).backend->gru_reserve(unwrap(stream).inner, shape, count);
    };
  if (backend.prepare_conv2d)
    table.prepare_conv2d = [](Stream* stream, const Conv2dShape* shape, const void* weight, void* prepared,
                              int64_t* count) {
      return unwrap(stream).backend->prepare_conv2d(unwrap(stream).inner, shape, weight, prepared, count);
    };
  for (const EntryServices& entry : kEntries) entry.put(whole, table);
  return table;
}

TimedDevice::TimedDevice(const Backend& backend, const DeviceOptions& options)
    : profile_(std::make_shared<Profile*>(nullptr)) {
  const TimedStream stream{&backend, whole_table(backend), profile_};
  opening = &stream;
  try {
    device_ = std::make_shared<Device>(timed(backend), options);
  } catch (...) {
    opening = nullptr;
    throw;
  }
  opening = nullptr;
}

}  // namespace cairn::benchmarks
