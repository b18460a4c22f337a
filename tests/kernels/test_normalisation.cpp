// Batch normalisation and local response normalisation, forward and backward. Not here: softmax (test_softmax.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct BatchShape {
  int64_t batch, channels, plane;
  int64_t count() const { return batch * channels * plane; }
  int64_t values() const { return batch * plane; }  // of a channel
};

std::string text(const BatchShape& s, std::initializer_list<std::pair<const char*, int64_t>> more) {
  return shape_text({{"batch", s.batch}, {"channels", s.channels}, {"plane", s.plane}}) + " " + shape_text(more);
}

// One value a channel (M = 1), rows of one value, planes shorter and longer than a vector and than a block of threads,
// channels that are long enough to be summed in parts, nothing.
std::vector<BatchShape> batch_norm_shapes() {
  if (small_sweep()) return {{1, 2, 1}, {2, 3, 5}, {3, 2, 300}, {0, 2, 4}};
  return {{1, 1, 1},    {1, 3, 1},   {2, 3, 1},  {65, 5, 1},   {1, 2, 49},  {3, 4, 25},
          {7, 3, 7},    {5, 7, 64},  {2, 33, 9}, {20, 6, 144}, {3, 2, 257}, {2, 1, 300},
          {3, 2, 7001}, {33, 1, 97}, {0, 3, 4},  {2, 0, 5},    {2, 3, 0}};
}

// body(element) for every element of channel c.
template <class Body>
void for_channel(const BatchShape& s, int64_t c, const Body& body) {
  for (int64_t n = 0; n < s.batch; ++n)
    for (int64_t i = 0; i < s.plane; ++i) body(static_cast<size_t>((n * s.channels + c) * s.plane + i));
}

// Channels far from 0 have a variance that is small beside the square of their mean; every other channel is one.
Values channel_values(const BatchShape& s) {
  Values x = reals(s.count(), 1);
  for (int64_t c = 1; c < s.channels; c += 2)
    for_channel(s, c, [&](size_t i) { x[i] = static_cast<float>(x[i] + 300); });
  return x;
}

constexpr double kEpsilon = 1e-3, kMomentum = 0.3;

// How far a float computation may be off, channel by channel.
struct Bounds {
  Tolerance mean, inverse_std, running_mean, running_variance, y;
};

Bounds batch_norm_bounds(const BatchShape& s, const Values& x, const Values& weight, const Values& bias,
                         const Values& running_mean, const Values& running_variance, bool training, DType real) {
  Bounds bounds;
  bounds.y.each.resize(x.size());
  const double u = unit(real);
  const auto m = static_cast<double>(std::max<int64_t>(s.values(), 1));
  for (int64_t c = 0; c < s.channels; ++c) {
    const auto channel = static_cast<size_t>(c);
    double mean = running_mean[channel], variance = running_variance[channel];
    double mean_error = u * std::fabs(mean), variance_error = 0;
    if (training) {
      double magnitude = 0, squares = 0;
      for_channel(s, c, [&](size_t i) { magnitude += std::fabs(x[i]); });
      mean = 0;
      for_channel(s, c, [&](size_t i) { mean += x[i] / m; });
      for_channel(s, c, [&](size_t i) { squares += (x[i] - mean) * (x[i] - mean); });
      variance = squares / m;
      mean_error = sum_bound(s.values(), magnitude, real) / m + u * std::fabs(mean);
      // In two passes: of the sum of squares, and by the square of what the mean is off.
      variance_error = sum_bound(s.values() + 4, squares, real) / m + mean_error * mean_error;
    }
    const double inverse_std = 1 / std::sqrt(variance + kEpsilon);
    const double inverse_error = 0.5 * variance_error * std::pow(inverse_std, 3) + 4 * u * inverse_std;
    bounds.mean.each.push_back(mean_error);
    bounds.inverse_std.each.push_back(inverse_error);
    bounds.running_mean.each.push_back(kMomentum * mean_error + 4 * u * (std::fabs(mean) + 10));
    bounds.running_variance.each.push_back(2 * kMomentum * variance_error + 4 * u * (2 * variance + 10));
    for_channel(s, c, [&](size_t i) {
      const double w = std::fabs(weight[channel]), distance = std::fabs(x[i] - mean);
      bounds.y.each[i] = w * (distance * inverse_error + 2 * mean_error * inverse_std) +
                         8 * u * (w * (distance + u * std::fabs(x[i])) * inverse_std + std::fabs(bias[channel]));
    });
  }
  return bounds;
}

}  // namespace

