// ImageStack: writes a network for images as its layers one after the other, keeping account of shapes and names. Not
// here: the layers (framework/nn), the networks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/nn/branches.h"
#include "framework/nn/image_layers.h"

namespace cairn {

// Layers are named by kind and number: conv1, relu1, pool1, conv2, ..., flatten, fc1, ...; in a part of a block they
// are counted anew, below the block's name: block1.conv1, block1.shortcut.conv1, inception1.branch1.conv1.
class ImageStack {
 public:
  // Writes a part of a block onto a stack of its own.
  using Part = std::function<void(ImageStack&)>;

  // image: channels x height x width
  ImageStack(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype, const Shape& image);

  ImageStack& conv(int64_t out_channels, int64_t kernel, const Conv2dLayerOptions& options = {});
  ImageStack& relu();
  ImageStack& max_pool(int64_t window, int64_t stride = 0, int64_t padding = 0, bool ceil = false);  // as MaxPool2d
  ImageStack& global_max_pool();                                                                     // C x H x W to C
  ImageStack& global_average_pool();                                                                 // likewise
  ImageStack& local_response_norm(int64_t size, double alpha, double beta, double k);
  ImageStack& residual(const Part& body, const Part& shortcut = {});  // with a ReLU after the sum; {}: the identity
  ImageStack& concat(const std::vector<Part>& branches);
  ImageStack& dropout(double probability);
  ImageStack& linear(int64_t out);  // flattens images first

  std::shared_ptr<Module> build();

 private:
  void add(const std::string& name, const std::shared_ptr<Module>& layer);
  std::vector<NamedModule> layers_of(const Part& part);

  std::shared_ptr<Device> device_;
  Initializer& initializer_;
  DType dtype_;
  Shape sample_;  // what the layers so far make of an image
  std::vector<NamedModule> layers_;
  int convs_ = 0, relus_ = 0, pools_ = 0, norms_ = 0, blocks_ = 0, inceptions_ = 0, dropouts_ = 0, linears_ = 0;
};

}  // namespace cairn
