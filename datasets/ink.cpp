#include "datasets/ink.h"

#include <algorithm>
#include <cmath>

namespace cairn::datasets {
namespace {

constexpr float kFaintest = 10;          // difference in colour, of 255, below which there is no ink at all
constexpr float kLeastInk = 0.02f;       // of the ink: what a lossy format leaves around strokes is less
constexpr float kNoiseDeviations = 4;    // of the ground, by which ink differs from it
constexpr float kCertainDeviations = 6;  // the same, of its strongest pixel
constexpr float kEnoughDeviations = 16;  // of noise in the ink's contrast: with fewer, the picture is smoothed
constexpr float kCalm = 0.04f;           // of the ink: three quarters of a calm border differ less from its median
constexpr float kDarkness = 24;          // levels: light is not divided by, far below this

float dot(const Color& a, const Color& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// The sum of differences, each weighted by its square, so that ink outweighs what light does and noise of either sign
// cancels; in units of what as many random differences come to.
Color skew_of(const std::vector<Color>& differences) {
  std::array<double, 3> sum{};
  double squares = 0;
  for (const Color& difference : differences) {
    const double weight = dot(difference, difference);
    squares += weight;
    for (size_t channel = 0; channel < 3; ++channel) sum[channel] += weight * difference[channel];
  }
  const double unit = std::sqrt(squares) * squares / std::sqrt(static_cast<double>(differences.size()));
  if (unit == 0) return {};
  return {static_cast<float>(sum[0] / unit), static_cast<float>(sum[1] / unit), static_cast<float>(sum[2] / unit)};
}

// Of length 1; nothing where there is no difference.
std::optional<Color> direction_of(const Color& skew) {
  const float length = std::sqrt(dot(skew, skew));
  if (!(length > 0)) return {};
  return Color{skew[0] / length, skew[1] / length, skew[2] / length};
}

// The colour in which the picture differs most lopsidedly from its surroundings, be they as wide as a thin stroke or a
// thick one: ink differs one way, the edge of a shadow both ways.
std::optional<Color> direction_of(const Colors& colors) {
  const int64_t side = std::min(colors.width, colors.height);
  Color best{};
  for (const int64_t parts : {40, 20, 10, 5}) {
    std::vector<Color> differences = colors.pixels;
    for (size_t channel = 0; channel < 3; ++channel) {
      Plane plane{colors.width, colors.height, {}};
      for (const Color& color : colors.pixels) plane.values.push_back(color[channel]);
      const Plane mean = mean_around(plane, std::max<int64_t>(1, side / parts));
      for (size_t i = 0; i < differences.size(); ++i) differences[i][channel] -= mean.values[i];
    }
    const Color skew = skew_of(differences);
    if (dot(skew, skew) > dot(best, best)) best = skew;
  }
  return direction_of(best);
}

Plane project(const Colors& colors, const Color& direction) {
  Plane plane{colors.width, colors.height, std::vector<float>(colors.pixels.size())};
  std::ranges::transform(colors.pixels, plane.values.begin(),
                         [&](const Color& color) { return dot(color, direction); });
  return plane;
}

std::vector<float> border_of(const Plane& plane) {
  std::vector<float> values;
  for (int64_t y = 0; y < plane.height; ++y) {
    const bool whole = y == 0 || y == plane.height - 1;
    for (int64_t x = 0; x < plane.width; x += whole ? 1 : std::max<int64_t>(1, plane.width - 1))
      values.push_back(plane.at(x, y));
  }
  return values;
}

// The ink's usual strength: the mean of what is above the noise, weighted by its squares.
float contrast_of(const Plane& plane, float noise) {
  double squares = 0, cubes = 0;
  for (const float value : plane.values) {
    if (value <= kLeastInk || value < kCertainDeviations * noise) continue;
    squares += double{value} * value;
    cubes += double{value} * value * value;
  }
  return squares == 0 ? 0 : static_cast<float>(cubes / squares);
}

// From differences in levels to amounts of ink.
std::optional<Ink> measure(Plane plane, float noise) {
  const float contrast = contrast_of(plane, noise);
  if (*std::ranges::max_element(plane.values) < std::max(kFaintest, kCertainDeviations * noise)) return {};
  for (float& value : plane.values) value /= contrast;
  noise /= contrast;
  return Ink{std::move(plane), contrast, noise, std::max(kLeastInk, kNoiseDeviations * noise), true};
}

// Pens are a few hundredths of a picture wide: strokes suffer from a mean over more than a hundredth (its deviation;
// each pass adds half a square pixel).
int most_passes(int64_t width, int64_t height) {
  const double widest = static_cast<double>(std::min(width, height)) / 100;
  return static_cast<int>(std::min(2 * widest * widest, 64.0));
}

// Calls find(passes of smoothing) until the ink stands out from the noise.
template <class Find>
std::optional<Ink> smooth_until_clear(const Colors& colors, const Find& find) {
  const int most = most_passes(colors.width, colors.height);
  std::optional<Ink> ink = find(0);
  for (int passes = 1; passes <= most; passes *= 2) {
    if (ink && ink->noise * kEnoughDeviations <= 1) break;
    std::optional<Ink> clearer = find(passes);
    if (clearer || !ink) ink = std::move(clearer);
  }
  return ink;
}

// Of the squared differences between neighbours, so that edges count and slopes do not.
double roughness(const Plane& plane) {
  double sum = 0;
  for (int64_t y = 1; y < plane.height; ++y)
    for (int64_t x = 1; x < plane.width; ++x) {
      const double across = plane.at(x, y) - plane.at(x - 1, y), down = plane.at(x, y) - plane.at(x, y - 1);
      sum += across * across + down * down;
    }
  return sum;
}

// Levelling strokes leaves a ground without edges but those of shadows; levelling what is between strokes leaves the
// strokes. Without the noise, as far as strokes allow.
bool ink_is_up(Plane plane, int64_t radius) {
  smooth(plane, most_passes(plane.width, plane.height));
  const double levelled = roughness(opening(plane, radius));
  for (float& value : plane.values) value = -value;
  return levelled <= roughness(opening(plane, radius));
}

}  // namespace

void rescale(Ink& ink) {
  const float ratio = contrast_of(ink.amount, ink.noise);
  if (ratio == 0) return;
  for (float& value : ink.amount.values) value /= ratio;
  ink.contrast *= ratio;
  ink.noise /= ratio;
  ink.least /= ratio;
}

std::optional<Ink> find_on_flat(const Colors& colors) {
  const Color ground = border_color(colors);
  Colors differences = colors;
  for (Color& color : differences.pixels)
    for (size_t channel = 0; channel < 3; ++channel) color[channel] -= ground[channel];
  const std::optional<Color> direction = direction_of(skew_of(differences.pixels));
  if (!direction) return {};
  const Plane plane = project(differences, *direction);
  return smooth_until_clear(colors, [&](int passes) {
    Plane smoothed = plane;
    smooth(smoothed, passes);
    std::vector<float> border = border_of(smoothed);
    std::optional<Ink> ink = measure(std::move(smoothed), deviation_around(border, 0));
    if (!ink) return ink;
    for (float& value : border) value = std::abs(value) / ink->contrast;
    const float uneven = quantile(std::move(border), 0.75);
    ink->calm = uneven <= std::max(kCalm, 3 * ink->noise);
    return ink;
  });
}

std::optional<Ink> find_on_uneven(const Colors& colors) {
  const std::optional<Color> direction = direction_of(colors);
  if (!direction) return {};
  Plane plane = project(colors, *direction);
  const int64_t radius = std::max<int64_t>(1, std::min(colors.width, colors.height) / 6);
  if (!ink_is_up(plane, radius))
    for (float& value : plane.values) value = -value;
  return smooth_until_clear(colors, [&](int passes) {
    Plane smoothed = plane;
    smooth(smoothed, passes);
    const Plane ground = opening(smoothed, radius);
    const float usual = std::abs(quantile(ground.values, 0.5));
    for (size_t i = 0; i < ground.values.size(); ++i) {
      const float light = (std::abs(ground.values[i]) + kDarkness) / (usual + kDarkness);
      smoothed.values[i] = (smoothed.values[i] - ground.values[i]) / light;
    }
    // An opening follows the noise's lower side: paper is above it. A normal distribution's middle and deviation from
    // its lower part, where no ink is, be there rules on half of the paper.
    const float low = quantile(smoothed.values, 0.1), middle = quantile(smoothed.values, 0.4);
    const float noise = (middle - low) / 1.028f, offset = middle + 0.253f * noise;
    for (float& value : smoothed.values) value -= offset;
    return measure(std::move(smoothed), noise);
  });
}

}  // namespace cairn::datasets
