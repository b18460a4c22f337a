// The layers that work on images, N x C x H x W: convolution, pools, normalisation. Not here: the other layers and
// Sequential (layers.h), the ops themselves (framework/ops).
#pragma once

#include "framework/nn/init.h"
#include "framework/nn/layers.h"
#include "framework/ops/conv2d.h"
#include "framework/ops/normalisation.h"
#include "framework/ops/pooling.h"

namespace cairn {

class BatchNorm2d;

// Of a window or a padding. One number is both.
struct Size2d {
  Size2d(int64_t both) : height(both), width(both) {}
  Size2d(int64_t height, int64_t width) : height(height), width(width) {}
  int64_t height, width;
};

struct Conv2dLayerOptions {
  int64_t stride = 1;
  Size2d padding = 0;
  bool bias = true;
};

// weight: out x in x kernel height x kernel width;  bias: out, or not defined. A summary's options are {"stride", 1},
// {"padding", 2}; of a padding that has two sizes, {"padding_height", 0}, {"padding_width", 3}.
class Conv2d : public FusingModule {
 public:
  Conv2d(const std::shared_ptr<Device>& device, int64_t in_channels, int64_t out_channels, const Size2d& kernel,
         Initializer& initializer, const Conv2dLayerOptions& options = {}, DType dtype = DType::f32);
  using FusingModule::forward;
  Tensor forward(const Tensor& x, Activation activation) override { return forward(x, activation, {}); }
  // add: of the result's shape, or not defined; it comes on top before the activation.
  Tensor forward(const Tensor& x, Activation activation, const Tensor& add);
  // Takes over what the normalisation would do in evaluation.
  void absorb(const BatchNorm2d& norm);
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

  Tensor weight, bias;  // weight: not defined any more once folded and prepared

 private:
  const Shape& weight_shape() const { return weight.defined() ? weight.shape() : prepared_.weight; }

  Conv2dOptions options_;
  PreparedWeight prepared_;  // once folded, of the first x
};

// Square windows. stride 0: the window's size. ceil: a last window may reach beyond the padding.
class MaxPool2d : public FusingModule {
 public:
  explicit MaxPool2d(int64_t window, int64_t stride = 0, int64_t padding = 0, bool ceil = false);
  using FusingModule::forward;
  Tensor forward(const Tensor& x, Activation activation) override { return max_pool2d(x, options_, activation); }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 private:
  PoolOptions options_;
};

class AvgPool2d : public Module {
 public:
  explicit AvgPool2d(int64_t window, int64_t stride = 0, int64_t padding = 0, bool ceil = false,
                     bool count_padding = true);
  Tensor forward(const Tensor& x) override { return average_pool2d(x, options_, count_padding_); }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 private:
  PoolOptions options_;
  bool count_padding_;
};

// N x C x H x W to N x C, as the next
class GlobalMaxPool2d : public Module {
 public:
  Tensor forward(const Tensor& x) override { return global_max_pool2d(x); }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

class GlobalAvgPool2d : public Module {
 public:
  Tensor forward(const Tensor& x) override { return global_average_pool2d(x); }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;
};

// weight, bias, and as buffers running_mean, running_var: C; num_batches_tracked: one i64, which counts training's
// calls of forward() and, as in PyTorch with a momentum, changes nothing.
class BatchNorm2d : public Module {
 public:
  BatchNorm2d(const std::shared_ptr<Device>& device, int64_t channels, double momentum = 0.1, double epsilon = 1e-5,
              DType dtype = DType::f32);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

  double epsilon() const { return epsilon_; }

  Tensor weight, bias;
  Tensor running_mean, running_var, num_batches_tracked;

 private:
  double momentum_, epsilon_;
};

// Across channels; alpha is PyTorch's, the factor of the squares' mean.
class LocalResponseNorm : public Module {
 public:
  explicit LocalResponseNorm(int64_t size, double alpha = 1e-4, double beta = 0.75, double k = 1)
      : size_(size), alpha_(alpha), beta_(beta), k_(k) {}
  Tensor forward(const Tensor& x) override { return local_response_norm(x, size_, alpha_, beta_, k_); }
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

 private:
  int64_t size_;
  double alpha_, beta_, k_;
};

}  // namespace cairn
