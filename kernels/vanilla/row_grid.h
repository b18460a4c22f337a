// A grid over rows of values in which no thread divides to find where it is. Not here: the kernels (rows.cu,
// embedding.cu).
//
// Grid: rows x pieces of a row; a block is as wide as a row, up to 256 threads, and as many rows high as that leaves:
//
//   row >= 256   x: .......... 256 values ..........        row = 1   x: .
//                                                                     y: 256 rows
#pragma once

#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {

inline constexpr int64_t kMostPieces = 65535;  // of a grid's second and third axis

struct RowGrid {
  dim3 grid, block;
  RowGrid(int64_t rows, int64_t columns, int64_t layers = 1) {
    unsigned width = 1;
    while (width < kElementBlock && width < columns) width *= 2;
    block = dim3(width, kElementBlock / width);
    grid = dim3(grid_x(divide_up(rows, block.y)), at_most(divide_up(columns, width)), at_most(layers));
  }

 private:
  static unsigned at_most(int64_t count) { return static_cast<unsigned>(count < kMostPieces ? count : kMostPieces); }
};

// Rows beyond the last have to be left out, and columns from grid_column() on lie grid_columns() apart.
__device__ __forceinline__ int64_t grid_row() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y;
}
__device__ __forceinline__ int64_t grid_column() {
  return static_cast<int64_t>(blockIdx.y) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ int64_t grid_columns() {
  return static_cast<int64_t>(gridDim.y) * blockDim.x;
}

}  // namespace cairn::CAIRN_VANILLA
