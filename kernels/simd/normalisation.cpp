// Batch normalisation, threaded over channels, and local response normalisation, threaded over blocks of pixels. Not
// here: softmax (softmax.cpp).
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

// ---- batch normalisation -------------------------------------------------------------------------------------

// A channel's values are `batch` runs of `plane` floats. One thread does all passes over a channel, one channel after
// the other, so that after the first pass it finds the channel in its cache; and the order of a sum depends on the
// shape alone.

// body(offset of the channel's run in an image), in order.
template <class Args, class Body>
void for_runs(const Args& args, int64_t channel, const Body& body) {
  for (int64_t n = 0; n < args.batch; ++n) body((n * args.channels + channel) * args.plane);
}

template <class Args, class Body>
void for_channels(Stream& stream, const Args& args, const Body& body) {
  const int64_t count = std::max<int64_t>(args.batch * args.plane, 1);
  stream.pool.parallel_for(args.channels, ceil_div(kGrain, count), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) body(c);
  });
}

// The sums of `count` kinds of terms over a channel: floats in vectors along a run, which go into a double at its end
// or after kVectors of them. terms(offset, lanes) returns an array of `count` vectors, of which only the first `lanes`
// lanes are not 0.
template <int count, class Args, class Terms>
std::array<double, count> sum_channel(const Args& args, int64_t channel, const Terms& terms) {
  constexpr int64_t kVectors = 256, kParts = 2;  // sums that do not wait for one another
  using Vectors = std::array<Vector, count>;
  std::array<double, count> sums{};
  for_runs(args, channel, [&](int64_t run) {
    for (int64_t begin = 0; begin < args.plane; begin += kVectors * kLanes) {
      const int64_t end = std::min(args.plane, begin + kVectors * kLanes);
      Vectors parts[kParts]{};
      int64_t i = begin;
      const auto add = [&](Vectors& part, const Vectors& values) {
        for (int kind = 0; kind < count; ++kind) part[kind] += values[kind];
      };
      for (; i + kParts * kLanes <= end; i += kParts * kLanes)
        for (int64_t part = 0; part < kParts; ++part) add(parts[part], terms(run + i + part * kLanes, int64_t{kLanes}));
      for (; i < end; i += kLanes) add(parts[0], terms(run + i, std::min<int64_t>(kLanes, end - i)));
      for (int kind = 0; kind < count; ++kind) {
        const Vector lanes = parts[0][kind] + parts[1][kind];
        float total = 0.0f;
        for (int lane = 0; lane < kLanes; ++lane) total += lanes[lane];
        sums[kind] += static_cast<double>(total);
      }
    }
  });
  return sums;
}

// The first `count` lanes; the others are 0.
Vector first_lanes(Vector v, int64_t count) {
  if (count == kLanes) return v;
  return load_part(reinterpret_cast<const float*>(&v), count);
}

}  // namespace

void batch_norm_forward(Stream& stream, const BatchNormForwardArgs& args) {
  require_f32(args.dtype, "batch_norm_forward");
  if (args.batch == 0 || args.plane == 0) return;
  const auto count = static_cast<double>(args.batch * args.plane);
  const float* x = floats(args.x);
  for_channels(stream, args, [&](int64_t c) {
    float& running_mean = floats(args.running_mean)[c];
    float& running_variance = floats(args.running_variance)[c];
    double mean = static_cast<double>(running_mean), variance = static_cast<double>(running_variance);
    if (args.training) {
      const auto values = [&](int64_t i, int64_t lanes) { return std::array{load_part(x + i, lanes)}; };
      mean = sum_channel<1>(args, c, values)[0] / count;
      const auto center = static_cast<float>(mean);
      const auto squares = [&](int64_t i, int64_t lanes) {
        const Vector difference = first_lanes(load_part(x + i, lanes) - center, lanes);
        return std::array{difference * difference};
      };
      const double off = mean - static_cast<double>(center);  // the squares are about `center`
      variance = std::max(sum_channel<1>(args, c, squares)[0] / count - off * off, 0.0);
      running_mean = static_cast<float>((1 - args.momentum) * static_cast<double>(running_mean) + args.momentum * mean);
      if (count > 1)
        running_variance = static_cast<float>((1 - args.momentum) * static_cast<double>(running_variance) +
                                              args.momentum * variance * count / (count - 1));
    }
    const double inverse_std = 1 / std::sqrt(variance + args.epsilon);
    const auto center = floats(args.mean)[c] = static_cast<float>(mean);
    floats(args.inverse_std)[c] = static_cast<float>(inverse_std);
    const auto factor = static_cast<float>(inverse_std * static_cast<double>(floats(args.weight)[c]));
    const float shift = floats(args.bias)[c];
    for_runs(args, c, [&](int64_t run) {
      const float* from = x + run;
      float* to = floats(args.y) + run;
      for (int64_t i = 0; i < args.plane; ++i) to[i] = (from[i] - center) * factor + shift;
    });
  });
}

