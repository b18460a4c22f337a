// What every op refuses, word for word: op, rule, what was expected, what came.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "framework/error.h"
#include "framework/ops/activations.h"
#include "framework/ops/concat.h"
#include "framework/ops/conv2d.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/ops/loss.h"
#include "framework/ops/normalisation.h"
#include "framework/ops/pooling.h"
#include "framework/ops/sequence.h"
#include "kernels/registry.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

// Another device of the same implementation: tensors of the two must not meet.
const std::shared_ptr<Device>& elsewhere() {
  static const std::shared_ptr<Device> device = Device::open({.implementation = "reference", .where = "cpu"});
  return device;
}

Tensor make(Shape shape, DType dtype = DType::f32) {
  return Tensor::zeros(reference(), shape, dtype);
}

// batch_norm with one tensor in all four places.
Tensor norm(const Tensor& x, const Tensor& per_channel, double momentum = 0.1, double epsilon = 1e-5) {
  return batch_norm(x, per_channel, per_channel, per_channel, per_channel, true, momentum, epsilon);
}

}  // namespace

TEST_CASE("ops of one input refuse what is no floating tensor") {
  const auto refuse_all = [](const char* name, const char* argument, auto op) {
    CAPTURE(name);
    CHECK(refusal([&] { op(Tensor()); }) == std::string(name) + ": " + argument + " must be a tensor; got none");
    CHECK(refusal([&] {
            op(make({2, 3}, DType::i32));
          }) == std::string(name) + ": " + argument + " must be f32 or f64; got i32[2, 3] on reference on cpu");
  };
  refuse_all("scale", "x", [](const Tensor& x) { scale(x, 2); });
  refuse_all("relu", "x", [](const Tensor& x) { relu(x); });
  refuse_all("tanh", "x", [](const Tensor& x) { tanh(x); });
  refuse_all("sigmoid", "x", [](const Tensor& x) { sigmoid(x); });
  refuse_all("gelu", "x", [](const Tensor& x) { gelu(x); });
  refuse_all("softmax", "x", [](const Tensor& x) { softmax(x); });
  refuse_all("sum", "x", [](const Tensor& x) { sum(x); });
  refuse_all("mean", "x", [](const Tensor& x) { mean(x); });
  refuse_all("argmax", "x", [](const Tensor& x) { argmax(x); });
  refuse_all("dropout", "x", [](const Tensor& x) { dropout(x, 0.5, 1, 1, make({}, DType::i64)); });
  refuse_all("add", "a", [](const Tensor& x) { add(x, make({2, 3})); });
  refuse_all("add", "b", [](const Tensor& x) { add(make({2, 3}), x); });
  refuse_all("multiply", "a", [](const Tensor& x) { multiply(x, make({2, 3})); });
  refuse_all("multiply", "b", [](const Tensor& x) { multiply(make({2, 3}), x); });
  refuse_all("add_bias", "x", [](const Tensor& x) { add_bias(x, make({3})); });
  refuse_all("add_bias", "bias", [](const Tensor& x) { add_bias(make({2, 3}), x); });
  refuse_all("linear", "x", [](const Tensor& x) { linear(x, make({4, 3})); });
  refuse_all("linear", "weight", [](const Tensor& x) { linear(make({2, 3}), x); });
  refuse_all("matmul", "a", [](const Tensor& x) { matmul(x, make({3, 2})); });
  refuse_all("matmul", "b", [](const Tensor& x) { matmul(make({3, 2}), x); });
  refuse_all("conv2d", "x", [](const Tensor& x) { conv2d(x, make({4, 3, 1, 1})); });
  refuse_all("conv2d", "weight", [](const Tensor& x) { conv2d(make({2, 3, 4, 4}), x); });
  refuse_all("max_pool2d", "x", [](const Tensor& x) { max_pool2d(x, {2, 2, 2, 2}); });
  refuse_all("average_pool2d", "x", [](const Tensor& x) { average_pool2d(x, {2, 2, 2, 2}); });
  refuse_all("global_max_pool2d", "x", [](const Tensor& x) { global_max_pool2d(x); });
  refuse_all("global_average_pool2d", "x", [](const Tensor& x) { global_average_pool2d(x); });
  refuse_all("batch_norm", "x", [](const Tensor& x) { norm(x, make({3})); });
  refuse_all("batch_norm", "weight", [](const Tensor& x) { norm(make({2, 3, 4, 4}), x); });
  refuse_all("embedding", "weight", [](const Tensor& x) { embedding(x, make({2}, DType::i32)); });
  refuse_all("gru", "x", [](const Tensor& x) { gru(x, {}, {}); });
  refuse_all("gru", "weight_hh", [](const Tensor& x) { gru(make({2, 3, 4}), {}, {.weight_hh = x}); });
  refuse_all("local_response_norm", "x", [](const Tensor& x) { local_response_norm(x, 3); });
  refuse_all("concat", "part 0", [](const Tensor& x) { concat(std::vector<Tensor>{x, make({2, 3})}); });
  refuse_all("concat", "part 1", [](const Tensor& x) { concat(std::vector<Tensor>{make({2, 3}), x}); });
  refuse_all("squared_error", "a", [](const Tensor& x) { squared_error(x, make({2, 3})); });
  refuse_all("squared_error", "b", [](const Tensor& x) { squared_error(make({2, 3}), x); });
  refuse_all("add_noise", "x", [](const Tensor& x) { add_noise(x, 0.2, 0, 1, 1, 1, make({}, DType::i64)); });
  refuse_all("cross_entropy", "logits", [](const Tensor& x) { cross_entropy(x, labels_of(reference(), {0, 0})); });
}

