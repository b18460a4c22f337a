// Linear layers whose input is the resident byte data set. No float copy of the data exists: per 64 rows the nonzero
// bytes are listed (nonzeros.h), and only they take part. With x = bytes * scale + shift,
//   x w^T    = scale * (bytes w^T) + shift * (row sums of w)
//   dy^T x   = scale * (dy^T bytes) + shift * (column sums of dy)
// A zero byte contributes exactly nothing, whatever the weight: an infinite weight on it does not make a nan.
//
// Outputs are handled kWidth at a time, in registers. Each nonzero costs one broadcast of its value and kWidth
// multiply-adds with a row of the transposed weights (forward: 4 FMA and 6 loads for 32 outputs on AVX2) or into a row
// of the transposed gradient (backward: 4 stores more). 784 x 32 floats are cut into segments of 32 KiB.
#include "kernels/eigen/nonzeros.h"
#include "kernels/eigen/primitives.h"
#include "kernels/eigen/transpose.h"
#include "kernels/eigen/vector.h"

namespace cairn::eigen {
namespace {

// to[c][j] = w[(first + j) * columns + c] for kWidth outputs; those from `outputs` on are 0.
template <int kWidth>
void pack_transposed(const float* w, int64_t columns, int64_t outputs, float* to) {
  for (int64_t j = 0; j < kWidth; j += kLanes) {
    const int64_t rows = std::min<int64_t>(kLanes, outputs - j);
    int64_t c = 0;
    for (; c + kLanes <= columns && rows > 0; c += kLanes) {
      Vector block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) block[i] = i < rows ? load(w + (j + i) * columns + c) : Vector{};
      transpose(block);
      for (int64_t i = 0; i < kLanes; ++i) store(to + (c + i) * kWidth + j, block[i]);
    }
    for (; c < columns; ++c)
      for (int64_t i = 0; i < kLanes; ++i) to[c * kWidth + j + i] = i < rows ? w[(j + i) * columns + c] : 0.0f;
  }
}

// The 256 values that a byte can stand for, scaled: cheaper than converting each.
struct ByteValues {
  float of[256];
  explicit ByteValues(float scale) {
    for (int i = 0; i < 256; ++i) of[i] = static_cast<float>(i) * scale;
  }
};

// sums[kWidth] += the list's values times their rows of w. Two sets of sums hide the latency of the multiply-adds.
template <int kWidth>
void multiply_list(const NonzeroList& list, const ByteValues& values, const float* w, float* sums) {
  constexpr int kVectors = kWidth / kLanes;
  const uint8_t* bytes = list.bytes;
  const uint8_t* columns = list.columns;
  Vector even[kVectors], odd[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    even[v] = load(sums + v * kLanes);
    odd[v] = Vector{};
  }
  int64_t i = 0;
  for (; i + 2 <= list.count; i += 2) {
    const int64_t column0 = columns[i], column1 = columns[i + 1];
    const Vector value0 = splat(values.of[bytes[column0]]), value1 = splat(values.of[bytes[column1]]);
    for (int v = 0; v < kVectors; ++v) {
      even[v] += value0 * load(w + column0 * kWidth + v * kLanes);
      odd[v] += value1 * load(w + column1 * kWidth + v * kLanes);
    }
  }
  if (i < list.count) {
    const Vector value = splat(values.of[bytes[columns[i]]]);
    for (int v = 0; v < kVectors; ++v) even[v] += value * load(w + columns[i] * kWidth + v * kLanes);
  }
  for (int v = 0; v < kVectors; ++v) store(sums + v * kLanes, even[v] + odd[v]);
}

// gradient[column] += value * dy for every nonzero of the list.
template <int kWidth>
void scatter_list(const NonzeroList& list, const ByteValues& values, const float* dy, float* __restrict__ gradient) {
  constexpr int kVectors = kWidth / kLanes;
  const uint8_t* __restrict__ bytes = list.bytes;
  const uint8_t* __restrict__ columns = list.columns;
  Vector d[kVectors];
  for (int v = 0; v < kVectors; ++v) d[v] = load(dy + v * kLanes);
  for (int64_t i = 0, count = list.count; i < count; ++i) {
    float* to = gradient + columns[i] * kWidth;
    const Vector value = splat(values.of[bytes[columns[i]]]);
    for (int v = 0; v < kVectors; ++v) store(to + v * kLanes, load(to + v * kLanes) + value * d[v]);
  }
}

template <int kWidth>
void forward(const ByteLinearForwardArgs& args, int64_t row_begin, int64_t row_end, int64_t block_begin,
             int64_t block_end) {
  const int64_t columns = args.x.columns;
  const ByteValues values(args.x.scale);
  Nonzeros nonzeros(args.x, 0, columns);
  float* weight = scratch(Scratch::packed_b, columns * kWidth);
  float* sums = scratch(Scratch::row_block, (kListRows + 1) * kWidth);
  float* offset = sums + kListRows * kWidth;  // bias and shift
  for (int64_t begin = row_begin; begin < row_end; begin += kListRows) {
    const int64_t end = std::min(row_end, begin + kListRows);
    nonzeros.build(begin, end);
    for (int64_t block = block_begin; block < block_end; ++block) {
      const int64_t first = block * kWidth, outputs = std::min<int64_t>(kWidth, args.n - first);
      if (begin == row_begin || block_end - block_begin > 1) {
        pack_transposed<kWidth>(args.weight + first * columns, columns, outputs, weight);
        std::fill(offset, offset + kWidth, 0.0f);
        if (args.x.shift != 0.0f)
          for (int64_t i = 0; i < columns * kWidth; ++i) offset[i % kWidth] += weight[i] * args.x.shift;
        for (int64_t j = 0; j < outputs && args.bias; ++j) offset[j] += args.bias[first + j];
      }
      std::fill(sums, sums + (end - begin) * kWidth, 0.0f);
      for (int64_t segment = 0; segment < nonzeros.segments(); ++segment)
        for (int64_t row = begin; row < end; ++row)
          multiply_list<kWidth>(nonzeros.list(row, segment), values, weight + segment * kSegment * kWidth,
                                sums + (row - begin) * kWidth);
      for (int64_t row = begin; row < end; ++row) {
        float* total = sums + (row - begin) * kWidth;
        for (int64_t j = 0; j < kWidth; j += kLanes) {
          const Vector value = load(total + j) + load(offset + j);
          store(total + j, args.relu ? relu(value) : value);
        }
        std::copy(total, total + outputs, args.y + row * args.n + first);
      }
    }
  }
}

// dweight (+)= gradient^T + offset for the outputs of one block
template <int kWidth>
void store_transposed(const float* gradient, int64_t columns, int64_t outputs, const float* offset, bool add,
                      float* dweight, int64_t stride) {
  for (int64_t j = 0; j < outputs; j += kLanes) {
    const int64_t rows = std::min<int64_t>(kLanes, outputs - j);
    for (int64_t c = 0; c < columns; c += kLanes) {
      Vector block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) block[i] = load(gradient + (c + i) * kWidth + j);
      transpose(block);
      const int64_t valid = std::min<int64_t>(kLanes, columns - c);
      for (int64_t i = 0; i < rows; ++i) {
        float* to = dweight + (j + i) * stride + c;
        Vector value = block[i] + offset[j + i];
        if (valid == kLanes) {
          store(to, add ? load(to) + value : value);
        } else {
          for (int64_t lane = 0; lane < valid; ++lane) to[lane] = add ? to[lane] + value[lane] : value[lane];
        }
      }
    }
  }
}

