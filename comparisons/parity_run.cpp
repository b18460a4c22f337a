#include "comparisons/parity_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "comparisons/run.h"
#include "datasets/choose.h"
#include "framework/error.h"
#include "framework/message.h"
#include "trainers/device_data.h"

namespace cairn::comparisons {
namespace {

// Those that the plan names, else what datasets/choose.h says of each network.
datasets::NetworkInput input_of(const std::string& model) {
  const ModelInfo& info = find_model(model);
  return network_input(info, info.recipes.front());
}

std::vector<ParityData> load_data(const ParityPlan& plan, const std::vector<std::string>& models) {
  datasets::LoadOptions load;
  load.quiet = plan.quiet;
  load.check_hash = plan.check_hash;
  load.stop = plan.options.stop;
  std::vector<ParityData> all;
  for (const std::string& name : plan.datasets)
    all.push_back(parity_data(datasets::load_dataset(name, plan.data_dir, load)));
  if (!all.empty()) return all;
  for (const std::string& model : models) {
    const datasets::NetworkInput input = input_of(model);
    if (std::ranges::none_of(all, [&](const ParityData& data) { return fits(input, data.dataset); }))
      all.push_back(parity_data(choose_dataset("", input, plan.data_dir, load)));
  }
  return all;
}

// The recorded cases of one network that the plan asks for, data set by data set.
std::vector<ReferenceCase> choose_cases(const ParityPlan& plan, const std::string& model,
                                        const std::vector<ParityData>& data) {
  if (!plan.recipe.empty()) find_recipe(find_model(model), plan.recipe);
  const std::vector<ReferenceCase> all = read_references(resolve_references(plan.references), model);
  std::vector<ReferenceCase> chosen;
  for (const ParityData& each : data) {
    const bool asked_for = !plan.models.empty() && !plan.datasets.empty();
    if (!asked_for && !fits(input_of(model), each.dataset)) continue;
    const size_t before = chosen.size();
    std::string there;
    for (const ReferenceCase& reference : all) {
      there += (there.empty() ? "" : ", ") + reference.recipe + " on " + reference.dataset;
      if (reference.dataset != each.dataset.name || (!plan.recipe.empty() && reference.recipe != plan.recipe)) continue;
      check_reference(reference, each);
      chosen.push_back(reference);
    }
    if (chosen.size() == before)
      throw DataError(fmt::format("nothing of {}{} on {} is recorded; there is {}", model,
                                  plan.recipe.empty() ? "" : " " + plan.recipe, each.dataset.name,
                                  there.empty() ? "nothing" : there));
  }
  return chosen;
}

}  // namespace

std::vector<ParityResult> run_parity(const ParityPlan& plan, const std::function<void(const ParityResult&)>& finished) {
  std::vector<std::string> models = plan.models;
  if (models.empty())
    for (const ModelInfo& model : known_models())
      if (is_recorded(resolve_references(plan.references), model.name)) models.push_back(model.name);
  if (models.empty())
    throw DataError(resolve_references(plan.references).string() +
                    ": holds no recording of a network; name a folder with --references");
  std::vector<std::string> implementations = plan.implementations;
  ParityOptions options = plan.options;
  if (implementations.empty())
    implementations = options.real == DType::f64 ? std::vector<std::string>{"reference"} : implementations_here();
  for (const std::string& implementation : implementations) {
    options.device.implementation = implementation;
    check_precision(*Device::open(options.device), options.real);
  }
  for (const std::string& model : models) find_model(model);
  const std::vector<ParityData> data = load_data(plan, models);
  std::vector<ReferenceCase> cases;
  for (const std::string& model : models) std::ranges::move(choose_cases(plan, model, data), back_inserter(cases));

  std::vector<ParityResult> results;
  for (const ReferenceCase& reference : cases)
    for (const std::string& implementation : implementations) {
      const auto own = std::ranges::find(
          data, reference.dataset, [](const ParityData& each) -> const std::string& { return each.dataset.name; });
      options.device.implementation = implementation;
      if (!plan.quiet)
        say(fmt::format("[{}/{}] {}, {}", results.size() + 1, cases.size() * implementations.size(), reference.label(),
                        implementation));
      results.push_back(compare_with_reference(reference, *own, options));
      if (results.back().interrupted) return results;
      finished(results.back());
    }
  return results;
}

}  // namespace cairn::comparisons
