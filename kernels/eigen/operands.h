// The kinds of operands that a Product takes: float matrices, and bytes seen as floats. Not here: the product.
#pragma once

#include "kernels/eigen/gemm.h"

namespace cairn::eigen {

// op(x)[i][j] = data[i * row_stride + j * column_stride]; one of the strides is 1.
struct FloatMatrix {
  const float* data;
  int64_t row_stride, column_stride;
  bool pack;  // copy before use; otherwise read in place where the layout allows

  TileRows tile(int64_t row, int64_t rows, int64_t p, int64_t depth, float* buffer) const {
    TileRows result;
    if (!pack) {
      for (int64_t r = 0; r < kTileRows; ++r)
        result.rows[r] = data + (row + std::min(r, rows - 1)) * row_stride + p * column_stride;
      result.stride = column_stride;
      return result;
    }
    for (int64_t r = 0; r < kTileRows; ++r) {
      const float* from = data + (row + std::min(r, rows - 1)) * row_stride + p * column_stride;
      for (int64_t q = 0; q < depth; ++q) buffer[q * kTileRows + r] = from[q * column_stride];
      result.rows[r] = buffer + r;
    }
    result.stride = kTileRows;
    return result;
  }

  Panel panel(int64_t p, int64_t depth, int64_t column, int64_t columns, float* buffer) const {
    const float* from = data + p * row_stride + column * column_stride;
    if (column_stride != 1) {
      pack_transposed(from, depth, columns, buffer);
    } else if (pack || columns < kTileColumns) {
      for (int64_t q = 0; q < depth; ++q)
        for (int64_t j = 0; j < kTileColumns; ++j)
          buffer[q * kTileColumns + j] = j < columns ? from[q * row_stride + j] : 0.0f;
    } else {
      return {from, row_stride};
    }
    return {buffer, kTileColumns};
  }

 private:
  // buffer[q][j] = from[j * column_stride + q]
  void pack_transposed(const float* from, int64_t depth, int64_t columns, float* buffer) const {
    for (int64_t j = 0; j < kTileColumns; ++j)
      for (int64_t q = 0; q < depth; ++q)
        buffer[q * kTileColumns + j] = j < columns ? from[j * column_stride + q] : 0.0f;
  }
};

// ByteRows without scale and shift, which the entries apply to the product instead.
struct ByteMatrix {
  const uint8_t* bytes;
  const int32_t* index;
  int64_t columns;

  explicit ByteMatrix(const ByteRows& x) : bytes(x.bytes), index(x.index), columns(x.columns) {}
  const uint8_t* row(int64_t i) const { return bytes + (index ? index[i] : i) * columns; }

  TileRows tile(int64_t first, int64_t rows, int64_t p, int64_t depth, float* buffer) const {
    TileRows result;
    for (int64_t r = 0; r < kTileRows; ++r) {
      float* to = buffer + r * depth;
      result.rows[r] = to;
      if (r < rows)
        convert(row(first + r) + p, depth, to);
      else
        result.rows[r] = buffer;
    }
    result.stride = 1;
    return result;
  }

  Panel panel(int64_t p, int64_t depth, int64_t column, int64_t count, float* buffer) const {
    for (int64_t q = 0; q < depth; ++q) {
      float* to = buffer + q * kTileColumns;
      convert(row(p + q) + column, count, to);
      for (int64_t j = count; j < kTileColumns; ++j) to[j] = 0.0f;
    }
    return {buffer, kTileColumns};
  }

 private:
  static void convert(const uint8_t* __restrict__ from, int64_t count, float* __restrict__ to) {
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]);
  }
};

}  // namespace cairn::eigen
