#include "benchmarks/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "benchmarks/layers.h"
#include "benchmarks/sampled_product.h"
#include "benchmarks/stage.h"
#include "framework/device.h"
#include "framework/error.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {
namespace {

constexpr const char* kSquare = "square";
constexpr int64_t kPlainLoops = 512;                         // a larger square's oracle is sampled_square
constexpr double kMostRungFlops = 2.0 * (int64_t{1} << 36);  // 4096 cubed: a naive rung takes half a second there

double rounding_of(Precision precision) {
  return precision == Precision::fp32 ? 0 : precision == Precision::tf32 ? 0x1p-11 : 0x1p-9;
}

const Backend& chosen(const LadderOptions& options) {
  const Backend* cuda = find_backend(options.implementation.c_str(), Where::cuda);
  const Backend* cpu = find_backend(options.implementation.c_str(), Where::cpu);
  if (!cuda && !cpu) throw UsageError("unknown implementation '" + options.implementation + "' of a ladder");
  if (options.where != "cpu" && cuda && cuda->device_count() > 0) return *cuda;
  if (options.where == "cuda") throw UsageError("no CUDA device was found: use --device cpu");
  if (!cpu) throw UsageError("implementation '" + options.implementation + "' needs an NVIDIA GPU and its driver");
  return *cpu;
}

const Backend* library_for(const Backend& own) {
  return find_backend(own.where == Where::cuda ? "cudnn" : "eigen", own.where);
}

// The rungs of one backend that the precision allows.
void add_rungs(std::vector<Subject>& subjects, const Backend& backend, const char* primitive, bool is_library,
               Precision precision) {
  int32_t count = 0;
  const KernelVariant* variants = backend.variants ? backend.variants(&count) : nullptr;
  for (int32_t i = 0; i < count; ++i) {
    const KernelVariant& variant = variants[i];
    if (std::strcmp(variant.primitive, primitive) != 0 || !device_runs(backend, variant)) continue;
    const bool rounds = std::strstr(variant.idea, "TF32") || std::strstr(variant.idea, "bf16");
    if (!is_library && rounds != (precision != Precision::fp32)) continue;
    subjects.push_back({.backend = &backend,
                        .rung = variant.rung,
                        .kernel = fmt::format("{}={} {}", primitive, variant.rung, variant.name),
                        .is_default = variant.is_default != 0,
                        .is_library = is_library,
                        .precision = precision});
  }
}

std::vector<Subject> subjects_for(const Case& one, const LadderOptions& options, bool with_rungs) {
  const Backend& own = chosen(options);
  std::vector<Subject> subjects;
  if (const Backend* library = library_for(own)) {
    add_rungs(subjects, *library, one.primitive, true, options.precision);
    if (subjects.empty()) subjects.push_back({.backend = library, .is_library = true, .precision = options.precision});
    if (library == &own) return subjects;
  }
  subjects.push_back({.backend = &own, .kernel = "its own choice", .precision = options.precision});
  if (with_rungs) add_rungs(subjects, own, one.primitive, false, options.precision);
  return subjects;
}

// What a case's output should be: known in full, or at sampled places until the library's has been found right there.
struct Expected {
  std::vector<std::vector<double>> values;
  double slack = 1;  // times the tolerance: twice where what is compared with is itself rounded
};

Expected expected_of(const Case& one, int64_t square) {
  if (square > kPlainLoops) return {{sampled_square(square, reals(1), reals(2))}};
  Stage stage(one, *find_backend("reference", Where::cpu), DType::f64, 0, 0);
  const OpenStream stream(*find_backend("reference", Where::cpu), 1, "", Precision::fp32);
  return {stage.results(stream)};
}

std::string compare(const std::vector<Place::Output>& outputs, const std::vector<std::vector<double>>& actual,
                    const Expected& expected) {
  for (size_t i = 0; i < actual.size(); ++i) {
    Place::Output output = outputs[i];
    output.tolerance *= expected.slack;
    std::vector<double> known = actual[i], wanted = expected.values[i];
    for (size_t place = 0; place < wanted.size(); ++place)
      if (std::isnan(wanted[place])) wanted[place] = std::isnan(known[place]) ? 0 : known[place];
    if (const std::string wrong = difference(output, known, wanted); !wrong.empty()) return wrong;
  }
  return "";
}

// A sampled oracle is completed by a result that agrees with it.
void complete(Expected& expected, const std::vector<std::vector<double>>& right) {
  for (size_t i = 0; i < right.size(); ++i)
    for (size_t place = 0; place < right[i].size(); ++place)
      if (std::isnan(expected.values[i][place])) expected.values[i][place] = right[i][place], expected.slack = 2;
}

class LadderRun {
 public:
  LadderRun(const LadderOptions& options, KernelReport& report) : options_(options), report_(report) {}

