#include "comparisons/parity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "benchmarks/machine.h"
#include "datasets/sha256.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "trainers/median.h"
#include "trainers/trainer.h"

namespace cairn::comparisons {
namespace {

using Json = nlohmann::json;

constexpr int64_t kTimedFrom = 10;  // the first steps allocate and capture
constexpr int64_t kPiece = 50;      // steps at most between two looks at the clock

const char* name_of(BiasInit init) {
  return init == BiasInit::pytorch ? "pytorch" : init == BiasInit::weight ? "weight" : "constant";
}

// Without the length of a cosine, which is the run's.
Json schedule_json(const Schedule& schedule) {
  Json json = {{"kind", cairn::name_of(schedule.kind)}};
  visit_parameters(schedule, [&](const std::string& name, const ScheduleNumber& value) {
    if (name != "total") std::visit([&](auto number) { json[name] = number; }, value);
  });
  return json;
}

// One value for all channels, or a list.
Json plain(const std::vector<float>& values) {
  return values.size() == 1 ? Json(values[0]) : Json(values);
}

// What few recipes have, where this one has it.
void add_rare_settings(const Recipe& recipe, Json& settings) {
  const auto add = [](Json& json, const char* name, const auto& value) {
    if (value != std::decay_t<decltype(value)>()) json[name] = value;
  };
  Json augmentation = Json::object();
  add(augmentation, "crop", recipe.augmentation.crop);
  add(augmentation, "pad", recipe.augmentation.pad);
  add(augmentation, "flip", recipe.augmentation.flip);
  add(augmentation, "brightness", recipe.augmentation.brightness);
  add(augmentation, "contrast", recipe.augmentation.contrast);
  add(augmentation, "standardise", recipe.augmentation.standardise);
  if (!augmentation.empty()) settings["augmentation"] = augmentation;
  for (const LayerInit& layer : recipe.init.layers)
    settings["init"]["layers"].push_back({layer.weight_value, layer.bias_value});
  if (const TokenEncoding& text = recipe.text; text.vocabulary > 0)
    settings["text"] = {{"vocabulary", text.vocabulary},   {"length", text.length},
                        {"keep_last", text.keep_last},     {"pad_front", text.pad_front},
                        {"start_token", text.start_token}, {"top_specials", text.top_specials}};
  add(settings, "label_smoothing", recipe.label_smoothing);
  add(settings, "clip_norm", recipe.clip_norm);
  add(settings, "decay_on", recipe.decay_on);
  add(settings, "average", recipe.average);
  add(settings, "average_ramp", recipe.average_ramp);
}

// A recipe as comparisons/references/recipes.py writes it down.
Json settings_of(const Recipe& recipe, const datasets::Dataset& dataset) {
  Json settings = {{"init",
                    {{"weight", cairn::name_of(recipe.init.weight)},
                     {"bias", name_of(recipe.init.bias)},
                     {"weight_value", recipe.init.weight_value},
                     {"bias_value", recipe.init.bias_value}}},
                   {"normalization", normalization_of(recipe)},
                   {"optimizer", cairn::name_of(recipe.optimizer)},
                   {"lr", recipe.learning_rate},
                   {"momentum", recipe.momentum},
                   {"weight_decay", recipe.weight_decay},
                   {"schedule", schedule_json(recipe.schedule)},
                   {"batch_size", recipe.batch_size},
                   {"epochs", recipe.epochs},
                   {"steps", recipe.steps},
                   {"shuffle", recipe.shuffle},
                   {"drop_last", recipe.drop_last},
                   {"validation_count", recipe.validation_count}};
  if (recipe.text.vocabulary == 0) {
    const PixelScale pixels = pixel_scale(recipe, {dataset.mean, dataset.std});
    settings["scale"] = plain(pixels.scale);
    settings["shift"] = plain(pixels.shift);
  }
  add_rare_settings(recipe, settings);
  return settings;
}

// Numbers are the same when nine digits say so.
bool same(const Json& a, const Json& b) {
  if (a.is_array() && b.is_array()) return std::ranges::equal(a, b, same);
  if (!a.is_number() || !b.is_number()) return a == b;
  return fmt::format("{:.8e}", a.get<double>()) == fmt::format("{:.8e}", b.get<double>());
}

// Throws at the first field that differs.
void check_fields(const Json& recorded, const Json& here, const std::string& name, const ReferenceCase& reference) {
  const auto fail = [&](const std::string& there, const std::string& ours) {
    throw DataError(
        fmt::format("{}: {}: {} is {} there and {} here; record it again with comparisons/references/record.py",
                    reference.file, reference.label(), name, there, ours));
  };
  if (!recorded.is_object() || !here.is_object()) {
    if (!same(recorded, here)) fail(dump_json(recorded), dump_json(here));
    return;
  }
  const std::string prefix = name.empty() ? "" : name + ".";
  for (const auto& [field, value] : here.items())
    check_fields(recorded.contains(field) ? recorded[field] : Json(), value, prefix + field, reference);
  for (const auto& [field, value] : recorded.items())
    if (!here.contains(field)) check_fields(value, Json(), prefix + field, reference);
}

// This machine's newest PyTorch that was timed; else any machine's. The time of a step on a GPU is the host's too.
const ReferenceRun* choose_run(const ReferenceCase& reference, const Device& device, bool& same_machine) {
  const benchmarks::Machine machine = benchmarks::this_machine();
  const bool on_cpu = device.where() == Where::cpu;
  const std::string gpu = on_cpu ? "" : device.description();  // its name, a comma, and more
  const auto is_here = [&](const ReferenceRun& run) {
    if (!machine.is(run.machine)) return false;
    return on_cpu ? run.device == "cpu" : run.device == "cuda" && gpu.starts_with(run.gpu + ",");
  };
  const auto rank = [&](const ReferenceRun& run) {
    return std::tuple(is_here(run), run.torch == reference.torch, run.date);
  };
  const ReferenceRun* best = nullptr;
  for (const ReferenceRun& run : reference.runs)
    if (!run.times.empty() && (!best || rank(run) > rank(*best))) best = &run;
  same_machine = best && is_here(*best);
  return best;
}

// The epochs of the run that computed the losses; of any other where that one recorded none.
std::vector<ReferenceEpoch> choose_epochs(const ReferenceCase& reference) {
  const std::vector<ReferenceEpoch>* best = nullptr;
  for (const ReferenceRun& run : reference.runs)
    if (!run.epochs.empty() && (!best || run.key == reference.parity_run)) best = &run.epochs;
  return best ? *best : std::vector<ReferenceEpoch>();
}

std::vector<double> widened(const Tensor& tensor) {
  if (tensor.dtype() == DType::f64) return tensor.to_host<double>();
  const std::vector<float> values = tensor.to_host<float>();
  return {values.begin(), values.end()};
}

// The recording in double precision in the place of the one in float.
ReferenceCase in_double(ReferenceCase reference) {
  ReferenceCase::InDouble& exact = reference.in_double;
  if (exact.losses.empty())
    throw DataError(
        fmt::format("{}: {}: is not recorded in double precision; record it with comparisons/references/record.py "
                    "--parts double",
                    reference.file, reference.label()));
  reference.torch = exact.torch;
  reference.losses = exact.losses;
  reference.gradients = exact.gradients;
  reference.own_deviation = exact.own_deviation;
  reference.runs.clear();
  return reference;
}

GradientDeviation compare_gradients(const std::vector<NamedTensor>& parameters,
                                    const std::vector<ReferenceGradient>& expected) {
  GradientDeviation worst;
  worst.deviation = -1;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<double> values = widened(parameters[i].tensor.grad());
    double squares = 0;
    for (const double value : values) squares += value * value;
    const double norm = std::sqrt(squares);
    double largest = std::fabs(norm - expected[i].norm);
    const std::vector<int64_t> places = sample_places(static_cast<int64_t>(values.size()));
    for (size_t k = 0; k < places.size(); ++k)
      largest = std::max(largest, std::fabs(values[static_cast<size_t>(places[k])] - expected[i].samples[k]));
    // A gradient of nothing but zeros must be just that.
    double deviation = largest == 0 ? 0 : largest / expected[i].norm;
    if (std::isnan(deviation)) deviation = INFINITY;
    if (deviation > worst.deviation) worst = {parameters[i].name, norm, expected[i].norm, deviation};
  }
  return worst;
}

void check_parameters(const ReferenceCase& reference, const std::vector<NamedTensor>& parameters) {
  for (const auto& [step, gradients] : reference.gradients) {
    std::string there, here;
    for (const ReferenceGradient& gradient : gradients) there += " " + gradient.name + gradient.shape.text();
    for (const NamedTensor& parameter : parameters) here += " " + parameter.name + parameter.tensor.shape().text();
    if (there != here)
      throw DataError(
          fmt::format("{}: {}: gradients at step {} are of{}, and the network has{}; record it again with "
                      "comparisons/references/record.py",
                      reference.file, reference.label(), step, there, here));
  }
}

// Runs the trainer piece by piece and reads off what the recording has.
class Comparison {
 public:
  Comparison(Trainer& trainer, const ParityOptions& options, ParityResult& result)
      : trainer_(trainer), options_(options), result_(result) {
    const auto recorded = static_cast<int64_t>(result.reference.losses.size());
    steps_ = std::min(options.steps, recorded);
    expected_ = choose_epochs(result.reference);
    if (steps_ < recorded) expected_.clear();
    if (options.epochs >= 0 && options.epochs < static_cast<int64_t>(expected_.size()))
      expected_.resize(static_cast<size_t>(options.epochs));
  }