TEST_CASE("elementwise ops refuse tensors that do not go together") {
  CHECK(refusal([] {
          add(make({2, 3}), make({3, 2}));
        }) == "add: a and b must have one shape; got f32[2, 3] on reference on cpu and f32[3, 2] on reference on cpu");
  CHECK(refusal([] {
          add(make({2, 3}), make({2, 3}, DType::f64));
        }) ==
        "add: a and b must have one dtype and live on one device; got f32[2, 3] on reference on cpu and f64[2, 3] on "
        "reference on cpu");
  CHECK(refusal([] { multiply(make({2}), Tensor::zeros(elsewhere(), {2})); }) ==
        "multiply: a and b must have one dtype and live on one device; got f32[2] on reference on cpu and f32[2] on "
        "reference on cpu");
  CHECK(refusal([] { multiply(make({}), make({1})); }) ==
        "multiply: a and b must have one shape; got f32[] on reference on cpu and f32[1] on reference on cpu");
}

TEST_CASE("add_bias refuses wrong layouts") {
  CHECK(refusal([] {
          add_bias(make({2, 3, 4}), make({4}));
        }) == "add_bias: x must have the layout N x C; got f32[2, 3, 4] on reference on cpu");
  CHECK(refusal([] {
          add_bias(make({2, 3}), make({2}));
        }) ==
        "add_bias: bias must have one value per column of x (N x C); got f32[2, 3] on reference on cpu and f32[2] on "
        "reference on cpu");
  CHECK(refusal([] {
          add_bias(make({2, 3}), make({3}, DType::f64));
        }) ==
        "add_bias: x and bias must have one dtype and live on one device; got f32[2, 3] on reference on cpu and f64[3] "
        "on reference on cpu");
}

