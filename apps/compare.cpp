// compare: repeats a published comparison and puts its figures beside the published ones; or trains from the start that
// PyTorch had and compares step by step with what it recorded. Parses flags, prints; the work is in comparisons/.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "apps/app.h"
#include "apps/device_flags.h"
#include "apps/flags.h"
#include "comparisons/live.h"
#include "comparisons/parity_report.h"
#include "comparisons/parity_run.h"
#include "comparisons/photo_suites.h"
#include "comparisons/report.h"
#include "comparisons/run.h"
#include "framework/error.h"
#include "framework/message.h"

namespace cairn {
namespace {

struct Settings {
  std::string suite, implementations, datasets, weights_dir;
  comparisons::SuiteOptions options;
  // Of the comparisons with PyTorch, recorded or live.
  std::optional<std::string> models, recipe, report, references, kernels;
  std::optional<int64_t> steps, epochs;
  bool all = false, live = false, in_double = false;
};

std::string suites_text() {
  std::string text = "Suites:\n";
  for (const comparisons::Suite& suite : comparisons::known_suites())
    text += fmt::format("  {:<19} {}\n", suite.name, suite.title);
  for (const comparisons::PhotoSuite& suite : comparisons::photo_suites())
    text += fmt::format("  {:<19} {}\n", suite.name, suite.title);
  return text +
         "\nAll of it in fp32, as published. The folder holds report.html, report.md, plots/ and a run folder for each "
         "training;\nthe same call again continues what was interrupted and leaves alone what is finished.\n";
}

void add_flags(app::Flags& flags, Settings& settings) {
  comparisons::SuiteOptions& options = settings.options;
  flags.add("--model", settings.models,
            "networks to compare with PyTorch's recordings, separated by commas; with --suite: those of it to train");
  flags.add_switch("--all", settings.all, "compare every network and recipe with PyTorch's recordings");
  flags.add_switch("--live", settings.live,
                   "compare --model with its twin in LibTorch instead, trained in this process");
  flags.add("--recipe", settings.recipe, "of --model; default `default`, with --suite every one");
  flags.add("--steps", settings.steps, "losses to compare with PyTorch's, without epochs if under 100");
  flags.add("--epochs", settings.epochs, "accuracies to compare with PyTorch's; default as many as were recorded");
  flags.add_switch("--double", settings.in_double,
                   "compare with PyTorch's losses in double precision, where rounding explains nothing");
  flags.add("--report", settings.report, "folder for a page of the comparison with PyTorch");
  flags.add("--kernel", settings.kernels, "with --model and --all: rungs to use, such as gemm=3");
  flags.add("--references", settings.references, "folder of PyTorch's recordings; default those that come with Cairn");
  flags.add("--suite", settings.suite, "which published comparison");
  flags.add_switch("--quick", options.quick, "few epochs on few examples: minutes on a CPU, figures without meaning");
  flags.add("--impl", settings.implementations,
            "implementations, separated by commas; default all that this machine has, without reference");
  flags.add(
      "--dataset", settings.datasets,
      "data sets, separated by commas; default the suite's, or the first that fits the network, else a generated one");
  flags.add("--data-dir", options.data_dir, "where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--check-hash", options.check_hash, "refuse data files that are not the published ones (true or false)");
  flags.add("--device", options.where, "auto, cpu or cuda");
  flags.add("--threads", options.threads, "CPU threads, 0 = as many as this process may use");
  flags.add("--seed", options.seed, "of weights, order and dropout");
  flags.add("--weights-dir", settings.weights_dir, "of suite playground-imagenet: a folder with <network>.pth of each");
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
    app::print("{}: time\n{}\n", tables.dataset, benchmarks::text(tables.seconds));
    app::print("{}: accuracy\n{}\n", tables.dataset, benchmarks::text(tables.accuracy));
  }
}

// One network, one implementation, one data set.
int compare_live(const Settings& settings) {
  comparisons::LiveOptions live{.steps = settings.steps.value_or(100), .stop = &app::interruption()};
  RunConfig& run = live.run;
  run.model = *settings.models;
  run.recipe = settings.recipe.value_or("default");
  run.training = find_recipe(find_model(run.model), run.recipe);
  run.dataset = settings.datasets;
  run.data_dir = settings.options.data_dir;
  run.check_hash = settings.options.check_hash;
  run.seed = settings.options.seed;
  run.device.implementation = settings.implementations.empty() ? "simd" : settings.implementations;
  run.device.where = settings.options.where;
  run.device.threads = settings.options.threads;
  run.device.kernels = settings.kernels.value_or("");
  const comparisons::LiveResult result = comparisons::run_live(live);
  if (result.interrupted) return app::kInterrupted;
  app::print("{}", comparisons::text(result));
  return comparisons::within_tolerance(result) ? app::kDone : app::kFailed;
}

int compare_photos(const comparisons::PhotoSuite& suite, const Settings& settings) {
  const comparisons::SuiteOptions& shared = settings.options;
  comparisons::PhotoSuiteOptions options;
  options.implementations = words_of(settings.implementations, "--impl");
  options.models = words_of(settings.models.value_or(""), "--model");
  if (!settings.datasets.empty()) options.dataset = settings.datasets;
  options.data_dir = shared.data_dir;
  options.weights_dir = settings.weights_dir;
  options.check_hash = shared.check_hash;
  options.quick = shared.quick;
  options.quiet = shared.quiet;
  options.where = shared.where;
  options.threads = shared.threads;
  options.out = shared.out;
  options.stop = &app::interruption();
  if (settings.recipe) throw UsageError("--recipe belongs to suites that train");
  const comparisons::PhotoSuiteResult result = run_photo_suite(suite, options);
  const std::string folder = result.folder.string();
  if (result.interrupted) {
    say(fmt::format("compare: interrupted; the same call goes on: {}", folder));
    return app::kInterrupted;
  }
  app::print("{}\n{}/report.html and {}/report.md\n", benchmarks::text(photo_table(suite, result.results)), folder,
             folder);
  return app::kDone;
}

// Throws for a flag that belongs to the other kind of comparison.
void check_kind(const Settings& settings) {
  const bool suite = !settings.suite.empty(), parity = (settings.models && !suite) || settings.all;
  if (suite == parity && !settings.live) {
    std::string names;
    for (const comparisons::Suite& each : comparisons::known_suites()) names += (names.empty() ? "" : ", ") + each.name;
    for (const comparisons::PhotoSuite& each : comparisons::photo_suites()) names += ", " + each.name;
    throw UsageError("one of --model, --all and --suite is needed; suites are " + names);
  }
  const auto refuse = [](bool given, const char* flag, const char* owner) {
    if (given) throw UsageError(fmt::format("{} belongs to {}", flag, owner));
  };
  if (settings.live) {
    if (suite || settings.all || !settings.models) throw UsageError("--live goes with one --model");
    refuse(settings.epochs.has_value(), "--epochs", "a call without --live");
    refuse(settings.report.has_value(), "--report", "a call without --live");
    refuse(settings.in_double, "--double", "a call without --live");
    refuse(settings.references.has_value(), "--references", "a call without --live");
  }
  refuse(suite && settings.steps, "--steps", "--model and --all");
  refuse(suite && settings.epochs, "--epochs", "--model and --all");
  refuse(suite && settings.report, "--report", "--model and --all");
  refuse(suite && settings.in_double, "--double", "--model and --all");
  refuse(suite && settings.kernels, "--kernel", "--model and --all");
  refuse(suite && settings.references, "--references", "--model and --all");
  refuse(parity && settings.options.quick, "--quick", "--suite");
  refuse(parity && !settings.options.out.empty(), "--out", "--suite; a page is asked for with --report");
  refuse(parity && !settings.live && settings.options.seed != 1, "--seed", "--suite; here it is the recording's");
  refuse(settings.all && settings.models, "--model", "a call without --all");
}

int compare_with_pytorch(const Settings& settings) {
  const comparisons::SuiteOptions& shared = settings.options;
  comparisons::ParityPlan plan;
  plan.models = words_of(settings.models.value_or(""), "--model");
  plan.recipe = settings.recipe.value_or(settings.all ? "" : "default");
  plan.datasets = words_of(settings.datasets, "--dataset");
  plan.implementations = words_of(settings.implementations, "--impl");
  plan.data_dir = shared.data_dir;
  plan.references = settings.references.value_or("");
  plan.check_hash = shared.check_hash;
  plan.quiet = shared.quiet;
  plan.options.device.where = shared.where;
  plan.options.device.threads = shared.threads;
  plan.options.device.kernels = settings.kernels.value_or("");
  plan.options.steps = settings.steps.value_or(plan.options.steps);
  plan.options.epochs = settings.epochs.value_or(plan.options.epochs);
  plan.options.real = settings.in_double ? DType::f64 : DType::f32;
  plan.options.stop = &app::interruption();
  if (plan.options.steps < 1) throw UsageError("--steps must be 1 or more");
  if (settings.epochs && *settings.epochs < 0) throw UsageError("--epochs must be 0 or more");

  std::vector<comparisons::ParityResult> done;
  const auto finished = [&](const comparisons::ParityResult& result) {
    done.push_back(result);
    app::print("{}, {}\n{}{}\n\n", result.reference.label(), result.device,
               benchmarks::text(comparisons::parity_table(result)), comparisons::times_note(result));
    app::flush_results();
    if (settings.report) comparisons::write_parity_report(done, *settings.report);
  };
  const size_t count = run_parity(plan, finished).size();
  if (done.size() > 1) app::print("{}\n", benchmarks::text(comparisons::summary_table(done)));
  size_t holding = 0, within = 0;
  for (const comparisons::ParityResult& result : done) {
    holding += result.holds();
    within += result.verdict() == comparisons::Verdict::within;
  }
  app::print("{} of {} comparisons within the limits{}\n", within, done.size(),
             holding > within ? fmt::format(", {} beyond as PyTorch itself", holding - within) : "");
  if (done.size() < count) {
    say("compare: interrupted");
    return app::kInterrupted;
  }
  return holding == count ? app::kDone : app::kFailed;
}

int compare(int argc, char** argv) {
  app::Flags flags("compare",
                   "Repeats a published comparison, beside the published figures (--suite); or trains from PyTorch's "
                   "start and compares step by step with what it recorded (--model, --all).");
  Settings settings;
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  check_kind(settings);
  if (!settings.options.quiet) app::warn_of_threads("compare", settings.options.threads);
  if (settings.live) return compare_live(settings);
  if (settings.suite.empty()) return compare_with_pytorch(settings);
  if (const auto photos = comparisons::find_photo_suite(settings.suite)) return compare_photos(*photos, settings);
  if (!settings.weights_dir.empty()) throw UsageError("--weights-dir belongs to --suite playground-imagenet");
  const comparisons::Suite& suite = comparisons::find_suite(settings.suite);
  comparisons::SuiteOptions& options = settings.options;
  options.implementations = words_of(settings.implementations, "--impl");
  options.datasets = words_of(settings.datasets, "--dataset");
  options.models = words_of(settings.models.value_or(""), "--model");
  options.recipe = settings.recipe.value_or("");
  options.predict_program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "predict";
  options.stop = &app::interruption();

  const comparisons::SuiteResult result = comparisons::run_suite(suite, options);
  const std::string folder = result.folder.string();
  if (result.interrupted) {
    say(fmt::format("compare: interrupted with {} of {} trainings finished; the same call goes on from there: {}",
                    result.finished, result.planned, folder));
    return app::kInterrupted;
  }
  print_tables(suite, options.quick, result);
  app::print("{} trainings: {}/report.html and {}/report.md\n", result.finished, folder, folder);
  return app::kDone;
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("compare", [&] { return cairn::compare(argc, argv); });
}
