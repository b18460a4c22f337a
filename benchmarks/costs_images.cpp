// Costs and shapes of the calls on images: convolution, pools, normalisation, rows, noise. Not here: all others
// (costs.cpp).
//
// Windows count whole, also where they reach into the padding.
#include "benchmarks/costs.h"

namespace cairn::benchmarks {
namespace {

double product(std::initializer_list<int64_t> sizes) {
  double result = 1;
  for (const int64_t size : sizes) result *= static_cast<double>(size);
  return result;
}

// ---- convolution ---------------------------------------------------------------------------------------------

double x_elements(const Conv2dShape& s) {
  return product({s.batch, s.in_channels, s.in_height, s.in_width});
}
double weight_elements(const Conv2dShape& s) {
  return product({s.out_channels, s.in_channels, s.kernel_height, s.kernel_width});
}
double y_elements(const Conv2dShape& s) {
  return product({s.batch, s.out_channels, s.out_height, s.out_width});
}
// A multiplication and an addition for each output and each weight of its channel.
double products(const Conv2dShape& s) {
  return 2 * y_elements(s) * product({s.in_channels, s.kernel_height, s.kernel_width});
}

std::string pair(int64_t height, int64_t width) {
  return height == width ? std::to_string(height) : matrix_shape(height, width);
}

std::string shape_of(const Conv2dShape& s) {
  std::string text = matrix_shape(s.batch, s.in_channels) + " x " + matrix_shape(s.in_height, s.in_width) + ", " +
                     std::to_string(s.out_channels) + " of " + matrix_shape(s.kernel_height, s.kernel_width);
  if (s.stride_height != 1 || s.stride_width != 1) text += " / " + pair(s.stride_height, s.stride_width);
  if (s.pad_height != 0 || s.pad_width != 0) text += ", pad " + pair(s.pad_height, s.pad_width);
  return text;
}

// ---- pools ---------------------------------------------------------------------------------------------------

double x_elements(const PoolShape& s) {
  return product({s.planes, s.in_height, s.in_width});
}
double y_elements(const PoolShape& s) {
  return product({s.planes, s.out_height, s.out_width});
}
double window(const PoolShape& s) {
  return product({s.window_height, s.window_width});
}

std::string shape_of(const PoolShape& s) {
  std::string text = std::to_string(s.planes) + " x " + matrix_shape(s.in_height, s.in_width) + ", " +
                     matrix_shape(s.window_height, s.window_width) + " / " + pair(s.stride_height, s.stride_width);
  if (s.pad_height != 0 || s.pad_width != 0) text += ", pad " + pair(s.pad_height, s.pad_width);
  return text;
}

// ---- normalisation -------------------------------------------------------------------------------------------

template <class Args>
double value_count(const Args& args) {
  return product({args.batch, args.channels, args.plane});
}

}  // namespace

Cost cost(const Conv2dForwardArgs& args) {
  const Conv2dShape& s = args.shape;
  const double elements = x_elements(s) + weight_elements(s) + y_elements(s) * (args.add ? 2 : 1) +
                          (args.bias ? product({s.out_channels}) : 0);
  return {products(s) + y_elements(s) * ((args.bias ? 1 : 0) + (args.add ? 1 : 0) + (args.relu ? 1 : 0)),
          elements * element_bytes(args.dtype)};
}

Cost cost(const Conv2dBackwardDataArgs& args) {
  const Conv2dShape& s = args.shape;
  const double elements = y_elements(s) + weight_elements(s) + x_elements(s) * (args.accumulate ? 2 : 1);
  return {products(s), elements * element_bytes(args.dtype)};
}

Cost cost(const Conv2dBackwardFilterArgs& args) {
  const Conv2dShape& s = args.shape;
  const double elements = x_elements(s) + y_elements(s) + weight_elements(s) * (args.accumulate ? 2 : 1);
  return {products(s), elements * element_bytes(args.dtype)};
}

Cost cost(const Conv2dBackwardBiasArgs& args) {
  const double values = value_count(args);
  const double elements = values * (args.y ? 3 : 1) + (args.dbias ? product({args.channels}) : 0);
  return {values * ((args.y ? 1 : 0) + (args.dbias ? 1 : 0)), elements * element_bytes(args.dtype)};
}

Cost cost(const MaxPoolForwardArgs& args) {
  const double x = x_elements(args.shape), y = y_elements(args.shape);
  return {y * (window(args.shape) - 1 + (args.relu ? 1 : 0)),
          (x + y) * element_bytes(args.dtype) + (args.indices ? 4 * y : 0)};
}

Cost cost(const MaxPoolBackwardArgs& args) {
  const double x = x_elements(args.shape), y = y_elements(args.shape);
  return {y * (args.y ? 2 : 1),
          (x * (args.accumulate ? 2 : 1) + y * (args.y ? 2 : 1)) * element_bytes(args.dtype) + 4 * y};
}

Cost cost(const AveragePoolForwardArgs& args) {
  const double x = x_elements(args.shape), y = y_elements(args.shape);
  return {y * window(args.shape), (x + y) * element_bytes(args.dtype)};
}

Cost cost(const AveragePoolBackwardArgs& args) {
  const double x = x_elements(args.shape), y = y_elements(args.shape);
  return {y * (window(args.shape) + 1), (x * (args.accumulate ? 2 : 1) + y) * element_bytes(args.dtype)};
}

Cost cost(const BatchNormForwardArgs& args) {
  Cost sum = each(args.dtype, value_count(args), args.training ? 7 : 3, 2);
  sum.bytes += product({args.channels}) * (args.training ? 8 : 6) * element_bytes(args.dtype);
  return sum;
}

Cost cost(const BatchNormBackwardArgs& args) {
  const bool sums = args.training || args.dweight || args.dbias;
  Cost sum = each(args.dtype, value_count(args), (sums ? 4 : 0) + (args.dx ? args.training ? 5 : 1 : 0),
                  2 + (args.dx ? args.accumulate_dx ? 2 : 1 : 0));
  sum.bytes +=
      product({args.channels}) * (3 + (args.dweight ? 1 : 0) + (args.dbias ? 1 : 0)) * element_bytes(args.dtype);
  return sum;
}

Cost cost(const LocalResponseNormForwardArgs& args) {
  return each(args.dtype, value_count(args), static_cast<double>(args.size) + 5, 3);
}

Cost cost(const LocalResponseNormBackwardArgs& args) {
  return each(args.dtype, value_count(args), static_cast<double>(args.size) + 8, args.accumulate ? 5 : 4);
}

Cost cost(const CopyRowsArgs& args) {
  return each(args.dtype, product({args.rows, args.columns}), args.accumulate ? 1 : 0, args.accumulate ? 3 : 2);
}

Cost cost(const AddNoiseArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 4, 2);
}

Cost cost(const SquaredErrorForwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 3, 2);
}

Cost cost(const SquaredErrorBackwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 3 : 2, args.accumulate ? 4 : 3);
}

std::string shape_of(const Conv2dForwardArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const Conv2dBackwardDataArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const Conv2dBackwardFilterArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const MaxPoolForwardArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const MaxPoolBackwardArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const AveragePoolForwardArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const AveragePoolBackwardArgs& args) {
  return shape_of(args.shape);
}
std::string shape_of(const LocalResponseNormForwardArgs& args) {
  return matrix_shape(args.batch, args.channels) + " x " + std::to_string(args.plane) + ", size " +
         std::to_string(args.size);
}
std::string shape_of(const LocalResponseNormBackwardArgs& args) {
  return matrix_shape(args.batch, args.channels) + " x " + std::to_string(args.plane) + ", size " +
         std::to_string(args.size);
}

}  // namespace cairn::benchmarks