TEST_CASE("dropout refuses a probability or a step that cannot be") {
  const Tensor x = make({2}), step = make({}, DType::i64);
  CHECK(refusal([&] { dropout(x, 1.0, 1, 1, step); }) == "dropout: the probability must be in [0, 1); got 1.000000");
  CHECK(refusal([&] { dropout(x, -0.1, 1, 1, step); }) == "dropout: the probability must be in [0, 1); got -0.100000");
  CHECK(refusal([&] { dropout(x, NAN, 1, 1, step); }) == "dropout: the probability must be in [0, 1); got nan");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, Tensor()); }) == "dropout: step must be a tensor; got none");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, make({}, DType::i32)); }) ==
        "dropout: step must be one i64 on the device of x; got i32[] on reference on cpu");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, make({2}, DType::i64)); }) ==
        "dropout: step must be one i64 on the device of x; got i64[2] on reference on cpu");
  CHECK(refusal([&] { dropout(x, 0.5, 1, 1, Tensor::zeros(elsewhere(), {}, DType::i64)); }) ==
        "dropout: step must be one i64 on the device of x; got i64[] on reference on cpu");
}

TEST_CASE("sequence ops refuse what does not go together") {
  const Tensor table = make({5, 3}), ids = make({4, 2}, DType::i32);
  CHECK(embedding(table, ids).shape() == Shape{4, 2, 3});
  CHECK(refusal([&] { embedding(make({5}), ids); }) ==
        "embedding: weight must have the layout vocabulary x features; got f32[5] on reference on cpu");
  CHECK(refusal([&] {
          embedding(table, make({4, 2}));
        }) ==
        "embedding: ids must be i32 and live on weight's device; got f32[4, 2] on reference on cpu for f32[5, 3] on "
        "reference on cpu");
  CHECK(refusal([&] { embedding(table, Tensor::zeros(elsewhere(), {2}, DType::i32)); }).find("weight's device") !=
        std::string::npos);
  CHECK(refusal([&] { embedding(table, Tensor()); }) == "embedding: ids must be a tensor; got none");
  for (const int64_t padding : {-2, 5})
    CHECK(refusal([&] { embedding(table, ids, padding); }) ==
          "embedding: padding_index must be -1 or a row of weight [5, 3]; got " + std::to_string(padding));

  const Tensor x = make({2, 4, 3});
  const GruWeights good{make({15, 3}), make({15, 5}), make({15}), make({15})};
  CHECK(gru(x, {}, good).shape() == Shape{2, 5});
  CHECK(gru(x, make({2, 5}), good, true).shape() == Shape{2, 4, 5});
  const auto refused = [&](const Tensor& start, Tensor GruWeights::*which, const Tensor& tensor) {
    GruWeights weights = good;
    if (which) weights.*which = tensor;
    return refusal([&] { gru(x, start, weights); });
  };
  CHECK(refusal([&] {
          gru(make({2, 3}), {}, good);
        }) == "gru: x must have the layout N x time x inputs; got f32[2, 3] on reference on cpu");
  CHECK(refused({}, &GruWeights::weight_hh, make({14, 5})) ==
        "gru: weight_hh must be [15, 5]; got f32[14, 5] on reference on cpu");
  CHECK(refused({}, &GruWeights::weight_ih, make({15, 4})) ==
        "gru: weight_ih must be [15, 3]; got f32[15, 4] on reference on cpu");
  CHECK(refused({}, &GruWeights::bias_ih, make({5})) == "gru: bias_ih must be [15]; got f32[5] on reference on cpu");
  CHECK(refused({}, &GruWeights::bias_hh, Tensor()) == "gru: bias_hh must be a tensor; got none");
  CHECK(refused(make({3, 5}), nullptr, {}) == "gru: h0 must be [2, 5]; got f32[3, 5] on reference on cpu");
  CHECK(refused({}, &GruWeights::bias_hh, make({15}, DType::f64)).find("one dtype") != std::string::npos);
}