TEST_CASE("batch_norm_forward") {
  for (DType real : kReals) {
    for (const BatchShape& s : batch_norm_shapes()) {
      for (bool training : {true, false}) {
        const auto run = [=](Call& call) {
          const Values x = channel_values(s);
          const Values weight = reals(s.channels, 2, -2, 2), bias = reals(s.channels, 3);
          const Values mean = reals(s.channels, 4, -3, 3), variance = reals(s.channels, 5, 0, 4);
          const Bounds bounds = batch_norm_bounds(s, x, weight, bias, mean, variance, training, real);
          // Without training, or without values, nothing is written to what is running.
          const bool updates = training && s.values() > 0;
          // Nor to anything else without values: then the outputs keep what they had.
          const Values kept = s.values() == 0 ? Values(static_cast<size_t>(s.channels), 7) : Values{};
          const BatchNormForwardArgs args{
              .dtype = call.real(),
              .batch = s.batch,
              .channels = s.channels,
              .plane = s.plane,
              .x = call.input("x", s.count(), x),
              .weight = call.input("weight", s.channels, weight),
              .bias = call.input("bias", s.channels, bias),
              .running_mean =
                  call.output("running_mean", s.channels, updates ? bounds.running_mean : Tolerance{}, mean),
              .running_variance = call.output("running_variance", s.channels,
                                              updates ? bounds.running_variance : Tolerance{}, variance),
              .mean = call.output("mean", s.channels, bounds.mean, kept),
              .inverse_std = call.output("inverse_std", s.channels, bounds.inverse_std, kept),
              .y = call.output("y", s.count(), bounds.y),
              .momentum = kMomentum,
              .epsilon = kEpsilon,
              .training = training};
          return call.invoke(&Backend::batch_norm_forward, args);
        };
        check({.primitive = "batch_norm_forward",
               .shape = text(s, {{"training", training}}),
               .real = real,
               .offset = s.plane % 2,
               .run = run});
      }
    }
  }
}

// Two channels of two images: -1 and 1 (mean 0, variance 1), and 4 twice (variance 0).
TEST_CASE("batch_norm_forward: by hand") {
  for (DType real : kReals) {
    for (bool training : {true, false}) {
      const auto run = [=](Call& call) {
        const BatchNormForwardArgs args{.dtype = call.real(),
                                        .batch = 2,
                                        .channels = 2,
                                        .plane = 1,
                                        .x = call.input("x", 4, {-1, 4, 1, 4}),
                                        .weight = call.input("weight", 2, {2, 8}),
                                        .bias = call.input("bias", 2, {1, -3}),
                                        .running_mean = call.output("running_mean", 2, {}, {10, 3}),
                                        .running_variance = call.output("running_variance", 2, {}, {1, 13}),
                                        .mean = call.output("mean", 2, {}),
                                        .inverse_std = call.output("inverse_std", 2, {.relative = 4 * unit(real)}),
                                        .y = call.output("y", 4, {.relative = 4 * unit(real)}),
                                        .momentum = 0.5,
                                        .epsilon = 3,
                                        .training = training};
        return call.invoke(&Backend::batch_norm_forward, args);
      };
      const double third = 1 / std::sqrt(3.0);
      const std::vector<Values> expected =
          training ? std::vector<Values>{{5, 3.5}, {1.5, 6.5}, {0, 4}, {0.5, third}, {0, -3, 2, -3}}
                   : std::vector<Values>{{10, 3}, {1, 13}, {10, 3}, {0.5, 0.25}, {-10, -1, -8, -1}};
      check({.primitive = "batch_norm_forward",
             .shape = training ? "by hand, training" : "by hand",
             .real = real,
             .run = run,
             .expected = expected});
    }
  }
}

