#include "framework/nn/image_layers.h"

#include <cmath>

#include "framework/error.h"

namespace cairn {
namespace {

// A batch of one.
Shape batch_of(const char* op, const Shape& sample) {
  if (sample.rank() != 3)
    throw ShapeError(std::string(op) + ": a sample must have the layout C x H x W; got " + sample.text());
  return {1, sample[0], sample[1], sample[2]};
}

Shape sample_of(const Shape& batch) {
  return {batch[1], batch[2], batch[3]};
}

PoolOptions square(int64_t window, int64_t stride, int64_t padding, bool ceil) {
  if (stride == 0) stride = window;
  return {window, window, stride, stride, padding, padding, ceil};
}

Shape summarize_pool(const char* type, const char* op, const PoolOptions& options, const Shape& sample,
                     const std::string& name, std::vector<LayerSummary>& layers) {
  const Shape output = sample_of(pool_output(op, batch_of(op, sample), options));
  layers.push_back({name,
                    type,
                    output,
                    0,
                    0,
                    {{"window", static_cast<double>(options.window_height)},
                     {"stride", static_cast<double>(options.stride_height)},
                     {"padding", static_cast<double>(options.pad_height)},
                     {"ceil", options.ceil}}});
  return output;
}

// The same number for every channel; a draw from an interval of no width is one.
Tensor filled(const std::shared_ptr<Device>& device, int64_t channels, DType dtype, double value) {
  const Tensor tensor = Tensor::empty(device, {channels}, dtype, "a batch norm");
  device->call(&Backend::uniform, RandomArgs{.dtype = dtype,
                                             .count = channels,
                                             .out = tensor.data(),
                                             .low = value,
                                             .high = value,
                                             .seed = 0,
                                             .stream = 0});
  return tensor;
}

}  // namespace

Conv2d::Conv2d(const std::shared_ptr<Device>& device, int64_t in_channels, int64_t out_channels, const Size2d& kernel,
               Initializer& initializer, const Conv2dLayerOptions& options, DType dtype)
    : weight(Tensor::empty(device, {out_channels, in_channels, kernel.height, kernel.width}, dtype, "a weight")),
      options_{options.stride, options.stride, options.padding.height, options.padding.width} {
  initializer.weight(weight);
  register_parameter("weight", weight);
  if (!options.bias) return;
  bias = Tensor::empty(device, {out_channels}, dtype, "a bias");
  initializer.bias(bias, in_channels * kernel.height * kernel.width);
  register_parameter("bias", bias);
}

namespace {

// On the host in double precision, once a network.
template <class T>
void absorb_norm(const BatchNorm2d& norm, Tensor& weight, Tensor& bias) {
  std::vector<T> filters = weight.to_host<T>(), offsets = bias.to_host<T>();
  const std::vector<T> gamma = norm.weight.to_host<T>(), beta = norm.bias.to_host<T>();
  const std::vector<T> mean = norm.running_mean.to_host<T>(), variance = norm.running_var.to_host<T>();
  const size_t size = filters.size() / std::max<size_t>(offsets.size(), 1);
  for (size_t k = 0; k < offsets.size(); ++k) {
    const double scale = gamma[k] / std::sqrt(variance[k] + norm.epsilon());
    for (size_t i = k * size; i < (k + 1) * size; ++i) filters[i] = static_cast<T>(filters[i] * scale);
    offsets[k] = static_cast<T>((offsets[k] - mean[k]) * scale + beta[k]);
  }
  weight.set<T>(filters);
  bias.set<T>(offsets);
}

}  // namespace

void Conv2d::absorb(const BatchNorm2d& norm) {
  if (!bias.defined()) {
    bias = Tensor::zeros(weight.device(), {weight.shape()[0]}, weight.dtype());
    register_parameter("bias", bias);
  }
  weight.dtype() == DType::f64 ? absorb_norm<double>(norm, weight, bias) : absorb_norm<float>(norm, weight, bias);
}

Tensor Conv2d::forward(const Tensor& x, Activation activation, const Tensor& add) {
  if (folded() && prepared_.image.rank() == 0) {
    prepared_ = prepare_conv2d(x.shape(), weight, options_);
    if (prepared_.values.defined()) {
      forget_parameter("weight");
      const std::shared_ptr<MemoryPool> pool = weight.device()->pool();
      weight = {};
      pool->trim();  // nothing else will ever want a block of its size
    }
  }
  if (prepared_.values.defined()) return conv2d(x, prepared_, bias, options_, activation, add);
  return conv2d(x, weight, bias, options_, activation, add);
}

Shape Conv2d::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const Shape output = sample_of(conv2d_output(batch_of("conv2d", sample), weight_shape(), options_));
  const int64_t biases = bias.defined() ? bias.count() : 0;
  layers.push_back({name,
                    "Conv2d",
                    output,
                    weight_shape().count() + biases,
                    weight_shape().count() * output[1] * output[2],
                    {{"stride", static_cast<double>(options_.stride_height)}}});
  const auto note = [&](const char* option, int64_t value) {
    layers.back().options.emplace_back(option, static_cast<double>(value));
  };
  if (options_.pad_height == options_.pad_width) {
    note("padding", options_.pad_height);
  } else {
    note("padding_height", options_.pad_height);
    note("padding_width", options_.pad_width);
  }
  return output;
}