TEST_CASE("reshape and flatten refuse what they cannot view") {
  CHECK(refusal([] { reshape(make({2, 3}), {7}); }) == "reshape: [2, 3] has 6 elements, [7] needs 7");
  CHECK(refusal([] { reshape(Tensor(), {7}); }) == "reshape: x must be a tensor; got none");
  CHECK(refusal([] { flatten(Tensor()); }) == "flatten: x must be a tensor; got none");
  CHECK(refusal([] { reshape(make({1}), {-1}); }) == "a dimension cannot be negative: -1");
  CHECK(refusal([] { reshape(make({1}), {1, 1, 1, 1, 1}); }) == "a tensor has at most 4 dimensions, not 5");
}

TEST_CASE("linear refuses wrong layouts") {
  CHECK(refusal([] {
          linear(make({2, 3, 1}), make({4, 3}));
        }) == "linear: x must have the layout N x in; got f32[2, 3, 1] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({12}));
        }) == "linear: weight must have the layout out x in; got f32[12] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({3, 4}));
        }) ==
        "linear: x (N x in) and weight (out x in) must agree in `in`; got f32[2, 3] on reference on cpu and f32[3, 4] "
        "on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({4, 3}, DType::f64));
        }) ==
        "linear: x and weight must have one dtype and live on one device; got f32[2, 3] on reference on cpu and f64[4, "
        "3] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({4, 3}), make({3}));
        }) == "linear: bias must have one value per output, [4]; got f32[3] on reference on cpu");
  CHECK(refusal([] {
          linear(make({2, 3}), make({4, 3}), make({4}, DType::f64));
        }) ==
        "linear: weight and bias must have one dtype and live on one device; got f32[4, 3] on reference on cpu and "
        "f64[4] on reference on cpu");
}

TEST_CASE("matmul refuses wrong layouts") {
  CHECK(refusal([] {
          matmul(make({2}), make({2, 2}));
        }) == "matmul: a must have the layout M x K; got f32[2] on reference on cpu");
  CHECK(refusal([] {
          matmul(make({2, 2}), make({2}));
        }) == "matmul: b must have the layout K x N; got f32[2] on reference on cpu");
  CHECK(refusal([] {
          matmul(make({2, 3}), make({4, 2}));
        }) ==
        "matmul: a (M x K) and b (K x N) must agree in K; got f32[2, 3] on reference on cpu and f32[4, 2] on reference "
        "on cpu");
}

