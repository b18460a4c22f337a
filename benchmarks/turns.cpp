#include "benchmarks/turns.h"

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "benchmarks/step_runner.h"
#include "framework/error.h"
#include "framework/json_text.h"
#include "kernels/number.h"

namespace cairn::benchmarks {

void serve_turns(const StepOptions& options, std::istream& requests, std::ostream& answers) {
  const ModelInfo& model = find_model(options.model);
  const RunConfig config = step_config(options);
  const std::shared_ptr<Device> device = Device::open(options.device);
  std::string name = options.dataset;
  const datasets::Dataset dataset = load_quietly(name, model, config.training, options.data_dir);
  const int64_t batch = config.training.batch_size == 0 ? dataset.train.count : config.training.batch_size;
  const DeviceData data = upload(device, dataset, model, config.training, config.seed);
  StepRunner runner(device, model, config, data);
  runner.run(3);
  const auto answer = [&](const nlohmann::json& line) { answers << dump_json(line) << std::endl; };
  answer({{"batch_size", batch},
          {"dataset", name},
          {"impl", device->implementation()},
          {"device", name_of(device->where())},
          {"description", device->description()}});
  for (std::string line; std::getline(requests, line);) {
    double seconds = 0;
    if (read_number(line, seconds) || !(seconds > 0))
      throw UsageError("a turn is asked for with a number of seconds, not '" + line + "'");
    const Timing timing = time_replayed(runner, {options.sampling.repeats, seconds});
    answer({{"step_seconds", timing.seconds},
            {"spread", timing.spread},
            {"pieces", timing.samples},
            {"steps_a_piece", timing.calls_per_sample}});
  }
}

}  // namespace cairn::benchmarks
