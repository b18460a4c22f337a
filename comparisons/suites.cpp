// What each suite trains. The published figures are in published.cpp.
#include "comparisons/suites.h"

#include "comparisons/published.h"
#include "framework/error.h"

namespace cairn::comparisons {
namespace {

const std::vector<int64_t> kEpochs = {1, 5, 15, 30, 45}, kQuickEpochs = {1, 2};

Network skoltech_network(const std::string& model, const std::string& title, const std::string& recipe = "skoltech") {
  return {model, recipe, title, kEpochs, kQuickEpochs};
}

Suite skoltech() {
  return {
      .name = "skoltech",
      .title = "Four convolutional networks, cuDNN against PyTorch, on MNIST and Fashion-MNIST",
      .source =
          "Nina-Konovalova/HCP_skoltech, folder Project; read off its plots: times to 1.5 s, accuracies to 0.07 %",
      .notes = {"Published PyTorch accuracies are on the training images, published cuDNN ones on the test images; "
                "all of ours are on the test images.",
                "Published PyTorch times hold Python's data loader, which takes 8 to 10 s an epoch whatever the "
                "network. Published cuDNN times are of the training loop with a copy of each batch to the GPU.",
                "The published LargeNets are two networks: PyTorch's is `largenet`, cuDNN's `largenet-1x1`. Each is "
                "trained as its own program trains it, the other networks as the cuDNN programs do.",
                "The published cuDNN ReLUNet computes the gradient of its convolutions' ReLU and then does not use "
                "it, which would explain its accuracy. `relunet` uses it."},
      .datasets = {"mnist", "fashion-mnist"},
      .networks = {skoltech_network("simplenet", "SimpleNet"), skoltech_network("lenet-caffe", "LeNet"),
                   skoltech_network("relunet", "ReLUNet"),
                   skoltech_network("largenet", "LargeNet (PyTorch's)", "skoltech-pytorch"),
                   skoltech_network("largenet-1x1", "LargeNet (cuDNN's)")},
      .published = skoltech_figures()};
}

Suite nmist() {
  return {.name = "nmist",
          .title = "Full-batch gradient descent, CuPy against PyTorch, on MNIST",
          .source = "Pietot/MNIST-Neural-Network, its README; the DNN on PyTorch from a later one",
          .notes = {"An epoch is one step over all 60,000 images.",
                    "The published CuPy programs compute in float64, the PyTorch ones and ours in float32.",
                    "The published times do not wait for the GPU at the end of the loop.",
                    "The published linear classifiers have a ReLU on their logits, and CuPy's biases never train; "
                    "docs/models.md says what is built here."},
          .datasets = {"mnist"},
          .networks = {{"linear", "full-batch", "linear classifier", {20, 100}, {10, 20}, 5},
                       {"dnn", "full-batch", "DNN", {20, 100, 500}, {10, 20, 40}, 10}},
          .published = nmist_figures()};
}

Suite benchmark_mnist() {
  return {
      .name = "benchmark-mnist",
      .title = "Two MNIST networks, Caffe2 against TensorFlow, 20,000 steps of 100 images",
      .source = "SkinnyRat/Benchmark-MNIST (now Visual-Positioning), BENCHMARK.md",
      .notes = {"20,000 steps are 33.3 epochs of all 60,000 images (`lenet-caffe2`) and 36.4 of the 55,000 that "
                "`cnn` trains on: the last column's epoch ends at step 20,000, which is where the published figures "
                "stand, too.",
                "Published Caffe2 times hold writing every parameter and gradient to a file at every step, "
                "published TensorFlow times an evaluation of a batch every 100 steps.",
                "Published accuracies are of 100 x 200 test images (the test set twice) for Caffe2 and of "
                "100 x 100 for TensorFlow."},
      .datasets = {"mnist"},
      .networks = {{"lenet-caffe2", "benchmark-mnist", "Caffe2 CNN", {1, 5, 15, 34}, {1}},
                   {"cnn", "benchmark-mnist", "TensorFlow CNN", {1, 5, 15, 37}, {1}}},
      .published = benchmark_mnist_figures(),
      .inference = true,
      .test_passes = 2,
      .quick_images = 1000};
}

}  // namespace

std::span<const Suite> known_suites() {
  static const std::vector<Suite> suites = {skoltech(), nmist(), benchmark_mnist()};
  return suites;
}

const Suite& find_suite(const std::string& name) {
  std::string choices;
  for (const Suite& suite : known_suites()) {
    if (suite.name == name) return suite;
    choices += (choices.empty() ? "" : ", ") + suite.name;
  }
  throw UsageError("unknown suite '" + name + "': choose one of " + choices);
}

}  // namespace cairn::comparisons
