// Walkthrough 3: every rung of the gemm ladder on one product: its time, its GFLOP/s and how far it is from a sum in
// double. Not here: fair measurements (`bench kernels`), which warm up, repeat and look at the machine's ceilings.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "framework/device.h"
#include "framework/tensor.h"
#include "kernels/number.h"

using namespace cairn;

namespace {

// Values in [-1, 1) without a pattern.
std::vector<float> numbers(int64_t count, uint32_t state) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return values;
}

// The largest difference between c and the true product, looked at in 1000 places.
double worst_error(const std::vector<float>& a, const std::vector<float>& b, const std::vector<float>& c, int64_t n,
                   int64_t k) {
  double worst = 0;
  for (size_t at = 0; at < c.size(); at += std::max<size_t>(1, c.size() / 1000)) {
    const int64_t i = static_cast<int64_t>(at) / n, j = static_cast<int64_t>(at) % n;
    double sum = 0;
    for (int64_t p = 0; p < k; ++p)
      sum += double{a[static_cast<size_t>(i * k + p)]} * double{b[static_cast<size_t>(p * n + j)]};
    worst = std::max(worst, std::abs(sum - double{c[at]}));
  }
  return worst;
}

void run_rung(int rung, int64_t m, int64_t n, int64_t k, int threads) {
  const std::string choice = "gemm=" + std::to_string(rung);
  const std::shared_ptr<Device> device =
      Device::open({.implementation = "vanilla", .where = "cpu", .threads = threads, .kernels = choice});
  const std::vector<float> host_a = numbers(m * k, 1), host_b = numbers(k * n, 2);
  const Tensor a = Tensor::from_host<float>(device, {m, k}, host_a);
  const Tensor b = Tensor::from_host<float>(device, {k, n}, host_b);
  const Tensor c = Tensor::zeros(device, {m, n});
  const GemmArgs args{.dtype = DType::f32,
                      .m = m,
                      .n = n,
                      .k = k,
                      .a = a.data(),
                      .lda = k,
                      .b = b.data(),
                      .ldb = n,
                      .c = c.data(),
                      .ldc = n};
  double best = 1e9;
  for (int run = 0; run < 2; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    device->call(&Backend::gemm, args);
    device->synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::printf("%-8s %10.3f ms %8.2f GFLOP/s   off by %.1e\n", choice.c_str(), best * 1e3,
              2.0 * static_cast<double>(m * n * k) / best / 1e9, worst_error(host_a, host_b, c.to_host<float>(), n, k));
}

}  // namespace

int main(int count, char** values) {
  const auto number = [&](int i, int64_t otherwise) {
    int64_t value = -1;
    return i < count ? (read_number(values[i], value), value) : otherwise;
  };
  const int64_t m = number(1, 512), n = number(2, m), k = number(3, m);
  const int threads = static_cast<int>(number(4, 1));
  if (m < 1 || n < 1 || k < 1 || m > 4096 || n > 4096 || k > 4096 || threads < 1) {
    std::fprintf(stderr, "usage: walkthrough_ladder [M N K [THREADS]], sizes from 1 to 4096\n");
    return 2;
  }
  std::printf("c[%lld, %lld] = a[%lld, %lld] b[%lld, %lld], %d thread%s\n", static_cast<long long>(m),
              static_cast<long long>(n), static_cast<long long>(m), static_cast<long long>(k),
              static_cast<long long>(k), static_cast<long long>(n), threads, threads > 1 ? "s" : "");
  for (int rung = 1; rung <= 7; ++rung) run_rung(rung, m, n, k, threads);
}
