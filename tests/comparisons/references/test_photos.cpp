// Networks for photos beside torchvision's, from the same weights and images: logits, folded and not, and the losses of
// the first steps. Not here: pretrained weights (tests/trainers/test_pretrained.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "framework/autograd.h"
#include "framework/optim/optimizer.h"
#include "models/model.h"
#include "tests/sweep.h"
#include "trainers/tasks/classify.h"

namespace cairn::testing {
namespace {

using nlohmann::json;

json recorded(const std::string& model) {
  std::ifstream file(CAIRN_SOURCE_DIR "/comparisons/references/photos/" + model + ".json");
  REQUIRE_MESSAGE(file, model);
  return json::parse(file);
}

std::shared_ptr<Device> open(const std::string& implementation) {
  return Device::open({.implementation = implementation, .where = "cpu"});
}

Tensor images(const std::shared_ptr<Device>& device, const std::string& model, const json& record, int64_t count) {
  const Shape& image = find_model(model).input;
  const auto batch = record["batch_size"].get<int64_t>();
  Tensor drawn = Tensor::empty(device, {batch, image[0], image[1], image[2]}, DType::f32);
  device->call(&Backend::normal, RandomArgs{.dtype = DType::f32,
                                            .count = drawn.count(),
                                            .out = drawn.data(),
                                            .low = 0,
                                            .high = 1,
                                            .seed = record["seed"],
                                            .stream = record["images_stream"]});
  return drawn.rows(0, count);
}

std::shared_ptr<Module> network(const std::shared_ptr<Device>& device, const std::string& model, const json& record) {
  const ModelInfo& info = find_model(model);
  Initializer initializer(find_recipe(info, "gentle").init, record["seed"]);
  return info.build(device, initializer, DType::f32);
}

// The largest difference from the recorded logits, in parts of an image's norm.
double deviation(const Tensor& logits, const json& record) {
  const std::vector<float> values = logits.to_host<float>();
  const auto classes = static_cast<size_t>(logits.shape()[1]);
  double worst = 0;
  for (size_t image = 0; image < record["logits"].size(); ++image) {
    const json& known = record["logits"][image];
    double squares = 0;
    for (size_t i = 0; i < classes; ++i) squares += double{values[image * classes + i]} * values[image * classes + i];
    const double norm = record["norms"][image];
    worst = std::max(worst, std::fabs(std::sqrt(squares) - norm) / norm);
    for (size_t k = 0; k < known.size(); ++k) {
      const size_t place = 2654435761 * (k + 1) % classes;
      worst = std::max(worst, std::fabs(values[image * classes + place] - known[k].get<double>()) / norm);
    }
  }
  return worst;
}

std::vector<std::string> photo_models() {
  std::vector<std::string> names;
  for (const ModelInfo& model : known_models())
    if (takes_photos(model)) names.push_back(model.name);
  return names;
}

}  // namespace

TEST_CASE("networks for photos give torchvision's logits, folded and not") {
  for (const std::string& model : photo_models()) {
    const json record = recorded(model);
    for (const std::string implementation : {"simd", "vanilla"}) {
      if (small_sweep() && implementation == "vanilla" && model != "resnet18") continue;
      CAPTURE(model);
      CAPTURE(implementation);
      const std::shared_ptr<Device> device = open(implementation);
      const std::shared_ptr<Module> module = network(device, model, record);
      const Tensor x = images(device, model, record, static_cast<int64_t>(record["logits"].size()));
      module->eval();
      const NoGrad no_grad;
      const double plain = deviation(module->forward(x), record);
      module->fold();
      const double folded = deviation(module->forward(x), record);
      MESSAGE(model << ", " << implementation << ": " << plain << ", folded " << folded);
      CHECK(plain <= 1e-4);
      CHECK(folded <= 1e-4);
    }
  }
}

TEST_CASE("networks for photos have torchvision's losses in training") {
  for (const std::string& model : photo_models()) {
    if (small_sweep() && model != "resnet18" && model != "alexnet" && model != "densenet121") continue;
    CAPTURE(model);
    const json record = recorded(model);
    const std::shared_ptr<Device> device = open("simd");
    const std::shared_ptr<Module> module = network(device, model, record);
    StepClock clock(device, 1);
    clock.set_rates(std::array{static_cast<float>(record["learning_rate"].get<double>())});
    module->set_dropout_source({record["seed"], clock.step()});
    module->train();
    Sgd optimizer(module->parameters());
    const auto batch = record["batch_size"].get<int64_t>();
    const Tensor x = images(device, model, record, batch);
    std::vector<int32_t> labels;
    for (int32_t i = 0; i < batch; ++i) labels.push_back(250 * i);
    const Tensor right = Tensor::from_host<int32_t>(device, {batch}, labels);
    double worst = 0;
    const size_t steps = small_sweep() ? 3 : record["losses"].size();
    for (size_t i = 0; i < steps; ++i) {
      const Tensor loss = training_loss(*module, module->forward(x), right);
      const double known = record["losses"][i];
      worst = std::max(worst, std::fabs(loss.item() - known) / known);
      optimizer.clear_grads();
      backward(loss);
      optimizer.step(clock);
      clock.set_step(static_cast<int64_t>(i) + 1);
    }
    MESSAGE(model << ": " << worst << " over " << steps << " steps, PyTorch's own " << record["own_deviation"]);
    // Through a hundred layers rounding alone moves a loss by more: then PyTorch leaves itself, too.
    CHECK(worst <= std::max(1e-5, 3 * record["own_deviation"].get<double>()));
  }
}

}  // namespace cairn::testing
