#include "kernels/cudnn/conv2d_graph.h"

#include <stdexcept>
#include <string>

namespace cairn::cudnn {
namespace {

// Padding behind the last value, such that `out` kernels fit: as much as in front where that will do, because engines
// for equal paddings are more.
int64_t post_padding(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
  const auto fits = [&](int64_t post) { return (in + padding + post - kernel) / stride + 1 == out; };
  if (in + 2 * padding >= kernel && fits(padding)) return padding;
  const int64_t post = (out - 1) * stride + kernel - padding - in;
  if (post >= 0) return post;
  if (fits(0)) return 0;
  throw std::runtime_error("cudnn's conv2d computes every output along an axis or none: " + std::to_string(out) +
                           " were asked for, of " + std::to_string((in + padding - kernel) / stride + 1));
}

Descriptor convolution(const Conv2dShape& s) {
  const int64_t ones[] = {1, 1};
  const int64_t strides[] = {s.stride_height, s.stride_width};
  const int64_t before[] = {s.pad_height, s.pad_width};
  const int64_t behind[] = {post_padding(s.in_height, s.out_height, s.kernel_height, s.stride_height, s.pad_height),
                            post_padding(s.in_width, s.out_width, s.kernel_width, s.stride_width, s.pad_width)};
  Descriptor result(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  result.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t{2})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, std::span<const int64_t>(strides))
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::span<const int64_t>(ones))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, std::span<const int64_t>(before))
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, std::span<const int64_t>(behind))
      .finalize();
  return result;
}

// The names of the attributes of the three convolution operations.
struct Names {
  cudnnBackendDescriptorType_t operation;
  cudnnBackendAttributeName_t convolution, images, weight, outputs, alpha, beta;
};
Names names_of(Convolution kind) {
  switch (kind) {
    case Convolution::forward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case Convolution::backward_data:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case Convolution::backward_filter:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
  throw std::logic_error("no such convolution");
}

}  // namespace

Descriptor convolution_graph(const Target& target, const ConvolutionCase& c) {
  const Conv2dShape& s = c.shape;
  const Sizes y_sizes = {s.batch, s.out_channels, s.out_height, s.out_width};
  const Descriptor x = tensor(kImages, {s.batch, s.in_channels, s.in_height, s.in_width}, c.alignments[kImages]);
  const Descriptor weight =
      tensor(kWeight, {s.out_channels, s.in_channels, s.kernel_height, s.kernel_width}, c.alignments[kWeight]);
  // Each operation but the last has a result that the next one takes and that is never in memory.
  int64_t next = kConvolutionArrays;
  int left = c.add + c.bias + c.relu;  // operations behind the one whose result is made
  const auto make_result = [&] {
    return left-- > 0 ? virtual_tensor(next++, y_sizes) : tensor(kOutputs, y_sizes, c.alignments[kOutputs]);
  };
  Descriptor last = make_result();

  const Names names = names_of(c.kind);
  Descriptor operation(names.operation);
  operation.set(names.convolution, convolution(s))
      .set(names.images, x)
      .set(names.weight, weight)
      .set(names.outputs, last)
      .set(names.alpha, 1.0f)
      .set(names.beta, c.accumulate ? 1.0f : 0.0f)
      .finalize();
  std::vector<Descriptor> operations;
  operations.push_back(std::move(operation));
  const auto then = [&](const auto& make) {
    Descriptor result = make_result();
    operations.push_back(make(last, result));
    last = std::move(result);
  };
  const auto plus = [&](const Descriptor& other) {
    then([&](const Descriptor& from, const Descriptor& to) { return add_operation(from, other, to); });
  };
  // In the order that cuDNN's own fused kernels have.
  if (c.add) plus(tensor(kAdded, y_sizes, c.alignments[kAdded]));
  if (c.bias) plus(tensor(kBias, {1, s.out_channels, 1, 1}, c.alignments[kBias]));
  if (c.relu) then([](const Descriptor& from, const Descriptor& to) { return relu_operation(from, to); });
  std::vector<const Descriptor*> pointers;
  for (const Descriptor& each : operations) pointers.push_back(&each);
  return operation_graph(target, pointers);
}

}  // namespace cairn::cudnn