TEST_CASE("conv2d refuses wrong layouts, and kernels that do not fit") {
  const Tensor x = make({2, 3, 8, 7}), weight = make({4, 3, 5, 5});
  CHECK(refusal([&] {
          conv2d(make({3, 8, 7}), weight);
        }) == "conv2d: x must have the layout N x C x H x W; got f32[3, 8, 7] on reference on cpu");
  CHECK(refusal([&] {
          conv2d(x, make({4, 75}));
        }) ==
        "conv2d: weight must have the layout out x in x kernel height x kernel width; got f32[4, 75] on reference on "
        "cpu");
  CHECK(refusal([&] {
          conv2d(x, make({4, 3, 5, 5}, DType::f64));
        }) ==
        "conv2d: x and weight must have one dtype and live on one device; got f32[2, 3, 8, 7] on reference on cpu and "
        "f64[4, 3, 5, 5] on reference on cpu");
  CHECK(refusal([&] {
          conv2d(x, Tensor::zeros(elsewhere(), {4, 3, 5, 5}));
        }) ==
        "conv2d: x and weight must have one dtype and live on one device; got f32[2, 3, 8, 7] on reference on cpu and "
        "f32[4, 3, 5, 5] on reference on cpu");
  CHECK(refusal([&] { conv2d(x, weight, make({3})); }) ==
        "conv2d: bias must have one value per output channel, [4]; got f32[3] on reference on cpu");
  CHECK(refusal([&] { conv2d(x, weight, make({4}, DType::f64)); }) ==
        "conv2d: weight and bias must have one dtype and live on one device; got f32[4, 3, 5, 5] on reference on cpu "
        "and f64[4] on reference on cpu");
  CHECK(refusal([&] {
          conv2d(x, make({4, 2, 5, 5}));
        }) ==
        "conv2d: x (N x C x H x W) and weight (out x in x kernel height x kernel width) must agree in channels; got x "
        "[2, 3, 8, 7] and weight [4, 2, 5, 5]");
  CHECK(refusal([&] {
          conv2d(x, weight, {}, {}, Activation::none, make({2, 4, 4, 4}));
        }) == "conv2d: add must have the result's shape, [2, 4, 4, 3]; got f32[2, 4, 4, 4] on reference on cpu");
  CHECK(refusal([&] {
          conv2d(x, weight, {}, {}, Activation::none, make({2, 4, 4, 3}, DType::f64));
        }) ==
        "conv2d: x and add must have one dtype and live on one device; got f32[2, 3, 8, 7] on reference on cpu and "
        "f64[2, 4, 4, 3] on reference on cpu");
  CHECK(refusal([&] { conv2d(x, weight, {}, {.groups = 3}); }) ==
        "conv2d: groups are not supported: every output channel sees every input channel; got 3 groups for x [2, 3, 8, "
        "7] and weight [4, 3, 5, 5]");
  CHECK(refusal([&] {
          conv2d(x, make({4, 3, 5, 8}));
        }) ==
        "conv2d: the kernel must fit into x (N x C x H x W) with its padding; got x [2, 3, 8, 7] and weight [4, 3, 5, "
        "8] with padding 0 x 0");
  CHECK(refusal([&] {
          conv2d(x, make({4, 3, 13, 5}), {}, {.pad_height = 2});
        }) ==
        "conv2d: the kernel must fit into x (N x C x H x W) with its padding; got x [2, 3, 8, 7] and weight [4, 3, 13, "
        "5] with padding 2 x 0");
  CHECK(conv2d(x, make({4, 3, 12, 7}), {}, {.pad_height = 2}).shape() == Shape{2, 4, 1, 1});
  CHECK(
      refusal([&] {
        conv2d(x, make({4, 3, 0, 5}));
      }) ==
      "conv2d: the kernel must have 1 to 2147483647 rows and columns; got x [2, 3, 8, 7] and weight [4, 3, 0, 5] with "
      "padding 0 x 0");
  CHECK(refusal([&] {
          conv2d(make({2, 3, 0, 7}), weight, {}, {.pad_height = 4});
        }) == "conv2d: x (N x C x H x W) must have 1 to 2147483647 rows and columns; got [2, 3, 0, 7]");
  CHECK(refusal([&] { conv2d(x, weight, {}, {.stride_width = 0}); }) ==
        "conv2d: strides must be 1 to 2147483647; got 1 x 0 for x [2, 3, 8, 7]");
  CHECK(refusal([&] { conv2d(x, weight, {}, {.pad_height = -1}); }) ==
        "conv2d: padding must be 0 to 2147483647; got -1 x 0 for x [2, 3, 8, 7]");
  // Numbers whose sums an int64 cannot hold.
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CHECK(refusal([&] { conv2d(x, weight, {}, {.pad_height = kMost}); }) ==
        "conv2d: padding must be 0 to 2147483647; got 9223372036854775807 x 0 for x [2, 3, 8, 7]");
  CHECK(refusal([&] {
          conv2d(make({0, 3, kMost, 7}), weight);
        }) ==
        "conv2d: x (N x C x H x W) must have 1 to 2147483647 rows and columns; got [0, 3, 9223372036854775807, 7]");
  CHECK(conv2d(x, weight, {}, {.stride_height = 2147483647, .stride_width = 2147483647}).shape() == Shape{2, 4, 1, 1});
}

