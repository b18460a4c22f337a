#include "benchmarks/turns.h"

#include <functional>
#include <istream>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "benchmarks/inference.h"
#include "benchmarks/step_runner.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "kernels/number.h"

namespace cairn::benchmarks {

namespace {

// What is run in a turn, and what is said of it before the first one.
struct Runner {
  nlohmann::json identity;
  std::function<double(int64_t)> run;
  int64_t most = INT64_MAX;  // steps at a time
};

// Replayed from here on. What it holds lives as long as `run`.
Runner training_runner(const std::shared_ptr<Device>& device, const StepOptions& options) {
  struct Training {
    RunConfig config;
    datasets::Dataset dataset;
    DeviceData data;
    std::optional<StepRunner> steps;
  };
  const ModelInfo& model = find_model(options.model);
  const auto training = std::make_shared<Training>();
  training->config = step_config(options);
  std::string name = options.dataset;
  const Recipe& recipe = training->config.training;
  training->dataset = load_quietly(name, model, recipe, options.data_dir);
  training->data = upload(device, training->dataset, model, recipe, training->config.seed);
  training->steps.emplace(device, model, training->config, training->data);
  training->steps->run(3);
  return {.identity = {{"batch_size", recipe.batch_size == 0 ? training->dataset.train.count : recipe.batch_size},
                       {"dataset", name}},
          .run = [training](int64_t steps) { return training->steps->run(steps); },
          .most = training->steps->steps_per_epoch()};
}

Runner inference_runner(const std::shared_ptr<Device>& device, const StepOptions& options) {
  const int64_t batch = options.batch_size < 0 ? 1 : options.batch_size;
  const auto inference = std::make_shared<InferenceRunner>(device, find_model(options.model), batch);
  inference->run(1);
  return {.identity = {{"batch_size", batch}, {"dataset", "drawn images"}},
          .run = [inference](int64_t batches) { return inference->run(batches); }};
}

}  // namespace

void serve_turns(const StepOptions& options, std::istream& requests, std::ostream& answers) {
  if (!options.inference) step_config(options);  // refuses before a device is opened
  const std::shared_ptr<Device> device = Device::open(options.device);
  Runner runner = options.inference ? inference_runner(device, options) : training_runner(device, options);
  const auto answer = [&](const nlohmann::json& line) { answers << dump_json(line) << std::endl; };
  runner.identity.update({{"impl", device->implementation()},
                          {"device", name_of(device->where())},
                          {"description", device->description()}});
  answer(runner.identity);
  for (std::string line; std::getline(requests, line);) {
    double seconds = 0;
    if (read_number(line, seconds) || !(seconds > 0))
      throw UsageError("a turn is asked for with a number of seconds, not '" + line + "'");
    const Timing timing = time_replayed(runner.run, {options.sampling.repeats, seconds}, runner.most);
    answer({{"step_seconds", timing.seconds},
            {"spread", timing.spread},
            {"pieces", timing.samples},
            {"steps_a_piece", timing.calls_per_sample}});
  }
}

}  // namespace cairn::benchmarks
