// The recipes: that every network has a default, and that published ones say what their sources say.
#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "framework/error.h"
#include "models/model.h"

namespace cairn::testing {

TEST_CASE("every network has a default recipe first, and no name twice") {
  std::set<std::string> models;
  for (const ModelInfo& model : known_models()) {
    CAPTURE(model.name);
    CHECK(models.insert(model.name).second);
    REQUIRE_FALSE(model.recipes.empty());
    CHECK(model.recipes[0].name == "default");
    std::set<std::string> recipes;
    for (const Recipe& recipe : model.recipes) {
      CHECK(recipes.insert(recipe.name).second);
      CHECK_FALSE(recipe.description.empty());
      CHECK((recipe.epochs > 0 || recipe.steps > 0));
    }
  }
  CHECK_THROWS_WITH_AS(find_recipe(find_model("lenet-caffe"), "x"),
                       "unknown recipe of model lenet-caffe 'x': choose one of default, skoltech, skoltech-pytorch",
                       UsageError);
}

TEST_CASE("every network says its task, which decides what it puts out and which program it goes with") {
  DeviceOptions options;
  options.implementation = "reference";
  const std::shared_ptr<Device> device = Device::open(options);
  std::set<std::string> names;
  for (const Task task : {Task::classify, Task::denoise}) {
    CHECK_FALSE(known_models(task).empty());
    for (const ModelInfo& model : known_models(task)) {
      CAPTURE(model.name);
      CHECK(model.task == task);
      CHECK(names.insert(model.name).second);
      for (const DType real : {DType::f32, DType::f64}) {
        Initializer initializer = Initializer::none();
        const std::shared_ptr<Module> network = model.build(device, initializer, real);
        std::vector<LayerSummary> layers;
        CHECK(network->summarize(model.input, "", layers) ==
              (task == Task::classify ? Shape{model.classes} : model.input));
        CHECK(network->parameters()[0].tensor.dtype() == real);
      }
    }
  }
  CHECK_THROWS_WITH_AS(find_model("deep-3"),
                       "model 'deep-3': this network is made to denoise: ./cairn denoise --filter deep-3", UsageError);
  CHECK_THROWS_WITH_AS(find_model("lenet", Task::denoise),
                       "filter 'lenet': this network is made to classify: ./cairn train --model lenet", UsageError);
}

TEST_CASE("a recipe's length in words") {
  Recipe recipe;
  recipe.epochs = 5;
  CHECK(length_of(recipe) == "5 epochs");
  recipe.steps = 300;
  CHECK(length_of(recipe) == "5 epochs or 300 steps");
  recipe.epochs = 0;
  CHECK(length_of(recipe) == "300 steps");
}

TEST_CASE("the four networks of HCP_skoltech share the settings of its programs") {
  for (const char* name : {"simplenet", "lenet-caffe", "relunet", "largenet", "largenet-1x1"}) {
    CAPTURE(name);
    const Recipe& cudnn = find_recipe(find_model(name), "skoltech");
    CHECK(cudnn.optimizer == OptimizerKind::sgd);
    CHECK(cudnn.momentum == 0);
    CHECK(cudnn.weight_decay == 0);
    CHECK(cudnn.batch_size == 64);
    CHECK_FALSE(cudnn.shuffle);
    CHECK(cudnn.drop_last);
    CHECK(cudnn.normalization == Normalization::unit);
    CHECK(cudnn.init.weight == WeightInit::cudnn_training);
    CHECK(cudnn.init.bias == BiasInit::weight);
    for (const int64_t step : {0, 1, 937, 42164})
      CHECK(learning_rate_at(cudnn.schedule, cudnn.learning_rate, step) ==
            doctest::Approx(0.01 * std::pow(1 + 1e-4 * static_cast<double>(step), -0.75)));
    const Recipe& pytorch = find_recipe(find_model(name), "skoltech-pytorch");
    CHECK(pytorch.shuffle);
    CHECK_FALSE(pytorch.drop_last);
    CHECK(normalization_of(pytorch) == "mnist");
    CHECK(pytorch.init.weight == WeightInit::pytorch);
    CHECK(learning_rate_at(pytorch.schedule, pytorch.learning_rate, 40000) == 0.01);
  }
}

TEST_CASE("Benchmark-MNIST's two programs run 20,000 steps") {
  const Recipe& caffe2 = find_recipe(find_model("lenet-caffe2"), "benchmark-mnist");
  CHECK(caffe2.steps == 20000);
  CHECK(caffe2.epochs == 0);
  CHECK(caffe2.batch_size == 100);
  CHECK_FALSE(caffe2.shuffle);
  CHECK(caffe2.normalization == Normalization::unit_256);
  CHECK(caffe2.init.weight == WeightInit::caffe_xavier);
  CHECK(caffe2.init.bias == BiasInit::constant);
  CHECK(caffe2.init.bias_value == 0);
  for (const int64_t step : {0, 1, 4600, 19999})
    CHECK(learning_rate_at(caffe2.schedule, caffe2.learning_rate, step) ==
          doctest::Approx(0.1 * std::pow(0.999, static_cast<double>(step))));
  const Recipe& tensorflow = find_recipe(find_model("cnn"), "benchmark-mnist");
  CHECK(tensorflow.steps == 20000);
  CHECK(tensorflow.batch_size == 100);
  CHECK(tensorflow.shuffle);
  CHECK(tensorflow.validation_count == 5000);
  CHECK(tensorflow.optimizer == OptimizerKind::adam);
  CHECK(tensorflow.learning_rate == 1e-4);
  CHECK(tensorflow.init.weight == WeightInit::truncated_normal);
  CHECK(tensorflow.init.weight_value == 0.1);
  CHECK(tensorflow.init.bias_value == 0.1);
}

TEST_CASE("the playground's convolutional networks: batch 512, Adam, 25 epochs") {
  for (const char* name : {"lenet-playground", "simplecnn"}) {
    const Recipe& recipe = find_recipe(find_model(name), "playground");
    CHECK(recipe.batch_size == 512);
    CHECK(recipe.optimizer == OptimizerKind::adam);
    CHECK(recipe.learning_rate == 1e-3);
    CHECK(recipe.epochs == 25);
    CHECK(recipe.validation_count == 10000);
    CHECK(recipe.normalization == Normalization::unit);
  }
}

TEST_CASE("twelve frameworks' network: SGD with momentum on whole batches, begun in five ways") {
  const ModelInfo& model = find_model("cifar-vgg");
  for (const char* name : {"pytorch", "mxnet", "gluon", "caffe2", "knet"}) {
    const Recipe& recipe = find_recipe(model, name);
    CHECK(recipe.batch_size == 64);
    CHECK(recipe.epochs == 10);
    CHECK(recipe.learning_rate == 0.01);
    CHECK(recipe.momentum == 0.9);
    CHECK(recipe.drop_last);
    CHECK(recipe.normalization == Normalization::unit);
    CHECK_FALSE(recipe.augmentation.any());
  }
  CHECK(find_recipe(model, "mxnet").init.weight == WeightInit::glorot_uniform);
  CHECK(find_recipe(model, "gluon").init.weight_value == 2.24);
  CHECK(find_recipe(model, "knet").init.weight_value == 1);
}

TEST_CASE("the playground's CIFAR-10 networks: batch 256, Adam, 25 epochs on 40,000 images") {
  for (const char* name : {"cifar-fcn", "cifar-alexnet", "cifar-vgg1", "cifar-vgg2", "cifar-vgg3", "cifar-plain",
                           "cifar-resnet", "cifar-inception", "cifar-inception2", "cifar-lenet"}) {
    CAPTURE(name);
    const Recipe& recipe = find_recipe(find_model(name), "playground");
    const bool slow = name == std::string("cifar-plain") || name == std::string("cifar-resnet");
    CHECK(recipe.learning_rate == (slow ? 5e-4 : 1e-3));
    CHECK(recipe.batch_size == 256);
    CHECK(recipe.optimizer == OptimizerKind::adam);
    CHECK(recipe.epochs == 25);
    CHECK(recipe.validation_count == 10000);
    CHECK(recipe.normalization == Normalization::centred);
  }
}

TEST_CASE("TensorFlow's tutorial: crops of 24, decay of two layers, the average of the weights") {
  const Recipe& recipe = find_recipe(find_model("cifar-tutorial"), "benchmark-imagenet");
  CHECK(recipe.steps == 20000);
  CHECK(recipe.augmentation ==
        AugmentationRecipe{.crop = 24, .flip = true, .brightness = 63, .contrast = 0.8, .standardise = true});
  CHECK(recipe.weight_decay == 0.004);
  CHECK(decays(recipe, "fc1.weight"));
  CHECK(decays(recipe, "fc2.weight"));
  CHECK_FALSE(decays(recipe, "fc3.weight"));
  CHECK_FALSE(decays(recipe, "fc1.bias"));
  CHECK(recipe.average == 0.9999);
  CHECK(recipe.average_ramp);
  CHECK(learning_rate_at(recipe.schedule, recipe.learning_rate, 273436) == doctest::Approx(0.1));
  CHECK(learning_rate_at(recipe.schedule, recipe.learning_rate, 273437) == doctest::Approx(0.01));
  REQUIRE(recipe.init.layers.size() == 5);
  CHECK(recipe.init.layers[1].weight_value == 0.05);
  CHECK(recipe.init.layers[1].bias_value == 0.1);
  CHECK(recipe.init.layers[4].weight_value == 1.0 / 192);
}

}  // namespace cairn::testing
