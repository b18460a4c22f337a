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

// The colour of the strongest differences: their mean, weighted by their squares, so that ink outweighs what light does
// and noise of either sign cancels. Of length 1; nothing where there is no difference.
std::optional<Color> direction_of(const std::vector<Color>& differences) {
  std::array<double, 3> sum{};
  for (const Color& difference : differences) {
    const double weight = dot(difference, difference);
    for (size_t channel = 0; channel < 3; ++channel) sum[channel] += weight * difference[channel];
  }
  const double length = std::sqrt(sum[0] * sum[0] + sum[1] * sum[1] + sum[2] * sum[2]);
  if (length == 0) return {};
  return Color{static_cast<float>(sum[0] / length), static_cast<float>(sum[1] / length),
               static_cast<float>(sum[2] / length)};
}

Plane project(const Colors& colors, const std::vector<Color>& differences, const Color& direction) {
  Plane plane{colors.width, colors.height, std::vector<float>(differences.size())};
  std::ranges::transform(differences, plane.values.begin(), [&](const Color& color) { return dot(color, direction); });
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
    if (value <= 1 || value < kCertainDeviations * noise) continue;
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

// Calls find(passes of smoothing) until the ink stands out from the noise, or strokes would suffer: pens are a few
// hundredths of a picture wide.
template <class Find>
std::optional<Ink> smooth_until_clear(const Colors& colors, const Find& find) {
  const auto side = static_cast<double>(std::min(colors.width, colors.height));
  const double widest = side / 100;  // deviation in pixels: each pass adds half a square pixel
  std::optional<Ink> ink = find(0);
  for (int passes = 1; 0.5 * passes <= widest * widest; passes *= 2) {
    if (ink && ink->noise * kEnoughDeviations <= 1) break;
    std::optional<Ink> clearer = find(passes);
    if (clearer || !ink) ink = std::move(clearer);
  }
  return ink;
}

}  // namespace

std::optional<Ink> find_on_flat(const Colors& colors) {
  const Color ground = border_color(colors);
  std::vector<Color> differences = colors.pixels;
  for (Color& color : differences)
    for (size_t channel = 0; channel < 3; ++channel) color[channel] -= ground[channel];
  const std::optional<Color> direction = direction_of(differences);
  if (!direction) return {};
  const Plane plane = project(colors, differences, *direction);
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
  const std::array<Plane, 3> slopes = trend(colors);
  std::vector<Color> differences = colors.pixels;
  for (size_t i = 0; i < differences.size(); ++i)
    for (size_t channel = 0; channel < 3; ++channel) differences[i][channel] -= slopes[channel].values[i];
  const std::optional<Color> direction = direction_of(differences);
  if (!direction) return {};
  const Plane plane = project(colors, differences, *direction);
  const int64_t radius = std::max<int64_t>(1, std::min(colors.width, colors.height) / 6);
  const float along_grey = ((*direction)[0] + (*direction)[1] + (*direction)[2]) / 3;
  return smooth_until_clear(colors, [&](int passes) {
    Plane smoothed = plane;
    smooth(smoothed, passes);
    const Plane ground = opening(smoothed, radius);
    std::vector<float> brightness(ground.values.size());
    for (size_t i = 0; i < brightness.size(); ++i)
      brightness[i] = std::max(
          0.0f, (slopes[0].values[i] + slopes[1].values[i] + slopes[2].values[i]) / 3 + ground.values[i] * along_grey);
    const float usual = quantile(brightness, 0.5);
    for (size_t i = 0; i < brightness.size(); ++i)
      smoothed.values[i] = (smoothed.values[i] - ground.values[i]) * (usual + kDarkness) / (brightness[i] + kDarkness);
    // An opening follows the noise's lower side.
    const float offset = quantile(smoothed.values, 0.5), noise = deviation_around(smoothed.values, offset);
    for (float& value : smoothed.values) value -= offset;
    std::optional<Ink> ink = measure(std::move(smoothed), noise);
    return ink;
  });
}

}  // namespace cairn::datasets
