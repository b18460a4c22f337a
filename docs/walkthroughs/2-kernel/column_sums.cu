// Walkthrough 2: one kernel, small enough to be stepped through, once right and three times wrong on purpose. It is
// column_sums_kernel of kernels/vanilla/bias.cu without what the network needs beside it. Not here: a main that a
// reader should learn from; it fills the input and prints.
#include <cstdio>
#include <string>
#include <vector>

#include "kernels/number.h"
#include "kernels/runtime/simt/cuda_source.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kColumns = 32;
constexpr int kRows = 8;

// out[c] = sum over rows r of x[r][c]. One block of 32 x 8 threads for each 32 columns.
__global__ void column_sums(int rows, int columns, const float* x, float* out) {
  CAIRN_SHARED(float[kRows][kColumns], partial);
  const int column = static_cast<int>(blockIdx.x * kColumns + threadIdx.x);
  const int first_row = static_cast<int>(threadIdx.y);
  float total = 0.0f;
  if (column < columns)
    for (int row = first_row; row < rows; row += kRows) total += x[row * columns + column];
  partial[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y > 0 || column >= columns) return;
  for (int y = 1; y < kRows; ++y) total += partial[y][threadIdx.x];
  out[column] = total;
}

// The same without its barrier.
__global__ void no_barrier(int rows, int columns, const float* x, float* out) {
  CAIRN_SHARED(float[kRows][kColumns], partial);
  const int column = static_cast<int>(blockIdx.x * kColumns + threadIdx.x);
  float total = 0.0f;
  if (column < columns)
    for (int row = static_cast<int>(threadIdx.y); row < rows; row += kRows) total += x[row * columns + column];
  partial[threadIdx.y][threadIdx.x] = total;
  if (threadIdx.y < kRows - 1 || column >= columns) return;
  for (int y = 0; y < kRows - 1; ++y) total += partial[y][threadIdx.x];
  out[column] = total;
}

// The same with the early exit before the barrier: some threads never get there.
__global__ void early_exit(int rows, int columns, const float* x, float* out) {
  CAIRN_SHARED(float[kRows][kColumns], partial);
  const int column = static_cast<int>(blockIdx.x * kColumns + threadIdx.x);
  if (column >= columns) return;
  float total = 0.0f;
  for (int row = static_cast<int>(threadIdx.y); row < rows; row += kRows) total += x[row * columns + column];
  partial[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y > 0) return;
  for (int y = 1; y < kRows; ++y) total += partial[y][threadIdx.x];
  out[column] = total;
}

// The same without the question whether there is such a column.
__global__ void no_bounds(int rows, int columns, const float* x, float* out) {
  CAIRN_SHARED(float[kRows][kColumns], partial);
  const int column = static_cast<int>(blockIdx.x * kColumns + threadIdx.x);
  float total = 0.0f;
  for (int row = static_cast<int>(threadIdx.y); row < rows; row += kRows) total += x[row * columns + column];
  partial[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y > 0) return;
  for (int y = 1; y < kRows; ++y) total += partial[y][threadIdx.x];
  out[column] = total;
}

// Sums a rows x columns matrix of whole numbers, exact in any order, and says how many sums are right.
template <auto kernel>
int run(int rows, int columns) {
  StreamOptions options{};
  options.threads = 1;
  simt::Stream stream(options);
  std::vector<float> x, out(static_cast<size_t>(columns), -1.0f);
  x.reserve(static_cast<size_t>(rows * columns));  // exactly, so that nothing lies behind the last element
  for (int i = 0; i < rows * columns; ++i) x.push_back(static_cast<float>(i % 7));
  try {
    const auto blocks = static_cast<unsigned>((columns + kColumns - 1) / kColumns);
    simt::launch<kernel>(stream, dim3(blocks), dim3(kColumns, kRows), 0, rows, columns,
                         static_cast<const float*>(x.data()), out.data());
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  int right = 0;
  for (int c = 0; c < columns; ++c) {
    int sum = 0;
    for (int r = 0; r < rows; ++r) sum += (r * columns + c) % 7;
    right += out[static_cast<size_t>(c)] == static_cast<float>(sum);
  }
  std::printf("%d of %d sums are right; the first is %g\n", right, columns, static_cast<double>(out[0]));
  return right == columns ? 0 : 1;
}

}  // namespace
}  // namespace cairn::CAIRN_VANILLA

int main(int count, char** values) {
  using namespace cairn::CAIRN_VANILLA;
  const std::string kernel = count > 1 ? values[1] : "";
  int rows = 20, columns = 40;
  const bool numbers =
      (count <= 2 || !cairn::read_number(values[2], rows)) && (count <= 3 || !cairn::read_number(values[3], columns));
  if (numbers && rows > 0 && rows <= 1000 && columns > 0 && columns <= 1000) {
    if (kernel == "column_sums") return run<column_sums>(rows, columns);
    if (kernel == "no_barrier") return run<no_barrier>(rows, columns);
    if (kernel == "early_exit") return run<early_exit>(rows, columns);
    if (kernel == "no_bounds") return run<no_bounds>(rows, columns);
  }
  std::fprintf(stderr, "usage: %s column_sums|no_barrier|early_exit|no_bounds [ROWS [COLUMNS]], up to 1000 each\n",
               values[0]);
  return 2;
}