TEST_CASE("batch_norm_backward") {
  for (DType real : kReals) {
    for (const BatchShape& s : batch_norm_shapes()) {
      for (int turn = 0; turn < 8; ++turn) {
        const bool training = turn % 2, accumulate = turn / 2 % 2;
        // All three gradients, and then one of them missing or two.
        const bool has_dx = turn < 4 || turn == 5, has_dweight = turn < 4 || turn == 6, has_dbias = turn != 6;
        const auto run = [=](Call& call) {
          const double u = unit(real);
          const auto m = static_cast<double>(std::max<int64_t>(s.values(), 1));
          const Values x = channel_values(s), dy = reals(s.count(), 6), weight = reals(s.channels, 2, -2, 2);
          Values mean = reals(s.channels, 4, -0.2, 0.2);
          const Values inverse_std = reals(s.channels, 5, 0.5, 2);
          for (size_t c = 1; c < mean.size(); c += 2) mean[c] = 300 + std::floor(8 * mean[c]) / 8;
          Tolerance dx, dweight, dbias;
          dx.each.resize(x.size());
          for (int64_t c = 0; c < s.channels; ++c) {
            const auto channel = static_cast<size_t>(c);
            double sum = 1, dot = 1;  // what is there before is at most 1
            const auto xhat = [&](size_t i) { return std::fabs(x[i] - mean[channel]) * inverse_std[channel]; };
            for_channel(s, c, [&](size_t i) {
              sum += std::fabs(dy[i]);
              dot += std::fabs(dy[i]) * xhat(i);
            });
            const double sum_error = sum_bound(s.values() + 2, sum, real),
                         dot_error = 2 * sum_bound(s.values() + 4, dot, real);
            dbias.each.push_back(sum_error);
            dweight.each.push_back(dot_error);
            const double factor = std::fabs(weight[channel]) * inverse_std[channel];
            for_channel(s, c, [&](size_t i) {
              const double spread = training ? (sum + xhat(i) * dot) / m : 0;
              const double spread_error = training ? (sum_error + xhat(i) * dot_error) / m : 0;
              dx.each[i] = factor * (8 * u * (std::fabs(dy[i]) + spread) + spread_error) + 2 * u;
            });
          }
          const Values before_dx = accumulate ? reals(s.count(), 7) : Values{};
          const Values before = accumulate ? reals(s.channels, 8) : Values{};
          const BatchNormBackwardArgs args{
              .dtype = call.real(),
              .batch = s.batch,
              .channels = s.channels,
              .plane = s.plane,
              .x = call.input("x", s.count(), x),
              .dy = call.input("dy", s.count(), dy),
              .weight = call.input("weight", s.channels, weight),
              .mean = call.input("mean", s.channels, mean),
              .inverse_std = call.input("inverse_std", s.channels, inverse_std),
              .dx = has_dx ? call.output("dx", s.count(), dx, before_dx) : nullptr,
              .dweight = has_dweight ? call.output("dweight", s.channels, dweight, before) : nullptr,
              .dbias = has_dbias ? call.output("dbias", s.channels, dbias, before) : nullptr,
              .training = training,
              .accumulate_dx = accumulate,
              .accumulate_dweight = accumulate,
              .accumulate_dbias = accumulate};
          return call.invoke(&Backend::batch_norm_backward, args);
        };
        check({.primitive = "batch_norm_backward",
               .shape = text(s, {{"turn", turn}}),
               .real = real,
               .offset = s.plane % 2,
               .run = run});
      }
    }
    // xhat is -1 and 1, so that dweight = dy[1] - dy[0] = 2 and dbias = 4; each kind of accumulation by itself.
    for (bool training : {true, false}) {
      const auto run = [=](Call& call) {
        const BatchNormBackwardArgs args{.dtype = call.real(),
                                         .batch = 2,
                                         .channels = 1,
                                         .plane = 1,
                                         .x = call.input("x", 2, {3, 7}),
                                         .dy = call.input("dy", 2, {1, 3}),
                                         .weight = call.input("weight", 1, {4}),
                                         .mean = call.input("mean", 1, {5}),
                                         .inverse_std = call.input("inverse_std", 1, {0.5}),
                                         .dx = call.output("dx", 2, {}, {10, 20}),
                                         .dweight = call.output("dweight", 1, {}, {100}),
                                         .dbias = call.output("dbias", 1, {}, {200}),
                                         .training = training,
                                         .accumulate_dx = !training,
                                         .accumulate_dweight = training,
                                         .accumulate_dbias = !training};
        return call.invoke(&Backend::batch_norm_backward, args);
      };
      const std::vector<Values> expected =
          training ? std::vector<Values>{{0, 0}, {102}, {4}} : std::vector<Values>{{12, 26}, {2}, {204}};
      check({.primitive = "batch_norm_backward", .shape = "by hand", .real = real, .run = run, .expected = expected});
    }
  }
}

