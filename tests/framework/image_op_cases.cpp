#include "framework/ops/concat.h"
#include "framework/ops/conv2d.h"
#include "framework/ops/normalisation.h"
#include "framework/ops/pooling.h"
#include "framework/row_scale.h"
#include "tests/framework/op_cases.h"
#include "tests/framework/support.h"

namespace cairn::test {
namespace {

using Inputs = const std::vector<Tensor>&;
constexpr int64_t kFilters = 4;

// One convolution of x and its filters, and of a bias if there is one.
OpCase convolution(const std::string& name, const Shape& x, int64_t height, int64_t width, bool bias,
                   const Conv2dOptions& options, Activation activation = Activation::none) {
  OpCase op{name, {x, {kFilters, x[1], height, width}}, [=](Inputs in) {
              return conv2d(in[0], in[1], bias ? in[2] : Tensor(), options, activation);
            }};
  if (bias) op.inputs.push_back({kFilters});
  return op;
}

std::vector<OpCase> convolutions(const Shape& x) {
  const auto bytes = [x](const Tensor& weight) {
    const Tensor rows = byte_data(weight.device(), x[0], x.columns());
    const Tensor images = Tensor::from_host<uint8_t>(weight.device(), x, rows.to_host<uint8_t>());
    return Tensor::byte_rows(images, byte_index(weight.device(), x[0]), RowScale(weight.device(), 1.0f / 255, -0.5f),
                             weight.dtype());
  };
  const Conv2dOptions same{.pad_height = 1, .pad_width = 1};
  return {
      convolution("conv2d 3x3", x, 3, 3, false, {}),
      convolution("conv2d 3x3 with bias", x, 3, 3, true, {}),
      convolution("conv2d 3x3 pad 1 with relu", x, 3, 3, false, same, Activation::relu),
      convolution("conv2d 3x3 pad 1 with bias and relu", x, 3, 3, true, same, Activation::relu),
      convolution("conv2d 1x1", x, 1, 1, true, {}),
      convolution("conv2d 1x1 stride 2", x, 1, 1, false, {2, 2}),
      convolution("conv2d 1x1 pad 2", x, 1, 1, true, {1, 1, 2, 2}),
      convolution("conv2d 5x5 pad 2 with bias and relu", x, 5, 5, true, {1, 1, 2, 2}, Activation::relu),
      convolution("conv2d 3x3 stride 2 pad 1", x, 3, 3, true, {2, 2, 1, 1}),
      convolution("conv2d 7x7 stride 2 pad 3", x, 7, 7, false, {2, 2, 3, 3}),
      convolution("conv2d 2x3 stride 3x1 pad 0x2 with bias", x, 2, 3, true, {3, 1, 0, 2}),
      convolution("conv2d as large as x", x, x[2], x[3], true, {}),
      {"conv2d 3x3 pad 1 onto another with relu",
       {x, {kFilters, x[1], 3, 3}, {x[0], kFilters, x[2], x[3]}},
       [=](Inputs in) { return conv2d(in[0], in[1], {}, same, Activation::relu, in[2]); }},
      {"conv2d 1x1 onto its own image, with bias",
       {x, {x[1], x[1], 1, 1}, {x[1]}},
       [=](Inputs in) { return conv2d(in[0], in[1], in[2], {}, Activation::none, in[0]); }},
      {"conv2d of bytes with bias and relu",
       {{kFilters, x[1], 3, 3}, {kFilters}},
       [=](Inputs in) { return conv2d(bytes(in[0]), in[0], in[1], same, Activation::relu); }},
  };
}

std::vector<OpCase> pools(const Shape& x) {
  struct Geometry {
    const char* name;
    PoolOptions options;
  };
  const Geometry geometries[] = {
      {"2x2", {2, 2, 2, 2}},
      {"3x3 stride 2", {3, 3, 2, 2}},
      {"3x3 stride 2 pad 1", {3, 3, 2, 2, 1, 1}},
      {"3x3 stride 2 ceil", {3, 3, 2, 2, 0, 0, true}},
      {"3x3 stride 1 pad 1", {3, 3, 1, 1, 1, 1}},
      {"1x2 stride 3x1 pad 0x1", {1, 2, 3, 1, 0, 1}},
      {"5x4 stride 1x3 pad 2x0 ceil", {5, 4, 1, 3, 2, 0, true}},
  };
  std::vector<OpCase> cases = {
      {"global_max_pool2d", {x}, [](Inputs in) { return global_max_pool2d(in[0]); }},
      {"global_average_pool2d", {x}, [](Inputs in) { return global_average_pool2d(in[0]); }},
  };
  for (const auto& [name, options] : geometries) {
    const PoolOptions o = options;
    cases.push_back({std::string("max_pool2d ") + name, {x}, [o](Inputs in) { return max_pool2d(in[0], o); }});
    cases.push_back({std::string("max_pool2d with relu ") + name, {x}, [o](Inputs in) {
                       return max_pool2d(in[0], o, Activation::relu);
                     }});
    cases.push_back({std::string("average_pool2d ") + name, {x}, [o](Inputs in) { return average_pool2d(in[0], o); }});
    cases.push_back({std::string("average_pool2d without padding ") + name, {x}, [o](Inputs in) {
                       return average_pool2d(in[0], o, false);
                     }});
  }
  return cases;
}

std::vector<OpCase> normalisations(const Shape& x) {
  const Shape channels{x[1]};
  // The running statistics are made afresh for every call, so that each call computes the same.
  const auto norm = [channels](Inputs in, bool training) {
    const Tensor mean = random_tensor(in[0].device(), channels, 5, in[0].dtype());
    const Tensor variance = random_tensor(in[0].device(), channels, 6, in[0].dtype(), 0.5, 1.5);
    return batch_norm(in[0], in[1], in[2], mean, variance, training, 0.1, 1e-3);
  };
  return {
      {"batch_norm in training", {x, channels, channels}, [=](Inputs in) { return norm(in, true); }},
      {"batch_norm in evaluation", {x, channels, channels}, [=](Inputs in) { return norm(in, false); }},
      {"local_response_norm of 3", {x}, [](Inputs in) { return local_response_norm(in[0], 3, 0.9, 0.75, 1.0); }},
      {"local_response_norm of 4", {x}, [](Inputs in) { return local_response_norm(in[0], 4, 2.0, 0.5, 2.0); }},
      {"local_response_norm of 1", {x}, [](Inputs in) { return local_response_norm(in[0], 1, 0.5, 1.0, 1.5); }},
      {"local_response_norm of 99", {x}, [](Inputs in) { return local_response_norm(in[0], 99, 9.0, 0.75, 1.0); }},
  };
}

std::vector<OpCase> concatenations(const Shape& x) {
  const Shape one{x[0], 1, x[2], x[3]}, more{x[0], x[1] + 2, x[2], x[3]};
  const auto all = [](Inputs in) { return concat(in); };
  return {
      {"concat of 1", {x}, all},
      {"concat of 2", {x, more}, all},
      {"concat of 3", {more, one, x}, all},
      {"concat of matrices", {{x[0], x[2]}, {x[0], x[3]}}, all},
      {"concat of a tensor and itself",
       {x, one},
       [](Inputs in) {
         return concat(std::vector<Tensor>{in[0], in[1], in[0]});
       }},
  };
}

}  // namespace

std::vector<OpCase> image_op_cases(int64_t n, int64_t c, int64_t h, int64_t w) {
  const Shape x{n, c, h, w};
  std::vector<OpCase> cases;
  for (const auto& family : {convolutions, pools, normalisations, concatenations})
    for (OpCase& op : family(x)) cases.push_back(std::move(op));
  return cases;
}

}  // namespace cairn::test
