#include "models/recipes.h"

namespace cairn {

Recipe default_recipe(double learning_rate, int64_t epochs, double weight_decay, int64_t batch_size) {
  return {.name = "default",
          .description = "SGD with momentum 0.9 and a cosine schedule on standardised pixels",
          .learning_rate = learning_rate,
          .momentum = 0.9,
          .weight_decay = weight_decay,
          .schedule = {.kind = Schedule::Kind::cosine},
          .batch_size = batch_size,
          .epochs = epochs};
}

Recipe gentle_recipe() {
  return {.name = "gentle",
          .description = "plain SGD at a low rate, for comparing step by step",
          .learning_rate = 0.005,
          .epochs = 5};
}

std::vector<Recipe> skoltech(const Recipe& standard, const std::string& cudnn_reaches,
                             const std::string& pytorch_reaches) {
  const auto text = [](const std::string& twin, const std::string& reaches) {
    return "Nina-Konovalova/HCP_skoltech, " + twin + (reaches.empty() ? "" : ", published at " + reaches);
  };
  const Recipe cudnn{.name = "skoltech",
                     .description = text("cuDNN", cudnn_reaches),
                     .init = kCudnnTraining,
                     .normalization = Normalization::unit,
                     .learning_rate = 0.01,
                     .schedule = {.kind = Schedule::Kind::inverse, .gamma = 1e-4, .power = 0.75},
                     .epochs = 45,
                     .shuffle = false,
                     .drop_last = true};
  const Recipe pytorch{.name = "skoltech-pytorch",
                       .description = text("PyTorch", pytorch_reaches),
                       .statistics = "mnist",
                       .learning_rate = 0.01,
                       .epochs = 45};
  return {standard, cudnn, pytorch};
}

Recipe playground(const std::string& name, OptimizerKind optimizer, double learning_rate, double weight_decay,
                  int64_t batch_size, int64_t epochs, const std::string& reaches) {
  return {.name = name,
          .description = "LucasRr/deep_learning_playground: " + std::to_string(epochs) +
                         " epochs on 50,000 images, published at " + reaches,
          .normalization = Normalization::unit,
          .optimizer = optimizer,
          .learning_rate = learning_rate,
          .weight_decay = weight_decay,
          .batch_size = batch_size,
          .epochs = epochs,
          .validation_count = 10000};
}

ModelInfo photo_network(const std::string& name, const std::string& description, ModelInfo::PhotoBuild build,
                        const std::string& head, double learning_rate, const InitRule& init) {
  Recipe standard = default_recipe(learning_rate, 90, 1e-4, 256);
  standard.description = "SGD with momentum 0.9, warm-up and a cosine schedule on mirrored photos";
  standard.init = init;
  standard.normalization = Normalization::imagenet;
  standard.schedule.warmup = 5000;
  standard.augmentation.flip = true;
  Recipe gentle = gentle_recipe();
  gentle.init = init;
  gentle.normalization = Normalization::imagenet;
  gentle.learning_rate = 1e-4;
  gentle.batch_size = 4;
  gentle.epochs = 1;
  return {.name = name,
          .description = description,
          .input = kPhoto,
          .classes = kPhotoClasses,
          .build = [build](const std::shared_ptr<Device>& device, Initializer& initializer,
                           DType dtype) { return build(device, initializer, dtype, {}); },
          .recipes = {standard, gentle},
          .photo_side = 256,
          .build_with = build,
          .head = head};
}

}  // namespace cairn
