// Linear layers whose input is the resident byte data set. No float copy of the data exists: per 64 rows the nonzero
// bytes are listed (nonzeros.h), and only they take part. With x = bytes * scale + shift,
//   x w^T    = scale * (bytes w^T) + shift * (row sums of w)
//   dy^T x   = scale * (dy^T bytes) + shift * (column sums of dy)
// Columns that are zero in a pair of rows are left out: they contribute nothing, and an infinite weight there makes no
// nan.
//
// Outputs are handled kWidth at a time, in registers. A listed column costs two broadcasts (one for each row of the
// pair) and 2 x kWidth multiply-adds: forward with one row of the transposed weights, loaded once for both; backward
// into one row of the transposed gradient, loaded and stored once for both. Few outputs: byte_linear_narrow.cpp.
#include "kernels/simd/byte_linear_narrow.h"
#include "kernels/simd/nonzeros.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/transpose.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

constexpr int64_t kManyRows = 64 * kListRows;  // from here on rows are shared out as threads come free

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

// sums[2][kWidth] += the two rows' values times their columns' rows of w. Two sets of sums for a narrow w hide the
// latency of the multiply-adds.
template <int kWidth>
void multiply_list(const NonzeroList& list, const ByteValues& values, const float* w, float* sums) {
  constexpr int kVectors = kWidth / kLanes, kSets = kVectors >= 4 ? 1 : 2;
  const uint8_t* bytes0 = list.bytes[0];
  const uint8_t* bytes1 = list.bytes[1];
  const uint16_t* columns = list.columns;
  Vector first[kSets][kVectors], second[kSets][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    first[0][v] = load(sums + v * kLanes);
    second[0][v] = load(sums + kWidth + v * kLanes);
    for (int s = 1; s < kSets; ++s) first[s][v] = second[s][v] = Vector{};
  }
  int64_t i = 0;
  for (; i + kSets <= list.count; i += kSets) {
    for (int s = 0; s < kSets; ++s) {
      const int64_t column = columns[i + s];
      const Vector value0 = splat(values.of[bytes0[column]]), value1 = splat(values.of[bytes1[column]]);
      for (int v = 0; v < kVectors; ++v) {
        const Vector weight = load(w + column * kWidth + v * kLanes);
        first[s][v] += value0 * weight;
        second[s][v] += value1 * weight;
      }
    }
  }
  for (; i < list.count; ++i) {
    const int64_t column = columns[i];
    const Vector value0 = splat(values.of[bytes0[column]]), value1 = splat(values.of[bytes1[column]]);
    for (int v = 0; v < kVectors; ++v) {
      const Vector weight = load(w + column * kWidth + v * kLanes);
      first[0][v] += value0 * weight;
      second[0][v] += value1 * weight;
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    for (int s = 1; s < kSets; ++s) {
      first[0][v] += first[s][v];
      second[0][v] += second[s][v];
    }
    store(sums + v * kLanes, first[0][v]);
    store(sums + kWidth + v * kLanes, second[0][v]);
  }
}

// gradient[column] += value * dy of both rows, for every column of the list; dy[2][kWidth].
template <int kWidth>
void scatter_list(const NonzeroList& list, const ByteValues& values, const float* dy, float* __restrict__ gradient) {
  constexpr int kVectors = kWidth / kLanes;
  const uint8_t* __restrict__ bytes0 = list.bytes[0];
  const uint8_t* __restrict__ bytes1 = list.bytes[1];
  const uint16_t* __restrict__ columns = list.columns;
  Vector d0[kVectors], d1[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    d0[v] = load(dy + v * kLanes);
    d1[v] = load(dy + kWidth + v * kLanes);
  }
#pragma GCC unroll 2
  for (int64_t i = 0, count = list.count; i < count; ++i) {
    const int64_t column = columns[i];
    float* to = gradient + column * kWidth;
    const Vector value0 = splat(values.of[bytes0[column]]), value1 = splat(values.of[bytes1[column]]);
    for (int v = 0; v < kVectors; ++v) store(to + v * kLanes, load(to + v * kLanes) + value0 * d0[v] + value1 * d1[v]);
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
        for (int64_t j = 0; j < kWidth; j += kLanes) {
          Vector sum{};
          for (int64_t c = 0; c < columns && args.x.shift != 0.0f; ++c) sum += load(weight + c * kWidth + j);
          store(offset + j, args.x.shift * sum);
        }
        for (int64_t j = 0; j < outputs && args.bias; ++j) offset[j] += args.bias[first + j];
      }
      std::fill(sums, sums + kListRows * kWidth, 0.0f);
      for (int64_t segment = 0; segment < nonzeros.segments(); ++segment) {
        for (int64_t row = begin; row < end; row += 2) {
          if (block == block_begin && segment == 0) nonzeros.prefetch(row + kListRows);
          multiply_list<kWidth>(nonzeros.list(row, segment), values, weight + segment * kSegment * kWidth,
                                sums + (row - begin) * kWidth);
        }
      }
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

// dweight (+)= gradient^T, plus what shift contributes to each output (or null), for the outputs of one block
template <int kWidth>
void store_transposed(const float* gradient, int64_t columns, int64_t outputs, const float* shift_part, int64_t first,
                      bool add, float* dweight, int64_t stride) {
  for (int64_t j = 0; j < outputs; j += kLanes) {
    const int64_t rows = std::min<int64_t>(kLanes, outputs - j);
    for (int64_t c = 0; c < columns; c += kLanes) {
      Vector block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) block[i] = load(gradient + (c + i) * kWidth + j);
      transpose(block);
      const int64_t valid = std::min<int64_t>(kLanes, columns - c);
      for (int64_t i = 0; i < rows; ++i) {
        float* to = dweight + (j + i) * stride + c;
        const Vector value = shift_part ? block[i] + shift_part[first + j + i] : block[i];
        if (valid == kLanes) {
          store(to, add ? load(to) + value : value);
        } else {
          for (int64_t lane = 0; lane < valid; ++lane) to[lane] = add ? to[lane] + value[lane] : value[lane];
        }
      }
    }
  }
}

// gradient[column][kWidth] += the rows [begin, end) of x times the outputs of one block. build: list the rows first.
template <int kWidth>
void accumulate_rows(const ByteLinearBackwardWeightArgs& args, Nonzeros& nonzeros, const ByteValues& values,
                     int64_t begin, int64_t end, int64_t first, bool build, float* gradient) {
  const int64_t outputs = std::min<int64_t>(kWidth, args.n - first);
  float dy[2 * kWidth] = {};
  for (int64_t part = begin; part < end; part += kListRows) {
    const int64_t part_end = std::min(end, part + kListRows);
    if (build) nonzeros.build(part, part_end);
    for (int64_t segment = 0; segment < nonzeros.segments(); ++segment) {
      for (int64_t row = part; row < part_end; row += 2) {
        if (build && segment == 0) nonzeros.prefetch(row + kListRows);
        const float* from = args.dy + row * args.n + first;
        std::copy(from, from + outputs, dy);
        if (row + 1 < part_end)
          std::copy(from + args.n, from + args.n + outputs, dy + kWidth);
        else
          std::fill(dy + kWidth, dy + 2 * kWidth, 0.0f);
        scatter_list<kWidth>(nonzeros.list(row, segment), values, dy, gradient + segment * kSegment * kWidth);
      }
    }
  }
}

constexpr int64_t padded_columns(int64_t columns) {
  return ceil_div(columns, kLanes) * kLanes;
}

// The columns [column_begin, column_end) of dweight, for the outputs of some blocks.
template <int kWidth>
void backward(const ByteLinearBackwardWeightArgs& args, const float* shift_part, int64_t column_begin,
              int64_t column_end, int64_t block_begin, int64_t block_end) {
  const int64_t rows = args.x.rows, columns = column_end - column_begin;
  const ByteValues values(args.x.scale);
  Nonzeros nonzeros(args.x, column_begin, column_end);
  float* gradient = scratch(Scratch::packed_b, padded_columns(columns) * kWidth);
  for (int64_t block = block_begin; block < block_end; ++block) {
    const int64_t first = block * kWidth;
    std::fill(gradient, gradient + padded_columns(columns) * kWidth, 0.0f);
    accumulate_rows<kWidth>(args, nonzeros, values, 0, rows, first, block == block_begin || rows > kListRows, gradient);
    store_transposed<kWidth>(gradient, columns, std::min<int64_t>(kWidth, args.n - first), shift_part, first,
                             args.accumulate, args.dweight + first * args.x.columns + column_begin, args.x.columns);
  }
}

// Many rows: they are cut into chunks (by their number alone), each summed by one thread, and the chunks added in
// order.
template <int kWidth>
void backward_by_rows(Stream& stream, const ByteLinearBackwardWeightArgs& args, const float* shift_part) {
  constexpr int64_t kChunks = 16;
  const int64_t rows = args.x.rows, columns = args.x.columns;
  const int64_t chunk = ceil_div(rows, kChunks * kListRows) * kListRows, size = padded_columns(columns) * kWidth;
  float* partial = scratch(Scratch::partial, kChunks * size);
  for (int64_t first = 0; first < args.n; first += kWidth) {
    stream.pool.share_out(kChunks, 1, [&](int64_t begin, int64_t end) {
      const ByteValues values(args.x.scale);
      Nonzeros nonzeros(args.x, 0, columns);
      for (int64_t i = begin; i < end; ++i) {
        std::fill(partial + i * size, partial + (i + 1) * size, 0.0f);
        accumulate_rows<kWidth>(args, nonzeros, values, i * chunk, std::min(rows, (i + 1) * chunk), first, true,
                                partial + i * size);
      }
    });
    stream.pool.parallel_for(columns, 16, [&](int64_t begin, int64_t end) {
      float* total = partial + begin * kWidth;
      const int64_t count = padded_columns(end - begin) * kWidth;
      for (int64_t i = 1; i < kChunks; ++i)
        for (int64_t j = 0; j < count; ++j) total[j] += total[i * size + j];
      store_transposed<kWidth>(total, end - begin, std::min<int64_t>(kWidth, args.n - first), shift_part, first,
                               args.accumulate, args.dweight + first * columns + begin, columns);
    });
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
  if (args.n <= kMostNarrow) return narrow_forward(stream, args);
  with_width(args.n, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const int64_t blocks = ceil_div(args.n, kWidth);
    const auto by_rows = [&](int64_t begin, int64_t end) { forward<kWidth>(args, begin, end, 0, blocks); };
    if (rows >= kManyRows)
      stream.pool.share_out(rows, kListRows, by_rows);
    else if (blocks >= 2 * stream.pool.size() && rows < kListRows * stream.pool.size())
      stream.pool.parallel_for(blocks, 1,
                               [&](int64_t begin, int64_t end) { forward<kWidth>(args, 0, rows, begin, end); });
    else
      stream.pool.parallel_for(rows, 16, by_rows);
  });
}

// Many rows are shared out by rows; else outputs or columns of dweight are, each element then summed over all rows in
// order by one thread.
void byte_linear_backward_weight(Stream& stream, const ByteLinearBackwardWeightArgs& args) {
  const int64_t columns = args.x.columns;
  if (args.n == 0 || columns == 0) return;
  float* shift_part = nullptr;
  if (args.x.shift != 0.0f) {
    shift_part = scratch(Scratch::packed_a, args.n);
    bias_backward(stream, {DType::f32, args.x.rows, args.n, args.dy, shift_part, 0});
    for (int64_t j = 0; j < args.n; ++j) shift_part[j] *= args.x.shift;
  }
  if (args.n <= kMostNarrow) return narrow_backward_weight(stream, args, shift_part);
  with_width(args.n, [&](auto width) {
    constexpr int kWidth = decltype(width)::value;
    const int64_t blocks = ceil_div(args.n, kWidth);
    if (args.x.rows >= kManyRows)
      backward_by_rows<kWidth>(stream, args, shift_part);
    else if (blocks >= 2 * stream.pool.size())
      stream.pool.parallel_for(
          blocks, 1, [&](int64_t begin, int64_t end) { backward<kWidth>(args, shift_part, 0, columns, begin, end); });
    else
      stream.pool.parallel_for(
          columns, 16, [&](int64_t begin, int64_t end) { backward<kWidth>(args, shift_part, begin, end, 0, blocks); });
  });
}

}  // namespace cairn::simd
