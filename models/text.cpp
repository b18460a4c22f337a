// Networks for texts: a table of embeddings, gated recurrent units over it, and a linear layer on their last state.
#include "framework/nn/layers.h"
#include "framework/nn/sequence_layers.h"
#include "models/recipes.h"

namespace cairn {
namespace {

using DevicePointer = std::shared_ptr<Device>;
using ModulePointer = std::shared_ptr<Module>;

constexpr int64_t kVocabulary = 30000, kLength = 150;

struct Variant {
  bool learn_start = false, output_bias = true;
};

template <Variant kVariant>
ModulePointer imdb_gru(const DevicePointer& device, Initializer& initializer, DType dtype) {
  constexpr int64_t kFeatures = 125, kHidden = 100;
  const GruOptions options{.learn_start = kVariant.learn_start};
  return std::make_shared<Sequential>(std::vector<NamedModule>{
      {"embedding", std::make_shared<Embedding>(device, kVocabulary, kFeatures, initializer, dtype)},
      {"gru", std::make_shared<Gru>(device, kFeatures, kHidden, initializer, options, dtype)},
      {"fc", std::make_shared<Linear>(device, kHidden, 2, initializer, dtype, kVariant.output_bias)}});
}

// ilkarman/DeepLearningFrameworks: the last 150 words after a start token, three epochs of 390 whole batches. It says
// Adam's epsilon, 1e-8, where PyTorch has it.
Recipe three_epochs(const std::string& name, const InitRule& init, const std::string& reaches) {
  Recipe recipe;
  recipe.name = name;
  recipe.description = "three epochs of Adam, as " + reaches;
  recipe.init = init;
  recipe.optimizer = OptimizerKind::adam;
  recipe.learning_rate = 1e-3;
  recipe.batch_size = 64;
  recipe.epochs = 3;
  recipe.drop_last = true;
  recipe.text = {.vocabulary = kVocabulary, .length = kLength};
  return recipe;
}

// Padding ahead of the words: the last state is that after the last word. At a constant rate the third epoch learns the
// training texts by heart and tells test texts apart worse than the second did.
Recipe front_padded() {
  Recipe recipe = three_epochs("default", {WeightInit::glorot_uniform, BiasInit::constant}, "");
  recipe.description = "three epochs of Adam with a cosine schedule, padding ahead of the words";
  recipe.schedule = {.kind = Schedule::Kind::cosine};
  recipe.drop_last = false;
  recipe.text.pad_front = true;
  return recipe;
}

Recipe gentle_text() {
  Recipe recipe = gentle_recipe();
  recipe.text = {.vocabulary = kVocabulary, .length = kLength};
  return recipe;
}

}  // namespace

std::vector<ModelInfo> text_family() {
  const InitRule glorot{WeightInit::glorot_uniform, BiasInit::constant};
  const std::string units = "embedding of 125, 100 gated recurrent units, fc 2";
  Recipe knet = three_epochs("knet", glorot, "Knet.jl, which reached 84.45 %: padding ahead of the words");
  knet.text.pad_front = knet.text.top_specials = true;
  const auto one = [](const std::string& name, const std::string& description, auto build,
                      const std::vector<Recipe>& recipes) {
    return ModelInfo{.name = name,
                     .description = description,
                     .input = {kLength},
                     .classes = 2,
                     .build = build,
                     .recipes = recipes,
                     .vocabulary = kVocabulary};
  };
  return {one("imdb-gru", units, imdb_gru<Variant{}>,
              {front_padded(), three_epochs("pytorch", {}, "PyTorch, which reached 86.29 and 86.23 %"),
               three_epochs("mxnet", glorot, "MXNet, which reached 85.92 and 85.86 %"), gentle_text()}),
          one("imdb-gru-start", units + ", from a learnt state", imdb_gru<Variant{.learn_start = true}>,
              {front_padded(), three_epochs("tensorflow", glorot, "TensorFlow, which reached 86.14 and 85.99 %"),
               gentle_text()}),
          one("imdb-gru-knet", units + " without a bias", imdb_gru<Variant{.output_bias = false}>,
              {front_padded(), knet, gentle_text()})};
}

}  // namespace cairn
