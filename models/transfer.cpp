#include "models/transfer.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string_view>

#include "framework/error.h"
#include "framework/nn/layers.h"
#include "kernels/number.h"
#include "models/recipes.h"

namespace cairn {
namespace {

constexpr std::string_view kTransfer = "transfer-";
constexpr int kMostClasses = 1000000;

// LucasRr/deep_learning_playground, transfer_learning.ipynb: the heads' hidden layers and how they are trained. The
// other backbones get what ResNet-18 has there.
struct TransferPlan {
  const char* backbone;
  int64_t hidden;
  double learning_rate;
  int64_t batch_size;
  const char* reaches;
};
constexpr TransferPlan kTransferPlans[] = {{"alexnet", 1024, 1e-5, 32, "82.86 %"},
                                           {"resnet18", 256, 1e-3, 32, "78.14 %"},
                                           {"inception-v3", 512, 1e-3, 128, "73.2 % of the validation images"}};
constexpr TransferPlan kOtherTransfer = {"", 512, 1e-3, 128, ""};

const TransferPlan& plan_of(const std::string& backbone) {
  const auto found = std::ranges::find(kTransferPlans, backbone, &TransferPlan::backbone);
  return found == std::end(kTransferPlans) ? kOtherTransfer : *found;
}

std::vector<Recipe> transfer_recipes(const ModelInfo& backbone, const TransferPlan& plan) {
  Recipe standard{.name = "default",
                  .description = "the backbone as it is, its features computed once; Adam trains the head",
                  .normalization = backbone.recipes.front().normalization,
                  .optimizer = OptimizerKind::adam,
                  .learning_rate = plan.learning_rate,
                  .batch_size = plan.batch_size,
                  .epochs = 5,
                  .freeze = Freeze::backbone};
  if (*plan.reaches == '\0') return {standard};
  Recipe published =
      playground("playground", OptimizerKind::adam, plan.learning_rate, 0, plan.batch_size, 5, plan.reaches);
  published.description =
      "LucasRr/deep_learning_playground: 40,000 images of CIFAR-10, batch statistics also in the "
      "frozen backbone, published at " +
      std::string(plan.reaches);
  published.normalization = standard.normalization;
  published.freeze = Freeze::weights;
  return {standard, published};
}

const ModelInfo* photo_model(const std::string& name) {
  const std::span<const ModelInfo> all = known_models();
  const auto found = std::ranges::find(all, name, &ModelInfo::name);
  return found != all.end() && found->build_with ? &*found : nullptr;
}

void end_in(ModelInfo& info, const HeadPlan& head) {
  info.classes = static_cast<int>(head.classes);
  info.build = [with = info.build_with, head, name = info.name](const std::shared_ptr<Device>& device,
                                                                Initializer& initializer, DType dtype) {
    if (head.classes == 0) throw UsageError("model " + name + ": say how many classes it has: " + name + ":10");
    return with(device, initializer, dtype, head);
  };
}

int classes_of(const std::string& name, const std::string& text) {
  int classes = 0;
  if (read_number(text, classes) || classes < 1 || classes > kMostClasses)
    throw UsageError("model '" + name + "': behind the colon stands a number of classes, 1 to " +
                     std::to_string(kMostClasses) + ", such as resnet50:10");
  return classes;
}

// classes 0: as the data have it.
ModelInfo make(const ModelInfo& photo, bool transfer, int classes) {
  ModelInfo info = photo;
  const int64_t hidden = transfer ? plan_of(photo.name).hidden : 0;
  if (transfer) {
    info.name = std::string(kTransfer) + photo.name;
    info.description = "a new head on " + photo.name + ", whose weights are given";
    info.backbone = photo.name;
    info.recipes = transfer_recipes(photo, plan_of(photo.name));
  }
  if (classes > 0) info.name += ":" + std::to_string(classes);
  end_in(info, {.classes = classes, .hidden = hidden});
  return info;
}

}  // namespace

const ModelInfo* made_model(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, ModelInfo> made;
  const size_t colon = std::min(name.find(':'), name.size());
  const bool transfer = name.starts_with(kTransfer);
  if (!transfer && colon == name.size()) return nullptr;
  const size_t begin = transfer ? kTransfer.size() : 0;
  const ModelInfo* const photo = photo_model(name.substr(begin, colon - begin));
  if (photo == nullptr) return nullptr;
  const int classes = colon == name.size() ? 0 : classes_of(name, name.substr(colon + 1));
  const std::lock_guard lock(mutex);
  return &made.try_emplace(name, make(*photo, transfer, classes)).first->second;
}

std::string backbone_names() {
  std::string names;
  for (const ModelInfo& model : known_models())
    if (model.build_with) names += (names.empty() ? "" : ", ") + model.name;
  return names;
}

std::string transfer_name(const std::string& backbone) {
  if (photo_model(backbone) == nullptr)
    throw UsageError("--backbone '" + backbone + "': choose one of " + backbone_names());
  return std::string(kTransfer) + backbone;
}

SplitNetwork split_network(const Module& network, const ModelInfo& info) {
  const auto* const layers = dynamic_cast<const Sequential*>(&network);
  if (layers == nullptr || layers->modules().empty() || layers->modules().back().first != info.head)
    throw Error("model " + info.name + " has no head that it could be cut from");
  std::vector<NamedModule> before = layers->modules();
  const std::shared_ptr<Module> head = before.back().second;
  before.pop_back();
  return {std::make_shared<Sequential>(before), head};
}

}  // namespace cairn
