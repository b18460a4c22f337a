#include "models/image_stack.h"

namespace cairn {

ImageStack::ImageStack(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype, const Shape& image)
    : device_(device), initializer_(initializer), dtype_(dtype), sample_(image) {}

void ImageStack::add(const std::string& name, const std::shared_ptr<Module>& layer) {
  std::vector<LayerSummary> ignored;
  sample_ = layer->summarize(sample_, name, ignored);
  layers_.emplace_back(name, layer);
}

ImageStack& ImageStack::conv(int64_t out_channels, int64_t kernel, const Conv2dLayerOptions& options) {
  add("conv" + std::to_string(++convs_),
      std::make_shared<Conv2d>(device_, sample_[0], out_channels, kernel, initializer_, options, dtype_));
  return *this;
}

ImageStack& ImageStack::relu() {
  add("relu" + std::to_string(++relus_), std::make_shared<ReLU>());
  return *this;
}

ImageStack& ImageStack::max_pool(int64_t window, int64_t stride, int64_t padding, bool ceil) {
  add("pool" + std::to_string(++pools_), std::make_shared<MaxPool2d>(window, stride, padding, ceil));
  return *this;
}

ImageStack& ImageStack::global_max_pool() {
  add("pool" + std::to_string(++pools_), std::make_shared<GlobalMaxPool2d>());
  return *this;
}

ImageStack& ImageStack::global_average_pool() {
  add("pool" + std::to_string(++pools_), std::make_shared<GlobalAvgPool2d>());
  return *this;
}

ImageStack& ImageStack::local_response_norm(int64_t size, double alpha, double beta, double k) {
  add("norm" + std::to_string(++norms_), std::make_shared<LocalResponseNorm>(size, alpha, beta, k));
  return *this;
}

ImageStack& ImageStack::residual(const Part& body, const Part& shortcut) {
  const std::vector<NamedModule> layers = layers_of(body);
  const auto beside = shortcut ? std::make_shared<Sequential>(layers_of(shortcut)) : nullptr;
  add("block" + std::to_string(++blocks_), std::make_shared<Residual>(layers, beside, true));
  return *this;
}

ImageStack& ImageStack::concat(const std::vector<Part>& branches) {
  std::vector<NamedModule> parts;
  for (const Part& branch : branches)
    parts.emplace_back("branch" + std::to_string(parts.size() + 1), std::make_shared<Sequential>(layers_of(branch)));
  add("inception" + std::to_string(++inceptions_), std::make_shared<Concat>(parts));
  return *this;
}

std::vector<NamedModule> ImageStack::layers_of(const Part& part) {
  ImageStack own(device_, initializer_, dtype_, sample_);
  part(own);
  return own.layers_;
}

ImageStack& ImageStack::dropout(double probability) {
  add("dropout" + std::to_string(++dropouts_), std::make_shared<Dropout>(probability));
  return *this;
}

ImageStack& ImageStack::linear(int64_t out) {
  if (sample_.rank() != 1) add("flatten", std::make_shared<Flatten>());
  add("fc" + std::to_string(++linears_), std::make_shared<Linear>(device_, sample_[0], out, initializer_, dtype_));
  return *this;
}

std::shared_ptr<Module> ImageStack::build() {
  return std::make_shared<Sequential>(layers_);
}

}  // namespace cairn