MaxPool2d::MaxPool2d(int64_t window, int64_t stride, int64_t padding, bool ceil)
    : options_(square(window, stride, padding, ceil)) {}

Shape MaxPool2d::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  return summarize_pool("MaxPool2d", "max_pool2d", options_, sample, name, layers);
}

AvgPool2d::AvgPool2d(int64_t window, int64_t stride, int64_t padding, bool ceil, bool count_padding)
    : options_(square(window, stride, padding, ceil)), count_padding_(count_padding) {}

Shape AvgPool2d::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  const Shape output = summarize_pool("AvgPool2d", "average_pool2d", options_, sample, name, layers);
  layers.back().options.emplace_back("count_padding", count_padding_);
  return output;
}

Shape GlobalMaxPool2d::summarize(const Shape& sample, const std::string& name,
                                 std::vector<LayerSummary>& layers) const {
  const Shape output{batch_of("global_max_pool2d", sample)[1]};
  layers.push_back({name, "GlobalMaxPool2d", output, 0, 0});
  return output;
}

Shape GlobalAvgPool2d::summarize(const Shape& sample, const std::string& name,
                                 std::vector<LayerSummary>& layers) const {
  const Shape output{batch_of("global_average_pool2d", sample)[1]};
  layers.push_back({name, "GlobalAvgPool2d", output, 0, 0});
  return output;
}

BatchNorm2d::BatchNorm2d(const std::shared_ptr<Device>& device, int64_t channels, double momentum, double epsilon,
                         DType dtype)
    : weight(filled(device, channels, dtype, 1)),
      bias(filled(device, channels, dtype, 0)),
      running_mean(filled(device, channels, dtype, 0)),
      running_var(filled(device, channels, dtype, 1)),
      num_batches_tracked(Tensor::zeros(device, {}, DType::i64)),
      momentum_(momentum),
      epsilon_(epsilon) {
  register_parameter("weight", weight);
  register_parameter("bias", bias);
  register_buffer("running_mean", running_mean);
  register_buffer("running_var", running_var);
  register_buffer("num_batches_tracked", num_batches_tracked);
}

Tensor BatchNorm2d::forward(const Tensor& x) {
  const Tensor y = batch_norm(x, weight, bias, running_mean, running_var, training(), momentum_, epsilon_);
  if (training() && running_mean.count() > 0)
    x.device()->call(&Backend::increment, IncrementArgs{.value = num_batches_tracked.data<int64_t>()});
  return y;
}

Shape BatchNorm2d::summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const {
  layers.push_back({name,
                    "BatchNorm2d",
                    sample,
                    weight.count() + bias.count(),
                    0,
                    {{"momentum", momentum_}, {"epsilon", epsilon_}}});
  return sample;
}

Shape LocalResponseNorm::summarize(const Shape& sample, const std::string& name,
                                   std::vector<LayerSummary>& layers) const {
  layers.push_back({name,
                    "LocalResponseNorm",
                    sample,
                    0,
                    0,
                    {{"size", static_cast<double>(size_)}, {"alpha", alpha_}, {"beta", beta_}, {"k", k_}}});
  return sample;
}

}  // namespace cairn
