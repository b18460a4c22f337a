#include "models/image_stack.h"

namespace cairn {

ImageStack::ImageStack(const std::shared_ptr<Device>& device, Initializer& initializer, DType dtype, const Shape& image,
                       LayerNames names)
    : device_(device), initializer_(initializer), dtype_(dtype), sample_(image), names_(names) {}

ImageStack& ImageStack::name(const std::string& next) {
  next_name_ = next;
  return *this;
}

ImageStack& ImageStack::add(const std::string& kind, const std::shared_ptr<Module>& layer) {
  const std::string by_kind = kind + std::to_string(++counts_[kind]);
  std::string name = names_ == LayerNames::by_kind ? by_kind : std::to_string(layers_.size());
  if (next_name_) name = *std::exchange(next_name_, std::nullopt);
  std::vector<LayerSummary> ignored;
  sample_ = layer->summarize(sample_, name, ignored);
  layers_.emplace_back(name, layer);
  return *this;
}

ImageStack& ImageStack::conv(int64_t out_channels, const Size2d& kernel, const Conv2dLayerOptions& options) {
  return add("conv",
             std::make_shared<Conv2d>(device_, sample_[0], out_channels, kernel, initializer_, options, dtype_));
}

ImageStack& ImageStack::batch_norm(double epsilon) {
  return add("bn", std::make_shared<BatchNorm2d>(device_, sample_[0], 0.1, epsilon, dtype_));
}

ImageStack& ImageStack::relu() {
  return add("relu", std::make_shared<ReLU>());
}

ImageStack& ImageStack::max_pool(int64_t window, int64_t stride, int64_t padding, bool ceil) {
  return add("pool", std::make_shared<MaxPool2d>(window, stride, padding, ceil));
}

ImageStack& ImageStack::average_pool(int64_t window, int64_t stride, int64_t padding) {
  return add("pool", std::make_shared<AvgPool2d>(window, stride, padding));
}

ImageStack& ImageStack::global_max_pool() {
  return add("pool", std::make_shared<GlobalMaxPool2d>());
}

ImageStack& ImageStack::global_average_pool() {
  return add("pool", std::make_shared<GlobalAvgPool2d>());
}

ImageStack& ImageStack::local_response_norm(int64_t size, double alpha, double beta, double k) {
  return add("norm", std::make_shared<LocalResponseNorm>(size, alpha, beta, k));
}

ImageStack& ImageStack::dropout(double probability) {
  return add("dropout", std::make_shared<Dropout>(probability));
}

ImageStack& ImageStack::linear(int64_t out) {
  if (sample_.rank() != 1) {
    const std::optional<std::string> given = std::exchange(next_name_, "flatten");
    add("flatten", std::make_shared<Flatten>());
    next_name_ = given;
  }
  return add("fc", std::make_shared<Linear>(device_, sample_[0], out, initializer_, dtype_));
}

ImageStack& ImageStack::head(const HeadPlan& plan) {
  if (plan.hidden == 0) return linear(plan.classes);
  return part([&](ImageStack& own) { own.linear(plan.hidden).relu().linear(plan.classes); }, LayerNames::by_place);
}

ImageStack& ImageStack::part(const Part& part, LayerNames names) {
  return add("part", std::make_shared<Sequential>(layers_of(part, names)));
}

ImageStack& ImageStack::residual(const Part& body, const Part& shortcut, const std::string& shortcut_name,
                                 LayerNames shortcut_names) {
  const std::vector<NamedModule> layers = layers_of(body);
  const auto beside = shortcut ? std::make_shared<Sequential>(layers_of(shortcut, shortcut_names)) : nullptr;
  return add("block", std::make_shared<Residual>(layers, beside, true, shortcut_name));
}

ImageStack& ImageStack::concat(const std::vector<Part>& branches, BranchNames names) {
  std::vector<NamedModule> parts;
  for (const Part& branch : branches) {
    const std::string numbered = "branch" + std::to_string(parts.size() + 1);
    parts.emplace_back(names == BranchNames::numbered ? numbered : "", std::make_shared<Sequential>(layers_of(branch)));
  }
  return add("inception", std::make_shared<Concat>(parts));
}

ImageStack& ImageStack::dense(const Part& body) {
  return add("dense", std::make_shared<Dense>(layers_of(body)));
}

ImageStack& ImageStack::auxiliary(const Part& head, double weight) {
  return add("auxiliary", std::make_shared<AuxiliaryHead>(layers_of(head), weight));
}

std::vector<NamedModule> ImageStack::layers_of(const Part& part, LayerNames names) {
  ImageStack own(device_, initializer_, dtype_, sample_, names);
  part(own);
  return own.layers_;
}

std::shared_ptr<Module> ImageStack::build() {
  return std::make_shared<Sequential>(layers_);
}

}  // namespace cairn