  void run() {
    const int64_t epoch_steps = trainer_.steps_per_epoch();
    const int64_t end = std::max(steps_, static_cast<int64_t>(expected_.size()) * epoch_steps);
    std::vector<double> pieces;
    while (trainer_.steps_done() < end) {
      if (options_.stop && *options_.stop) {
        result_.interrupted = true;
        return;
      }
      const int64_t begin = trainer_.steps_done();
      int64_t next = std::min({begin + kPiece, end, (begin / epoch_steps + 1) * epoch_steps});
      for (const int64_t mark : {int64_t{1}, kTimedFrom, steps_})
        if (begin < mark) next = std::min(next, mark);
      const double seconds = advance(next);
      if (begin >= kTimedFrom) pieces.push_back(seconds / static_cast<double>(next - begin));
      if (const auto found = result_.reference.gradients.find(next); found != result_.reference.gradients.end())
        result_.gradients[next] = compare_gradients(trainer_.model().parameters(), found->second);
      if (next % epoch_steps == 0) finish_epoch(next / epoch_steps);
    }
    result_.step_seconds = median(pieces);
    result_.epoch_seconds = result_.step_seconds * static_cast<double>(epoch_steps);
    compare_losses();
  }

 private:
  // Seconds of the steps up to `next`, which lies within the epoch or at its end.
  double advance(int64_t next) {
    const int64_t first = trainer_.steps_done() % trainer_.steps_per_epoch();
    const double seconds = trainer_.run_steps(next - trainer_.steps_done());
    const std::vector<float>& losses = trainer_.losses();
    result_.losses.insert(result_.losses.end(), losses.begin() + first, losses.end());
    return seconds;
  }