void batch_norm_backward(Stream& stream, const BatchNormBackwardArgs& args) {
  require_f32(args.dtype, "batch_norm_backward");
  const auto count = static_cast<double>(args.batch * args.plane);
  const float* x = floats(args.x);
  const float* dy = floats(args.dy);
  for_channels(stream, args, [&](int64_t c) {
    const float mean = floats(args.mean)[c], inverse_std = floats(args.inverse_std)[c];
    const auto terms = [&](int64_t i, int64_t lanes) {
      const Vector gradient = load_part(dy + i, lanes);
      // 0 in the lanes past the end, where the gradient is.
      return std::array{gradient, gradient * (load_part(x + i, lanes) - mean)};
    };
    const auto sums = sum_channel<2>(args, c, terms);
    const double dbias = sums[0], dweight = sums[1] * static_cast<double>(inverse_std);
    const auto put = [&](void* array, double value, int32_t accumulate) {
      if (!array) return;
      float& to = floats(array)[c];
      to = static_cast<float>(accumulate ? static_cast<double>(to) + value : value);
    };
    put(args.dbias, dbias, args.accumulate_dbias);
    put(args.dweight, dweight, args.accumulate_dweight);
    if (!args.dx) return;
    // dx = factor * (dy - level - slope * (x - mean)) with xhat written out
    const float factor = floats(args.weight)[c] * inverse_std;
    const float level = args.training ? static_cast<float>(dbias / count) : 0.0f;
    const float slope = args.training ? static_cast<float>(dweight * static_cast<double>(inverse_std) / count) : 0.0f;
    for_runs(args, c, [&](int64_t run) {
      const float* from = x + run;
      const float* gradient = dy + run;
      float* to = floats(args.dx) + run;
      const auto value = [&](int64_t i) { return factor * (gradient[i] - level - slope * (from[i] - mean)); };
      if (args.accumulate_dx)
        for (int64_t i = 0; i < args.plane; ++i) to[i] += value(i);
      else
        for (int64_t i = 0; i < args.plane; ++i) to[i] = value(i);
    });
  });
}

// ---- local response normalisation ----------------------------------------------------------------------------

namespace {

// Whether all lanes of a comparison are true.
bool all(IntVector lanes) {
  int64_t halves[kLanes / 2];
  std::memcpy(halves, &lanes, sizeof lanes);
  int64_t together = -1;
  for (const int64_t half : halves) together &= half;
  return together == -1;
}

// base^exponent for each lane. Where base is a normal number by exp and log, elsewhere (0, denormal, infinity, nan,
// negative) by the library.
Vector power(Vector base, float exponent) {
  const Vector t = exponent * log_positive(base);
  const Vector small = exp_nonpositive(t < 0.0f ? t : -t);
  Vector result = t < 0.0f ? small : 1.0f / small;
  const IntVector ordinary = (base >= std::numeric_limits<float>::min()) & (base <= std::numeric_limits<float>::max());
  if (all(ordinary)) return result;
  for (int lane = 0; lane < kLanes; ++lane)
    if (!ordinary[lane]) result[lane] = std::pow(base[lane], exponent);
  return result;
}

// Pixels are taken in blocks of this many at most: a few cache lines of each channel, and all channels of a block stay
// in the cache while windows pass over them.
constexpr int64_t kPixels = 64;

// body(offset of the first pixel in channel 0, number of pixels), in parallel.
template <class Args, class Body>
void for_blocks(Stream& stream, const Args& args, const Body& body) {
  const int64_t blocks = ceil_div(args.plane, kPixels);
  const int64_t grain = ceil_div(kGrain / 16, kPixels * std::max<int64_t>(args.channels, 1));
  stream.pool.parallel_for(args.batch * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t first = b % blocks * kPixels;
      body(b / blocks * args.channels * args.plane + first, std::min(kPixels, args.plane - first));
    }
  });
}

}  // namespace

