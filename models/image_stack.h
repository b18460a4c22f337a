// ImageStack: writes a network for images as its layers one after the other, keeping account of shapes and names. Not
// here: the layers (framework/nn), the networks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/nn/branches.h"
#include "framework/nn/image_layers.h"
#include "models/model.h"

namespace cairn {

// How a layer is called whose name is not given: by kind and number, conv1, relu1, pool1, conv2, ..., or by its place
// alone, 0, 1, 2, ..., as in a Sequential of PyTorch's. In a part of a network layers are counted anew, below the
// part's name: block1.conv1, block1.shortcut.conv1, inception1.branch1.conv1.
enum class LayerNames { by_kind, by_place };
// How a concatenation's branches are called: branch1, branch2, ...; or not at all, so that their layers have their
// names right below the concatenation's, as torchvision's have: Mixed_5b.branch5x5_1.conv. Those need names of their
// own, since each branch counts anew.
enum class BranchNames { numbered, none };

class ImageStack {
 public:
  // Writes a part of a network onto a stack of its own.
  using Part = std::function<void(ImageStack&)>;

  // image: channels x height x width
  ImageStack(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype, const Shape& image,
             LayerNames names = LayerNames::by_kind);

  // The name of the next layer or part. "": none, what is in it has its names right below this stack's.
  ImageStack& name(const std::string& next);

  ImageStack& conv(int64_t out_channels, const Size2d& kernel, const Conv2dLayerOptions& options = {});
  ImageStack& batch_norm(double epsilon = 1e-5);
  ImageStack& relu();
  ImageStack& max_pool(int64_t window, int64_t stride = 0, int64_t padding = 0, bool ceil = false);  // as MaxPool2d
  ImageStack& average_pool(int64_t window, int64_t stride = 0, int64_t padding = 0);                 // as AvgPool2d
  ImageStack& global_max_pool();                                                                     // C x H x W to C
  ImageStack& global_average_pool();                                                                 // likewise
  ImageStack& local_response_norm(int64_t size, double alpha, double beta, double k);
  ImageStack& dropout(double probability);
  ImageStack& linear(int64_t out);  // flattens images first

  // A Linear layer; with a hidden one a part of Linear 0, ReLU 1 and Linear 2. Without a name of its own it is `fc1`.
  ImageStack& head(const HeadPlan& plan);

  ImageStack& part(const Part& part, LayerNames names = LayerNames::by_kind);
  // With a ReLU after the sum; shortcut {}: the identity.
  ImageStack& residual(const Part& body, const Part& shortcut = {}, const std::string& shortcut_name = "shortcut",
                       LayerNames shortcut_names = LayerNames::by_kind);
  ImageStack& concat(const std::vector<Part>& branches, BranchNames names = BranchNames::numbered);
  ImageStack& dense(const Part& body);  // the image, and what the body makes of it
  // A classifier that looks at the image in training, whose loss counts `weight` times.
  ImageStack& auxiliary(const Part& head, double weight);

  // Any other layer, of this kind.
  ImageStack& add(const std::string& kind, const std::shared_ptr<Module>& layer);

  const Shape& sample() const { return sample_; }  // what the layers so far make of an image
  std::shared_ptr<Module> build();

 private:
  std::vector<NamedModule> layers_of(const Part& part, LayerNames names = LayerNames::by_kind);

  std::shared_ptr<Device> device_;
  Initializer& initializer_;
  DType dtype_;
  Shape sample_;
  LayerNames names_;
  std::optional<std::string> next_name_;
  std::vector<NamedModule> layers_;
  std::map<std::string, int> counts_;  // of each kind
};

}  // namespace cairn
