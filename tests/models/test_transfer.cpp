// Networks made of those for photos: their names, heads, sizes, and what freezing leaves to be trained.
#include <doctest/doctest.h>

#include <string>

#include "framework/error.h"
#include "models/transfer.h"

namespace cairn::testing {
namespace {

std::shared_ptr<Device> open() {
  DeviceOptions options;
  options.implementation = "simd";
  options.where = "cpu";
  options.threads = 1;
  return Device::open(options);
}

std::shared_ptr<Module> lay_out(const ModelInfo& model) {
  Initializer none = Initializer::none();
  return model.build(open(), none, DType::f32);
}

void check_refused(const std::string& name, const std::string& text) {
  try {
    find_model(name);
    FAIL("not refused: ", name);
  } catch (const UsageError& error) {
    CHECK_MESSAGE(std::string(error.what()).find(text) != std::string::npos, error.what());
  }
}

}  // namespace

TEST_CASE("a network for photos may have any number of classes") {
  // densenet121 with 14: ilkarman/DeepLearningFrameworks' network for chest X-rays.
  CHECK(lay_out(find_model("densenet121:14"))->parameter_count() == 6968206);
  CHECK(find_model("densenet121:14").classes == 14);
  CHECK(find_model("densenet121:14").name == "densenet121:14");
  CHECK(&find_model("densenet121:14") == &find_model("densenet121:14"));
  CHECK(lay_out(find_model("vgg16:1000"))->parameter_count() == lay_out(find_model("vgg16"))->parameter_count());
  CHECK(lay_out(find_model("alexnet:2"))->parameter_count() == 61100840 - 998 * 4097);
  // Without a loss of its own the auxiliary classifier is not trained either.
  const std::shared_ptr<Module> inception = lay_out(find_model("inception-v3:10"));
  CHECK(inception->parameter_count() == 21785568 + 20490);
  CHECK(inception->state().size() == lay_out(find_model("inception-v3"))->state().size());
  for (const char* name : {"resnet50:0", "resnet50:", "resnet50:-1", "resnet50:ten", "resnet50:1000001"})
    check_refused(name, "behind the colon stands a number of classes, 1 to 1000000, such as resnet50:10");
  check_refused("dnn:10", "unknown model 'dnn:10'");
  check_refused("resnet51:10", "unknown model");
}

TEST_CASE("transfer learning trains the published heads on frozen backbones") {
  struct Expected {
    const char* backbone;
    const char* head;
    int64_t features, trained;
  };
  // LucasRr/deep_learning_playground, transfer_learning.ipynb, for the first three.
  for (const auto& [backbone, head, features, trained] :
       {Expected{"alexnet", "classifier", 9216, 9448458}, Expected{"resnet18", "fc", 512, 133898},
        Expected{"inception-v3", "fc", 2048, 1054218},
        Expected{"densenet121", "classifier", 1024, 1024 * 512 + 512 + 5130}}) {
    CAPTURE(backbone);
    const ModelInfo& info = find_model(transfer_name(backbone) + ":10");
    CHECK(info.backbone == backbone);
    CHECK(info.classes == 10);
    const std::shared_ptr<Module> network = lay_out(info);
    const size_t state = network->state().size();
    const SplitNetwork parts = split_network(*network, info);
    std::vector<LayerSummary> ignored;
    CHECK(parts.backbone->summarize(info.input, "", ignored) == Shape{features});
    CHECK(parts.head->summarize({features}, "", ignored) == Shape{10});

    parts.backbone->freeze();
    CHECK(network->parameter_count() == trained);
    for (const NamedTensor& each : network->parameters()) CHECK(each.name.starts_with(std::string(head) + "."));
    CHECK(network->state().size() == state);  // files hold the whole network
  }
  CHECK(find_model("transfer-resnet18").classes == 0);  // as the data have it
  CHECK_THROWS_WITH_AS(lay_out(find_model("transfer-resnet18")),
                       "model transfer-resnet18: say how many classes it has: transfer-resnet18:10", UsageError);
  CHECK(find_recipe(find_model("transfer-resnet18"), "playground").freeze == Freeze::weights);
  check_refused("transfer-dnn", "unknown model 'transfer-dnn'");
  CHECK_THROWS_AS(transfer_name("dnn"), UsageError);
  CHECK_THROWS_AS(split_network(*lay_out(find_model("dnn")), find_model("dnn")), Error);
}

}  // namespace cairn::testing
