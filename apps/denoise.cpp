// denoise: trains filters that take noise out of images. Parses flags and prints; the work is trainers/denoising.h's.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/app.h"
#include "apps/device_flags.h"
#include "apps/flags.h"
#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "models/denoisers.h"
#include "trainers/denoising.h"
#include "trainers/run_config.h"

namespace cairn {
namespace {

struct Settings {
  std::string filter = "all", recipe = "default", dataset, data_dir, grid;
  bool check_hash = true, json = false, quiet = false;
  DeviceOptions device;
  app::DeviceFlags device_flags;
  DenoisingSettings denoising;
  std::optional<int64_t> epochs, batch_size;
  std::optional<double> learning_rate;
};

std::string filters_text() {
  std::string text = "Filters:\n";
  for (const ModelInfo& filter : known_models(Task::denoise))
    text +=
        fmt::format("  {:<17} {}, published at {:g} dB\n", filter.name, filter.description, published_snr(filter.name));
  return text;
}

void add_flags(app::Flags& flags, Settings& settings) {
  flags.add("--filter", settings.filter, "filter to train, or all");
  flags.add("--recipe", settings.recipe,
            "the filter's settings to start from: default, or playground, the published one");
  flags.add("--dataset", settings.dataset,
            ("one of " + datasets::dataset_names() + "; default: the first that fits, else a generated one").c_str());
  flags.add("--data-dir", settings.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--check-hash", settings.check_hash, "refuse data files that are not the published ones (true or false)");
  settings.device_flags.add(flags, settings.device);
  flags.add("--epochs", settings.epochs, "passes over the data; default: the recipe's");
  flags.add("--batch-size", settings.batch_size, "images a step; default: the recipe's");
  flags.add("--lr", settings.learning_rate, "learning rate at the start; default: the recipe's");
  flags.add("--deviation", settings.denoising.deviation, "standard deviation of the noise, pixels in [0, 1]");
  flags.add("--seed", settings.denoising.seed, "of weights, order and noise");
  flags.add("--grid", settings.grid, "with one filter: write clean, noisy and denoised images to this PNG file");
  flags.add_switch("--json", settings.json, "print the results as one JSON object, the last line of stdout");
  flags.add_switch("--quiet", settings.quiet, "print only errors and results");
  flags.set_footer(filters_text());
}

// The one that was asked for, or the first of all.
const ModelInfo& first_filter(const Settings& settings) {
  return settings.filter == "all" ? known_models(Task::denoise)[0] : find_model(settings.filter, Task::denoise);
}

void check(const Settings& settings) {
  const double deviation = settings.denoising.deviation;
  if (!(deviation > 0 && deviation <= 10))
    throw UsageError(fmt::format("--deviation must be above 0 and at most 10, not {}", deviation));
  if (settings.epochs && (*settings.epochs < 1 || *settings.epochs > 1000000))
    throw UsageError(fmt::format("--epochs must be between 1 and 1000000, not {}", *settings.epochs));
  if (settings.learning_rate && !(*settings.learning_rate > 0 && std::isfinite(*settings.learning_rate)))
    throw UsageError(fmt::format("--lr must be a number above 0, not {}", *settings.learning_rate));
  find_recipe(first_filter(settings), settings.recipe);
  if (settings.filter == "all" && !settings.grid.empty()) throw UsageError("--grid goes with one --filter");
  check_device(settings.device);
}

// What the user changed of a filter's recipe; a filter that learns nothing keeps its 0 epochs.
Recipe recipe_of(const Settings& settings, const ModelInfo& filter) {
  Recipe recipe = find_recipe(filter, settings.recipe);
  if (recipe.epochs > 0) recipe.epochs = settings.epochs.value_or(recipe.epochs);
  recipe.batch_size = settings.batch_size.value_or(recipe.batch_size);
  recipe.learning_rate = settings.learning_rate.value_or(recipe.learning_rate);
  return recipe;
}

void write_grid(const std::string& path, Denoising& denoising) {
  constexpr int64_t kImages = 16;
  const datasets::Bytes file = encode_png(denoising.draw(kImages));
  const std::span<const std::byte> bytes = std::as_bytes(std::span(file));
  write_file_atomically(path, std::span(&bytes, 1));
}

// Trains one filter; null: interrupted.
nlohmann::json denoise_with(const ModelInfo& filter, const Settings& settings, const std::shared_ptr<Device>& device,
                            const DeviceData& data, const std::atomic<bool>& stop) {
  const Recipe recipe = recipe_of(settings, filter);
  Denoising denoising(device, filter, recipe, settings.denoising, data);
  double seconds = 0, loss = 0;
  for (int64_t epoch = 1; epoch <= recipe.epochs; ++epoch) {
    const EpochResult result = denoising.run_epoch(stop);
    if (stop) return nullptr;
    seconds += result.train_seconds;
    loss = result.train_loss;
    if (!settings.quiet)
      say(fmt::format("{}: epoch {}/{}  loss {:.5f}  {:.2f} s", filter.name, epoch, recipe.epochs, loss,
                      result.train_seconds));
  }
  const SignalToNoise ratio = denoising.evaluate();
  if (!settings.grid.empty()) write_grid(settings.grid, denoising);
  return {{"filter", filter.name},
          {"recipe", recipe.name},
          {"parameters", recipe.epochs > 0 ? denoising.model().parameter_count() : 0},
          {"epochs", recipe.epochs},
          {"train_loss", loss},
          {"train_seconds", seconds},
          {"noisy_snr", ratio.noisy},
          {"test_snr", ratio.denoised},
          {"published_snr", published_snr(filter.name)}};
}

void print_table(const nlohmann::json& results) {
  app::print("{:<17} {:>10} {:>7} {:>9} {:>8} {:>10}\n", "filter", "parameters", "epochs", "seconds", "SNR, dB",
             "published");
  for (const nlohmann::json& row : results)
    app::print("{:<17} {:>10} {:>7} {:>9.2f} {:>8.3f} {:>10.3f}\n", row["filter"].get<std::string>(),
               row["parameters"].get<int64_t>(), row["epochs"].get<int64_t>(), row["train_seconds"].get<double>(),
               row["test_snr"].get<double>(), row["published_snr"].get<double>());
  app::print("noisy images: {:.3f} dB\n", results[0]["noisy_snr"].get<double>());
}

int denoise(int argc, char** argv) {
  app::Flags flags("denoise", "Trains filters that take noise out of images.");
  Settings settings;
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  settings.device_flags.resolve(settings.device);
  check(settings);
  if (!settings.quiet) app::warn_of_threads("denoise", settings.device.threads);

  const std::atomic<bool>& stop = app::interruption();
  datasets::LoadOptions load;
  load.check_hash = settings.check_hash;
  load.quiet = settings.quiet;
  load.stop = &stop;
  const ModelInfo& filter = first_filter(settings);
  const datasets::Dataset dataset = choose_dataset(
      settings.dataset, network_input(filter, find_recipe(filter, settings.recipe)), settings.data_dir, load);
  const std::shared_ptr<Device> device = Device::open(settings.device);
  const DeviceData data{upload(device, dataset.train), upload(device, dataset.test), RowScale(device, 1.0f / 255, 0)};
  if (!settings.quiet)
    say(fmt::format("{}, {} images, noise {:g}\n{}: {}", dataset.name, dataset.train.count,
                    settings.denoising.deviation, device->label(), device->description()));

  nlohmann::json results = nlohmann::json::array();
  for (const ModelInfo& each : known_models(Task::denoise)) {
    if (settings.filter != "all" && settings.filter != each.name) continue;
    const nlohmann::json result = denoise_with(each, settings, device, data, stop);
    if (result.is_null()) {
      say(fmt::format("denoise: interrupted in {}", each.name));
      return app::kInterrupted;
    }
    results.push_back(result);
  }
  if (settings.json)
    app::print("{}\n", dump_json({{"dataset", dataset.name},
                                  {"impl", device->implementation()},
                                  {"device", name_of(device->where())},
                                  {"precision", name_of(settings.device.precision)},
                                  {"threads", device->threads()},
                                  {"seed", settings.denoising.seed},
                                  {"deviation", settings.denoising.deviation},
                                  {"filters", results}}));
  else
    print_table(results);
  return app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("denoise", [&] { return cairn::denoise(argc, argv); });
}