  void run(const Case& one, const std::function<void(const KernelRow&)>& progress) {
    const Backend& own = chosen(options_);
    const size_t rotation = options_.warm || options_.once ? 0
                            : own.where == Where::cuda     ? kGpuRotationBytes
                                                           : 2 * report_.machine.cache_bytes;
    Stage stage(one, own, DType::f32, rotation, rounding_of(options_.precision));
    const double flops = stage.calls().cost().flops;
    if (options_.once) return call_once(one, own, stage);

    const bool is_square = one.use.rfind(kSquare, 0) == 0;
    Expected expected = expected_of(one, is_square ? std::llround(std::cbrt(flops / 2)) : 0);
    const size_t first = report_.rows.size();
    double library_seconds = 0;
    for (const Subject& subject : subjects_for(one, options_, options_.rungs && flops <= kMostRungFlops)) {
      KernelRow row = begun_row(one, subject, stage);
      measure_row(row, subject, stage, expected);
      if (subject.is_library && row.wrong.empty())
        library_seconds = library_seconds > 0 ? std::min(library_seconds, row.timing.seconds) : row.timing.seconds;
      report_.rows.push_back(std::move(row));
    }
    for (size_t i = first; i < report_.rows.size(); ++i) {
      KernelRow& row = report_.rows[i];
      row.library_seconds = row.wrong.empty() ? library_seconds : 0;
      row.library = library_seconds > 0 ? report_.rows[first].implementation : "";
      if (progress) progress(row);
    }
  }

 private:
  // What a subject cannot do is its row's and no reason to lose the others'.
  void measure_row(KernelRow& row, const Subject& subject, Stage& stage, Expected& expected) const {
    try {
      const OpenStream stream(*subject.backend, options_.threads, subject.kernels(), options_.precision);
      const std::vector<std::vector<double>> actual = stage.results(stream);
      for (const Place::Output& output : stage.outputs()) row.tolerance = std::max(row.tolerance, output.tolerance);
      row.wrong = compare(stage.outputs(), actual, expected);
      if (!row.wrong.empty()) return;
      complete(expected, actual);
      row.timing = time_calls(stage.calls(), stream, options_.sampling);
    } catch (const std::exception& error) {
      row.wrong = error.what();
    }
    const Ceilings& ceilings = subject.backend->where == Where::cpu ? report_.cpu : report_.gpu;
    const double arithmetic = ceilings.flops > 0 ? row.cost.flops / ceilings.flops : 0;
    const double memory = ceilings.bandwidth > 0 ? row.cost.bytes / ceilings.bandwidth : 0;
    row.floor_seconds = std::max(arithmetic, memory);
    row.limit = arithmetic > memory ? "arithmetic" : "memory";
  }

  void call_once(const Case& one, const Backend& own, Stage& stage) {
    const OpenStream stream(own, options_.threads, options_.kernels, options_.precision);
    stream.check(stage.calls().run(own, stream.get(), 0, 1), "the call");
    stream.check(own.synchronize(stream.get()), "synchronize");
    report_.rows.push_back(begun_row(one, {.backend = &own, .kernel = options_.kernels}, stage));
  }

  const LadderOptions& options_;
  KernelReport& report_;
};

}  // namespace

std::vector<Case> ladder_cases(const LadderOptions& options) {
  std::vector<Case> all, cases;
  for (const int64_t size : options.sizes)
    add_product(all, fmt::format("{} {}", kSquare, size), true, size, size, size, {false, false, false, false});
  if (options.networks)
    for (Case& one : network_cases()) all.push_back(std::move(one));
  for (Case& one : all)
    if (is_wanted(one.primitive, options.only) && one.use.find(options.use) != std::string::npos)
      cases.push_back(std::move(one));
  return cases;
}

KernelReport run_ladder(const LadderOptions& options, const std::function<void(const KernelRow&)>& progress) {
  if (!options.where.empty() && options.where != "cpu" && options.where != "cuda")
    throw UsageError("unknown device '" + options.where + "': choose cpu or cuda");
  for (const int64_t size : options.sizes)
    if (size < 1 || size > 32768) throw UsageError(fmt::format("--sizes must be between 1 and 32768, not {}", size));
  if (options.sampling.repeats < 1) throw UsageError("--repeats must be at least 1");
  if (!(options.sampling.seconds > 0)) throw UsageError("--seconds must be more than 0");
  if (!options.kernels.empty() && !options.once) throw UsageError("--kernel goes with --once: a ladder has all rungs");
  const std::vector<Case> cases = ladder_cases(options);
  if (cases.empty())
    throw UsageError("nothing to time: give --sizes 1024,4096 or --networks, and an --only and --use that they have");

  const Backend& own = chosen(options);
  KernelReport report;
  report.machine = this_machine();
  report.options.implementation = options.implementation;
  report.options.where = name_of(own.where);
  report.options.sampling = options.sampling;
  report.options.warm = options.warm;
  report.rotation_bytes = options.warm               ? 0
                          : own.where == Where::cuda ? kGpuRotationBytes
                                                     : 2 * report.machine.cache_bytes;
  report.devices = OpenStream(own, options.threads, "", options.precision).description();
  if (const Backend* library = library_for(own); library && library != &own)
    report.devices += "; " + OpenStream(*library, options.threads, "", options.precision).description();
  if (!options.once && own.where == Where::cpu) report.cpu = measure_cpu(options.threads, 0);
  if (!options.once && own.where == Where::cuda) report.gpu = measure_gpu(options.precision);
  LadderRun run(options, report);
  for (const Case& one : cases) run.run(one, progress);
  return report;
}

}  // namespace cairn::benchmarks