void local_response_norm_forward(Stream& stream, const LocalResponseNormForwardArgs& args) {
  require_f32(args.dtype, "local_response_norm_forward");
  const auto factor = static_cast<float>(args.alpha / static_cast<double>(args.size));
  const auto k = static_cast<float>(args.k), exponent = static_cast<float>(-args.beta);
  const float* x = floats(args.x);
  for_blocks(stream, args, [&](int64_t first, int64_t pixels) {
    for (int64_t c = 0; c < args.channels; ++c) {
      const int64_t begin = std::max<int64_t>(c - args.size / 2, 0);
      const int64_t end = std::min(c + (args.size - 1) / 2 + 1, args.channels);
      for (int64_t p = 0; p < pixels; p += kLanes) {
        const int64_t lanes = std::min<int64_t>(kLanes, pixels - p);
        Vector sum{};
        for (int64_t j = begin; j < end; ++j) {
          const Vector value = load_part(x + first + j * args.plane + p, lanes);
          sum += value * value;
        }
        const int64_t i = first + c * args.plane + p;
        const Vector scale = k + factor * sum;
        if (args.scale) store_part(floats(args.scale) + i, scale, lanes);
        store_part(floats(args.y) + i, load_part(x + i, lanes) * power(scale, exponent), lanes);
      }
    }
  });
}

void local_response_norm_backward(Stream& stream, const LocalResponseNormBackwardArgs& args) {
  require_f32(args.dtype, "local_response_norm_backward");
  const auto factor = static_cast<float>(2 * args.alpha * args.beta / static_cast<double>(args.size));
  const auto exponent = static_cast<float>(-args.beta);
  const float* x = floats(args.x);
  const float* scale = floats(args.scale);
  const float* dy = floats(args.dy);
  for_blocks(stream, args, [&](int64_t first, int64_t pixels) {
    // For each channel dy scale^-beta and then dy x scale^(-beta-1).
    float* direct = scratch(Scratch::partial, 2 * args.channels * kPixels);
    float* products = direct + args.channels * kPixels;
    for (int64_t c = 0; c < args.channels; ++c)
      for (int64_t p = 0; p < pixels; p += kLanes) {
        const int64_t lanes = std::min<int64_t>(kLanes, pixels - p), i = first + c * args.plane + p;
        Vector s = load_part(scale + i, lanes);
        for (int64_t lane = lanes; lane < kLanes; ++lane) s[lane] = 1.0f;
        const Vector value = load_part(dy + i, lanes) * power(s, exponent);
        store(direct + c * kPixels + p, value);
        store(products + c * kPixels + p, value * load_part(x + i, lanes) / s);
      }
    for (int64_t j = 0; j < args.channels; ++j) {
      const int64_t begin = std::max<int64_t>(j - (args.size - 1) / 2, 0);
      const int64_t end = std::min(j + args.size / 2 + 1, args.channels);
      for (int64_t p = 0; p < pixels; p += kLanes) {
        const int64_t lanes = std::min<int64_t>(kLanes, pixels - p), i = first + j * args.plane + p;
        Vector sum{};
        for (int64_t c = begin; c < end; ++c) sum += load(products + c * kPixels + p);
        Vector value = load(direct + j * kPixels + p) - factor * load_part(x + i, lanes) * sum;
        if (args.accumulate) value += load_part(floats(args.dx) + i, lanes);
        store_part(floats(args.dx) + i, value, lanes);
      }
    }
  });
}

}  // namespace cairn::simd
