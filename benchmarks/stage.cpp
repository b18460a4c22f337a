#include "benchmarks/stage.h"

#include <algorithm>

#include "framework/error.h"

namespace cairn::benchmarks {
namespace {

// On a GPU: a captured round has a node a call or more. Calls on less than 16 KiB touch less than kGpuRotationBytes in
// that many, those on less than 3 KiB no more than a second-level cache may hold; no product or convolution of a
// network is so small.
constexpr size_t kMostSets = 16384;
constexpr double kReplaySeconds = 2e-3;  // of one replay, at least, where the calls are not too many
constexpr double kMostCalls = 64;        // in a replay of few sets

// A captured sequence of calls.
class Replay {
 public:
  Replay(const Calls& calls, const OpenStream& stream, int64_t count) : stream_(stream) {
    const Backend& backend = stream.backend();
    stream.check(backend.begin_capture(stream.get()), "begin_capture");
    const Status status = calls.run(backend, stream.get(), 0, count);
    const std::string problem = status == 0 ? "" : backend.last_error();
    const Status ended =
        backend.end_capture(stream.get(), &graph_);  // also after a failure, which is the one to report
    if (status != 0) throw DeviceError("the call failed while it was captured: " + problem);
    stream.check(ended, "end_capture");
  }
  ~Replay() {
    if (graph_) stream_.backend().release_graph(graph_);
  }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  void run(int64_t times) const {
    for (; times > 0; --times) stream_.check(stream_.backend().replay(stream_.get(), graph_), "replay");
    stream_.check(stream_.backend().synchronize(stream_.get()), "synchronize");
  }

 private:
  const OpenStream& stream_;
  Graph* graph_ = nullptr;
};

void call_and_wait(const Calls& calls, const OpenStream& stream, size_t first, int64_t count) {
  stream.check(calls.run(stream.backend(), stream.get(), first, count), "the call");
  stream.check(stream.backend().synchronize(stream.get()), "synchronize");
}

}  // namespace

Stage::Stage(const Case& one, const Backend& backend, DType real, size_t rotation_bytes, double input_rounding)
    : stream_(backend, 1, "", Precision::fp32), calls_(one.calls()) {
  Place size(real, nullptr, nullptr, input_rounding);
  const std::unique_ptr<Calls> probe = one.calls();
  probe->add(size);
  bytes_ = size.bytes();
  size_t sets = rotation_bytes == 0 ? 1 : rotation_bytes / bytes_ + 2;
  if (backend.begin_capture) sets = std::min(sets, kMostSets);
  image_.resize(bytes_);
  block_ = std::make_unique<DeviceBlock>(stream_, sets * bytes_);
  for (size_t i = 0; i < sets; ++i) {
    Place place(real, block_->data() + i * bytes_, i == 0 ? image_.data() : nullptr, input_rounding);
    calls_->add(place);
    copy_image(i);
    if (i == 0) outputs_ = place.outputs();
  }
  stream_.check(backend.synchronize(stream_.get()), "synchronize");
}

std::vector<std::vector<double>> Stage::results(const OpenStream& stream) {
  copy_image(0);
  stream_.check(stream_.backend().synchronize(stream_.get()), "synchronize");
  stream.check(calls_->run(stream.backend(), stream.get(), 0, 1), "the call");
  std::vector<std::vector<double>> values;
  for (const Place::Output& output : outputs_) values.push_back(read(stream, output));
  return values;
}

void Stage::copy_image(size_t set) {
  stream_.check(
      stream_.backend().copy(stream_.get(), block_->data() + set * bytes_, image_.data(), bytes_, CopyKind::to_device),
      "copy to device");
}

Timing time_calls(const Calls& calls, const OpenStream& stream, const Sampling& sampling) {
  if (!stream.backend().begin_capture) {
    size_t next = 0;
    return measure(sampling, [&](int64_t count) {
      call_and_wait(calls, stream, next, count);
      next = (next + static_cast<size_t>(count)) % calls.sets();
    });
  }
  call_and_wait(calls, stream, 0, 1);
  const auto begin = Clock::now();
  call_and_wait(calls, stream, 1, 1);
  const double wanted = std::clamp(kReplaySeconds / std::max(seconds_since(begin), 1e-7), 1.0, kMostCalls);
  const auto rounds = static_cast<int64_t>(std::max(1.0, wanted / static_cast<double>(calls.sets())));
  const int64_t count = rounds * static_cast<int64_t>(calls.sets());
  const Replay replay(calls, stream, count);
  Timing timing = measure(sampling, [&](int64_t times) { replay.run(times); });
  timing.seconds /= static_cast<double>(count);
  timing.calls_per_sample *= count;
  return timing;
}

}  // namespace cairn::benchmarks
