// compare: repeats a published comparison and puts its figures beside the published ones. Parses flags, prints; the
// work is in comparisons/.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "apps/app.h"
#include "apps/flags.h"
#include "comparisons/live.h"
#include "comparisons/report.h"
#include "comparisons/run.h"
#include "framework/error.h"

namespace cairn {
namespace {

struct Settings {
  std::string suite, implementations, datasets;
  comparisons::SuiteOptions options;
  bool live = false;
  std::string model = "lenet", recipe = "default";
  int64_t steps = 100;
};

std::string suites_text() {
  std::string text = "Suites:\n";
  for (const comparisons::Suite& suite : comparisons::known_suites())
    text += fmt::format("  {:<16} {}\n", suite.name, suite.title);
  return text +
         "\nAll of it in fp32, as published. The folder holds report.html, report.md, plots/ and a run folder for each "
         "training;\nthe same call again continues what was interrupted and leaves alone what is finished.\n";
}

void add_flags(app::Flags& flags, Settings& settings) {
  comparisons::SuiteOptions& options = settings.options;
  flags.add("--suite", settings.suite, "which comparison");
  flags.add_switch("--live", settings.live, "instead of a suite: a network beside its twin in LibTorch, step by step");
  flags.add("--model", settings.model, "with --live: the network");
  flags.add("--recipe", settings.recipe, "with --live: one of the network's recipes");
  flags.add("--steps", settings.steps, "with --live: how many steps of training");
  flags.add_switch("--quick", options.quick, "few epochs on few images: minutes on a CPU, figures without meaning");
  flags.add("--impl", settings.implementations,
            "implementations, separated by commas; default all that this machine has, without reference");
  flags.add("--dataset", settings.datasets, "data sets, separated by commas; default the suite's");
  flags.add("--data-dir", options.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--check-hash", options.check_hash, "refuse data files that are not the published ones (true or false)");
  flags.add("--device", options.where, "auto, cpu or cuda");
  flags.add("--threads", options.threads, "CPU threads, 0 = all cores");
  flags.add("--seed", options.seed, "of weights, order and dropout");
  flags.add("--out", options.out, "folder; default runs/compare-<suite>, with -quick appended");
  flags.add_switch("--quiet", options.quiet, "print only errors and results");
  flags.set_footer(suites_text());
}

// "a,b" as {"a", "b"}; empty: none.
std::vector<std::string> words_of(const std::string& text, const char* flag) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    if (word.empty()) throw UsageError(fmt::format("{} {}: there is nothing between two commas", flag, text));
    words.push_back(word);
  }
  return words;
}

void print_tables(const comparisons::Suite& suite, bool quick, const comparisons::SuiteResult& result) {
  for (const comparisons::SuiteTables& tables : suite_tables(suite, quick, result.results)) {
    fmt::print("{}: time\n{}\n", tables.dataset, benchmarks::text(tables.seconds));
    fmt::print("{}: accuracy\n{}\n", tables.dataset, benchmarks::text(tables.accuracy));
  }
}

// One network, one implementation, one data set.
int compare_live(const Settings& settings) {
  comparisons::LiveOptions live{.steps = settings.steps, .stop = &app::interruption()};
  RunConfig& run = live.run;
  run.model = settings.model;
  run.recipe = settings.recipe;
  run.training = find_recipe(find_model(run.model), run.recipe);
  run.dataset = settings.datasets;
  run.data_dir = settings.options.data_dir;
  run.check_hash = settings.options.check_hash;
  run.seed = settings.options.seed;
  run.device.implementation = settings.implementations.empty() ? "eigen" : settings.implementations;
  run.device.where = settings.options.where;
  run.device.threads = settings.options.threads;
  const comparisons::LiveResult result = comparisons::run_live(live);
  if (result.interrupted) return app::kInterrupted;
  fmt::print("{}", comparisons::text(result));
  return comparisons::within_tolerance(result) ? app::kDone : app::kFailed;
}

int compare(int argc, char** argv) {
  app::Flags flags("compare", "Repeats a published comparison, beside the published figures.");
  Settings settings;
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  if (settings.live) return compare_live(settings);
  if (settings.suite.empty()) {
    std::string names;
    for (const comparisons::Suite& suite : comparisons::known_suites())
      names += (names.empty() ? "" : ", ") + suite.name;
    throw UsageError("--suite (or --live) is needed: one of " + names);
  }
  const comparisons::Suite& suite = comparisons::find_suite(settings.suite);
  comparisons::SuiteOptions& options = settings.options;
  options.implementations = words_of(settings.implementations, "--impl");
  options.datasets = words_of(settings.datasets, "--dataset");
  options.predict_program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "predict";
  options.stop = &app::interruption();

  const comparisons::SuiteResult result = comparisons::run_suite(suite, options);
  const std::string folder = result.folder.string();
  if (result.interrupted) {
    fmt::print(stderr, "compare: interrupted with {} of {} trainings finished; the same call goes on from there: {}\n",
               result.finished, result.planned, folder);
    return app::kInterrupted;
  }
  print_tables(suite, options.quick, result);
  fmt::print("{} trainings: {}/report.html and {}/report.md\n", result.finished, folder, folder);
  return app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("compare", [&] { return cairn::compare(argc, argv); });
}
