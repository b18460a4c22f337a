#include "datasets/pretrained.h"

#include <string>
#include <vector>

namespace cairn::datasets {
namespace {

// As torchvision has them: "resnet50-0676ba61.pth".
DataSource torchvision(const std::string& model, const std::string& file) {
  constexpr size_t kDigits = 8;
  const std::string digits = file.substr(file.rfind('-') + 1, kDigits);
  return {.name = model,
          .note = "weights of " + model + " for ImageNet, as torchvision publishes them (mirror untried)",
          .files = {{.name = file, .bytes = 0, .sha256 = digits}},
          .mirrors = {"https://download.pytorch.org/models/"}};
}

}  // namespace

std::span<const DataSource> pretrained_sources() {
  static const std::vector<DataSource> sources = {torchvision("alexnet", "alexnet-owt-7be5be79.pth"),
                                                  torchvision("vgg16", "vgg16-397923af.pth"),
                                                  torchvision("resnet18", "resnet18-f37072fd.pth"),
                                                  torchvision("resnet50", "resnet50-0676ba61.pth"),
                                                  torchvision("resnet101", "resnet101-63fe2227.pth"),
                                                  torchvision("densenet121", "densenet121-a639ec97.pth"),
                                                  torchvision("inception-v3", "inception_v3_google-0cc3c7bd.pth")};
  return sources;
}

}  // namespace cairn::datasets
