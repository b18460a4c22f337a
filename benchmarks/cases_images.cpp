// Calls on images, at the sizes of the convolutional networks: lenet-caffe with batches of 100, cnn and lenet with
// batches of 64.
#include <cmath>

#include "benchmarks/cases.h"

namespace cairn::benchmarks {
namespace {

// ---- convolution ---------------------------------------------------------------------------------------------

struct Conv {
  std::string layer;
  bool large;
  bool first;  // reads the images themselves, which need no gradient
  int64_t batch, in_channels, size, out_channels, kernel, pad;
};

const std::vector<Conv>& convs() {
  static const std::vector<Conv> list = {
      {"lenet-caffe conv1", false, true, 100, 1, 28, 20, 5, 0},
      {"lenet-caffe conv2", false, false, 100, 20, 12, 50, 5, 0},
      {"cnn conv1", false, true, 64, 1, 28, 32, 5, 2},
      {"cnn conv2", false, false, 64, 32, 14, 64, 5, 2},
      {"lenet conv1", false, true, 64, 1, 28, 6, 5, 2},
      {"lenet conv2", false, false, 64, 6, 14, 16, 5, 0},
      {"3 x 3 among 64 channels", true, false, 16, 64, 32, 64, 3, 1},
  };
  return list;
}

Conv2dShape shape_of(const Conv& conv) {
  const int64_t out = conv.size + 2 * conv.pad - conv.kernel + 1;
  return {.batch = conv.batch,
          .in_channels = conv.in_channels,
          .in_height = conv.size,
          .in_width = conv.size,
          .out_channels = conv.out_channels,
          .out_height = out,
          .out_width = out,
          .kernel_height = conv.kernel,
          .kernel_width = conv.kernel,
          .stride_height = 1,
          .stride_width = 1,
          .pad_height = conv.pad,
          .pad_width = conv.pad};
}

int64_t x_count(const Conv2dShape& s) {
  return s.batch * s.in_channels * s.in_height * s.in_width;
}
int64_t weight_count(const Conv2dShape& s) {
  return s.out_channels * s.in_channels * s.kernel_height * s.kernel_width;
}
int64_t y_count(const Conv2dShape& s) {
  return s.batch * s.out_channels * s.out_height * s.out_width;
}

// Of a sum of `terms` products in [-1, 1], twice what a sum in the given order may be off, because transforms
// (Winograd's) multiply other, larger numbers; where inputs may be rounded, their errors behave as random numbers.
double products_tolerance(const Place& place, int64_t terms) {
  return 2 * sum_tolerance(terms) + 8 * std::sqrt(static_cast<double>(terms)) * place.input_rounding();
}

void add_conv(std::vector<Case>& cases, const Conv& conv) {
  const Conv2dShape s = shape_of(conv);
  add_convolution(cases, conv.layer, conv.large, s, conv.first);
  for (const bool relu : {false, true})
    cases.push_back(make_case<Conv2dBackwardBiasArgs>(
        &Backend::conv2d_backward_bias, conv.layer + (relu ? " with ReLU" : ""), conv.large, [=](Place& place) {
          Conv2dBackwardBiasArgs args{.dtype = place.real(), .batch = s.batch, .channels = s.out_channels};
          args.plane = s.out_height * s.out_width;
          args.dy = place.input(y_count(s), reals(1));
          args.y = relu ? place.input(y_count(s), reals(2)) : nullptr;
          args.dz = relu ? place.output("dz", y_count(s), 0) : nullptr;
          args.dbias = place.output("dbias", s.out_channels, sum_tolerance(s.batch * args.plane));
          return args;
        }));
}

// ---- pools ---------------------------------------------------------------------------------------------------

struct Pool {
  std::string layer;
  bool large;
  int64_t planes, size, window, stride;
};

const std::vector<Pool>& pools() {
  static const std::vector<Pool> list = {
      {"lenet-caffe pool1", false, 100 * 20, 24, 2, 2},  {"lenet-caffe pool2", false, 100 * 50, 8, 2, 2},
      {"cnn pool1", false, 64 * 32, 28, 2, 2},           {"cnn pool2", false, 64 * 64, 14, 2, 2},
      {"lenet pool1", false, 64 * 6, 28, 2, 2},          {"lenet pool2", false, 64 * 16, 10, 2, 2},
      {"overlapping windows", true, 128 * 64, 24, 3, 2}, {"global", true, 64 * 512, 7, 7, 7},
  };
  return list;
}

void add_pool(std::vector<Case>& cases, const Pool& pool) {
  const int64_t size = pool.size, out = (size - pool.window) / pool.stride + 1, window = pool.window;
  const PoolShape s{.planes = pool.planes,
                    .in_height = size,
                    .in_width = size,
                    .out_height = out,
                    .out_width = out,
                    .window_height = window,
                    .window_width = window,
                    .stride_height = pool.stride,
                    .stride_width = pool.stride,
                    .pad_height = 0,
                    .pad_width = 0};
  const int64_t x_count = s.planes * size * size, y_count = s.planes * out * out;
  cases.push_back(make_case<MaxPoolForwardArgs>(&Backend::max_pool_forward, pool.layer, pool.large, [=](Place& place) {
    MaxPoolForwardArgs args{.dtype = place.real(), .shape = s};
    args.x = place.input(x_count, reals(1));
    args.y = place.output("y", y_count, 0);
    args.indices = place.typed_output<int32_t>("indices", y_count, 0);
    args.relu = 1;
    return args;
  }));
  cases.push_back(
      make_case<MaxPoolBackwardArgs>(&Backend::max_pool_backward, pool.layer, pool.large, [=](Place& place) {
        MaxPoolBackwardArgs args{.dtype = place.real(), .shape = s};
        args.dy = place.input(y_count, reals(1));
        // A place in each window that differs from one to the next.
        args.indices = place.typed_input<int32_t>(y_count, [=](int64_t i) {
          const int64_t p = i / out % out, q = i % out, h = i / 3 % window, w = i % window;
          return static_cast<double>((p * s.stride_height + h) * size + q * s.stride_width + w);
        });
        args.y = place.input(y_count, reals(3));
        args.dx = place.output("dx", x_count, sum_tolerance(4));
        return args;
      }));
  cases.push_back(
      make_case<AveragePoolForwardArgs>(&Backend::average_pool_forward, pool.layer, pool.large, [=](Place& place) {
        AveragePoolForwardArgs args{.dtype = place.real(), .shape = s};
        args.x = place.input(x_count, reals(1));
        args.y = place.output("y", y_count, sum_tolerance(window));
        args.count_padding = 1;
        return args;
      }));
  cases.push_back(
      make_case<AveragePoolBackwardArgs>(&Backend::average_pool_backward, pool.layer, pool.large, [=](Place& place) {
        AveragePoolBackwardArgs args{.dtype = place.real(), .shape = s};
        args.dy = place.input(y_count, reals(1));
        args.dx = place.output("dx", x_count, sum_tolerance(4));
        args.count_padding = 1;
        return args;
      }));
}

// ---- normalisation -------------------------------------------------------------------------------------------

struct Images {
  std::string layer;
  bool large;
  int64_t batch, channels, plane;
};

const std::vector<Images>& images() {
  static const std::vector<Images> list = {
      {"after lenet-caffe conv1", false, 100, 20, 24 * 24},
      {"after cnn conv2", false, 64, 64, 14 * 14},
      {"128 images of 64 channels", true, 128, 64, 24 * 24},
  };
  return list;
}

void add_batch_norm(std::vector<Case>& cases, const Images& images) {
  const auto [layer, large, batch, channels, plane] = images;
  const int64_t b = batch, c = channels, p = plane, count = b * c * p;
  for (const bool training : {true, false})
    cases.push_back(make_case<BatchNormForwardArgs>(
        &Backend::batch_norm_forward, layer + (training ? "" : ", evaluation"), large, [=](Place& place) {
          BatchNormForwardArgs args{.dtype = place.real(), .batch = b, .channels = c, .plane = p};
          args.x = place.input(count, reals(1));
          args.weight = place.input(c, reals(2));
          args.bias = place.input(c, reals(3));
          args.running_mean = place.output("running_mean", c, kRounding, reals(4));
          args.running_variance = place.output("running_variance", c, 16 * kUnit, reals(5, 0.5, 1));
          args.mean = place.output("mean", c, kRounding);
          args.inverse_std = place.output("inverse_std", c, 16 * kUnit);
          args.y = place.output("y", count, 32 * kUnit);
          args.momentum = 0;  // every call begins with the same running values
          args.epsilon = 1e-5;
          args.training = training;
          return args;
        }));
  cases.push_back(make_case<BatchNormBackwardArgs>(&Backend::batch_norm_backward, layer, large, [=](Place& place) {
    BatchNormBackwardArgs args{.dtype = place.real(), .batch = b, .channels = c, .plane = p};
    args.x = place.input(count, reals(1));
    args.dy = place.input(count, reals(2));
    args.weight = place.input(c, reals(3));
    args.mean = place.input(c, reals(4, -0.1, 0.1));
    args.inverse_std = place.input(c, reals(5, 1, 2));
    args.dx = place.output("dx", count, 32 * kUnit);
    args.dweight = place.output("dweight", c, sum_tolerance(b * p));
    args.dbias = place.output("dbias", c, sum_tolerance(b * p));
    args.training = 1;
    return args;
  }));
}

void add_response_norm(std::vector<Case>& cases, const Images& images) {
  const auto [layer, large, batch, channels, plane] = images;
  const int64_t b = batch, c = channels, p = plane, count = b * c * p;
  constexpr int64_t kSize = 5;
  constexpr double kAlpha = 0.5, kBeta = 0.75, kPower = 64 * kUnit;
  cases.push_back(
      make_case<LocalResponseNormForwardArgs>(&Backend::local_response_norm_forward, layer, large, [=](Place& place) {
        LocalResponseNormForwardArgs args{.dtype = place.real(), .batch = b, .channels = c, .plane = p};
        args.x = place.input(count, reals(1));
        args.y = place.output("y", count, kPower);
        args.scale = place.output("scale", count, kPower);
        args.size = kSize;
        args.alpha = kAlpha;
        args.beta = kBeta;
        args.k = 1;
        return args;
      }));
  cases.push_back(
      make_case<LocalResponseNormBackwardArgs>(&Backend::local_response_norm_backward, layer, large, [=](Place& place) {
        LocalResponseNormBackwardArgs args{.dtype = place.real(), .batch = b, .channels = c, .plane = p};
        args.x = place.input(count, reals(1));
        args.scale = place.input(count, reals(2, 1, 2));
        args.dy = place.input(count, reals(3));
        args.dx = place.output("dx", count, kPower);
        args.size = kSize;
        args.alpha = kAlpha;
        args.beta = kBeta;
        return args;
      }));
}

// ---- rows, noise and the error between images ----------------------------------------------------------------

void add_copy(std::vector<Case>& cases, const char* use, bool large, int64_t rows, int64_t columns, int64_t stride) {
  cases.push_back(make_case<CopyRowsArgs>(&Backend::copy_rows, use, large, [=](Place& place) {
    CopyRowsArgs args{.dtype = place.real(), .rows = rows, .columns = columns};
    args.x = place.input(rows * columns, reals(1));
    args.x_stride = columns;
    args.y = place.output("y", rows * stride, 0, constant(0));
    args.y_stride = stride;
    return args;
  }));
}

void add_image_pair(std::vector<Case>& cases, const char* use, bool large, int64_t count) {
  cases.push_back(make_case<AddNoiseArgs>(&Backend::add_noise, use, large, [=](Place& place) {
    AddNoiseArgs args{.dtype = place.real(), .count = count};
    args.x = place.input(count, reals(1, 0, 1));
    args.y = place.output("y", count, kRounding);
    args.deviation = 0.5;
    args.high = 1;
    args.seed = 1;
    args.step = place.typed_input<int64_t>(1, constant(3));
    return args;
  }));
  cases.push_back(make_case<SquaredErrorForwardArgs>(&Backend::squared_error_forward, use, large, [=](Place& place) {
    SquaredErrorForwardArgs args{.dtype = place.real(), .count = count};
    args.a = place.input(count, reals(1, 0, 1));
    args.b = place.input(count, reals(2, 0, 1));
    args.loss = place.output("loss", 1, 16 * kUnit);
    return args;
  }));
  cases.push_back(make_case<SquaredErrorBackwardArgs>(&Backend::squared_error_backward, use, large, [=](Place& place) {
    SquaredErrorBackwardArgs args{.dtype = place.real(), .count = count};
    args.a = place.input(count, reals(1, 0, 1));
    args.b = place.input(count, reals(2, 0, 1));
    args.dloss = place.input(1, constant(1));
    args.da = place.output("da", count, kRounding);
    args.factor = 2 / static_cast<double>(count);
    return args;
  }));
}

}  // namespace

void add_convolution(std::vector<Case>& cases, const std::string& layer, bool large, const Conv2dShape& s, bool first) {
  const int64_t taps = s.kernel_height * s.kernel_width;
  cases.push_back(make_case<Conv2dForwardArgs>(&Backend::conv2d_forward, layer, large, [=](Place& place) {
    Conv2dForwardArgs args{.dtype = place.real(), .shape = s};
    args.x = place.input(x_count(s), reals(1));
    args.weight = place.input(weight_count(s), reals(2));
    args.bias = place.input(s.out_channels, reals(3));
    args.y = place.output("y", y_count(s), products_tolerance(place, s.in_channels * taps));
    return args;
  }));
  if (!first)
    cases.push_back(make_case<Conv2dBackwardDataArgs>(&Backend::conv2d_backward_data, layer, large, [=](Place& place) {
      Conv2dBackwardDataArgs args{.dtype = place.real(), .shape = s};
      args.dy = place.input(y_count(s), reals(1));
      args.weight = place.input(weight_count(s), reals(2));
      args.dx = place.output("dx", x_count(s), products_tolerance(place, s.out_channels * taps));
      return args;
    }));
  cases.push_back(
      make_case<Conv2dBackwardFilterArgs>(&Backend::conv2d_backward_filter, layer, large, [=](Place& place) {
        Conv2dBackwardFilterArgs args{.dtype = place.real(), .shape = s};
        args.x = place.input(x_count(s), reals(1));
        args.dy = place.input(y_count(s), reals(2));
        args.dweight =
            place.output("dweight", weight_count(s), products_tolerance(place, s.batch * s.out_height * s.out_width));
        return args;
      }));
}

void add_image_cases(std::vector<Case>& cases) {
  for (const Conv& conv : convs()) add_conv(cases, conv);
  for (const Pool& pool : pools()) add_pool(cases, pool);
  for (const Images& each : images()) {
    add_batch_norm(cases, each);
    add_response_norm(cases, each);
  }
  add_copy(cases, "half of 64 channels, batch 64", false, 64, 32 * 14 * 14, 64 * 14 * 14);
  add_copy(cases, "a quarter of 4 Mi values", true, 1024, 1024, 4096);
  add_image_pair(cases, "digits, batch 64", false, 64 * 28 * 28);
  add_image_pair(cases, "4 Mi values", true, int64_t{1} << 22);
}

}  // namespace cairn::benchmarks
