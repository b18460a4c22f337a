// Sums: over all elements, of squared differences, and over the rows of a matrix (bias gradients, with the ReLU's mask
// applied on the way).
#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

#include <cstring>
#include <numeric>

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

// Half a vector of floats, which as doubles fills a whole one.
using Half __attribute__((vector_size(kVectorBytes / 2))) = float;
using Wide __attribute__((vector_size(kVectorBytes))) = double;
constexpr int kWideLanes = kLanes / 2;

Wide load_wide(const float* from) {
  Half half;
  std::memcpy(&half, from, sizeof half);
  return __builtin_convertvector(half, Wide);
}

// The sum of `count` terms, chunk by chunk; terms.vector(i) has those from i on, terms.scalar(i) is one.
template <class Terms>
double sum_terms(Stream& stream, int64_t count, const Terms& terms) {
  constexpr int kParts = 4;  // sums that do not wait for one another
  const Chunks chunks(count, 1, kLanes);
  auto* partial = reinterpret_cast<double*>(scratch(Scratch::partial, 2 * std::max<int64_t>(1, chunks.count)));
  stream.pool.parallel_for(chunks.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      int64_t i = chunk * chunks.rows;
      const int64_t stop = std::min(count, i + chunks.rows);
      Wide parts[kParts]{};
      for (; i + kParts * kWideLanes <= stop; i += kParts * kWideLanes)
        for (int part = 0; part < kParts; ++part) parts[part] += terms.vector(i + part * kWideLanes);
      const Wide lanes = (parts[0] + parts[1]) + (parts[2] + parts[3]);
      double total = 0;
      for (int lane = 0; lane < kWideLanes; ++lane) total += lanes[lane];
      for (; i < stop; ++i) total += terms.scalar(i);
      partial[chunk] = total;
    }
  });
  double total = 0;
  for (int64_t chunk = 0; chunk < chunks.count; ++chunk) total += partial[chunk];
  return total;
}

struct Elements {
  const float* x;
  Wide vector(int64_t i) const { return load_wide(x + i); }
  double scalar(int64_t i) const { return static_cast<double>(x[i]); }
};

struct SquaredDifferences {
  const float* a;
  const float* b;
  Wide vector(int64_t i) const {
    const Wide difference = load_wide(a + i) - load_wide(b + i);
    return difference * difference;
  }
  double scalar(int64_t i) const {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    return difference * difference;
  }
};

}  // namespace

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

void sum(Stream& stream, const SumArgs& args) {
  require_f32(args.dtype, "sum");
  const double total = sum_terms(stream, args.count, Elements{floats(args.x)});
  float* out = floats(args.out);
  const auto value = static_cast<float>(args.factor * total);
  *out = args.accumulate ? *out + value : value;
}

void squared_error_forward(Stream& stream, const SquaredErrorForwardArgs& args) {
  require_f32(args.dtype, "squared_error_forward");
  const double total = sum_terms(stream, args.count, SquaredDifferences{floats(args.a), floats(args.b)});
  *floats(args.loss) = args.count ? static_cast<float>(total / static_cast<double>(args.count)) : 0.0f;
}

}  // namespace cairn::simd
