// Few outputs: vectors lie along the columns, so that weights and gradients are used as they are stored. Blocks that
// are all zeros are skipped (nonzero_blocks.h). With x = bytes * scale + shift,
//   x w^T    = bytes (scale w)^T + shift * (row sums of w)
//   dy^T x   = (scale dy)^T bytes + shift * (column sums of dy)
// and the scaling is done where w and dy are packed. An infinite weight makes a nan only where its block takes part.
//
//   forward   one row against all outputs, a vector of sums in registers for each. w is packed so that a block's
//   weights
//             lie side by side: a block costs its widening and one multiply-add an output, with weights from the
//             first-level cache (10 outputs x 784 columns are 31 KiB). At the row's end the lanes are added up.
//   backward  one block of dweight for all outputs, in registers, against the rows that are not zero there. A row costs
//             its widening and one multiply-add an output, with a broadcast dy; dweight is loaded and stored once.
#include "kernels/simd/byte_linear_narrow.h"

#include "kernels/simd/nonzero_blocks.h"
#include "kernels/simd/transpose.h"

namespace cairn::simd {
namespace {

constexpr int64_t kSegmentBlocks = NonzeroBlocks::kBlocks;  // of a row, handled at a time: bounds the packed weights
constexpr int64_t kManyRows = 4096;                         // from here on rows are shared out as threads come free
constexpr int64_t kForwardRows = NonzeroBlocks::kRows, kBackwardRows = NonzeroBlocks::kRows / 2;

// to[block][output][lane] = scale * w[output][block][lane], 0 past the last column and the last output.
template <int kOutputs>
void pack_weight(const float* w, int64_t stride, int64_t columns, int64_t outputs, float scale, float* to) {
  for (int64_t column = 0; column < columns; column += kLanes) {
    const int64_t valid = std::min<int64_t>(kLanes, columns - column);
    for (int64_t j = 0; j < kOutputs; ++j, to += kLanes)
      store(to, j < outputs ? scale * load_part(w + j * stride + column, valid) : Vector{});
  }
}

// The sum of a row of weights.
float sum_row(const float* w, int64_t columns) {
  Vector sums{};
  for (int64_t c = 0; c < columns; c += kLanes) sums += load_part(w + c, std::min<int64_t>(kLanes, columns - c));
  float total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += sums[lane];
  return total;
}

// result[j] = the product of a row and the packed weights of output j
template <int kOutputs>
void multiply_row(const NonzeroBlocks& x, int64_t row, const float* weight, float* result) {
  Vector sums[kOutputs] = {};
  x.for_blocks(row, [&](int64_t block, Vector values) {
    const float* w = weight + block * (kOutputs * kLanes);
#pragma GCC unroll 16
    for (int j = 0; j < kOutputs; ++j) sums[j] += values * load(w + j * kLanes);
  });
#pragma GCC unroll 16
  for (int first = 0; first < kOutputs; first += kLanes) {
    Vector square[kLanes];
#pragma GCC unroll 16
    for (int j = 0; j < kLanes; ++j) square[j] = first + j < kOutputs ? sums[first + j] : Vector{};
    transpose(square);
    Vector total = square[0];
#pragma GCC unroll 16
    for (int j = 1; j < kLanes; ++j) total += square[j];
    store(result + first, total);
  }
}

template <int kOutputs>
void forward(const ByteLinearForwardArgs& args, int64_t row_begin, int64_t row_end) {
  const int64_t columns = args.x.columns, blocks = blocks_of(columns), n = args.n;
  float offset[kOutputs];  // shift and bias
  for (int64_t j = 0; j < n; ++j)
    offset[j] = (args.x.shift != 0.0f ? args.x.shift * sum_row(args.weight + j * columns, columns) : 0.0f) +
                (args.bias ? args.bias[j] : 0.0f);
  NonzeroBlocks x(args.x);
  float* packed = scratch(Scratch::packed_b, std::min(blocks, kSegmentBlocks) * kOutputs * kLanes);
  for (int64_t begin = row_begin; begin < row_end; begin += kForwardRows) {
    const int64_t end = std::min(row_end, begin + kForwardRows);
    int64_t block = 0;
    do {
      const int64_t block_end = std::min(blocks, block + kSegmentBlocks);
      if (begin == row_begin || blocks > kSegmentBlocks)
        pack_weight<kOutputs>(args.weight + block * kLanes, columns,
                              std::min(columns, block_end * kLanes) - block * kLanes, n, args.x.scale, packed);
      x.map(begin, end, block, block_end, false);
      const bool rectify = args.relu && block_end == blocks;
      for (int64_t row = begin; row < end; ++row) {
        if (row + kForwardRows < row_end) x.prefetch(row + kForwardRows);
        float sums[ceil_div(kOutputs, kLanes) * kLanes];
        multiply_row<kOutputs>(x, row - begin, packed, sums);
        float* y = args.y + row * n;
        for (int64_t j = 0; j < n; ++j) {
          const float value = (block == 0 ? offset[j] : y[j]) + sums[j];
          y[j] = rectify ? relu(value) : value;
        }
      }
      block = block_end;
    } while (block < blocks);
  }
}

// Where a part of dweight is summed up: row j of it at to + j * stride.
struct Target {
  float* to;
  int64_t stride, outputs;
  bool add;            // to what is there
  const float* start;  // a value for each output that is added, or null
};

// The target's columns [column, column + valid) += dy^T times the rows' values in a block; dy[row][kOutputs]
template <int kOutputs>
void multiply_block(const NonzeroBlocks& x, int64_t block, const float* dy, const Target& target, int64_t column,
                    int64_t valid) {
  Vector sums[kOutputs] = {};
  x.for_rows(block, [&](int64_t row, Vector values) {
    const float* d = dy + row * kOutputs;
#pragma GCC unroll 16
    for (int j = 0; j < kOutputs; ++j) sums[j] += values * d[j];
  });
#pragma GCC unroll 16
  for (int j = 0; j < kOutputs; ++j) {
    if (j >= target.outputs) return;
    float* to = target.to + j * target.stride + column;
    Vector value = sums[j];
    if (target.start) value += target.start[j];
    if (target.add) value += load_part(to, valid);
    store_part(to, value, valid);
  }
}

// The blocks [block_begin, block_end) of dweight, each element summed over the rows [row_begin, row_end) in order.
template <int kOutputs>
void backward(const ByteLinearBackwardWeightArgs& args, const float* shift_part, int64_t row_begin, int64_t row_end,
              int64_t block_begin, int64_t block_end, float* dweight, bool accumulate) {
  const int64_t columns = args.x.columns, n = args.n;
  NonzeroBlocks x(args.x);
  float* dy = scratch(Scratch::row_block, kBackwardRows * kOutputs);
  int64_t begin = row_begin;
  do {
    const int64_t end = std::min(row_end, begin + kBackwardRows), next_end = std::min(row_end, end + kBackwardRows);
    for (int64_t row = begin; row < end; ++row)
      for (int64_t j = 0; j < kOutputs; ++j)
        dy[(row - begin) * kOutputs + j] = j < n ? args.dy[row * n + j] * args.x.scale : 0.0f;
    const Target target{dweight, columns, n, accumulate || begin > row_begin,
                        begin == row_begin ? shift_part : nullptr};
    for (int64_t first = block_begin; first < block_end; first += kSegmentBlocks) {
      const int64_t blocks = std::min(kSegmentBlocks, block_end - first);
      x.map(begin, end, first, first + blocks, true);
      for (int64_t block = 0; block < blocks; ++block) {
        for (int64_t row = end + block; row < next_end; row += blocks) x.prefetch(row);
        const int64_t column = (first + block) * kLanes;
        multiply_block<kOutputs>(x, block, dy, target, column, std::min<int64_t>(kLanes, columns - column));
      }
    }
    begin = end;
  } while (begin < row_end);
}

// Many rows: they are cut into chunks (by their number alone), each summed by one thread, and the chunks added in
// order.
template <int kOutputs>
void backward_by_rows(Stream& stream, const ByteLinearBackwardWeightArgs& args, const float* shift_part) {
  constexpr int64_t kChunks = 16;
  const int64_t rows = args.x.rows, columns = args.x.columns, size = args.n * columns;
  const int64_t chunk = ceil_div(rows, kChunks * kBackwardRows) * kBackwardRows;
  float* partial = scratch(Scratch::partial, kChunks * size);
  stream.pool.share_out(kChunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      backward<kOutputs>(args, nullptr, std::min(rows, i * chunk), std::min(rows, (i + 1) * chunk), 0,
                         blocks_of(columns), partial + i * size, false);
  });
  for (int64_t j = 0; j < args.n; ++j) {
    for (int64_t c = 0; c < columns; ++c) {
      float total = shift_part ? shift_part[j] : 0.0f;
      for (int64_t i = 0; i < kChunks; ++i) total += partial[i * size + j * columns + c];
      float& to = args.dweight[j * columns + c];
      to = args.accumulate ? to + total : total;
    }
  }
}

// body(kOutputs) with the number of sums that suits n outputs.
template <class Body>
void with_outputs(int64_t n, const Body& body) {
  if (n <= 4)
    body(std::integral_constant<int, 4>{});
  else
    body(std::integral_constant<int, kMostNarrow>{});
}

}  // namespace

// No row's result depends on another row.
void narrow_forward(Stream& stream, const ByteLinearForwardArgs& args) {
  with_outputs(args.n, [&](auto outputs) {
    const auto body = [&](int64_t begin, int64_t end) { forward<decltype(outputs)::value>(args, begin, end); };
    if (args.x.rows >= kManyRows)
      stream.pool.share_out(args.x.rows, kForwardRows, body);
    else
      stream.pool.parallel_for(args.x.rows, 16, body);
  });
}

// Many rows are shared out by rows, few by columns.
void narrow_backward_weight(Stream& stream, const ByteLinearBackwardWeightArgs& args, const float* shift_part) {
  with_outputs(args.n, [&](auto outputs) {
    constexpr int kOutputs = decltype(outputs)::value;
    if (args.x.rows >= kManyRows) return backward_by_rows<kOutputs>(stream, args, shift_part);
    stream.pool.parallel_for(blocks_of(args.x.columns), 4, [&](int64_t begin, int64_t end) {
      backward<kOutputs>(args, shift_part, 0, args.x.rows, begin, end, args.dweight, args.accumulate);
    });
  });
}

}  // namespace cairn::simd
