#include "comparisons/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>
#include <set>

#include "benchmarks/table.h"
#include "datasets/choose.h"
#include "datasets/order.h"
#include "framework/error.h"
#include "framework/safetensors.h"
#include "kernels/registry.h"
#include "kernels/twin.h"
#include "trainers/median.h"
#include "trainers/trainer.h"

namespace cairn::comparisons {
namespace {

constexpr int64_t kTurns = 20;  // about so many: pairs of times to take the median of

const TwinFunctions& twin_functions() {
  if (const std::string problem = load_plugin("torch"); !problem.empty()) throw UsageError(problem);
  const auto function = reinterpret_cast<TwinFunction*>(plugin_function("torch", kTwinFunction));
  if (!function || function()->layout != twin_layout())
    throw UsageError("the torch plugin has no twin of this version: build it and this program from the same sources");
  return *function();
}

// Cairn's side: a number of steps at a time, in the epoch or over its end.
class CairnSide {
 public:
  CairnSide(const std::shared_ptr<Device>& device, const ModelInfo& model, const RunConfig& config,
            const DeviceData& data)
      : trainer_(device, model, config, data) {}

  // Returns the seconds.
  double run(int64_t steps, std::vector<float>& losses) {
    double seconds = 0;
    for (int64_t left = steps; left > 0;) {
      const int64_t per_epoch = trainer_.steps_per_epoch();
      const int64_t piece = std::min(left, per_epoch - trainer_.steps_done() % per_epoch);
      seconds += trainer_.run_steps(piece);
      losses.insert(losses.end(), trainer_.losses().end() - piece, trainer_.losses().end());
      left -= piece;
    }
    return seconds;
  }
  Trainer& trainer() { return trainer_; }

 private:
  Trainer trainer_;
};

// What the twin is given of the data, until it has built its own.
struct HostData {
  explicit HostData(const DeviceSplit& train)
      : count(train.count), labels(train.column(datasets::kLabel).to_host<int32_t>()) {
    const Tensor& samples = train.column(train.input());
    shape = samples.shape();
    if (train.has(datasets::kTokens))
      tokens = samples.to_host<int32_t>();
    else
      images = samples.to_host<uint8_t>();
  }

  void describe(TwinNetwork& network, const RowScale& pixels) const {
    network.labels = labels.data();
    network.count = count;
    if (!tokens.empty()) {
      network.tokens = tokens.data();
      network.length = shape[1];
      return;
    }
    network.images = images.data();
    network.channels = shape[1];
    network.height = shape[2];
    network.width = shape[3];
    network.scale = pixels.scale().data();
    network.shift = pixels.shift().data();
    network.scale_count = pixels.channels();
  }

  int64_t count;
  Shape shape;  // of all samples
  std::vector<uint8_t> images;
  std::vector<int32_t> tokens, labels;
};

// The twin's side: the same batches at the same rates.
class TwinSide {
 public:
  TwinSide(const TwinFunctions& functions, const RunConfig& config, const ModelInfo& model, const DeviceData& data,
           Trainer& trainer, int threads)
      : functions_(functions), config_(config), count_(data.train.count), per_epoch_(trainer.steps_per_epoch()) {
    Recipe& recipe = config_.training;
    if (recipe.schedule.total_steps == 0) recipe.schedule.total_steps = trainer.total_steps();
    rows_ = datasets::whole_batch_size(count_, recipe.batch_size);

    std::vector<LayerSummary> layers;
    trainer.model().summarize(model.input, "", layers);
    const std::vector<HostTensor> state = to_host(trainer.model().state());
    const std::deque<std::vector<TwinOption>> options = options_of(layers);
    std::vector<TwinLayer> twin_layers;
    for (size_t i = 0; i < layers.size(); ++i)
      twin_layers.push_back(
          {layers[i].name.c_str(), layers[i].type.c_str(), options[i].data(), static_cast<int64_t>(options[i].size())});
    std::vector<TwinTensor> tensors;
    for (const HostTensor& tensor : state) {
      if (tensor.dtype != DType::f32) continue;  // the count of batches, which changes nothing
      TwinTensor described{tensor.name.c_str(), reinterpret_cast<const float*>(tensor.bytes.data()), {}, 0};
      for (; described.rank < tensor.shape.rank(); ++described.rank)
        described.sizes[described.rank] = tensor.shape[static_cast<int>(described.rank)];
      tensors.push_back(described);
    }
    TwinNetwork network{
        .layers = twin_layers.data(),
        .layer_count = static_cast<int64_t>(twin_layers.size()),
        .tensors = tensors.data(),
        .tensor_count = static_cast<int64_t>(tensors.size()),
        .optimizer = recipe.optimizer == OptimizerKind::sgd    ? TwinOptimizer::sgd
                     : recipe.optimizer == OptimizerKind::adam ? TwinOptimizer::adam
                                                               : TwinOptimizer::adamw,
        .momentum = recipe.momentum,
        .weight_decay = recipe.weight_decay,
        .seed = config.seed,
        .threads = threads,
    };
    const HostData samples(data.train);
    samples.describe(network, data.pixels);
    twin_ = functions_.create(&network);
    if (!twin_) throw DeviceError(std::string("the twin cannot be built: ") + functions_.last_error());
  }
  ~TwinSide() { functions_.destroy(twin_); }
  TwinSide(const TwinSide&) = delete;
  TwinSide& operator=(const TwinSide&) = delete;

