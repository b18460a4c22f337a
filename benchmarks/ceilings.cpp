#include "benchmarks/ceilings.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "benchmarks/machine.h"
#include "benchmarks/place.h"
#include "benchmarks/timing.h"
#include "kernels/registry.h"
#include "kernels/runtime/cpu/thread_pool.h"

namespace cairn::benchmarks {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
typedef float Vector __attribute__((vector_size(kVectorBytes), may_alias));
constexpr int kLanes = kVectorBytes / 4;
// Enough independent chains for two units of latency five, few enough for sixteen registers.
constexpr int kChains = 12;
constexpr int kTries = 5;
constexpr double kTrySeconds = 0.02;

// The values come from and go to memory that the compiler knows nothing about, so that the loop stays.
void multiply_add(int64_t rounds, volatile float* values) {
  Vector x[kChains];
  Vector factor, term;
  for (int lane = 0; lane < kLanes; ++lane) factor[lane] = values[0], term[lane] = values[1];
  for (int c = 0; c < kChains; ++c)
    for (int lane = 0; lane < kLanes; ++lane) x[c][lane] = values[2];
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) x[c] = x[c] * factor + term;
  }
  Vector sum = x[0];
  for (int c = 1; c < kChains; ++c) sum += x[c];
  for (int lane = 0; lane < kLanes; ++lane) values[3] = values[3] + sum[lane];
}

double peak_flops(cpu::ThreadPool& pool) {
  constexpr int64_t kRounds = 1 << 14;
  double best = 0;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    int64_t calls = 0;
    const auto begin = Clock::now();
    while (seconds_since(begin) < kTrySeconds) {
      pool.run([](int) {
        volatile float values[4] = {0.5f, 0.25f, 1.0f, 0.0f};
        multiply_add(kRounds, values);
      });
      ++calls;
    }
    const double seconds = seconds_since(begin);
    best = std::max(best, 2.0 * kChains * kLanes * kRounds * static_cast<double>(calls) * pool.size() / seconds);
  }
  return best;
}

float read_all(const float* from, int64_t count) {
  Vector sums[8] = {};
  for (int64_t i = 0; i + 8 * kLanes <= count; i += 8 * kLanes) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) sums[j] += *reinterpret_cast<const Vector*>(from + i + j * kLanes);
  }
  for (int j = 1; j < 8; ++j) sums[0] += sums[j];
  return sums[0][0];
}

void add_all(const float* a, const float* b, float* out, int64_t count) {
  for (int64_t i = 0; i + kLanes <= count; i += kLanes)
    *reinterpret_cast<Vector*>(out + i) =
        *reinterpret_cast<const Vector*>(a + i) + *reinterpret_cast<const Vector*>(b + i);
}

struct Free {
  void operator()(float* pointer) const { std::free(pointer); }
};

// Bytes per second of the best of three loops over arrays of `bytes` in all.
double bandwidth(cpu::ThreadPool& pool, size_t bytes) {
  // Each thread has a third of its share for each of a, b and out.
  const auto threads = static_cast<size_t>(pool.size());
  const size_t third = std::max<size_t>(bytes / threads / 3 / 1024, 1) * 1024;
  const std::unique_ptr<float, Free> memory(static_cast<float*>(std::aligned_alloc(1024, third * 3 * threads)));
  const auto count = static_cast<int64_t>(third / sizeof(float));
  volatile float sink = 0;
  const auto loop = [&](int kind, int i) {
    float* a = memory.get() + 3 * count * i;
    if (kind == 0) sink = read_all(a, 3 * count);
    if (kind == 1) std::memcpy(a + count, a, third);
    if (kind == 2) add_all(a, a + count, a + 2 * count, count);
  };
  pool.run([&](int i) { std::memset(memory.get() + 3 * count * i, 0, 3 * third); });  // touched by its thread
  double best = 0;
  for (int kind = 0; kind < 3; ++kind) {
    const double moved = static_cast<double>(third) * (kind == 1 ? 2 : 3) * static_cast<double>(threads);
    const auto once = Clock::now();
    pool.run([&](int i) { loop(kind, i); });
    const auto rounds = static_cast<int64_t>(std::max(1.0, kTrySeconds / std::max(seconds_since(once), 1e-7)));
    for (int attempt = 0; attempt < kTries; ++attempt) {
      const auto begin = Clock::now();
      pool.run([&](int i) {
        for (int64_t round = 0; round < rounds; ++round) loop(kind, i);
      });
      best = std::max(best, moved * static_cast<double>(rounds) / seconds_since(begin));
    }
  }
  return best;
}

}  // namespace

