#include "benchmarks/costs.h"

#include <algorithm>

namespace cairn::benchmarks {

double element_bytes(DType dtype) {
  return dtype == DType::f64 || dtype == DType::i64 ? 8 : dtype == DType::u8 ? 1 : 4;
}

Cost each(DType dtype, double count, double operations, double arrays) {
  return {count * operations, count * arrays * element_bytes(dtype)};
}

namespace {

// The rows themselves and the index that picks them.
double bytes_of(const ByteRows& x) {
  return static_cast<double>(x.rows) * static_cast<double>(x.columns) +
         (x.index ? 4.0 * static_cast<double>(x.rows) : 0);
}

double parameters(const OptimizerTensor* tensors, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(tensors[i].count);
  return sum;
}

// Of those that decay.
double decayed(const OptimizerTensor* tensors, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += tensors[i].weight_decay != 0 ? static_cast<double>(tensors[i].count) : 0;
  return sum;
}

std::string optimizer_shape(const OptimizerTensor* tensors, int64_t count) {
  return std::to_string(static_cast<int64_t>(parameters(tensors, count))) + " in " + std::to_string(count);
}

}  // namespace

Cost cost(const GemmArgs& args) {
  const auto m = static_cast<double>(args.m), n = static_cast<double>(args.n), k = static_cast<double>(args.k);
  const double per_result = 2 * k + (args.bias ? 1 : 0) + (args.relu ? 1 : 0);
  const double elements = m * k + k * n + m * n * (args.accumulate ? 2 : 1) + (args.bias ? n : 0);
  return {m * n * per_result, elements * element_bytes(args.dtype)};
}

Cost cost(const ByteLinearForwardArgs& args) {
  const auto rows = static_cast<double>(args.x.rows), columns = static_cast<double>(args.x.columns);
  const auto n = static_cast<double>(args.n);
  return {rows * n * (2 * columns + (args.bias ? 1 : 0) + (args.relu ? 1 : 0)),
          bytes_of(args.x) + 4 * (n * columns + rows * n + (args.bias ? n : 0))};
}

Cost cost(const ByteLinearBackwardWeightArgs& args) {
  const auto rows = static_cast<double>(args.x.rows), columns = static_cast<double>(args.x.columns);
  const auto n = static_cast<double>(args.n);
  return {2 * rows * n * columns, bytes_of(args.x) + 4 * (rows * n + n * columns * (args.accumulate ? 2 : 1))};
}

Cost cost(const BinaryArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 2 : 1, args.accumulate ? 4 : 3);
}

Cost cost(const ScaleArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 2 : 1, args.accumulate ? 3 : 2);
}

Cost cost(const BiasForwardArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), args.relu ? 2 : 1, 2);
  return {matrix.flops, matrix.bytes + static_cast<double>(args.columns) * element_bytes(args.dtype)};
}

Cost cost(const BiasBackwardArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), 1, 1);
  return {matrix.flops, matrix.bytes + static_cast<double>(args.columns) * element_bytes(args.dtype)};
}

Cost cost(const BiasReluBackwardArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), args.dbias ? 2 : 1, 3);
  return {matrix.flops,
          matrix.bytes + (args.dbias ? static_cast<double>(args.columns) * element_bytes(args.dtype) : 0)};
}

Cost cost(const ReluForwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 1, 2);
}

Cost cost(const ReluBackwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 2 : 1, args.accumulate ? 4 : 3);
}

Cost cost(const TanhForwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 1, 2);
}

Cost cost(const TanhBackwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 4 : 3, args.accumulate ? 4 : 3);
}

Cost cost(const SigmoidForwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 3, 2);
}

Cost cost(const SigmoidBackwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 4 : 3, args.accumulate ? 4 : 3);
}

Cost cost(const GeluForwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 4, 2);
}

Cost cost(const GeluBackwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 11 : 10, args.accumulate ? 4 : 3);
}

Cost cost(const DropoutArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 2, args.accumulate ? 3 : 2);
}

Cost cost(const SoftmaxForwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.rows * args.columns), 5, 2);
}

Cost cost(const SoftmaxBackwardArgs& args) {
  return each(args.dtype, static_cast<double>(args.rows * args.columns), 4, args.accumulate ? 4 : 3);
}

Cost cost(const CrossEntropyForwardArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), 5, 2);
  const auto rows = static_cast<double>(args.rows);
  return {matrix.flops + 4 * rows, matrix.bytes + rows * (4 + element_bytes(args.dtype))};
}

Cost cost(const CrossEntropyBackwardArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), 2, args.accumulate ? 3 : 2);
  return {matrix.flops, matrix.bytes + 4 * static_cast<double>(args.rows)};
}

Cost cost(const SumArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 1, 1);
}

Cost cost(const BroadcastScalarArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), args.accumulate ? 1 : 0, args.accumulate ? 2 : 1);
}

Cost cost(const ArgmaxArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), 1, 1);
  return {matrix.flops, matrix.bytes + 4 * static_cast<double>(args.rows)};
}

Cost cost(const ClassificationMetricsArgs& args) {
  const Cost matrix = each(args.dtype, static_cast<double>(args.rows * args.columns), 1, 1);
  const auto rows = static_cast<double>(args.rows);
  return {matrix.flops + rows, matrix.bytes + rows * (4 + element_bytes(args.dtype))};
}