namespace {

// Pixels fewer and more than a vector and a block; channels fewer and more than windows reach.
std::vector<BatchShape> response_shapes() {
  if (small_sweep()) return {{2, 3, 5}, {1, 7, 40}};
  return {{1, 1, 1},   {2, 3, 5},   {1, 7, 64}, {3, 2, 129}, {5, 12, 9}, {1, 4, 200},
          {1, 20, 17}, {9, 6, 144}, {0, 3, 4},  {2, 0, 5},   {2, 3, 0}};
}

struct Response {
  double alpha, beta, k;
};
// PyTorch's defaults; strong; and a scale below 1, whose power is above 1.
constexpr Response kResponses[] = {{1e-4, 0.75, 1}, {0.5, 0.75, 2}, {0.02, 1.5, 0.25}};

// Relative, of the sum of up to `size` squares, and of a power, whose exponent's error grows with the logarithm.
double scale_error(int64_t size, DType real) {
  return sum_bound(size + 3, 1, real);
}
double power_error(const Response& r, int64_t size, DType real) {
  return (r.beta + 1) * scale_error(size, real) + 32 * unit(real);
}

Status response_forward(Call& call, const BatchShape& s, int64_t size, const Response& r, const Values& x,
                        const Tolerance& scale, const Tolerance& y, bool keeps_scale = true) {
  const LocalResponseNormForwardArgs args{.dtype = call.real(),
                                          .batch = s.batch,
                                          .channels = s.channels,
                                          .plane = s.plane,
                                          .x = call.input("x", s.count(), x),
                                          .y = call.output("y", s.count(), y),
                                          .scale = keeps_scale ? call.output("scale", s.count(), scale) : nullptr,
                                          .size = size,
                                          .alpha = r.alpha,
                                          .beta = r.beta,
                                          .k = r.k};
  return call.invoke(&Backend::local_response_norm_forward, args);
}

}  // namespace

TEST_CASE("local_response_norm_forward") {
  for (DType real : kReals) {
    for (const BatchShape& s : response_shapes()) {
      for (int64_t size : {1, 2, 5, 9, 1000}) {
        for (int turn = 0; turn < 6; ++turn) {
          const Response& r = kResponses[turn / 2];
          const auto run = [=, &r](Call& call) {
            return response_forward(call, s, size, r, reals(s.count(), 1, -5, 5), {.relative = scale_error(size, real)},
                                    {.relative = power_error(r, size, real)}, turn % 2 == 0);
          };
          check({.primitive = "local_response_norm_forward",
                 .shape = text(s, {{"size", size}, {"turn", turn}}),
                 .real = real,
                 .offset = s.plane % 2,
                 .run = run});
        }
      }
    }
  }
}

