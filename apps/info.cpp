// info: what this build has: implementations, devices, who computes which primitive, kernels, models, data sets;
// and what is in one data set.
#include <fmt/format.h>

#include <algorithm>

#include "apps/app.h"
#include "apps/augmentation_flags.h"
#include "apps/flags.h"
#include "datasets/registry.h"
#include "datasets/word_index.h"
#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "kernels/registry.h"
#include "models/model.h"
#include "trainers/example_grid.h"
#include "trainers/run_config.h"

namespace cairn {
namespace {

// Loads the plugins that are there; returns a line for each that cannot be.
std::string load_plugins() {
  std::string problems;
  for (const std::string& name : plugin_names())
    if (const std::string problem = load_plugin(name); !problem.empty()) problems += "  " + problem + "\n";
  return problems;
}

void print_implementations(const std::string& problems) {
  app::print("Implementations\n");
  for (const Backend* backend : known_backends()) {
    app::print("  {} on {}: {}\n", backend->name, name_of(backend->where), backend->summary);
    if (backend->device_count() == 0) {
      app::print("    no device here\n");
      continue;
    }
    DeviceOptions options;
    options.implementation = backend->name;
    options.where = name_of(backend->where);
    app::print("    {}\n", Device::open(options)->description());
  }
  app::print("{}", problems);
}

// One row per primitive, one column per implementation: its own, another's name where it falls back, or a dash.
void print_primitives() {
  const std::vector<const Backend*> backends = known_backends();
  app::print("\nPrimitives\n  {:<28}", "");
  for (const Backend* backend : backends)
    app::print(" {:<16}", fmt::format("{}/{}", backend->name, name_of(backend->where)));
  app::print("\n");
  std::vector<std::array<std::string, kPrimitiveCount>> origins;
  for (const Backend* backend : backends) origins.push_back(primitive_origins(*backend));
  for (size_t i = 0; i < kPrimitiveCount; ++i) {
    app::print("  {:<28}", kPrimitives[i]);
    for (size_t column = 0; column < origins.size(); ++column) {
      const std::string& origin = origins[column][i];
      const bool own = origin == backends[column]->name;
      app::print(" {:<16}", origin.empty() ? "-" : own ? "yes" : "from " + origin);
    }
    app::print("\n");
  }
}

void print_kernels() {
  app::print("\nKernel ladders (--kernel primitive=rung)\n");
  for (const Backend* backend : known_backends()) {
    int32_t count = 0;
    const KernelVariant* variants = backend->variants ? backend->variants(&count) : nullptr;
    for (int32_t i = 0; i < count; ++i)
      app::print("  {}/{} {}={} {}: {}{}\n", backend->name, name_of(backend->where), variants[i].primitive,
                 variants[i].rung, variants[i].name, variants[i].idea, variants[i].is_default ? " (default)" : "");
  }
}

void print_model(const ModelInfo& model, const std::shared_ptr<Device>& device) {
  Initializer initializer = Initializer::none();
  const std::shared_ptr<Module> module = model.build(device, initializer, DType::f32);
  std::vector<LayerSummary> layers;
  module->summarize(model.input, "", layers);
  int64_t macs = 0;
  size_t name_width = 10, type_width = 10;
  for (const LayerSummary& layer : layers) {
    macs += layer.macs;
    name_width = std::max(name_width, layer.name.size());
    type_width = std::max(type_width, layer.type.size());
  }
  app::print("  {}: {}; to {} {} {}, {} parameters, {} multiply-adds {}\n", model.name, model.description,
             name_of(model.task), examples_of(model), model.input.text(), module->parameter_count(), macs,
             takes_texts(model) ? "a text" : "an image");
  for (const LayerSummary& layer : layers)
    app::print("    {:<{}} {:<{}} {:<16} {:>10} {:>13}\n", layer.name, name_width, layer.type, type_width,
               layer.output.text(), layer.parameters, layer.macs);
  std::string recipes;
  for (const Recipe& recipe : model.recipes) recipes += " " + recipe.name;
  app::print("    recipes:{}\n", recipes);
}

void print_models() {
  DeviceOptions options;
  options.implementation = "reference";
  const std::shared_ptr<Device> device = Device::open(options);
  app::print("\nModels\n    {:<10} {:<10} {:<16} {:>10} {:>13}\n", "layer", "type", "output", "parameters",
             "multiply-adds");
  for (const Task task : {Task::classify, Task::denoise})
    for (const ModelInfo& model : known_models(task)) print_model(model, device);
}

void print_datasets() {
  app::print("\nData sets\n");
  for (const datasets::DatasetInfo& dataset : datasets::known_datasets())
    app::print("  {}: {}\n", dataset.name, dataset.description);
}

struct DatasetChoice {
  std::string name, data_dir, picture;
  bool check_hash = true;
  app::AugmentationFlags augmentation;  // of the picture
  uint64_t seed = RunConfig().seed;
};

std::vector<int64_t> count_classes(const datasets::Split& split, int classes) {
  std::vector<int64_t> counts(static_cast<size_t>(classes));
  for (const int32_t label : labels(split)) ++counts[static_cast<size_t>(label)];
  return counts;
}

void write_examples(const datasets::Dataset& dataset, const DatasetChoice& choice) {
  AugmentationRecipe augmentation;
  choice.augmentation.change(augmentation);
  const datasets::Bytes file = encode_png(draw_examples(dataset, augmentation, choice.seed));
  const std::span<const std::byte> bytes = std::as_bytes(std::span(file));
  write_file_atomically(choice.picture, std::span(&bytes, 1));
}

void describe_texts(const datasets::Dataset& dataset) {
  for (const auto& [name, split] : {std::pair("training", &dataset.train), std::pair("test", &dataset.test)}) {
    const datasets::TextLengths lengths = measure_lengths(*split->texts);
    app::print("{} texts: {} to {} words, {} in the middle, {:.1f} on average\n", name, lengths.least, lengths.most,
               lengths.median, lengths.mean);
  }
  const auto highest = std::ranges::max_element(dataset.train.texts->ranks);
  const int32_t words = highest == dataset.train.texts->ranks.end() ? 0 : *highest;
  app::print("vocabulary: {} words in the training texts, ", words);
  if (dataset.words)
    app::print("{} in the index, from {} on\n", dataset.words->count(),
               in_quotes(to_json_text(dataset.words->word(1))));
  else
    app::print("and no index that says which they are\n");
}

void describe_dataset(const DatasetChoice& choice) {
  const datasets::DatasetInfo& known = datasets::find_dataset(choice.name);
  datasets::LoadOptions load;
  load.allow_download = false;
  load.check_hash = choice.check_hash;
  const datasets::Dataset dataset = datasets::load_dataset(known.name, choice.data_dir, load);
  if (!choice.picture.empty() && known.has_texts())
    throw UsageError("--show draws images; data set " + known.name + " has texts");
  if (!choice.picture.empty()) write_examples(dataset, choice);
  app::print("{}: {}\nsource: {}\ntraining examples: {}\ntest examples: {}\n", dataset.name, known.description,
             dataset.source, dataset.train.count, dataset.test.count);
  for (const datasets::Column& column : dataset.train.columns)
    app::print("column {}: {} {}\n", column.name, name_of(column.dtype), column.row_shape.text());
  if (known.has_texts()) describe_texts(dataset);
  const datasets::PixelStatistics pixels =
      known.has_texts() ? datasets::PixelStatistics() : measure_pixels(dataset.train);
  for (size_t channel = 0; channel < pixels.mean.size(); ++channel)
    app::print("channel {}: mean {:.4f}, deviation {:.4f} of the training pixels / 255\n", channel,
               pixels.mean[channel], pixels.std[channel]);
  const std::vector<int64_t> train = count_classes(dataset.train, dataset.classes),
                             test = count_classes(dataset.test, dataset.classes);
  for (size_t label = 0; label < train.size(); ++label)
    app::print("class {}: {}, {} training and {} test examples\n", label, dataset.class_names[label], train[label],
               test[label]);
}

int info(int argc, char** argv) {
  app::Flags flags("info", "Shows what this build has.");
  bool implementations = false, primitives = false, kernels = false, models = false, datasets = false;
  flags.add_switch("--implementations", implementations, "implementations and devices");
  flags.add_switch("--primitives", primitives, "who computes which primitive");
  flags.add_switch("--kernels", kernels, "the rungs of the ladders");
  flags.add_switch("--models", models, "networks: layers, shapes, parameters, multiply-adds");
  flags.add_switch("--datasets", datasets, "data sets");
  DatasetChoice choice;
  flags.add("--dataset", choice.name,
            ("one data set: counts, classes, statistics or lengths; of " + datasets::dataset_names()).c_str());
  flags.add("--show", choice.picture,
            "with --dataset: write training images of each class to this PNG file, as a network sees them");
  choice.augmentation.add(flags);
  flags.add("--seed", choice.seed, "of what is drawn for the images");
  flags.add("--data-dir", choice.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--check-hash", choice.check_hash, "refuse data files that are not the published ones (true or false)");
  if (!flags.parse(argc, argv)) return app::kDone;
  if (choice.name.empty() && !choice.picture.empty()) throw UsageError("--show goes with --dataset");
  if (choice.picture.empty() && choice.augmentation.any())
    throw UsageError("--crop, --pad, --flip, --brightness, --contrast and --standardise go with --show");
  if (!choice.name.empty()) {
    describe_dataset(choice);
    return app::kDone;
  }
  const bool all = !(implementations || primitives || kernels || models || datasets);
  const bool of_implementations = all || implementations || primitives || kernels;
  const std::string problems = of_implementations ? load_plugins() : "";
  if (all || implementations) print_implementations(problems);
  if (all || primitives) print_primitives();
  if (all || kernels) print_kernels();
  if (all || models) print_models();
  if (all || datasets) print_datasets();
  return app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("info", [&] { return cairn::info(argc, argv); });
}