Cost cost(const SelectRowsArgs& args) {
  return {0, static_cast<double>(args.rows) * (4 + 4)};
}

Cost cost(const GatherRowsArgs& args) {
  const auto rows = static_cast<double>(args.rows);
  const double count = rows * static_cast<double>(args.channels * args.plane);
  return {args.scale ? 2 * count : 0,
          count * (element_bytes(args.from) + element_bytes(args.to)) + (args.index ? 4 * rows : 0)};
}

Cost cost(const AugmentImagesArgs& args) {
  const double count =
      static_cast<double>(args.rows) * static_cast<double>(args.channels * args.out_height * args.out_width);
  const bool sums = args.standardise || args.contrast_low != args.contrast_high;
  return {count * (sums ? 5 : 2), count * (1 + element_bytes(args.dtype))};
}

Cost cost(const FinishStepArgs& args) {
  return {0, element_bytes(args.dtype) + 4 + 16};
}

Cost cost(const IncrementArgs&) {
  return {0, 16};
}

Cost cost(const RandomArgs& args) {
  return each(args.dtype, static_cast<double>(args.count), 2, 1);
}

Cost cost(const SgdArgs& args) {
  const double count = parameters(args.tensors, args.tensor_count);
  const bool momentum = args.momentum != 0;
  const Cost updates = each(args.dtype, count, 2 + (momentum ? 2 : 0), momentum ? 5 : 3);
  return {updates.flops + 2 * decayed(args.tensors, args.tensor_count), updates.bytes};
}

Cost cost(const AdamArgs& args) {
  const double count = parameters(args.tensors, args.tensor_count);
  const Cost updates = each(args.dtype, count, 13, 7);
  return {updates.flops + 2 * decayed(args.tensors, args.tensor_count), updates.bytes};
}

Cost cost(const ClipGradientsArgs& args) {
  return each(args.dtype, parameters(args.tensors, args.tensor_count), 2, 1);
}

Cost cost(const MovingAverageArgs& args) {
  return each(args.dtype, parameters(args.tensors, args.tensor_count), 3, 3);
}

Cost cost(const SgdStepsArgs& args) {
  const auto rows = static_cast<double>(args.batch_size), steps = static_cast<double>(args.steps);
  double flops = 0, parameters = 0;
  for (int64_t l = 0; l < args.layer_count; ++l) {
    const auto in = static_cast<double>(args.layers[l].in), out = static_cast<double>(args.layers[l].out);
    const bool is_last = l + 1 == args.layer_count;
    flops += rows * in * out * (l > 0 ? 6 : 4) + rows * out * (is_last ? 9 : 4);
    parameters += in * out + out;
  }
  const bool momentum = args.momentum != 0;
  flops += parameters * (2 + (momentum ? 2 : 0) + (args.weight_decay != 0 ? 2 : 0));
  const double row_bytes = static_cast<double>(args.layers[0].in) + 5;
  return {flops * steps, steps * (rows * row_bytes + 8) + parameters * 4 * (momentum ? 4 : 2) + 16};
}

std::string matrix_shape(int64_t rows, int64_t columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

std::string shape_of(const GemmArgs& args) {
  std::string text = matrix_shape(args.m, args.n) + " x " + std::to_string(args.k);
  if (args.transpose_a || args.transpose_b)
    text += args.transpose_a ? (args.transpose_b ? " a^T b^T" : " a^T b") : " a b^T";
  return text;
}

std::string shape_of(const ByteLinearForwardArgs& args) {
  return matrix_shape(args.x.rows, args.n) + " x " + std::to_string(args.x.columns);
}

std::string shape_of(const ByteLinearBackwardWeightArgs& args) {
  return matrix_shape(args.n, args.x.columns) + " x " + std::to_string(args.x.rows);
}

std::string shape_of(const SelectRowsArgs& args) {
  return std::to_string(args.rows);
}

std::string shape_of(const GatherRowsArgs& args) {
  std::string text = matrix_shape(args.rows, args.channels);
  if (args.channels == 1) text = std::to_string(args.rows);
  return args.plane == 1 ? text : text + " x " + std::to_string(args.plane);
}

std::string shape_of(const AugmentImagesArgs& args) {
  return matrix_shape(args.rows, args.channels) + " x " + matrix_shape(args.in_height, args.in_width) + " to " +
         matrix_shape(args.out_height, args.out_width);
}

std::string shape_of(const IncrementArgs&) {
  return "1";
}

std::string shape_of(const FinishStepArgs&) {
  return "1";
}

std::string shape_of(const SgdArgs& args) {
  return optimizer_shape(args.tensors, args.tensor_count);
}

std::string shape_of(const AdamArgs& args) {
  return optimizer_shape(args.tensors, args.tensor_count);
}

std::string shape_of(const ClipGradientsArgs& args) {
  return optimizer_shape(args.tensors, args.tensor_count);
}

std::string shape_of(const MovingAverageArgs& args) {
  return optimizer_shape(args.tensors, args.tensor_count);
}

std::string shape_of(const SgdStepsArgs& args) {
  std::string text = matrix_shape(args.batch_size, args.layers[0].in);
  for (int64_t l = 0; l < args.layer_count; ++l) text += "-" + std::to_string(args.layers[l].out);
  return text;
}

}  // namespace cairn::benchmarks