TEST_CASE("pools refuse wrong layouts, and windows that do not fit") {
  const Tensor x = make({2, 3, 8, 7});
  CHECK(refusal([] {
          max_pool2d(make({3, 8, 7}), {2, 2, 2, 2});
        }) == "max_pool2d: x must have the layout N x C x H x W; got f32[3, 8, 7] on reference on cpu");
  CHECK(refusal([] {
          global_average_pool2d(make({3, 8, 7}));
        }) == "global_average_pool2d: x must have the layout N x C x H x W; got f32[3, 8, 7] on reference on cpu");
  CHECK(refusal([] {
          global_max_pool2d(make({3, 8, 0, 7}));
        }) == "global_max_pool2d: x (N x C x H x W) must have 1 to 2147483647 rows and columns; got [3, 8, 0, 7]");
  CHECK(refusal([&] {
          max_pool2d(x, {9, 2, 2, 2});
        }) ==
        "max_pool2d: the window must fit into x (N x C x H x W) with its padding; got a window of 9 x 2 with padding 0 "
        "x 0 for x [2, 3, 8, 7]");
  CHECK(
      refusal([&] {
        average_pool2d(x, {2, 0, 2, 2});
      }) ==
      "average_pool2d: the window must have 1 to 2147483647 rows and columns; got a window of 2 x 0 with padding 0 x 0 "
      "for x [2, 3, 8, 7]");
  CHECK(refusal([&] {
          average_pool2d(x, {2, 2, -1, 2});
        }) == "average_pool2d: strides must be 1 to 2147483647; got -1 x 2 for x [2, 3, 8, 7]");
  CHECK(refusal([&] {
          max_pool2d(x, {3, 3, 2, 2, 1, 2});
        }) ==
        "max_pool2d: padding must be at most half the window; got a window of 3 x 3 with padding 1 x 2 for x [2, 3, 8, "
        "7]");
  CHECK(refusal([&] {
          max_pool2d(x, {3, 3, 2, 2, -1, 0});
        }) == "max_pool2d: padding must be 0 to 2147483647; got -1 x 0 for x [2, 3, 8, 7]");
  CHECK(refusal([&] {
          max_pool2d(make({0, 3, 65536, 32768}), {2, 2, 2, 2});
        }) ==
        "max_pool2d: a plane of x (N x C x H x W) must have less than 2^31 values; got f32[0, 3, 65536, 32768] on "
        "reference on cpu");
}

TEST_CASE("normalisations refuse wrong layouts and constants") {
  const Tensor x = make({2, 3, 4, 4}), each = make({3});
  CHECK(refusal([&] {
          norm(make({2, 3}), each);
        }) == "batch_norm: x must have the layout N x C x H x W; got f32[2, 3] on reference on cpu");
  CHECK(refusal([&] { norm(x, make({2})); }) ==
        "batch_norm: weight must have one value per channel of x (N x C x H x W); got f32[2, 3, 4, 4] on reference on "
        "cpu and f32[2] on reference on cpu");
  CHECK(
      refusal([&] { batch_norm(x, each, make({4}), each, each, true); }) ==
      "batch_norm: bias must have one value per channel of x (N x C x H x W); got f32[2, 3, 4, 4] on reference on cpu "
      "and f32[4] on reference on cpu");
  CHECK(refusal([&] { batch_norm(x, each, each, Tensor(), each, true); }) ==
        "batch_norm: running_mean must be a tensor; got none");
  CHECK(refusal([&] { batch_norm(x, each, each, each, make({3}, DType::f64), true); }) ==
        "batch_norm: x and running_variance must have one dtype and live on one device; got f32[2, 3, 4, 4] on "
        "reference on cpu and f64[3] on reference on cpu");
  CHECK(refusal([&] { norm(x, each, 1.5); }) == "batch_norm: momentum must be in [0, 1]; got 1.500000");
  CHECK(refusal([&] { norm(x, each, NAN); }) == "batch_norm: momentum must be in [0, 1]; got nan");
  CHECK(refusal([&] { norm(x, each, 0.1, 0); }) == "batch_norm: epsilon must be above 0; got 0.000000");
  CHECK(refusal([] {
          local_response_norm(make({2, 3}), 3);
        }) == "local_response_norm: x must have the layout N x C x H x W; got f32[2, 3] on reference on cpu");
  CHECK(refusal([&] { local_response_norm(x, 0); }) == "local_response_norm: size must be at least 1 channel; got 0");
  CHECK(refusal([&] { local_response_norm(x, 3, -1); }) ==
        "local_response_norm: alpha must be at least 0; got -1.000000");
  CHECK(refusal([&] { local_response_norm(x, 3, 1, INFINITY); }) ==
        "local_response_norm: beta must be finite; got inf");
  CHECK(refusal([&] { local_response_norm(x, 3, 1, 1, 0); }) == "local_response_norm: k must be above 0; got 0.000000");
}