  void finish_epoch(int64_t epoch) {
    if (epoch > static_cast<int64_t>(expected_.size())) return;
    const ReferenceEpoch& expected = expected_[static_cast<size_t>(epoch - 1)];
    result_.epochs.push_back(check_accuracy(result_.reference, epoch, trainer_.evaluate().accuracy, expected.accuracy));
  }

  void compare_losses() {
    result_.losses.resize(static_cast<size_t>(steps_));
    result_.first = deviation_of(std::min<int64_t>(steps_, 10), result_.limits().ten_losses);
    result_.all = deviation_of(steps_, result_.limits().hundred_losses);
  }

  ParityResult::Losses deviation_of(int64_t steps, double limit) const {
    ParityResult::Losses found;
    for (int64_t step = 1; step <= steps; ++step) {
      const auto i = static_cast<size_t>(step - 1);
      const double expected = result_.reference.losses[i];
      const double deviation = std::fabs(result_.losses[i] - expected) / expected;
      if (deviation > found.deviation) {
        found.deviation = deviation;
        found.worst = step;
      }
      if (deviation > limit && found.left == 0) found.left = step;
      if (result_.reference.own_deviation[i] > limit / 10 && found.own_left == 0) found.own_left = step;
    }
    return found;
  }

  Trainer& trainer_;
  const ParityOptions& options_;
  ParityResult& result_;
  int64_t steps_ = 0;
  std::vector<ReferenceEpoch> expected_;
};

}  // namespace

