#include "kernels/cudnn/pooling_graph.h"

namespace cairn::cudnn {
namespace {

using Fractions = std::array<cudnnFraction_t, 2>;

// cuDNN resamples at fractions of a pixel too.
Fractions whole(int64_t height, int64_t width) {
  return {cudnnFraction_t{height, 1}, cudnnFraction_t{width, 1}};
}

cudnnResampleMode_t mode_of(Pool kind) {
  switch (kind) {
    case Pool::max:
      return CUDNN_RESAMPLE_MAXPOOL;
    case Pool::average:
      return CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING;
    case Pool::average_without_padding:
      return CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING;
  }
  throw std::logic_error("no such pool");
}

Descriptor resampling(const PoolCase& c) {
  const PoolShape& s = c.shape;
  const Fractions window = whole(s.window_height, s.window_width), stride = whole(s.stride_height, s.stride_width),
                  padding = whole(s.pad_height, s.pad_width);
  Descriptor result(CUDNN_BACKEND_RESAMPLE_DESCRIPTOR);
  result.set(CUDNN_ATTR_RESAMPLE_MODE, mode_of(c.kind))
      .set(CUDNN_ATTR_RESAMPLE_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, int64_t{2})
      .set(CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, CUDNN_PROPAGATE_NAN)
      .set(CUDNN_ATTR_RESAMPLE_PADDING_MODE, c.kind == Pool::max ? CUDNN_NEG_INF_PAD : CUDNN_ZERO_PAD)
      .set(CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, std::span<const cudnnFraction_t>(window))
      .set(CUDNN_ATTR_RESAMPLE_STRIDES, std::span<const cudnnFraction_t>(stride))
      .set(CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, std::span<const cudnnFraction_t>(padding))
      .set(CUDNN_ATTR_RESAMPLE_POST_PADDINGS, std::span<const cudnnFraction_t>(padding))
      .finalize();
  return result;
}

}  // namespace

bool has_even_padding(const PoolShape& s) {
  const auto fits = [](int64_t in, int64_t out, int64_t window, int64_t stride, int64_t pad) {
    return in + 2 * pad >= window && (in + 2 * pad - window) / stride + 1 == out;
  };
  return fits(s.in_height, s.out_height, s.window_height, s.stride_height, s.pad_height) &&
         fits(s.in_width, s.out_width, s.window_width, s.stride_width, s.pad_width);
}

Descriptor pool_graph(const Target& target, const PoolCase& c) {
  const PoolShape& s = c.shape;
  const Descriptor inputs = tensor(kPoolInputs, {s.planes, 1, s.in_height, s.in_width}, c.alignments[kPoolInputs]);
  const Descriptor outputs = tensor(kPoolOutputs, {s.planes, 1, s.out_height, s.out_width}, c.alignments[kPoolOutputs]);
  const Descriptor how = resampling(c);
  Descriptor operation(c.backward ? CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR
                                  : CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR);
  if (c.backward)
    operation.set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC, how)
        .set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, inputs)
        .set(CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, outputs);
  else
    operation.set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, how)
        .set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, inputs)
        .set(CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, outputs);
  operation.finalize();
  const Descriptor* operations[] = {&operation};
  return operation_graph(target, operations);
}

}  // namespace cairn::cudnn
