// Elementwise primitives as Eigen array expressions. Every expression here rounds the same way in Eigen's vector and
// scalar code, so that results depend neither on how the work is cut nor on how the arrays are aligned. Eigen's own
// tanh does not, hence vector.h's.
#include <Eigen/Core>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;

// out (+)= expression(begin, size), in parallel.
template <class Expression>
void map(Stream& stream, int64_t count, void* out, int32_t accumulate, const Expression& expression) {
  stream.pool.parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    Array to(floats(out) + begin, end - begin);
    if (accumulate)
      to += expression(begin, end - begin);
    else
      to = expression(begin, end - begin);
  });
}

// The part [begin, begin + size) of an array.
auto part(const void* array, int64_t begin, int64_t size) {
  return ConstArray(floats(array) + begin, size);
}

}  // namespace

void add(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "add");
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t begin, int64_t size) { return part(args.a, begin, size) + part(args.b, begin, size); });
}

void multiply(Stream& stream, const BinaryArgs& args) {
  require_f32(args.dtype, "multiply");
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t begin, int64_t size) { return part(args.a, begin, size) * part(args.b, begin, size); });
}

void scale(Stream& stream, const ScaleArgs& args) {
  require_f32(args.dtype, "scale");
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t begin, int64_t size) { return part(args.x, begin, size) * static_cast<float>(args.factor); });
}

void broadcast_scalar(Stream& stream, const BroadcastScalarArgs& args) {
  require_f32(args.dtype, "broadcast_scalar");
  if (args.count == 0) return;
  const float value = static_cast<float>(args.factor) * floats(args.x)[0];
  map(stream, args.count, args.out, args.accumulate,
      [&](int64_t, int64_t size) { return Eigen::ArrayXf::Constant(size, value); });
}

void squared_error_backward(Stream& stream, const SquaredErrorBackwardArgs& args) {
  require_f32(args.dtype, "squared_error_backward");
  if (args.count == 0) return;
  const float factor = static_cast<float>(args.factor) * floats(args.dloss)[0];
  map(stream, args.count, args.da, args.accumulate,
      [&](int64_t begin, int64_t size) { return (part(args.a, begin, size) - part(args.b, begin, size)) * factor; });
}

void copy_rows(Stream& stream, const CopyRowsArgs& args) {
  require_f32(args.dtype, "copy_rows");
  if (args.columns == 0) return;
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Array y(floats(args.y) + row * args.y_stride, args.columns);
      const ConstArray x = part(args.x, row * args.x_stride, args.columns);
      if (args.accumulate)
        y += x;
      else
        y = x;
    }
  });
}

void relu_forward(Stream& stream, const ReluForwardArgs& args) {
  require_f32(args.dtype, "relu_forward");
  map(stream, args.count, args.y, 0, [&](int64_t begin, int64_t size) {
    const auto x = part(args.x, begin, size);
    return (x < 0.0f).select(0.0f, x);  // nan stays
  });
}

void relu_backward(Stream& stream, const ReluBackwardArgs& args) {
  require_f32(args.dtype, "relu_backward");
  map(stream, args.count, args.dx, args.accumulate, [&](int64_t begin, int64_t size) {
    return (part(args.y, begin, size) > 0.0f).select(part(args.dy, begin, size), 0.0f);
  });
}

// The remainder is computed in a vector too, so that an element's bits do not depend on where the work was cut.
void tanh_forward(Stream& stream, const TanhForwardArgs& args) {
  require_f32(args.dtype, "tanh_forward");
  stream.pool.parallel_for(args.count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes) {
      const int64_t count = std::min<int64_t>(kLanes, end - i);
      store_part(floats(args.y) + i, tanh_any(load_part(floats(args.x) + i, count)), count);
    }
  });
}

void tanh_backward(Stream& stream, const TanhBackwardArgs& args) {
  require_f32(args.dtype, "tanh_backward");
  map(stream, args.count, args.dx, args.accumulate, [&](int64_t begin, int64_t size) {
    const auto y = part(args.y, begin, size);
    return part(args.dy, begin, size) * (1.0f - y * y);
  });
}

void bias_forward(Stream& stream, const BiasForwardArgs& args) {
  require_f32(args.dtype, "bias_forward");
  if (args.rows == 0 || args.columns == 0) return;
  const auto bias = part(args.bias, 0, args.columns);
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, args.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      Array y(floats(args.y) + row * args.columns, args.columns);
      y = part(args.x, row * args.columns, args.columns) + bias;
      if (args.relu) y = (y < 0.0f).select(0.0f, y);
    }
  });
}

}  // namespace cairn::simd