ParityData parity_data(datasets::Dataset dataset) {
  ParityData data{std::move(dataset), ""};
  datasets::Sha256 hash;
  if (const auto& texts = data.dataset.train.texts) {
    for (const std::span<const uint8_t> part : bytes_of(*texts)) hash.update(part);
  } else {
    hash.update(images(data.dataset.train));
  }
  hash.update(label_bytes(data.dataset.train));
  data.train_sha256 = hash.finish();
  return data;
}

Verdict ParityResult::Losses::verdict() const {
  if (left == 0) return Verdict::within;
  return own_left > 0 && own_left <= left ? Verdict::as_pytorch_itself : Verdict::beyond;
}

Verdict ParityResult::verdict() const {
  const auto gradient = gradients.find(1);
  const bool others =
      !interrupted && gradient != gradients.end() && gradient->second.deviation <= limits().first_gradients;
  Verdict worst = others ? std::max(first.verdict(), all.verdict()) : Verdict::beyond;
  for (const AccuracyCheck& epoch : epochs) worst = std::max(worst, epoch.verdict());
  return worst;
}

double ParityResult::accuracy_deviation() const {
  double worst = 0;
  for (const AccuracyCheck& epoch : epochs) worst = std::max(worst, epoch.difference());
  return worst;
}

std::optional<double> ParityResult::ratio(const ReferenceTime& time) const {
  if (!same_machine || !timed || timed->threads != threads || !(step_seconds > 0) || !(time.step_ms > 0)) return {};
  return time.step_ms / (1e3 * step_seconds);
}

void check_precision(const Device& device, DType real) {
  if (device.supports(real)) return;
  throw UsageError(device.label() + " computes in float only; reference and torch have double precision");
}

void check_reference(const ReferenceCase& reference, const ParityData& data) {
  const Recipe& recipe = find_recipe(find_model(reference.model), reference.recipe);
  if (reference.dataset != data.dataset.name)
    throw UsageError(fmt::format("{} is not a recording on {}", reference.label(), data.dataset.name));
  check_fields(reference.settings, settings_of(recipe, data.dataset), "", reference);
  check_fields(reference.train_sha256, data.train_sha256, "train_sha256", reference);
}

ParityResult compare_with_reference(const ReferenceCase& reference, const ParityData& data,
                                    const ParityOptions& options) {
  check_reference(reference, data);
  const ModelInfo& model = find_model(reference.model);
  RunConfig config;
  config.model = reference.model;
  config.recipe = reference.recipe;
  config.seed = reference.seed;
  config.device = options.device;
  config.training = find_recipe(model, reference.recipe);
  const std::shared_ptr<Device> device = Device::open(options.device);
  check_precision(*device, options.real);
  Trainer trainer(device, model, config, upload(device, data.dataset, model, config.training, config.seed),
                  options.real);

  ParityResult result;
  result.reference = options.real == DType::f64 ? in_double(reference) : reference;
  result.real = options.real;
  check_parameters(result.reference, trainer.model().parameters());
  result.implementation = device->implementation();
  result.device = device->label();
  result.threads = device->threads();
  if (const ReferenceRun* run = choose_run(result.reference, *device, result.same_machine)) result.timed = *run;
  Comparison(trainer, options, result).run();
  return result;
}

}  // namespace cairn::comparisons
