// Batch normalisation in training, both passes, and local response normalisation outside it, through the calls from
// before cuDNN's graph API, which has no engine for either in N x C x H x W. Not here, so left to vanilla: batch
// normalisation with running statistics (cuDNN does not say which inverse_std it used), a channel of one value, some of
// the gradients without the others; local response normalisation that keeps its scale, and its gradient, which is
// computed from the scale (cuDNN's computes it again). Not yet run on a GPU.
#include "kernels/cudnn/legacy_tensor.h"
#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

class ResponseNorm {
 public:
  explicit ResponseNorm(const LocalResponseNormForwardArgs& args) {
    check(cudnnCreateLRNDescriptor(&descriptor_), "local_response_norm_forward");
    const cudnnStatus_t status =
        cudnnSetLRNDescriptor(descriptor_, static_cast<unsigned>(args.size), args.alpha, args.beta, args.k);
    if (status != CUDNN_STATUS_SUCCESS) cudnnDestroyLRNDescriptor(descriptor_);
    check(status, "local_response_norm_forward");
  }
  ~ResponseNorm() { cudnnDestroyLRNDescriptor(descriptor_); }
  ResponseNorm(const ResponseNorm&) = delete;
  ResponseNorm& operator=(const ResponseNorm&) = delete;

  cudnnLRNDescriptor_t get() const { return descriptor_; }

 private:
  cudnnLRNDescriptor_t descriptor_ = nullptr;
};

// A channel's variance needs two values.
bool has_batch_norm(DType dtype, int64_t batch, int64_t channels, int64_t plane) {
  return dtype == DType::f32 && channels > 0 && batch * plane > 1;
}

}  // namespace

bool batch_norm_forward(Stream& stream, const BatchNormForwardArgs& args) {
  if (!args.training || !has_batch_norm(args.dtype, args.batch, args.channels, args.plane)) return false;
  const LegacyTensor images(args.batch, args.channels, args.plane, 1, "batch_norm_forward");
  const LegacyTensor channels(1, args.channels, 1, 1, "batch_norm_forward");
  const float alpha = 1, beta = 0;
  check(cudnnBatchNormalizationForwardTraining(stream.cudnn, CUDNN_BATCHNORM_SPATIAL, &alpha, &beta, images.get(),
                                               args.x, images.get(), args.y, channels.get(), args.weight, args.bias,
                                               args.momentum, args.running_mean, args.running_variance, args.epsilon,
                                               args.mean, args.inverse_std),
        "batch_norm_forward");
  return true;
}

bool batch_norm_backward(Stream& stream, const BatchNormBackwardArgs& args) {
  if (!args.training || !has_batch_norm(args.dtype, args.batch, args.channels, args.plane)) return false;
  if (!args.dx || !args.dweight || !args.dbias || args.accumulate_dweight != args.accumulate_dbias) return false;
  const LegacyTensor images(args.batch, args.channels, args.plane, 1, "batch_norm_backward");
  const LegacyTensor channels(1, args.channels, 1, 1, "batch_norm_backward");
  const float one = 1, data_beta = args.accumulate_dx ? 1 : 0, parameter_beta = args.accumulate_dweight ? 1 : 0;
  const double unused_epsilon = CUDNN_BN_MIN_EPSILON;  // inverse_std is given
  check(cudnnBatchNormalizationBackward(stream.cudnn, CUDNN_BATCHNORM_SPATIAL, &one, &data_beta, &one, &parameter_beta,
                                        images.get(), args.x, images.get(), args.dy, images.get(), args.dx,
                                        channels.get(), args.weight, args.dweight, args.dbias, unused_epsilon,
                                        args.mean, args.inverse_std),
        "batch_norm_backward");
  return true;
}

// Even windows reach one channel further down here and one further up there.
bool local_response_norm_forward(Stream& stream, const LocalResponseNormForwardArgs& args) {
  if (args.scale || args.dtype != DType::f32 || args.batch * args.channels * args.plane == 0) return false;
  if (args.size % 2 == 0 || args.size > CUDNN_LRN_MAX_N || args.beta < CUDNN_LRN_MIN_BETA || args.k < CUDNN_LRN_MIN_K)
    return false;
  const ResponseNorm how(args);
  const LegacyTensor images(args.batch, args.channels, args.plane, 1, "local_response_norm_forward");
  const float alpha = 1, beta = 0;
  check(cudnnLRNCrossChannelForward(stream.cudnn, how.get(), CUDNN_LRN_CROSS_CHANNEL_DIM1, &alpha, images.get(), args.x,
                                    &beta, images.get(), args.y),
        "local_response_norm_forward");
  return true;
}

}  // namespace cairn::cudnn
