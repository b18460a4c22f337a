#include "benchmarks/kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "benchmarks/stage.h"
#include "framework/device.h"
#include "framework/error.h"
#include "kernels/registry.h"
#include "kernels/rungs.h"

namespace cairn::benchmarks {
namespace {

constexpr double kMostOfIt = 0.5;  // a ceiling that explains this part of the time is the limit

size_t index_of(const char* primitive) {
  size_t index = 0;
  while (std::strcmp(kPrimitives[index], primitive) != 0) ++index;
  return index;
}

bool has(const Backend& backend, const char* primitive) {
  return primitive_origins(backend)[index_of(primitive)] == backend.name;
}

void check_options(const KernelOptions& options) {
  std::string names, primitives;
  bool known = options.implementation.empty(), any = false;
  const std::vector<std::string> plugins = plugin_names();
  if (std::find(plugins.begin(), plugins.end(), options.implementation) != plugins.end())
    if (const std::string problem = load_plugin(options.implementation); !problem.empty()) throw UsageError(problem);
  for (const Backend* backend : known_backends()) {
    known = known || options.implementation == backend->name;
    names += std::string(names.empty() ? "" : ", ") + backend->name;
  }
  if (!known) throw UsageError("unknown implementation '" + options.implementation + "': choose one of " + names);
  if (!options.where.empty() && options.where != "cpu" && options.where != "cuda")
    throw UsageError("unknown device '" + options.where + "': choose cpu or cuda");
  for (const char* primitive : kPrimitives) {
    any = any || is_wanted(primitive, options.only);
    primitives += std::string(primitives.empty() ? "" : ", ") + primitive;
  }
  if (!any) throw UsageError("no primitive's name contains '" + options.only + "'; they are " + primitives);
  if (options.sampling.repeats < 1) throw UsageError("--repeats must be at least 1");
  if (!(options.sampling.seconds > 0)) throw UsageError("--seconds must be more than 0");
}

// A call on one element: what it takes to get to a kernel and back.
double launch_seconds(const OpenStream& stream, const Sampling& sampling) {
  if (!stream.backend().scale) return 0;
  const Case one = make_case<ScaleArgs>(&Backend::scale, "", false, [](Place& place) {
    ScaleArgs args{.dtype = place.real(), .count = 1};
    args.x = place.input(1, constant(1));
    args.out = place.output("out", 1, 0);
    args.factor = 1;
    return args;
  });
  const Stage stage(one, stream.backend(), DType::f32, 0, 0);
  return time_calls(stage.calls(), stream, {sampling.repeats, std::min(sampling.seconds, 0.01)}).seconds;
}

// A reduced precision has an arithmetic ceiling of its own, which is not measured.
void judge(KernelRow& row, const Ceilings& ceilings, Precision precision) {
  const bool full = precision == Precision::fp32;
  const double arithmetic = full && ceilings.flops > 0 ? row.cost.flops / ceilings.flops : 0;
  const double memory = ceilings.bandwidth > 0 ? row.cost.bytes / ceilings.bandwidth : 0;
  row.floor_seconds = std::max(arithmetic, memory);
  const double enough = kMostOfIt * row.timing.seconds;
  if (row.floor_seconds >= enough)
    row.limit = arithmetic > memory ? "arithmetic" : "memory";
  else
    row.limit = row.launch_seconds >= enough ? "launch" : "instructions";
}

// Compares what the subject makes of the case with what is expected, and times it if it is right.
void measure(KernelRow& row, const Subject& subject, Stage& stage, const std::vector<std::vector<double>>& expected,
             KernelReport& report) {
  const KernelOptions& options = report.options;
  const OpenStream stream(*subject.backend, options.threads, subject.kernels(), subject.precision);
  const std::vector<std::vector<double>> actual = stage.results(stream);
  for (const Place::Output& output : stage.outputs()) row.tolerance = std::max(row.tolerance, output.tolerance);
  for (size_t i = 0; i < actual.size() && row.wrong.empty(); ++i)
    row.wrong = difference(stage.outputs()[i], actual[i], expected[i]);
  if (!row.wrong.empty()) return;
  row.timing = time_calls(stage.calls(), stream, options.sampling);
  const auto [launch, is_new] = report.launch_seconds.try_emplace(row.implementation + " on " + row.device);
  if (is_new) launch->second = launch_seconds(stream, options.sampling);
  row.launch_seconds = launch->second;
}

}  // namespace

bool is_wanted(const std::string& primitive, const std::string& only) {
  size_t begin = 0;
  while (begin <= only.size()) {
    const size_t comma = std::min(only.find(',', begin), only.size());
    if (primitive.find(only.substr(begin, comma - begin)) != std::string::npos) return true;
    begin = comma + 1;
  }
  return false;
}

std::string Subject::kernels() const {
  return rung == 0 ? "" : kernel.substr(0, kernel.find(' '));
}

bool device_runs(const Backend& backend, const KernelVariant& rung) {
  return backend.where == Where::cpu ||
         device_has(OpenStream(backend, 1, "", Precision::fp32).description(), rung.idea);
}

std::vector<Subject> subjects_of(const char* primitive, const KernelOptions& options) {
  std::vector<Subject> subjects;
  const bool on_cpu = options.where != "cuda", on_gpu = options.where != "cpu";
  for (const Backend* backend : known_backends()) {
    if (!(backend->where == Where::cpu ? on_cpu : on_gpu)) continue;
    if (backend->device_count() == 0 || !has(*backend, primitive)) continue;
    // What the others are measured against comes first and always.
    const bool is_library = std::strcmp(backend->name, backend->where == Where::cuda ? "cudnn" : "eigen") == 0;
    const bool chosen = options.implementation.empty() || options.implementation == backend->name;
    if (!chosen && !is_library) continue;
    std::vector<Subject> own = {{.backend = backend, .is_library = is_library}};
    int32_t count = 0;
    const KernelVariant* variants = backend->variants ? backend->variants(&count) : nullptr;
    for (int32_t i = 0; i < count && chosen; ++i) {
      const KernelVariant& variant = variants[i];
      if (std::strcmp(variant.primitive, primitive) != 0 || !device_runs(*backend, variant)) continue;
      own.push_back({.backend = backend,
                     .rung = variant.rung,
                     .kernel = fmt::format("{}={} {}", primitive, variant.rung, variant.name),
                     .is_default = variant.is_default != 0,
                     .precision = std::strstr(variant.idea, "TF32") ? Precision::tf32 : Precision::fp32});
    }
    if (own.size() > 1) own[0].kernel = "its own choice";
    subjects.insert(is_library ? subjects.begin() : subjects.end(), own.begin(), own.end());
  }
  return subjects;
}

KernelRow begun_row(const Case& one, const Subject& subject, const Stage& stage) {
  KernelRow row;
  row.primitive = one.primitive;
  row.shape = stage.calls().shape();
  row.use = one.use;
  row.implementation = subject.backend->name;
  row.device = name_of(subject.backend->where);
  row.kernel = subject.kernel;
  row.rung = subject.rung;
  row.is_default = subject.is_default;
  row.is_library = subject.is_library;
  row.cost = stage.calls().cost();
  return row;
}

std::vector<KernelRow> run_case(const Case& one, const std::vector<Subject>& subjects, KernelReport& report) {
  const KernelOptions& options = report.options;
  const Backend& oracle = *find_backend("reference", Where::cpu);
  Stage expected_stage(one, oracle, one.real_oracle ? DType::f64 : DType::f32, 0, 0);
  const OpenStream oracle_stream(oracle, 1, "", Precision::fp32);
  const std::vector<std::vector<double>> expected = expected_stage.results(oracle_stream);

  std::vector<KernelRow> rows;
  std::map<std::pair<Where, Precision>, std::unique_ptr<Stage>> stages;
  std::map<Where, std::pair<std::string, double>> library;
  for (const Subject& subject : subjects) {
    const Backend& backend = *subject.backend;
    const double rounding = subject.precision == Precision::fp32 ? 0 : 0x1p-11;
    const size_t rotation = options.warm ? 0 : backend.where == Where::cpu ? report.rotation_bytes : kGpuRotationBytes;
    std::unique_ptr<Stage>& stage = stages[{backend.where, subject.precision}];
    if (!stage) stage = std::make_unique<Stage>(one, backend, DType::f32, rotation, rounding);

    KernelRow row = begun_row(one, subject, *stage);
    try {
      measure(row, subject, *stage, expected, report);
    } catch (const std::exception& error) {
      row.wrong = error.what();
    }
    if (row.wrong.empty()) {
      if (subject.is_library) library[backend.where] = {backend.name, row.timing.seconds};
      if (const auto found = library.find(backend.where); found != library.end())
        row.library = found->second.first, row.library_seconds = found->second.second;
      judge(row, backend.where == Where::cpu ? report.cpu : report.gpu, subject.precision);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

KernelReport run_kernels(const KernelOptions& options, const std::function<void(const KernelRow&)>& progress) {
  check_options(options);
  KernelReport report;
  report.machine = this_machine();
  report.options = options;
  report.rotation_bytes = options.warm ? 0 : 2 * report.machine.cache_bytes;
  bool has_gpu = false;
  for (const Backend* backend : known_backends()) {
    const bool wanted = options.where.empty() || options.where == name_of(backend->where);
    if (!wanted || backend->device_count() == 0) continue;
    has_gpu = has_gpu || backend->where == Where::cuda;
    const std::string text = OpenStream(*backend, options.threads, "", Precision::fp32).description();
    if (report.devices.find(text) == std::string::npos) report.devices += (report.devices.empty() ? "" : "; ") + text;
  }
  if (options.where == "cuda" && !has_gpu) throw UsageError("no CUDA device was found: use --device cpu");
  if (options.where != "cuda") report.cpu = measure_cpu(options.threads, 0);
  if (has_gpu) report.gpu = measure_gpu(Precision::fp32);
  for (const Case& one : all_cases()) {
    if (!is_wanted(one.primitive, options.only) || (options.small_only && one.large)) continue;
    for (KernelRow& row : run_case(one, subjects_of(one.primitive, options), report)) {
      if (progress) progress(row);
      report.rows.push_back(std::move(row));
    }
  }
  if (report.rows.empty())
    throw UsageError("nothing to time: implementation '" + options.implementation + "' has no device here");
  return report;
}

}  // namespace cairn::benchmarks