TEST_CASE("local_response_norm_forward: by hand") {
  struct Expected {
    const char* shape;
    int64_t size;
    Response response;
    Values x, y, scale;
  };
  const Expected all[] = {
      {"odd", 3, {3, 1, 1}, {1, 2, 3}, {1.0 / 6, 2.0 / 15, 3.0 / 14}, {6, 15, 14}},
      // An even window reaches one channel further down than up.
      {"even", 2, {2, 1, 1}, {1, 2, 3}, {1.0 / 2, 2.0 / 6, 3.0 / 14}, {2, 6, 14}},
      {"nan stays among its neighbours", 3, {3, 1, 1}, {kNan, 2, 3}, {kNan, kNan, 3.0 / 14}, {kNan, kNan, 14}},
      {"overflow", 1, {1, 0.75, 1}, {1e30, 0, -1e30}, {0, 0, 0}, {kInfinity, 1, kInfinity}},
      {"a scale of zero", 1, {1, 0.5, 0}, {0, 4, -9}, {kNan, 1, -1}, {0, 16, 81}},
  };
  for (DType real : kReals)
    for (const Expected& expected : all) {
      if (std::string(expected.shape) == "overflow" && real == DType::f64) continue;  // there it does not
      const auto run = [&](Call& call) {
        // Who computes in double (as `reference` does for floats too) has 1e-15 where others have 0: 1e30 * inf^-0.75.
        const Tolerance tolerance{.absolute = 1e-14, .relative = 32 * unit(real)};
        return response_forward(call, {1, 3, 1}, expected.size, expected.response, expected.x, tolerance, tolerance);
      };
      check({.primitive = "local_response_norm_forward",
             .shape = std::string("by hand, ") + expected.shape,
             .real = real,
             .run = run,
             .expected = {expected.y, expected.scale}});
    }
}

TEST_CASE("local_response_norm_backward") {
  for (DType real : kReals) {
    for (const BatchShape& s : response_shapes()) {
      for (int64_t size : {1, 2, 5, 9, 1000}) {
        int turn = 0;
        for (const Response& r : kResponses) {
          const bool accumulate = ++turn % 2;
          const auto run = [=](Call& call) {
            const Values x = reals(s.count(), 1, -3, 3), scale = reals(s.count(), 2, 0.25, 4), dy = reals(s.count(), 3);
            // All terms at their largest, which those of the window's sum are nowhere together.
            const double power = std::pow(0.25, -r.beta);
            const auto reach = static_cast<double>(std::min(size, s.channels));
            const double largest = power + 2 * r.alpha * r.beta / static_cast<double>(size) * 9 * reach * power * 4 + 1;
            const Tolerance tolerance{.absolute = power_error(r, std::min(size, s.channels), real) * largest};
            const LocalResponseNormBackwardArgs args{
                .dtype = call.real(),
                .batch = s.batch,
                .channels = s.channels,
                .plane = s.plane,
                .x = call.input("x", s.count(), x),
                .scale = call.input("scale", s.count(), scale),
                .dy = call.input("dy", s.count(), dy),
                .dx = call.output("dx", s.count(), tolerance, accumulate ? reals(s.count(), 4) : Values{}),
                .size = size,
                .alpha = r.alpha,
                .beta = r.beta,
                .accumulate = accumulate};
            return call.invoke(&Backend::local_response_norm_backward, args);
          };
          check({.primitive = "local_response_norm_backward",
                 .shape = text(s, {{"size", size}, {"turn", turn}}),
                 .real = real,
                 .offset = s.plane % 2,
                 .run = run});
        }
      }
    }
    // Windows of two, [c - 1, c]: value j is in those of j and j + 1. With alpha = size and beta = 1 the products are
    // dy x / scale^2 = 1, 2, 3 and dx = dy / scale - 2 x (product of j + product of j + 1).
    const auto run = [=](Call& call) {
      const LocalResponseNormBackwardArgs args{
          .dtype = call.real(),
          .batch = 1,
          .channels = 3,
          .plane = 1,
          .x = call.input("x", 3, {1, 2, 3}),
          .scale = call.input("scale", 3, {2, 4, 8}),
          .dy = call.input("dy", 3, {4, 16, 64}),
          .dx = call.output("dx", 3, {.relative = 64 * unit(real)}, {100, 200, 300}),
          .size = 2,
          .alpha = 2,
          .beta = 1,
          .accumulate = 1};
      return call.invoke(&Backend::local_response_norm_backward, args);
    };
    check({.primitive = "local_response_norm_backward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{100 + 2 - 6, 200 + 4 - 20, 300 + 8 - 18}}});
  }
}

}  // namespace cairn::test
