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

ImageStack& ImageStack::max_pool(int64_t window) {
  add("pool" + std::to_string(++pools_), std::make_shared<MaxPool2d>(window));
  return *this;
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
  return std::make_shared<Sequential>(std::move(layers_));
}

}  // namespace cairn
