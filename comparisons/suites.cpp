// What each suite trains. The published figures are in published.cpp.
#include "comparisons/suites.h"

#include <algorithm>

#include "comparisons/photo_suites.h"
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
      .inference = TestPlan{.batch_size = 100, .batches = 200},
      .quick_examples = 1000};
}

Suite cifar_frameworks() {
  const auto begun = [](const std::string& recipe, const std::string& title) {
    return Network{"cifar-vgg", recipe, title, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {1}};
  };
  return {
      .name = "cifar-frameworks",
      .title = "One CIFAR-10 network in twelve frameworks, ten epochs",
      .source = "ilkarman/DeepLearningFrameworks at cb67920 (K80) and 671e2a0 (P100), and Knet.jl's copy of its table",
      .notes =
          {"All frameworks had the same network, data, optimizer and length; what differs on purpose is how each "
           "begins. "
           "A recipe here is one way to begin; the frameworks that share it stand under it.",
           "Published times hold shuffling on the host, the copy of each batch to the GPU and the step.",
           "Published accuracies are of 9,984 test images, in whole batches; MXNet's and Keras's of all 10,000, as "
           "ours.",
           "Gluon's network had a dropout of 0.25 before its last layer, where the others and ours have 0.5.",
           "Chainer (79.41 % on a K80) and Lasagne (76.89 %) begin in ways of their own, which are not trained here."},
      .datasets = {"cifar10"},
      .networks = {begun("mxnet", "Glorot's uniform"), begun("pytorch", "PyTorch's uniform"),
                   begun("gluon", "Xavier, magnitude 2.24"), begun("caffe2", "Caffe's Xavier"),
                   begun("knet", "Knet's Xavier")},
      .published = cifar_frameworks_figures(),
      .quick_examples = 128};
}

Suite playground_cifar() {
  const auto one = [](const std::string& model, const std::string& title) {
    return Network{model, "playground", title, {1, 5, 10, 25}, {1}};
  };
  return {
      .name = "playground-cifar",
      .title = "Ten CIFAR-10 networks from nothing, 25 epochs each",
      .source =
          "LucasRr/deep_learning_playground, CIFAR10_classification.ipynb at 5052f81, PyTorch 1.13 on an Apple M1",
      .notes =
          {"Trained on 40,000 images; 10,000 are held out and 10,000 are the test, as published.",
           "A published time is 25 times that of an epoch, which holds the data loader and a pass over the 10,000 "
           "images "
           "held out.",
           "Published is one training a network. Ours too: seeds differ by a point and more.",
           "The published VGG2 applied its second convolution twice and its fourth never; here is the network that was "
           "meant. docs/models.md has what else differs."},
      .datasets = {"cifar10"},
      .networks = {one("cifar-fcn", "FCN"), one("cifar-lenet", "LeNet5"), one("cifar-alexnet", "AlexNet"),
                   one("cifar-vgg1", "VGG1"), one("cifar-vgg2", "VGG2"), one("cifar-vgg3", "VGG3"),
                   one("cifar-plain", "ResNet_plain"), one("cifar-resnet", "ResNet"),
                   one("cifar-inception", "Inception"), one("cifar-inception2", "Inception2")},
      .published = playground_cifar_figures(),
      .quick_examples = 256};
}

Suite benchmark_imagenet() {
  return {
      .name = "benchmark-imagenet",
      .title = "TensorFlow's CIFAR-10 tutorial, 20,000 steps of 64 images",
      .source = "SkinnyRat/Benchmark-MNIST (now Visual-Positioning), folder ImageNet and BENCHMARK.md",
      .notes =
          {"The publication calls it ImageNet; the code that it holds trains TensorFlow's CIFAR-10 tutorial, which is "
           "what is trained here. 20,000 steps are 25.6 epochs.",
           "Its published figures are of 1,000,000 steps on downsampled ImageNet and have no place beside ours: 57.90 "
           "% in 4 h "
           "19 min on a GTX 1060, 54.80 % in 1 h 59 min on a GTX 1080 Ti. The program reads one of the two bytes of a "
           "label, "
           "by which a thousand classes become four.",
           "The tutorial itself names about 86 % after 100,000 steps of 128 images.",
           "Tested is the average of the weights, 1000 batches of 64 from the first image again at the end, by a "
           "process of its "
           "own on the CPU."},
      .datasets = {"cifar10"},
      .networks = {{"cifar-tutorial", "benchmark-imagenet", "the tutorial", {1, 5, 15, 26}, {1}}},
      .published = {},
      .inference = TestPlan{.batch_size = 64, .batches = 1000, .own_process = true},
      .quick_examples = 640};
}

Suite imdb_frameworks() {
  const auto begun = [](const std::string& model, const std::string& recipe, const std::string& title) {
    return Network{model, recipe, title, {1, 2, 3}, {1}};
  };
  return {
      .name = "imdb-frameworks",
      .title = "One recurrent network on IMDB's film reviews, three epochs, beside eight frameworks",
      .source =
          "ilkarman/DeepLearningFrameworks at cb67920 (K80) and 671e2a0 (P100, V100), and Knet.jl's copy of its table",
      .notes =
          {"All frameworks had the same network, but for what is said below, the same optimizer and length; what "
           "differs "
           "on purpose is how each begins. A recipe here is one way to begin; the frameworks that share it stand under "
           "it. `default` is Cairn's own, of which nothing was published.",
           "Published times hold shuffling on the host, the copy of each batch to the GPU and the step. PyTorch's on "
           "the P100 is that of its notebook; the publication's table has 16 s.",
           "Published accuracies are of 24,960 test reviews, in whole batches; MXNet's and Keras's of all 25,000, as "
           "ours. MXNet's curve is of the training reviews, counted on each batch before its update.",
           "Knet's padding stands ahead of the words, that of the others behind them, and its last layer has no bias. "
           "TensorFlow learnt a state to begin with for each place of a batch; here it is one for all.",
           "Keras begins in a way of its own, which is not trained here: on half a K80 and on a P100 85.25 % after 35 "
           "s "
           "and 85.50 % after 25.6 s by TensorFlow, 86.09 % after 86 s and 86.08 % after 53.4 s by CNTK, without "
           "cuDNN."},
      .datasets = {"imdb"},
      .networks = {begun("imdb-gru", "default", "Cairn's own"), begun("imdb-gru", "mxnet", "Glorot's uniform"),
                   begun("imdb-gru", "pytorch", "PyTorch's normal table"),
                   begun("imdb-gru-start", "tensorflow", "TensorFlow's learnt state"),
                   begun("imdb-gru-knet", "knet", "Knet's")},
      .published = imdb_frameworks_figures(),
      .quick_examples = 128};
}

}  // namespace

std::string curve_name(const Suite& suite, const std::string& model, const std::string& recipe) {
  return std::ranges::count(suite.networks, model, &Network::model) > 1 ? model + "-" + recipe : model;
}

std::span<const Suite> known_suites() {
  static const std::vector<Suite> suites = {
      skoltech(),           nmist(),          benchmark_mnist(), cifar_frameworks(), playground_cifar(),
      benchmark_imagenet(), imdb_frameworks()};
  return suites;
}

const Suite& find_suite(const std::string& name) {
  std::string choices;
  for (const Suite& suite : known_suites()) {
    if (suite.name == name) return suite;
    choices += (choices.empty() ? "" : ", ") + suite.name;
  }
  for (const PhotoSuite& suite : photo_suites()) choices += ", " + suite.name;
  throw UsageError("unknown suite '" + name + "': choose one of " + choices);
}

}  // namespace cairn::comparisons