  double run(int64_t steps, std::vector<float>& losses) {
    const Recipe& recipe = config_.training;
    std::vector<int32_t> index;
    std::vector<double> rates;
    for (int64_t step = done_; step < done_ + steps; ++step) {
      const double rate = learning_rate_at(recipe.schedule, recipe.learning_rate, step);
      rates.push_back(static_cast<float>(rate));  // as Cairn keeps them
      if (recipe.batch_size == 0) continue;       // all samples, every time
      const int64_t epoch = step / per_epoch_, first = step % per_epoch_ * rows_;
      if (epoch != epoch_) {
        order_ = datasets::epoch_order(count_, config_.seed, static_cast<uint32_t>(epoch), recipe.shuffle);
        epoch_ = epoch;
      }
      index.insert(index.end(), order_.begin() + first, order_.begin() + first + rows_);
    }
    std::vector<float> fresh(static_cast<size_t>(steps));
    const double seconds = functions_.train(twin_, done_, steps, index.empty() ? nullptr : index.data(), rows_,
                                            rates.data(), fresh.data());
    if (seconds < 0) throw DeviceError(std::string("the twin failed: ") + functions_.last_error());
    losses.insert(losses.end(), fresh.begin(), fresh.end());
    done_ += steps;
    return seconds;
  }

  std::vector<float> read(const std::string& name, size_t count) const {
    std::vector<float> values(count);
    if (functions_.read(twin_, name.c_str(), values.data(), static_cast<int64_t>(count)) != 0)
      throw DeviceError(std::string("the twin failed: ") + functions_.last_error());
    return values;
  }

 private:
  static std::deque<std::vector<TwinOption>> options_of(const std::vector<LayerSummary>& layers) {
    std::deque<std::vector<TwinOption>> result;
    for (const LayerSummary& layer : layers) {
      result.emplace_back();
      for (const auto& [name, value] : layer.options) result.back().push_back({name.c_str(), value});
    }
    return result;
  }

  const TwinFunctions& functions_;
  RunConfig config_;
  int64_t count_, per_epoch_, rows_ = 0, done_ = 0, epoch_ = -1;
  std::vector<int32_t> order_;
  Twin* twin_ = nullptr;
};

// Throws UsageError for what the twin does not do.
void check_twin(const Recipe& recipe) {
  if (recipe.augmentation.any() || recipe.label_smoothing > 0 || recipe.clip_norm > 0 || recipe.average > 0 ||
      !recipe.decay_on.empty())
    throw UsageError(
        "--live trains without augmentation, --label-smoothing, --clip-norm, --average and --decay-on; "
        "recipe " +
        recipe.name + " has some of them");
}

// |a - b| / |b| in the Euclidean norm.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    difference += d * d;
    norm += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(difference / std::max(norm, 1e-30));
}

void compare_weights(Module& module, const TwinSide& twin, LiveResult& result) {
  for (const NamedTensor& parameter : module.parameters()) {
    const std::vector<float> values = parameter.tensor.to_host<float>();
    const double deviation = distance(values, twin.read(parameter.name, values.size()));
    if (deviation <= result.weight_deviation) continue;
    result.weight_deviation = deviation;
    result.worst_tensor = parameter.name;
  }
}

datasets::Dataset load(RunConfig& run, const std::atomic<bool>* stop) {
  datasets::LoadOptions options;
  options.quiet = true;
  options.check_hash = run.check_hash;
  options.stop = stop;
  options.allow_download = !run.dataset.empty();
  datasets::Dataset dataset =
      choose_dataset(run.dataset, network_input(find_model(run.model), run.training), run.data_dir, options);
  run.dataset = dataset.name;
  return dataset;
}

}  // namespace