// The columns [column_begin, column_end) of dweight, for the outputs of some blocks.
template <int kWidth>
void backward(const ByteLinearBackwardWeightArgs& args, const float* shift_part, int64_t column_begin,
              int64_t column_end, int64_t block_begin, int64_t block_end) {
  constexpr int64_t kChunk = 4096;  // rows summed in a row; chunks are added up, which keeps long sums exact
  const int64_t rows = args.x.rows, columns = column_end - column_begin;
  const ByteValues values(args.x.scale);
  Nonzeros nonzeros(args.x, column_begin, column_end);
  const int64_t padded = ceil_div(columns, kLanes) * kLanes * kWidth;
  float* gradient = scratch(Scratch::packed_b, padded);
  float* dy = scratch(Scratch::row_block, (kListRows + 1) * kWidth);
  float* offset = dy + kListRows * kWidth;
  for (int64_t block = block_begin; block < block_end; ++block) {
    const int64_t first = block * kWidth, outputs = std::min<int64_t>(kWidth, args.n - first);
    float* dweight = args.dweight + first * args.x.columns + column_begin;
    int64_t chunk = 0;
    do {
      std::fill(gradient, gradient + padded, 0.0f);
      const int64_t chunk_end = std::min(rows, chunk + kChunk);
      for (int64_t begin = chunk; begin < chunk_end; begin += kListRows) {
        const int64_t end = std::min(chunk_end, begin + kListRows);
        if (block == block_begin || rows > kListRows) nonzeros.build(begin, end);
        for (int64_t row = begin; row < end; ++row) {
          float* to = dy + (row - begin) * kWidth;
          std::copy(args.dy + row * args.n + first, args.dy + row * args.n + first + outputs, to);
          std::fill(to + outputs, to + kWidth, 0.0f);
        }
        for (int64_t segment = 0; segment < nonzeros.segments(); ++segment)
          for (int64_t row = begin; row < end; ++row)
            scatter_list<kWidth>(nonzeros.list(row, segment), values, dy + (row - begin) * kWidth,
                                 gradient + segment * kSegment * kWidth);
      }
      for (int64_t j = 0; j < outputs; ++j) offset[j] = chunk == 0 && shift_part ? shift_part[first + j] : 0.0f;
      store_transposed<kWidth>(gradient, columns, outputs, offset, chunk > 0 || args.accumulate, dweight,
                               args.x.columns);
      chunk = chunk_end;
    } while (chunk < rows);
  }
}

