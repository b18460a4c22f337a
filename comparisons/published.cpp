#include "comparisons/published.h"

#include <array>

namespace cairn::comparisons {
namespace {

using FourValues = std::array<double, 4>;

// At 5, 15, 30 and 45 epochs: seconds and percent.
void add_skoltech(std::vector<PublishedCurve>& curves, const std::string& model, const std::string& dataset,
                  const std::string& by, const FourValues& seconds, const FourValues& accuracy) {
  constexpr std::array<int64_t, 4> kEpochs = {5, 15, 30, 45};
  PublishedCurve curve{model, dataset, by, "not stated", by == "PyTorch", {}};
  for (size_t i = 0; i < kEpochs.size(); ++i) curve.points.push_back({kEpochs[i], seconds[i], accuracy[i]});
  curves.push_back(curve);
}

}  // namespace

std::vector<PublishedCurve> skoltech_figures() {
  std::vector<PublishedCurve> curves;
  const auto add = [&](const char* model, const char* dataset, const char* by, const FourValues& seconds,
                       const FourValues& accuracy) { add_skoltech(curves, model, dataset, by, seconds, accuracy); };
  add("simplenet", "mnist", "cuDNN", {2, 5.4, 10.6, 15}, {94.0, 96.8, 97.6, 97.9});
  add("simplenet", "mnist", "PyTorch", {42, 124, 253, 392}, {96.0, 98.6, 99.8, 99.9});
  add("simplenet", "fashion-mnist", "cuDNN", {2, 5.3, 10.5, 15.5}, {85.1, 87.1, 87.7, 88.0});
  add("simplenet", "fashion-mnist", "PyTorch", {41, 123, 248, 379}, {88, 90, 92, 93});
  add("lenet-caffe", "mnist", "cuDNN", {4.6, 12.7, 24.2, 36.6}, {97.1, 98.5, 98.9, 98.8});
  add("lenet-caffe", "mnist", "PyTorch", {46, 138, 279, 420}, {97.3, 99.4, 99.8, 99.9});
  add("lenet-caffe", "fashion-mnist", "cuDNN", {4.2, 12.0, 24.4, 36.7}, {83.0, 87.4, 88.8, 89.3});
  add("lenet-caffe", "fashion-mnist", "PyTorch", {46, 140, 274, 409}, {82, 87, 90, 93});
  add("relunet", "mnist", "cuDNN", {5.0, 13.2, 25.6, 39.1}, {92.0, 94.9, 96.0, 96.4});
  add("relunet", "mnist", "PyTorch", {45, 137, 275, 406}, {99.8, 99.8, 99.8, 99.9});
  add("relunet", "fashion-mnist", "cuDNN", {5.1, 13.7, 26.5, 39.3}, {75.1, 78.0, 81.8, 78.1});
  add("relunet", "fashion-mnist", "PyTorch", {45, 136, 273, 424}, {86, 91, 94, 96.6});
  add("largenet-1x1", "mnist", "cuDNN", {4.2, 10.7, 21.1, 31.4}, {95.9, 97.6, 98.5, 98.7});
  add("largenet", "mnist", "PyTorch", {49, 147, 298, 440}, {97, 98, 99.5, 99.8});
  add("largenet-1x1", "fashion-mnist", "cuDNN", {4.6, 11.1, 21.6, 32.0}, {81.2, 86.2, 87.3, 87.9});
  add("largenet", "fashion-mnist", "PyTorch", {50, 147, 297, 445}, {87, 90, 94, 95});
  return curves;
}

std::vector<PublishedCurve> nmist_figures() {
  const std::string device = "RTX 2060, Ryzen 5 3600";
  return {{"linear", "mnist", "CuPy", device, false, {{100, 6, 88}}},
          {"linear", "mnist", "PyTorch", device, false, {{100, 0.3, 88}}},
          {"dnn", "mnist", "CuPy", device, false, {{500, 50, 93}}},
          {"dnn", "mnist", "PyTorch", device, false, {{500, 2.7, 93}}}};
}

std::vector<PublishedCurve> benchmark_mnist_figures() {
  return {{"lenet-caffe2", "mnist", "Caffe2", "GTX 1050", false, {{34, 267.68, 98.77}}},
          {"lenet-caffe2", "mnist", "Caffe2", "GTX 1080 Ti", false, {{34, 91.68, 98.64}}},
          {"cnn", "mnist", "TensorFlow", "GTX 1050", false, {{37, 282.46, 99.31}}},
          {"cnn", "mnist", "TensorFlow", "GTX 1080 Ti", false, {{37, 106.55, 99.32}}}};
}

std::vector<PublishedCurve> cifar_frameworks_figures() {
  std::vector<PublishedCurve> curves;
  const auto add = [&](const std::string& recipe, const std::string& by, const std::string& device, double seconds,
                       double accuracy) {
    curves.push_back({"cifar-vgg", "cifar10", by, device, false, {{10, seconds, accuracy}}, recipe});
  };
  add("mxnet", "MXNet", "half a K80", 145, 77.42);
  add("mxnet", "MXNet", "P100", 51.7, 77.39);
  add("mxnet", "CNTK", "half a K80", 163, 78.06);
  add("mxnet", "CNTK", "P100", 53.2, 77.01);
  add("mxnet", "TensorFlow", "half a K80", 173, 77.64);
  add("mxnet", "TensorFlow", "P100", 56.9, 77.16);
  add("mxnet", "Keras (CNTK)", "half a K80", 194, 76.87);
  add("mxnet", "Keras (TensorFlow)", "half a K80", 241, 77.3);
  add("mxnet", "Keras (Theano)", "half a K80", 269, 77.83);
  add("pytorch", "PyTorch", "half a K80", 169, 77.65);
  add("pytorch", "PyTorch", "P100", 51.2, 77.45);
  add("gluon", "Gluon", "half a K80", 152, 75.94);
  add("gluon", "Gluon", "V100", 37.2, 76.53);
  add("caffe2", "Caffe2", "half a K80", 148, 79.06);
  add("caffe2", "Caffe2", "P100", 54.4, 78.49);
  add("knet", "Knet", "half a K80", 158.8, 77.54);
  PublishedCurve rising{"cifar-vgg", "cifar10", "MXNet's curve", "half a K80", true, {}, "mxnet"};
  int64_t epoch = 0;
  for (const double accuracy : {32.7, 48.3, 56.2, 62.1, 67.0, 71.2, 73.6, 76.0, 77.9, 79.6})
    rising.points.push_back({++epoch, {}, accuracy});
  curves.push_back(rising);
  return curves;
}

std::vector<PublishedCurve> playground_cifar_figures() {
  struct One {
    const char* model;
    double epoch_seconds, accuracy;
  };
  constexpr int64_t kEpochs = 25;
  std::vector<PublishedCurve> curves;
  for (const One& one :
       {One{"cifar-fcn", 5.30, 50.16}, One{"cifar-lenet", 5.94, 65.98}, One{"cifar-alexnet", 6.11, 65.04},
        One{"cifar-vgg1", 10.11, 71.41}, One{"cifar-vgg2", 5.80, 70.97}, One{"cifar-vgg3", 14.02, 70.31},
        One{"cifar-plain", 9.66, 60.13}, One{"cifar-resnet", 12.07, 65.54}, One{"cifar-inception", 15.68, 76.26},
        One{"cifar-inception2", 19.21, 73.77}})
    curves.push_back(
        {one.model, "cifar10", "PyTorch", "Apple M1", false, {{kEpochs, kEpochs * one.epoch_seconds, one.accuracy}}});
  return curves;
}

std::vector<PublishedCurve> imdb_frameworks_figures() {
  std::vector<PublishedCurve> curves;
  const auto add = [&](const std::string& model, const std::string& recipe, const std::string& by,
                       const std::string& device, double seconds, double accuracy) {
    curves.push_back({model, "imdb", by, device, false, {{3, seconds, accuracy}}, recipe});
  };
  add("imdb-gru", "mxnet", "MXNet", "half a K80", 29, 85.92);
  add("imdb-gru", "mxnet", "MXNet", "P100", 24.1, 85.86);
  add("imdb-gru", "mxnet", "Gluon", "V100", 11.4, 85.79);
  add("imdb-gru", "mxnet", "CNTK", "half a K80", 32, 85.34);
  add("imdb-gru", "mxnet", "CNTK", "P100", 14.6, 85.65);
  add("imdb-gru", "pytorch", "PyTorch", "half a K80", 31.2, 86.29);
  add("imdb-gru", "pytorch", "PyTorch", "P100", 12.6, 86.23);
  add("imdb-gru-start", "tensorflow", "TensorFlow", "half a K80", 30, 86.14);
  add("imdb-gru-start", "tensorflow", "TensorFlow", "P100", 22.2, 85.99);
  add("imdb-gru-knet", "knet", "Knet", "half a K80", 29.3, 84.45);
  curves.push_back({"imdb-gru",
                    "imdb",
                    "MXNet's curve",
                    "not stated",
                    true,
                    {{1, {}, 77.5}, {2, {}, 92.4}, {3, {}, 96.4}},
                    "mxnet"});
  return curves;
}

}  // namespace cairn::comparisons