Ceilings measure_cpu(int threads, size_t working_set) {
  Ceilings ceilings;
  {
    cpu::ThreadPool one(1);
    ceilings.flops_one_thread = peak_flops(one);
  }
  cpu::ThreadPool pool(threads);
  ceilings.threads = pool.size();
  ceilings.flops = pool.size() == 1 ? ceilings.flops_one_thread : peak_flops(pool);
  ceilings.bandwidth = bandwidth(pool, 4 * last_level_cache_bytes());
  if (working_set > 0) ceilings.cache_bandwidth = bandwidth(pool, working_set);
  ceilings.working_set = static_cast<double>(working_set);
  ceilings.how =
      "arithmetic: independent chains of vector multiply-adds in registers; memory: the fastest of reading, copying "
      "and "
      "adding arrays of four times the last-level cache; the best of " +
      std::to_string(kTries) + " tries each";
  return ceilings;
}

void measure_device(const Backend& backend, Precision precision, int64_t size, size_t bytes, Ceilings& ceilings) {
  const OpenStream stream(backend, 0, "", precision);
  const auto best = [&](double work, const std::function<Status()>& call) {
    double rate = 0;
    for (int attempt = 0; attempt <= kTries; ++attempt) {
      constexpr int kCalls = 8;
      const auto begin = Clock::now();
      for (int i = 0; i < kCalls; ++i) stream.check(call(), "a ceiling's loop");
      stream.check(backend.synchronize(stream.get()), "synchronize");
      if (attempt > 0) rate = std::max(rate, work * kCalls / seconds_since(begin));
    }
    return rate;
  };
  // Multiplying zeros takes less power, and so runs at higher clocks than data ever will.
  const size_t count = static_cast<size_t>(size) * static_cast<size_t>(size), matrix_bytes = count * sizeof(float);
  const DeviceBlock from(stream, std::max(bytes, 2 * matrix_bytes)), to(stream, std::max(bytes, matrix_bytes));
  const Generator values = reals(1);
  std::vector<float> data(2 * count);
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(values(static_cast<int64_t>(i)));
  stream.check(backend.copy(stream.get(), from.data(), data.data(), 2 * matrix_bytes, CopyKind::to_device), "copy");

  const double copied = best(2.0 * static_cast<double>(bytes), [&] {
    return backend.copy(stream.get(), to.data(), from.data(), bytes, CopyKind::on_device);
  });
  const GemmArgs args{.dtype = DType::f32,
                      .m = size,
                      .n = size,
                      .k = size,
                      .a = from.data(),
                      .lda = size,
                      .b = from.data() + matrix_bytes,
                      .ldb = size,
                      .c = to.data(),
                      .ldc = size};
  const auto side = static_cast<double>(size);
  const double multiplied = best(2.0 * side * side * side, [&] { return backend.gemm(stream.get(), &args); });
  ceilings.bandwidth = std::max(ceilings.bandwidth, copied);
  ceilings.flops = std::max(ceilings.flops, multiplied);
}

Ceilings measure_gpu(Precision precision) {
  Ceilings ceilings;
  for (const Backend* backend : compiled_backends())
    if (backend->where == Where::cuda && backend->device_count() > 0 && backend->gemm)
      measure_device(*backend, precision, 4096, size_t{256} << 20, ceilings);
  ceilings.how =
      "arithmetic: the best matrix product of 4096 x 4096 x 4096 random numbers of any implementation; memory: a copy "
      "of 256 MiB within the device";
  return ceilings;
}

}  // namespace cairn::benchmarks