// body(width) with the block width that suits n outputs.
template <class Body>
void with_width(int64_t n, const Body& body) {
  if (n <= 16)
    body(std::integral_constant<int, 16>{});
  else
    body(std::integral_constant<int, 32>{});
}

}  // namespace

// Shared out by outputs when there are blocks enough, else by rows; no row's result depends on another row.
void byte_linear_forward(Stream& stream, const ByteLinearForwardArgs& args) {
  const int64_t rows = args.x.rows;
  if (rows == 0 || args.n == 0) return;
  with_width(args.n, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const int64_t blocks = ceil_div(args.n, kWidth);
    if (blocks >= 2 * stream.pool.size() && rows < kListRows * stream.pool.size())
      stream.pool.parallel_for(blocks, 1,
                               [&](int64_t begin, int64_t end) { forward<kWidth>(args, 0, rows, begin, end); });
    else
      stream.pool.parallel_for(rows, 16,
                               [&](int64_t begin, int64_t end) { forward<kWidth>(args, begin, end, 0, blocks); });
  });
}

// Shared out by outputs or by columns of dweight: each element is summed over all rows in order by one thread.
void byte_linear_backward_weight(Stream& stream, const ByteLinearBackwardWeightArgs& args) {
  const int64_t columns = args.x.columns;
  if (args.n == 0 || columns == 0) return;
  float* shift_part = nullptr;
  if (args.x.shift != 0.0f) {
    shift_part = scratch(Scratch::packed_a, args.n);
    bias_backward(stream, {DType::f32, args.x.rows, args.n, args.dy, shift_part, 0});
    for (int64_t j = 0; j < args.n; ++j) shift_part[j] *= args.x.shift;
  }
  with_width(args.n, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const int64_t blocks = ceil_div(args.n, kWidth);
    if (blocks >= 2 * stream.pool.size())
      stream.pool.parallel_for(
          blocks, 1, [&](int64_t begin, int64_t end) { backward<kWidth>(args, shift_part, 0, columns, begin, end); });
    else
      stream.pool.parallel_for(
          columns, 8, [&](int64_t begin, int64_t end) { backward<kWidth>(args, shift_part, begin, end, 0, blocks); });
  });
}

}  // namespace cairn::eigen
