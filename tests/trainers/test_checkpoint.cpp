// What a checkpoint and a run's weights hold beside parameters: batch norm's running statistics. Not here: runs that
// are stopped and resumed (test_run.cpp).
#include <doctest/doctest.h>

#include "framework/nn/image_layers.h"
#include "framework/safetensors.h"
#include "tests/trainers/support.h"
#include "trainers/checkpoint.h"

namespace cairn::testing {
namespace {

// A convolution, batch norm and a classifier.
ModelInfo model_with_batch_norm() {
  const auto build = [](const std::shared_ptr<Device>& device, Initializer& initializer,
                        DType dtype) -> std::shared_ptr<Module> {
    const Conv2dLayerOptions options{.stride = 4, .bias = false};
    return std::make_shared<Sequential>(std::vector<std::pair<std::string, std::shared_ptr<Module>>>{
        {"conv1", std::make_shared<Conv2d>(device, 1, 4, 5, initializer, options, dtype)},
        {"bn1", std::make_shared<BatchNorm2d>(device, 4, 0.1, 1e-5, dtype)},
        {"relu1", std::make_shared<ReLU>()},
        {"flatten", std::make_shared<Flatten>()},
        {"fc1", std::make_shared<Linear>(device, 4 * 6 * 6, 10, initializer, dtype)}});
  };
  return {"with-batch-norm", "", {1, 28, 28}, 10, build, {}};
}

Trainer trainer_with_batch_norm(const std::string& implementation, const datasets::Dataset& dataset) {
  const RunConfig config = config_for("linear", "default", implementation);
  const std::shared_ptr<Device> device = Device::open(config.device);
  const ModelInfo model = model_with_batch_norm();
  return Trainer(device, model, config, upload(device, dataset, model, config.training, config.seed));
}

std::vector<std::vector<std::byte>> bytes_of(const std::vector<HostTensor>& tensors) {
  std::vector<std::vector<std::byte>> bytes;
  for (const HostTensor& tensor : tensors) bytes.push_back(tensor.bytes);
  return bytes;
}

}  // namespace

TEST_CASE("a checkpoint of a network with batch norm continues bit for bit") {
  const datasets::Dataset digits = load("digits", 200, 50);
  for (const std::string& implementation : kCpuImplementations) {
    CAPTURE(implementation);
    Trainer whole = trainer_with_batch_norm(implementation, digits);
    whole.run_epoch({}, kNever);
    const std::vector<HostTensor> middle = checkpoint_of(whole, {});
    const Evaluation evaluation = whole.evaluate();  // by the running statistics, which it leaves alone
    CHECK(bytes_of(checkpoint_of(whole, {})) == bytes_of(middle));

    Trainer continued = trainer_with_batch_norm(implementation, digits);
    restore(continued, middle, "checkpoint");
    CHECK(continued.evaluate().loss == evaluation.loss);
    whole.run_epoch({}, kNever);
    continued.run_epoch({}, kNever);
    CHECK(bytes_of(checkpoint_of(continued, {})) == bytes_of(checkpoint_of(whole, {})));
    CHECK(bytes_of(middle) != bytes_of(checkpoint_of(whole, {})));

    const std::vector<NamedTensor> state = continued.model().state();
    REQUIRE(state[5].name == "bn1.num_batches_tracked");
    CHECK(state[5].tensor.item() == static_cast<double>(2 * whole.steps_per_epoch()));
  }
}

}  // namespace cairn::testing