TEST_CASE("concat refuses parts that do not go together") {
  const auto concatenated = [](const std::vector<Tensor>& parts) { return refusal([&] { concat(parts); }); };
  CHECK(concatenated({}) == "concat: there must be at least one part; got none");
  CHECK(concatenated({make({3})}) == "concat: part 0 must have the layout N x C x ...; got f32[3] on reference on cpu");
  CHECK(
      concatenated({make({2, 3, 4, 4}), make({2, 5, 4, 4}), make({2, 3, 4, 5})}) ==
      "concat: part 0 and part 2 (N x C x ...) must agree in all but the channels; got f32[2, 3, 4, 4] on reference on "
      "cpu and f32[2, 3, 4, 5] on reference on cpu");
  CHECK(concatenated({make({2, 3}), make({2, 3, 1})}) ==
        "concat: part 0 and part 1 (N x C x ...) must agree in all but the channels; got f32[2, 3] on reference on cpu "
        "and f32[2, 3, 1] on reference on cpu");
  CHECK(concatenated({make({2, 3}), make({2, 3}, DType::f64)}) ==
        "concat: part 0 and part 1 must have one dtype and live on one device; got f32[2, 3] on reference on cpu and "
        "f64[2, 3] on reference on cpu");
  CHECK(concat(std::vector<Tensor>{make({0, 3}), make({0, 0})}).shape() == Shape{0, 3});
}

TEST_CASE("squared_error and add_noise refuse what does not fit") {
  CHECK(refusal([] {
          squared_error(make({2, 3}), make({3, 2}));
        }) ==
        "squared_error: a and b must have one shape; got f32[2, 3] on reference on cpu and f32[3, 2] on reference on "
        "cpu");
  CHECK(squared_error(make({0}), make({0})).item() == 0);
  const Tensor x = make({2}), step = make({}, DType::i64);
  const auto noise = [&](double deviation, double low, double high, const Tensor& clock) {
    return refusal([&] { add_noise(x, deviation, low, high, 1, 1, clock); });
  };
  CHECK(noise(-1, 0, 1, step) == "add_noise: the deviation must be at least 0; got -1.000000");
  CHECK(noise(NAN, 0, 1, step) == "add_noise: the deviation must be at least 0; got nan");
  CHECK(noise(1, 1, 0, step) == "add_noise: low must be at most high; got 1.000000 and 0.000000");
  CHECK(noise(1, 0, 1, Tensor()) == "add_noise: step must be a tensor; got none");
  CHECK(noise(1, 0, 1, make({}, DType::i32)) ==
        "add_noise: step must be one i64 on the device of x; got i32[] on reference on cpu");
}

