// Planted accesses out of bounds, for a program that is always compiled with AddressSanitizer and
// UndefinedBehaviorSanitizer: bounds_test.cpp runs it once a fault and reads the report.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "kernels/runtime/simt/cuda_source.h"

namespace {

namespace simt = cairn::simt;

__global__ void static_shared(float* out, int past) {
  CAIRN_SHARED(float[64], tile);
  tile[threadIdx.x] = 1.0f;
  float* element = tile + threadIdx.x;
  if (threadIdx.x == 63) element[past] = 2.0f;  // line: static_shared
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void shared_row(float* out, int past) {
  CAIRN_SHARED(float[8][8], tile);
  tile[threadIdx.x / 8][threadIdx.x % 8] = 1.0f;
  __syncthreads();
  if (threadIdx.x == 0) tile[0][7 + past] = 2.0f;  // line: shared_row
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x / 8][threadIdx.x % 8];
}

__global__ void dynamic_shared(float* out, int past) {
  CAIRN_SHARED_DYNAMIC(float, tile);
  tile[threadIdx.x] = 1.0f;
  __syncthreads();
  if (threadIdx.x == 7) tile[63 + past] = 2.0f;  // line: dynamic_shared
  __syncthreads();
  out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void cluster_memory(float* out, int past) {
  CAIRN_SHARED_DYNAMIC(float, tile);
  tile[threadIdx.x] = 1.0f;
  simt::cluster_sync();
  if (threadIdx.x == 7) simt::cluster_shared(tile, 0)[63 + past] = 1.0f;  // line: cluster_memory
  simt::cluster_sync();
  if (simt::cluster_rank() == 1) out[threadIdx.x] = tile[63 - threadIdx.x];
}

__global__ void global_memory(float* out, int past) {
  out[threadIdx.x + (threadIdx.x == 63 ? past : 0)] = 1.0f;  // line: global_memory
}

__global__ void global_after_barrier(float* out, int past) {
  __syncthreads();
  const float value = out[threadIdx.x + (threadIdx.x == 63 ? past : 0)];  // line: global_after_barrier
  __syncthreads();
  out[threadIdx.x] = value;
}

__global__ void local_array(float* out, int past) {
  float values[8];
  for (int i = 0; i < 8; ++i) values[i] = static_cast<float>(i);
  __syncthreads();
  float* last = values + 7;
  if (threadIdx.x == 3) last[past] = 5.0f;  // line: local_array
  out[threadIdx.x] = values[threadIdx.x % 8];
}

__global__ void misaligned(float* out, int past) {
  simt::Fragment<4> four;
  four.set(1.0f);
  if (threadIdx.x == 2) four.store(out + past);  // line: misaligned
}

// Barriers, collectives and errors under the sanitizers, with nothing wrong: must stay silent.
__global__ void correct(float* out, int) {
  CAIRN_SHARED(float[64], tile);
  CAIRN_SHARED_DYNAMIC(float, extra);
  tile[threadIdx.x] = 1.0f;
  extra[threadIdx.x] = 1.0f;
  __syncthreads();
  float sum = tile[63 - threadIdx.x] + extra[63 - threadIdx.x];
  sum = __shfl_xor_sync(0xffffffffu, sum, 1);
  if (blockIdx.x == 1 && threadIdx.x == 40) throw std::runtime_error("thrown");
  __syncthreads();
  out[threadIdx.x] = sum;
}

}  // namespace

int main(int count, char** arguments) {
  cairn::StreamOptions options{};
  options.threads = 2;
  simt::Stream stream(options);
  std::vector<float> out(64);
  const std::string fault = count > 1 ? arguments[1] : "";
  const int past = count > 2 ? std::atoi(arguments[2]) : 0;
  const auto run = [&]<auto kernel>() {
    simt::launch<kernel>(stream, 1, 64, 64 * sizeof(float), out.data(), past);
  };
  if (fault == "static_shared") run.operator()<static_shared>();
  if (fault == "shared_row") run.operator()<shared_row>();
  if (fault == "dynamic_shared") run.operator()<dynamic_shared>();
  if (fault == "cluster_memory")
    simt::launch_cluster<cluster_memory>(stream, 1, 2, 64, 64 * sizeof(float), out.data(), past);
  if (fault == "global_memory") run.operator()<global_memory>();
  if (fault == "global_after_barrier") run.operator()<global_after_barrier>();
  if (fault == "local_array") run.operator()<local_array>();
  if (fault == "misaligned") run.operator()<misaligned>();
  if (fault == "correct") {
    for (int i = 0; i < 50; ++i) {
      run.operator()<correct>();
      try {
        simt::launch<correct>(stream, 2, 64, 64 * sizeof(float), out.data(), 0);
      } catch (const std::runtime_error&) {
        continue;
      }
      return 3;
    }
  }
  std::printf("%s finished\n", fault.c_str());
}
