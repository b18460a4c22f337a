// bench: times kernels and training steps, and writes the page of results. Parses flags, prints; the work is in
// benchmarks/.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>

#include "apps/app.h"
#include "apps/device_flags.h"
#include "apps/flags.h"
#include "benchmarks/inference.h"
#include "benchmarks/kernels.h"
#include "benchmarks/ladder.h"
#include "benchmarks/page.h"
#include "benchmarks/report.h"
#include "benchmarks/step.h"
#include "benchmarks/turns.h"
#include "framework/error.h"
#include "framework/file.h"
#include "framework/json_text.h"
#include "framework/message.h"
#include "kernels/number.h"
#include "trainers/run_config.h"

namespace cairn {
namespace {

constexpr const char* kCommands =
    "Commands:\n"
    "  kernels  every kernel: its result checked, then timed with a cold cache, against the library and the machine\n"
    "  ladder   products and convolutions against the library: --sizes of squares, --networks' own layers, --rungs\n"
    "  step     a model's training step, split by kernel; with --turns timed whenever a line on stdin says how long\n"
    "  inference  what a folded network computes of a batch of drawn images, likewise\n"
    "  page     docs/benchmarks.md and its tables from the results under benchmarks/results; --out is its folder\n"
    "\n"
    "--out FILE writes there; --out FOLDER/ writes FOLDER/<machine>/<what was measured>.json or .md or .txt\n";

struct Settings {
  std::string implementation, where, only, model = "dnn", recipe = "default", dataset, data_dir, format = "text", out;
  std::string use, sizes, kernels, precision = "fp32";
  std::string results = "benchmarks/results";
  int threads = 0;
  int64_t batch_size = -1;
  benchmarks::Sampling sampling;
  bool warm = false, small = false, quiet = false, networks = false, rungs = false, once = false, turns = false;
};

void add_flags(app::Flags& flags, Settings& settings) {
  flags.add("--impl", settings.implementation,
            "implementation; default all for kernels, vanilla for ladder, simd for step");
  flags.add("--device", settings.where, "cpu or cuda; default all for kernels, else a GPU if there is one");
  flags.add("--threads", settings.threads, "CPU threads, 0 = as many as this process may use");
  flags.add("--only", settings.only, "kernels, ladder: parts of primitives' names, separated by commas");
  flags.add("--sizes", settings.sizes, "ladder: of square products, separated by commas");
  flags.add_switch("--networks", settings.networks, "ladder: every layer of every network, each direction");
  flags.add("--use", settings.use, "ladder: part of the calls' names, such as 'lenet conv2'");
  flags.add_switch("--rungs", settings.rungs, "ladder: every rung, not only what the implementation chooses");
  flags.add_switch("--once", settings.once, "ladder: one call each, nothing checked or timed; for a profiler");
  flags.add("--kernel", settings.kernels, "step, ladder --once: rungs to use, such as gemm=3");
  flags.add("--precision", settings.precision, "step, ladder: fp32, tf32 or bf16, of products");
  flags.add_switch("--small", settings.small, "kernels: only the networks' own sizes");
  flags.add_switch("--warm", settings.warm, "kernels, ladder: the same arrays at every call, instead of a cold cache");
  flags.add("--model", settings.model, "step, inference: network");
  flags.add("--recipe", settings.recipe, "step: the model's settings");
  flags.add_switch("--turns", settings.turns,
                   "step, inference: answer lines on stdin, for benchmarks/versus_pytorch.py");
  flags.add("--dataset", settings.dataset, "step: data set; default the one that fits the network");
  flags.add("--data-dir", settings.data_dir, "step: where data sets are; default $CAIRN_DATA, else ./data");
  flags.add("--batch-size", settings.batch_size,
            "step: images a step, 0 = full batch, -1 = the recipe's; inference: images a batch, -1 = 1");
  flags.add("--repeats", settings.sampling.repeats, "samples, of which the median counts");
  flags.add("--seconds", settings.sampling.seconds, "time for all samples of one kernel, about");
  flags.add("--format", settings.format, "text, json or markdown");
  flags.add("--out", settings.out, "file to write to, or a folder when it ends in /; default standard output");
  flags.add("--results", settings.results, "page: folder of JSON results");
  flags.add_switch("--quiet", settings.quiet, "no progress on stderr");
  flags.set_footer(kCommands);
}

// Folders that are not there are made.
void write_file(const Settings& settings, const std::filesystem::path& path, const std::string& text) {
  std::error_code failure;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failure);
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  write_file_atomically(path, std::span(&bytes, 1));
  if (!settings.quiet) say(fmt::format("wrote {}", path.string()));
}

void write(const Settings& settings, const std::string& text, const std::string& machine, const std::string& name) {
  if (settings.out.empty()) {
    app::print("{}", text);
    return;
  }
  std::filesystem::path path = settings.out;
  if (settings.out.back() == '/')
    path = path / machine /
           (name + (settings.format == "json"       ? ".json"
                    : settings.format == "markdown" ? ".md"
                                                    : ".txt"));
  write_file(settings, path, text);
}

void write_report(const Settings& settings, const nlohmann::json& report, const std::string& name) {
  const std::string text = settings.format == "json" ? dump_json(report, 1) + "\n"
                                                     : benchmarks::rendered(report, settings.format == "markdown");
  write(settings, text, report["machine"]["folder"], name);
}

void print_row(const Settings& settings, const benchmarks::KernelRow& row) {
  if (!row.wrong.empty())
    say(fmt::format("bench: {} {} {} ({}) is wrong: {}", row.implementation, row.primitive, row.kernel, row.shape,
                    row.wrong));
  else if (!settings.quiet)
    say(fmt::format("{} {}, {}: {}", row.implementation, row.kernel.empty() ? row.primitive : row.kernel, row.shape,
                    benchmarks::duration(row.timing.seconds)));
}

int time_kernels(const Settings& settings) {
  benchmarks::KernelOptions options;
  options.implementation = settings.implementation;
  options.where = settings.where;
  options.only = settings.only;
  options.threads = settings.threads;
  options.sampling = settings.sampling;
  options.warm = settings.warm;
  options.small_only = settings.small;
  bool wrong = false;
  const auto report = benchmarks::run_kernels(options, [&](const benchmarks::KernelRow& row) {
    wrong = wrong || !row.wrong.empty();
    print_row(settings, row);
  });
  std::string name = "kernels";
  if (!options.implementation.empty()) name += "-" + options.implementation;
  if (!options.only.empty()) name += "-" + options.only;
  if (options.warm) name += "-warm";
  write_report(settings, benchmarks::to_json(report), name);
  return wrong ? app::kFailed : app::kDone;
}

std::vector<int64_t> sizes_from(const std::string& text) {
  constexpr int64_t kLargestSide = 999999;
  std::vector<int64_t> sizes;
  for (size_t begin = 0; !text.empty() && begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    const std::string one = text.substr(begin, comma - begin);
    int64_t size = 0;
    if (read_number(one, size) || size < 1 || size > kLargestSide)
      throw UsageError(fmt::format("--sizes takes numbers from 1 to {}, separated by commas, not {}", kLargestSide,
                                   in_quotes(text)));
    sizes.push_back(size);
    begin = comma + 1;
  }
  return sizes;
}

int time_ladder(const Settings& settings) {
  benchmarks::LadderOptions options;
  if (!settings.implementation.empty()) options.implementation = settings.implementation;
  options.where = settings.where;
  options.precision = precision_from(settings.precision);
  options.only = settings.only;
  options.use = settings.use;
  options.sizes = sizes_from(settings.sizes);
  options.networks = settings.networks;
  options.rungs = settings.rungs;
  options.once = settings.once;
  options.kernels = settings.kernels;
  options.threads = settings.threads;
  options.sampling = settings.sampling;
  options.warm = settings.warm;
  bool wrong = false;
  const auto report = benchmarks::run_ladder(options, [&](const benchmarks::KernelRow& row) {
    wrong = wrong || !row.wrong.empty();
    print_row(settings, row);
  });
  write_report(settings, benchmarks::to_json(report, options), "ladder-" + options.implementation);
  return wrong ? app::kFailed : app::kDone;
}

int time_step(const Settings& settings, bool inference) {
  benchmarks::StepOptions options;
  options.model = settings.model;
  options.recipe = settings.recipe;
  options.device.implementation = settings.implementation.empty() ? "simd" : settings.implementation;
  if (!settings.where.empty()) options.device.where = settings.where;
  options.device.threads = settings.threads;
  options.device.kernels = settings.kernels;
  options.device.precision = precision_from(settings.precision);
  options.dataset = settings.dataset;
  options.data_dir = settings.data_dir;
  options.batch_size = settings.batch_size;
  options.sampling = settings.sampling;
  options.inference = inference;
  if (settings.turns) {
    benchmarks::serve_turns(options, std::cin, std::cout);
    return app::kDone;
  }
  const nlohmann::json report =
      benchmarks::to_json(inference ? benchmarks::run_inference(options) : benchmarks::run_step(options));
  std::string name =
      fmt::format("{}-{}-{}", inference ? "inference" : "step", settings.model, options.device.implementation);
  if (!settings.kernels.empty()) name += "-" + settings.kernels;
  if (settings.batch_size >= 0) name += fmt::format("-batch-{}", settings.batch_size);
  write_report(settings, report, name);
  return app::kDone;
}

int write_pages(const Settings& settings) {
  if (settings.out.empty()) throw UsageError("bench page needs the folder to write to: --out docs/");
  for (const benchmarks::ResultsPage& page : benchmarks::results_pages(settings.results))
    write_file(settings, std::filesystem::path(settings.out) / page.path, page.text);
  return app::kDone;
}

int bench(int argc, char** argv) {
  app::Flags flags("bench", "Measures kernels and training steps.");
  Settings settings;
  std::vector<std::string> words;
  flags.add_words("COMMAND", words, "kernels, ladder, step, inference or page");
  add_flags(flags, settings);
  if (!flags.parse(argc, argv)) return app::kDone;
  if (words.size() != 1) throw UsageError("one command is needed: kernels, ladder, step, inference or page");
  if (settings.format != "text" && settings.format != "json" && settings.format != "markdown")
    throw UsageError("unknown format '" + settings.format + "': choose text, json or markdown");
  if (settings.threads < 0 || settings.threads > 1024)
    throw UsageError(fmt::format("--threads must be between 0 and 1024, not {}", settings.threads));
  if (!settings.quiet) app::warn_of_threads("bench", settings.threads);
  if (settings.batch_size < -1) throw UsageError("--batch-size must be a number of images, 0 or -1");
  if (words[0] == "kernels") return time_kernels(settings);
  if (words[0] == "ladder") return time_ladder(settings);
  if (words[0] == "step" || words[0] == "inference") return time_step(settings, words[0] == "inference");
  if (words[0] != "page")
    throw UsageError("unknown command '" + words[0] + "': choose kernels, ladder, step, inference or page");
  return write_pages(settings);
}

}  // namespace
}  // namespace cairn

int main(int argc, char** argv) {
  return cairn::app::guarded("bench", [&] { return cairn::bench(argc, argv); });
}
