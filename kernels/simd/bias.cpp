// Adding a bias to rows, and its gradient: sums over the rows of a matrix, with the ReLU's mask applied on the way.
#include <numeric>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

// One row of a narrow matrix does not fill vectors evenly, `fold` rows together do: a matrix of 10 columns is summed
// as one of 40 (8 lanes), and the 4 parts of that sum are added at the end.
int64_t fold_of(int64_t columns) {
  return kLanes / std::gcd<int64_t>(columns, kLanes);
}

// sums[columns] = the sum over rows of source(vector or float at element offset).
template <class Source>
void sum_rows(int64_t begin_row, int64_t end_row, int64_t columns, float* sums, float* folded, const Source& source) {
  const int64_t fold = fold_of(columns), width = columns * fold;
  std::fill(folded, folded + width, 0.0f);
  int64_t row = begin_row;
  for (; row + fold <= end_row; row += fold) {
    const int64_t offset = row * columns;
    for (int64_t c = 0; c < width; c += kLanes) store(folded + c, load(folded + c) + source.vector(offset + c));
  }
  for (int64_t f = 0; row + f < end_row; ++f)
    for (int64_t c = 0; c < columns; ++c) folded[f * columns + c] += source.scalar((row + f) * columns + c);
  for (int64_t c = 0; c < columns; ++c) {
    float total = folded[c];
    for (int64_t f = 1; f < fold; ++f) total += folded[f * columns + c];
    sums[c] = total;
  }
}

// dbias[c] (+)= sum over rows, chunk by chunk.
template <class Source>
void reduce_rows(Stream& stream, int64_t rows, int64_t columns, float* out, int32_t accumulate, const Source& source) {
  const int64_t fold = fold_of(columns);
  const Chunks chunks(rows, columns, fold);
  float* partial = scratch(Scratch::partial, std::max<int64_t>(1, chunks.count) * columns);
  stream.pool.parallel_for(chunks.count, 1, [&](int64_t begin, int64_t end) {
    float* folded = scratch(Scratch::row_block, columns * fold);
    for (int64_t chunk = begin; chunk < end; ++chunk)
      sum_rows(chunk * chunks.rows, std::min(rows, (chunk + 1) * chunks.rows), columns, partial + chunk * columns,
               folded, source);
  });
  if (!out) return;
  for (int64_t chunk = 1; chunk < chunks.count; ++chunk)
    for (int64_t c = 0; c < columns; ++c) partial[c] += partial[chunk * columns + c];
  for (int64_t c = 0; c < columns; ++c) {
    const float total = rows ? partial[c] : 0.0f;
    out[c] = accumulate ? out[c] + total : total;
  }
}

struct Plain {
  const float* x;
  Vector vector(int64_t i) const { return load(x + i); }
  float scalar(int64_t i) const { return x[i]; }
};

struct ReluMasked {
  const float* dy;
  const float* y;
  float* dz;
  Vector vector(int64_t i) const {
    const Vector value = load(y + i) > 0.0f ? load(dy + i) : Vector{};
    store(dz + i, value);
    return value;
  }
  float scalar(int64_t i) const { return dz[i] = y[i] > 0.0f ? dy[i] : 0.0f; }
};

}  // namespace

void bias_forward(Stream& stream, const BiasForwardArgs& args) {
  require_f32(args.dtype, "bias_forward");
  if (args.rows == 0 || args.columns == 0) return;
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* x = floats(args.x) + row * args.columns;
      const float* bias = floats(args.bias);
      float* y = floats(args.y) + row * args.columns;
      const auto finish = [&](auto value) { return args.relu ? relu(value) : value; };
      int64_t c = 0;
      for (; c + kLanes <= args.columns; c += kLanes) store(y + c, finish(load(x + c) + load(bias + c)));
      for (; c < args.columns; ++c) y[c] = finish(x[c] + bias[c]);
    }
  });
}

void bias_backward(Stream& stream, const BiasBackwardArgs& args) {
  require_f32(args.dtype, "bias_backward");
  if (args.columns == 0) return;
  reduce_rows(stream, args.rows, args.columns, floats(args.dbias), args.accumulate, Plain{floats(args.dy)});
}

void bias_relu_backward(Stream& stream, const BiasReluBackwardArgs& args) {
  require_f32(args.dtype, "bias_relu_backward");
  if (args.columns == 0) return;
  reduce_rows(stream, args.rows, args.columns, floats(args.dbias), args.accumulate,
              ReluMasked{floats(args.dy), floats(args.y), floats(args.dz)});
}

}  // namespace cairn::simd