TEST_CASE("softmax, argmax and the losses refuse wrong layouts and labels") {
  CHECK(refusal([] { softmax(make({3})); }) == "softmax: x must have the layout N x C; got f32[3] on reference on cpu");
  CHECK(refusal([] { argmax(make({3})); }) == "argmax: x must have the layout N x C; got f32[3] on reference on cpu");
  CHECK(refusal([] {
          argmax(make({3, 0}));
        }) == "argmax: a row must have at least one column; got f32[3, 0] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3}), labels_of(reference(), {0, 0, 0}));
        }) == "cross_entropy: logits must have the layout N x classes; got f32[3] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3, 0}), labels_of(reference(), {0, 0, 0}));
        }) == "cross_entropy: logits must have at least one class (N x classes); got f32[3, 0] on reference on cpu");
  CHECK(refusal([] { cross_entropy(make({3, 2}), Tensor()); }) == "cross_entropy: labels must be a tensor; got none");
  const std::string rule = "cross_entropy: labels must be i32 with one value per row of logits (N x classes); got ";
  CHECK(refusal([] {
          cross_entropy(make({3, 2}), labels_of(reference(), {0, 1}));
        }) == rule + "i32[2] on reference on cpu for f32[3, 2] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3, 2}), make({3}));
        }) == rule + "f32[3] on reference on cpu for f32[3, 2] on reference on cpu");
  CHECK(refusal([] {
          cross_entropy(make({3, 2}), labels_of(elsewhere(), {0, 1, 0}));
        }) == rule + "i32[3] on reference on cpu for f32[3, 2] on reference on cpu");
}

TEST_CASE("cross_entropy refuses a smoothing that leaves the label nothing") {
  for (const double smoothing : {-0.1, 1.0, std::nan("")})
    CHECK(refusal([&] {
            cross_entropy(make({3, 2}), labels_of(reference(), {0, 0, 0}), smoothing);
          }) == "cross_entropy: label smoothing must be at least 0 and less than 1; got " + std::to_string(smoothing));
}

TEST_CASE("add_metrics refuses sums of another kind") {
  const Tensor logits = make({1, 2}), labels = labels_of(reference(), {0});
  const Tensor loss = make({}, DType::f64), correct = make({}, DType::i64), in_top = make({}, DType::i64);
  CHECK_NOTHROW(add_metrics(logits, labels, loss, correct, in_top, 1));
  CHECK(refusal([&] { add_metrics(logits, labels, Tensor(), correct, in_top, 1); }) ==
        "add_metrics: loss_sum must be a tensor; got none");
  CHECK(refusal([&] { add_metrics(logits, labels, loss, Tensor(), in_top, 1); }) ==
        "add_metrics: correct must be a tensor; got none");
  CHECK(refusal([&] { add_metrics(logits, labels, loss, correct, Tensor(), 1); }) ==
        "add_metrics: in_top must be a tensor; got none");
  const std::string rule =
      "add_metrics: loss_sum must be one f64, correct and in_top one i64 each, on the device of logits; got ";
  const std::string f64 = "f64[] on reference on cpu", i64 = "i64[] on reference on cpu";
  CHECK(refusal([&] { add_metrics(logits, labels, correct, loss, in_top, 1); }) ==
        rule + i64 + ", " + f64 + " and " + i64);
  CHECK(refusal([&] { add_metrics(logits, labels, loss, correct, loss, 1); }) ==
        rule + f64 + ", " + i64 + " and " + f64);
  const Tensor other = Tensor::zeros(elsewhere(), {}, DType::i64);
  CHECK(refusal([&] { add_metrics(logits, labels, loss, other, in_top, 1); }) ==
        rule + f64 + ", " + i64 + " and " + i64);
  CHECK(refusal([&] { add_metrics(logits, make({1}), loss, correct, in_top, 1); }) ==
        "add_metrics: labels must be i32 with one value per row of logits (N x classes); got f32[1] on reference on "
        "cpu for f32[1, 2] on reference on cpu");
}

TEST_CASE("doubles are refused where only floats are computed") {
  for (const auto& device : devices()) {
    if (device->supports(DType::f64)) continue;
    const Tensor x = Tensor::zeros(device, {2, 2}, DType::f64);
    CHECK(refusal([&] { relu(x); }) == "relu: " + device->label() +
                                           " computes in f32 only (--impl reference has f64); got f64[2, 2] on " +
                                           device->label());
  }
}

}  // namespace cairn::test
