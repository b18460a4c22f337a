// ImageStack: writes a network for images as its layers one after the other, keeping account of shapes and names. Not
// here: the layers (framework/nn), the networks.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/nn/image_layers.h"

namespace cairn {

// Layers are named by kind and number: conv1, relu1, pool1, conv2, ..., flatten, fc1, ...
class ImageStack {
 public:
  // image: channels x height x width
  ImageStack(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype, const Shape& image);

  ImageStack& conv(int64_t out_channels, int64_t kernel, const Conv2dLayerOptions& options = {});
  ImageStack& relu();
  ImageStack& max_pool(int64_t window);
  ImageStack& dropout(double probability);
  ImageStack& linear(int64_t out);  // flattens images first

  std::shared_ptr<Module> build();

 private:
  void add(const std::string& name, const std::shared_ptr<Module>& layer);

  std::shared_ptr<Device> device_;
  Initializer& initializer_;
  DType dtype_;
  Shape sample_;  // what the layers so far make of an image
  std::vector<std::pair<std::string, std::shared_ptr<Module>>> layers_;
  int convs_ = 0, relus_ = 0, pools_ = 0, dropouts_ = 0, linears_ = 0;
};

}  // namespace cairn
