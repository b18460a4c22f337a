// The register tile and the gemm entry.
#include "kernels/eigen/gemm.h"

#include "kernels/eigen/operands.h"
#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

void multiply_tile(const TileRows& a, const Panel& b, int64_t depth, const Output& output, int64_t row, int64_t column,
                   int64_t rows, int64_t columns, bool add, bool finish) {
  const float* a_rows[kTileRows];
  for (int r = 0; r < kTileRows; ++r) a_rows[r] = a.rows[r];
  const int64_t a_stride = a.stride, b_stride = b.stride;
  const float* b_row = b.data;
  Vector sums[kTileRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) sums[r][0] = sums[r][1] = Vector{};
  int64_t offset = 0;
  for (int64_t p = 0; p < depth; ++p) {
    const Vector b0 = load(b_row), b1 = load(b_row + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      const Vector value = splat(a_rows[r][offset]);
      sums[r][0] += value * b0;
      sums[r][1] += value * b1;
    }
    offset += a_stride;
    b_row += b_stride;
  }
  float* c = output.c + row * output.ldc + column;
  const float* bias = finish && output.bias ? output.bias + column : nullptr;
  const bool rectify = finish && output.relu;
  if (rows == kTileRows && columns == kTileColumns) {
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      for (int half = 0; half < 2; ++half) {
        float* to = c + r * output.ldc + half * kLanes;
        Vector value = sums[r][half];
        if (add) value += load(to);
        if (bias) value += load(bias + half * kLanes);
        store(to, rectify ? relu(value) : value);
      }
    }
    return;
  }
  float tile[kTileRows][kTileColumns];
  for (int r = 0; r < kTileRows; ++r) {
    store(tile[r], sums[r][0]);
    store(tile[r] + kLanes, sums[r][1]);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < columns; ++j) {
      float value = tile[r][j];
      if (add) value += c[r * output.ldc + j];
      if (bias) value += bias[j];
      c[r * output.ldc + j] = rectify ? relu(value) : value;
    }
  }
}

namespace {

FloatMatrix matrix(const void* data, int64_t stride, int32_t transposed, bool pack) {
  return transposed ? FloatMatrix{floats(data), 1, stride, pack} : FloatMatrix{floats(data), stride, 1, pack};
}

// k is long and c small, as in the weight gradient of a narrow layer over a full batch: chunks of k, added in order.
void gemm_by_depth(Stream& stream, const GemmArgs& args, const FloatMatrix& a, const FloatMatrix& b, int64_t chunk) {
  const int64_t chunks = ceil_div(args.k, chunk), size = args.m * args.n;
  float* partial = scratch(Scratch::partial, chunks * size);
  stream.pool.parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t p = i * chunk;
      FloatMatrix a_part = a, b_part = b;
      a_part.data += p * a.column_stride;
      b_part.data += p * b.row_stride;
      const Output output{partial + i * size, args.n, nullptr, false, false};
      Product(args.m, args.n, std::min(chunk, args.k - p), a_part, b_part, output).run();
    }
  });
  for (int64_t i = 1; i < chunks; ++i)
    for (int64_t j = 0; j < size; ++j) partial[j] += partial[i * size + j];
  for (int64_t r = 0; r < args.m; ++r) {
    float* c = floats(args.c) + r * args.ldc;
    for (int64_t j = 0; j < args.n; ++j) {
      float value = partial[r * args.n + j];
      if (args.accumulate) value += c[j];
      if (args.bias) value += floats(args.bias)[j];
      c[j] = args.relu ? relu(value) : value;
    }
  }
}

}  // namespace

void gemm(Stream& stream, const GemmArgs& args) {
  require_f32(args.dtype, "gemm");
  if (args.m == 0 || args.n == 0) return;
  // Packing pays where an operand is read often; a transposed b is always packed.
  const bool pack_a = args.n > 4 * kTileColumns, pack_b = args.m > 16 * kTileRows;
  const FloatMatrix a = matrix(args.a, args.lda, args.transpose_a, pack_a);
  const FloatMatrix b = matrix(args.b, args.ldb, args.transpose_b, pack_b);
  constexpr int64_t kChunk = 2048;
  if (args.k >= 2 * kChunk && args.m * args.n <= 128 * 128) return gemm_by_depth(stream, args, a, b, kChunk);
  const Output output{floats(args.c), args.ldc, floats(args.bias), args.relu != 0, args.accumulate != 0};
  Product(args.m, args.n, args.k, a, b, output).run(stream.pool);
}

}  // namespace cairn::eigen