double LiveResult::loss_deviation(size_t steps) const {
  double worst = 0;
  for (size_t i = 0; i < std::min(steps, losses[0].size()); ++i) {
    const double twin = losses[1][i], deviation = std::abs(losses[0][i] - twin) / std::max(std::abs(twin), 1e-30);
    if (!(deviation <= worst)) worst = deviation;
    if (std::isnan(worst)) break;
  }
  return worst;
}

LiveResult run_live(const LiveOptions& options) {
  RunConfig config = options.run;
  config.training.drop_last = true;
  check_config(config);
  if (options.steps < 2) throw UsageError("--steps must be at least 2");
  check_twin(config.training);
  const TwinFunctions& functions = twin_functions();
  const std::shared_ptr<Device> device = Device::open(config.device);
  if (device->where() != Where::cpu) throw UsageError("the twin runs on the CPU: use --device cpu");

  LiveResult result;
  const ModelInfo& model = find_model(config.model);
  datasets::Dataset dataset = load(config, options.stop);
  result.dataset = dataset.name;
  result.cairn = device->label() + ", " + device->description();
  result.twin = functions.library;
  const DeviceData data = upload(device, std::move(dataset), model, config.training, config.seed);
  CairnSide cairn(device, model, config, data);
  TwinSide twin(functions, config, model, data, cairn.trainer(), device->threads());

  // The first turn warms both up: Cairn's first step runs as written, its second is captured.
  const int64_t each = std::max<int64_t>(2, options.steps / kTurns);
  std::vector<double> ratios;
  for (int64_t done = 0, turn = 0; done < options.steps; ++turn) {
    if (options.stop && *options.stop) {
      result.interrupted = true;
      return result;
    }
    const int64_t steps = std::min(each, options.steps - done);
    double seconds[2];
    for (const int side : {static_cast<int>(turn % 2), static_cast<int>(1 - turn % 2)})
      seconds[side] = side == 0 ? cairn.run(steps, result.losses[0]) : twin.run(steps, result.losses[1]);
    done += steps;
    if (turn == 0) continue;
    for (const int side : {0, 1}) result.seconds[side].push_back(seconds[side] / static_cast<double>(steps));
    ratios.push_back(seconds[1] / seconds[0]);
  }
  result.ratio = median(ratios);
  compare_weights(cairn.trainer().model(), twin, result);
  return result;
}

bool within_tolerance(const LiveResult& result) {
  return result.loss_deviation(10) <= kFirstTenTolerance && result.loss_deviation(100) <= kFirstHundredTolerance;
}

std::string text(const LiveResult& result) {
  std::string lines = fmt::format("{} and {}, data set {}\n", result.cairn, result.twin, result.dataset);
  const size_t steps = result.losses[0].size();
  for (const size_t step : std::set<size_t>{1, 2, 10, 100, steps})
    if (step <= steps)
      lines += fmt::format("loss of step {:<5} {:.7f}  twin {:.7f}\n", step, result.losses[0][step - 1],
                           result.losses[1][step - 1]);
  const auto judged = [&](size_t first, double tolerance) {
    if (steps < first && first > 10) return;
    const double deviation = result.loss_deviation(first);
    lines += fmt::format("losses of the first {} steps: at most {:.1e} apart, {} {:.0e}\n", std::min(first, steps),
                         deviation, deviation <= tolerance ? "within" : "NOT within", tolerance);
  };
  judged(10, kFirstTenTolerance);
  judged(100, kFirstHundredTolerance);
  lines += fmt::format("weights after step {}: at most {:.1e} apart ({})\n", steps, result.weight_deviation,
                       result.worst_tensor.empty() ? "none" : result.worst_tensor);
  if (result.ratio > 0)
    lines += fmt::format("a step: {}, twin {}; the twin takes {:.2f} times as long (medians of {} turns)\n",
                         benchmarks::duration(median(result.seconds[0])),
                         benchmarks::duration(median(result.seconds[1])), result.ratio, result.seconds[0].size());
  return lines;
}

}  // namespace cairn::comparisons
