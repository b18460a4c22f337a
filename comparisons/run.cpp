#include "comparisons/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "comparisons/curve.h"
#include "comparisons/files.h"
#include "comparisons/inference.h"
#include "comparisons/report.h"
#include "datasets/registry.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "kernels/registry.h"

namespace cairn::comparisons {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> without_repeats(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  for (const std::string& name : names)
    if (std::ranges::find(result, name) == result.end()) result.push_back(name);
  return result;
}

int64_t training_examples(const std::string& dataset, const SuiteOptions& options) {
  datasets::LoadOptions load;
  load.quiet = options.quiet;
  load.check_hash = options.check_hash;
  load.stop = options.stop;
  return datasets::load_dataset(dataset, options.data_dir, load).train.count;
}

// Settings that all trainings of a folder share: figures of others do not go into one table.
nlohmann::json shared_settings(const Suite& suite, const SuiteOptions& options) {
  return {{"suite", suite.name},
          {"quick", options.quick},
          {"seed", options.seed},
          {"threads", options.threads},
          {"device", options.where}};
}

// Every finished training of the folder, of whichever call, in the order of the suite.
std::vector<nlohmann::json> finished_results(const Suite& suite, const fs::path& folder) {
  std::vector<nlohmann::json> results;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "curves", error))
    if (std::optional<nlohmann::json> result = finished_result(entry.path())) {
      (*result)["folder"] = "curves/" + entry.path().filename().string();
      results.push_back(std::move(*result));
    }
  const auto place = [&](const nlohmann::json& result) {
    const auto text = [&](const char* name) { return result[name].get<std::string>(); };
    const auto network = std::ranges::find_if(suite.networks, [&](const Network& each) {
      return each.model == text("model") && each.recipe == text("recipe");
    });
    return std::tuple(text("dataset"), network - suite.networks.begin(), text("impl"));
  };
  std::ranges::sort(results, {}, place);
  return results;
}

// The networks of the suite that a call asks for.
std::vector<Network> chosen_networks(const Suite& suite, const SuiteOptions& options) {
  for (const std::string& model : options.models)
    if (std::ranges::find(suite.networks, model, &Network::model) == suite.networks.end())
      throw UsageError(fmt::format("suite {} has no network {}", suite.name, model));
  std::vector<Network> chosen;
  for (const Network& network : suite.networks) {
    if (!options.models.empty() && std::ranges::find(options.models, network.model) == options.models.end()) continue;
    if (options.recipe.empty() || options.recipe == network.recipe) chosen.push_back(network);
  }
  if (chosen.empty())
    throw UsageError(fmt::format("suite {} has none of its networks by recipe {}", suite.name, options.recipe));
  return chosen;
}

}  // namespace

std::vector<std::string> implementations_here() {
  std::vector<std::string> names;
  for (const Backend* backend : compiled_backends())
    if (backend->device_count() > 0 && std::string(backend->name) != "reference") names.push_back(backend->name);
  return without_repeats(names);
}

void open_suite_folder(const fs::path& folder, const nlohmann::json& settings) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw IoError("cannot write " + folder.string() + ": " + error.message());
  const fs::path path = folder / "suite.json";
  if (!fs::exists(path, error)) return write_text(path, dump_json(settings, 1) + "\n");
  const nlohmann::json before = read_object(path);
  for (const auto& [name, value] : settings.items())
    if (const nlohmann::json held = before.value(name, nlohmann::json()); held != value)
      throw UsageError(fmt::format("{} holds a comparison with {} {}, not {}: name another folder with --out",
                                   folder.string(), name, dump_json(held), dump_json(value)));
}

std::vector<RunConfig> plan_suite(const Suite& suite, const SuiteOptions& options) {
  const auto implementations =
      options.implementations.empty() ? implementations_here() : without_repeats(options.implementations);
  const auto datasets = options.datasets.empty() ? suite.datasets : without_repeats(options.datasets);
  const std::vector<Network> networks = chosen_networks(suite, options);
  RunConfig common;
  common.data_dir = options.data_dir;
  common.check_hash = options.check_hash;
  common.device.where = options.where;
  common.device.threads = options.threads;
  common.seed = options.seed;
  check_device(common.device);
  for (const std::string& name : implementations) {
    DeviceOptions device = common.device;
    device.implementation = name;
    Device::open(device);
  }
  std::map<std::string, int64_t> examples;
  for (const std::string& dataset : datasets) examples[dataset] = training_examples(dataset, options);

  std::vector<RunConfig> plan;
  for (const std::string& implementation : implementations)
    for (const std::string& dataset : datasets)
      for (const Network& network : networks) {
        RunConfig config = common;
        config.model = network.model;
        config.recipe = network.recipe;
        config.dataset = dataset;
        config.device.implementation = implementation;
        config.training = find_recipe(find_model(network.model), network.recipe);
        config.train_accuracy = std::ranges::any_of(suite.published, [&](const PublishedCurve& curve) {
          return curve.training_accuracy && curve.is_of(network, dataset);
        });
        if (options.quick) {
          config.training.epochs = network.quick_marks.back();
          config.training.steps = 0;
          config.training.validation_count =
              std::max(config.training.validation_count, examples[dataset] - suite.quick_examples);
        }
        config.eval_every = network.eval_every;
        config.save_every = network.eval_every;
        plan.push_back(config);
      }
  return plan;
}

SuiteResult run_suite(const Suite& suite, const SuiteOptions& options) {
  static const std::atomic<bool> never{false};
  const std::atomic<bool>& stop = options.stop ? *options.stop : never;
  std::vector<RunConfig> plan = plan_suite(suite, options);
  SuiteResult result;
  result.planned = static_cast<int64_t>(plan.size());
  result.folder = options.out;
  if (options.out.empty())
    result.folder = fs::path("runs") / ("compare-" + suite.name + (options.quick ? "-quick" : ""));
  open_suite_folder(result.folder, shared_settings(suite, options));
  const FolderLock lock(result.folder);

  for (RunConfig& config : plan) {
    if (stop) break;
    const std::string name =
        curve_name(suite, config.model, config.recipe) + "-" + config.dataset + "-" + config.device.implementation;
    config.out = result.folder / "curves" / name;
    const bool finished = finished_result(config.out).has_value();
    if (!options.quiet)
      say(fmt::format("[{}/{}] {}: {}", result.finished + 1, plan.size(), name,
                      finished ? "finished before" : length_of(config.training)));
    if (!finished) {
      std::optional<nlohmann::json> curve = train_curve(config, options.quiet, stop);
      if (!curve) break;
      if (suite.inference) {
        (*curve)["test"] = timed_test(config, *suite.inference, options.quick, options.predict_program);
        (*curve)["digits"] = predicted_digits(config, options.predict_program);
      }
      write_result(config.out, *curve);
      write_report(suite, options.quick, finished_results(suite, result.folder), result.folder);
    }
    ++result.finished;
  }
  result.interrupted = result.finished < result.planned;
  result.results = finished_results(suite, result.folder);
  write_report(suite, options.quick, result.results, result.folder);
  return result;
}

}  // namespace cairn::comparisons
