// Adding a bias to rows, and its gradient: sums over columns, alone or together with ReLU's mask. Not here: the fused
// forms inside gemm (gemm/).
//
// All kernels here use blocks of 32 x 8 threads over tiles of a rows x columns matrix: threadIdx.x is the column, so
// that a warp reads 32 consecutive floats, and threadIdx.y one of 8 rows.
#include <algorithm>

#include "kernels/vanilla/primitives.h"
#include "kernels/vanilla/reduce.h"

namespace cairn::CAIRN_VANILLA {
namespace {

constexpr int kColumns = 32;
constexpr int kRows = 8;

// Grid: rows / 8 x columns / 32. Limited by memory: 8 bytes an element.
__global__ void bias_forward_kernel(int64_t rows, int64_t columns, const float* x, const float* bias, float* y,
                                    bool relu) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRows + threadIdx.y;
  if (row >= rows) return;
  for (int64_t c = static_cast<int64_t>(blockIdx.y) * kColumns + threadIdx.x; c < columns;
       c += static_cast<int64_t>(gridDim.y) * kColumns) {
    const float value = x[row * columns + c] + bias[c];
    y[row * columns + c] = relu && value < 0.0f ? 0.0f : value;
  }
}

// Grid: columns / 32 x slices of rows. Block (b, s) adds up columns 32 b ... 32 b + 31 over the rows of slice s:
//
//            32 columns                       each thread adds every eighth row of its column in a register,
//        +--------------+                     then the 8 partial sums of a column meet in shared memory,
//   y=0  | . . . . . .  |  rows 0, 8, 16 ...  where threads with y = 0 add them in order.
//   y=1  | . . . . . .  |  rows 1, 9, 17 ...
//    :   |      :       |
//
// With kMask it first writes dz = y > 0 ? dy : 0 and adds that up, so that the gradient is read once: 12 bytes an
// element instead of 12 + 4. Limited by memory. `sums` (slices x columns) may be null with kMask.
template <bool kMask>
__global__ void __launch_bounds__(kColumns* kRows)
    column_sums_kernel(int64_t rows, int64_t columns, int64_t rows_per_slice, const float* dy, const float* y,
                       float* dz, Output sums) {
  CAIRN_SHARED(float[kRows][kColumns], partial);
  const int64_t column = static_cast<int64_t>(blockIdx.x) * kColumns + threadIdx.x;
  const int64_t begin = blockIdx.y * rows_per_slice;
  const int64_t end = begin + rows_per_slice < rows ? begin + rows_per_slice : rows;
  float total = 0.0f;
  if (column < columns) {
    for (int64_t row = begin + threadIdx.y; row < end; row += kRows) {
      const int64_t i = row * columns + column;
      float value = dy[i];
      if (kMask) {
        value = y[i] > 0.0f ? value : 0.0f;
        dz[i] = value;
      }
      total += value;
    }
  }
  if (sums.c == nullptr) return;  // the whole grid
  partial[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y > 0 || column >= columns) return;
  for (int r = 1; r < kRows; ++r) total += partial[r][threadIdx.x];
  store(sums, blockIdx.y, column, total);
}

// Few rows are one slice, whose sums are the result; many are split, and a second pass adds the slices.
template <bool kMask>
void column_sums(Stream& stream, int64_t rows, int64_t columns, const void* dy, const void* y, void* dz, void* out,
                 bool accumulate) {
  constexpr int64_t kRowsPerSlice = 1024;
  constexpr int64_t kMaxSlices = 64;
  const int64_t fit = kWorkspaceFloats / columns;
  int64_t slices = std::clamp(std::min(divide_up(rows, kRowsPerSlice), fit), int64_t{1}, kMaxSlices);
  const int64_t rows_per_slice = divide_up(rows, slices);
  const Output result{static_cast<float*>(out), columns, nullptr, false, accumulate};
  const bool two_passes = out && slices > 1;
  auto* partial = two_passes
                      ? static_cast<float*>(stream.workspace(static_cast<size_t>(slices * columns) * sizeof(float)))
                      : nullptr;
  const Output sums = two_passes ? Output{partial, columns, nullptr, false, false} : result;
  const dim3 grid(grid_x(divide_up(columns, kColumns)), static_cast<unsigned>(slices));
  simt::launch<column_sums_kernel<kMask>>(stream, grid, dim3(kColumns, kRows), 0, rows, columns, rows_per_slice,
                                          static_cast<const float*>(dy), static_cast<const float*>(y),
                                          static_cast<float*>(dz), sums);
  if (two_passes) reduce_slices(stream, static_cast<int>(slices), 1, columns, partial, result);
}

}  // namespace

void bias_forward(Stream& stream, const BiasForwardArgs& args) {
  require_f32(args.dtype, "bias_forward");
  if (args.rows == 0 || args.columns == 0) return;
  const dim3 grid(grid_x(divide_up(args.rows, kRows)),
                  static_cast<unsigned>(std::min<int64_t>(divide_up(args.columns, kColumns), 65535)));
  simt::launch<bias_forward_kernel>(stream, grid, dim3(kColumns, kRows), 0, args.rows, args.columns,
                                    static_cast<const float*>(args.x), static_cast<const float*>(args.bias),
                                    static_cast<float*>(args.y), args.relu != 0);
}

void bias_backward(Stream& stream, const BiasBackwardArgs& args) {
  require_f32(args.dtype, "bias_backward");
  if (args.columns == 0) return;
  column_sums<false>(stream, args.rows, args.columns, args.dy, nullptr, nullptr, args.dbias, args.accumulate != 0);
}

void bias_relu_backward(Stream& stream, const BiasReluBackwardArgs& args) {
  require_f32(args.dtype, "bias_relu_backward");
  if (args.columns == 0) return;
  column_sums<true>(stream, args.rows, args.columns, args.dy, args.y, args.dz, args.dbias, args.accumulate != 0);
}

}  // namespace cairn::CAIRN_VANILLA
