#include "tests/photos/photo.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/philox.h"

namespace cairn::photos {
namespace {

constexpr float kRadians = 3.14159265f / 180;

// Streams of one photo's seed.
enum Stream : uint32_t { kSettings, kNoise, kTexture, kGrain, kSpecks };

class Draws {
 public:
  Draws(uint64_t seed, uint32_t stream, uint32_t step) : seed_(seed), stream_(stream), step_(step) {}
  float unit() { return philox::uniform_at(seed_, stream_, step_, next_++); }
  float between(float low, float high) { return low + (high - low) * unit(); }
  bool chance(float share) { return unit() < share; }
  size_t below(size_t limit) { return std::min(limit - 1, static_cast<size_t>(unit() * static_cast<float>(limit))); }

 private:
  uint64_t seed_;
  uint32_t stream_, step_;
  uint64_t next_ = 0;
};

struct Speck {
  float x, y, radius, dark;
};

float smooth_step(float from, float to, float value) {
  const float t = std::clamp((value - from) / (to - from), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

// Smooth random values, about -1 to 1, that change over `scale` units.
float waves(uint64_t seed, float x, float y, float scale) {
  const float u = x / scale + 100, v = y / scale + 100;
  const auto column = static_cast<uint64_t>(u), row = static_cast<uint64_t>(v);
  const float s = smooth_step(0, 1, u - static_cast<float>(column)), t = smooth_step(0, 1, v - static_cast<float>(row));
  const auto corner = [&](uint64_t dx, uint64_t dy) {
    return 2 * philox::uniform_at(seed, kTexture, static_cast<uint32_t>(row + dy), column + dx) - 1;
  };
  return (1 - t) * ((1 - s) * corner(0, 0) + s * corner(1, 0)) + t * ((1 - s) * corner(0, 1) + s * corner(1, 1));
}

// One sheet, seen from above: coordinates in shorter sides of the picture, from its middle, along the sheet's own
// edges.
class Sheet {
 public:
  Sheet(const Drawing* drawing, const Settings& settings) : drawing_(drawing), settings_(settings) {
    side_ = static_cast<float>(std::min(settings.width, settings.height));
    cosine_ = std::cos(settings.tilt_degrees * kRadians), sine_ = std::sin(settings.tilt_degrees * kRadians);
    const auto [x, y] =
        on_sheet(settings.x * static_cast<float>(settings.width), settings.y * static_cast<float>(settings.height));
    digit_x_ = x, digit_y_ = y;
    Draws draws(settings.seed, kSpecks, 0);
    for (int i = 0; i < settings.specks; ++i)
      specks_.push_back({draws.between(-0.7f, 0.7f), draws.between(-0.7f, 0.7f), draws.between(0.002f, 0.006f),
                         draws.between(0.3f, 0.9f)});
  }

  // What a point of the picture (in pixels) sends back.
  Color at(float column, float row) const {
    const auto [x, y] = on_sheet(column, row);
    Color color = settings_.sheet;
    if (settings_.texture > 0) {
      const float uneven =
          1 + settings_.texture * (waves(settings_.seed, x, y, 0.03f) + waves(settings_.seed, x, y, 0.3f));
      for (float& part : color) part *= uneven;
    }
    mix(color, settings_.rule, rules(x, y));
    for (const Speck& speck : specks_) {
      const float inside = speck.radius - std::hypot(x - speck.x, y - speck.y);
      mix(color, {0.1f, 0.1f, 0.1f}, speck.dark * std::clamp(inside * side_ + 0.5f, 0.0f, 1.0f));
    }
    if (drawing_ != nullptr) mix(color, settings_.ink, ink(x, y));
    return color;
  }

 private:
  static void mix(Color& color, const Color& other, float share) {
    for (size_t i = 0; i < 3; ++i) color[i] += share * (other[i] - color[i]);
  }

  std::array<float, 2> on_sheet(float column, float row) const {
    const float x = (column - 0.5f * static_cast<float>(settings_.width)) / side_;
    const float y = (row - 0.5f * static_cast<float>(settings_.height)) / side_;
    return {cosine_ * x + sine_ * y, cosine_ * y - sine_ * x};
  }

  // How much of a rule covers a pixel whose distance from the rule's middle is known.
  float rules(float x, float y) const {
    const auto line = [&](float position) {
      const float away =
          std::abs(position - settings_.rule_pitch * std::round(position / settings_.rule_pitch)) * side_;
      return std::clamp(0.5f * (settings_.rule_width_pixels + 1) - away, 0.0f,
                        std::min(1.0f, settings_.rule_width_pixels));
    };
    if (settings_.paper == Paper::kPlain) return 0;
    return std::max(line(y), settings_.paper == Paper::kSquared ? line(x) : 0.0f);
  }

  float ink(float x, float y) const {
    const float distance =
        drawing_->at((x - digit_x_) / settings_.digit + 0.5f, (y - digit_y_) / settings_.digit + 0.5f);
    const float pixels = (settings_.pen - distance) * settings_.digit * side_;
    const float cover = std::clamp(pixels + 0.5f, 0.0f, 1.0f);
    if (cover == 0 || settings_.ink_grain == 0) return cover;
    const float tooth = 0.5f + 0.5f * waves(settings_.seed + 1, x, y, 0.008f);
    return cover * (1 - settings_.ink_grain * tooth);
  }

  const Drawing* drawing_;
  const Settings& settings_;
  float side_ = 0, cosine_ = 1, sine_ = 0, digit_x_ = 0, digit_y_ = 0;
  std::vector<Speck> specks_;
};

// u and v: from the middle, in widths and heights of the picture.
float light(const Settings& settings, float u, float v) {
  const auto along = [&](float degrees) { return u * std::cos(degrees * kRadians) + v * std::sin(degrees * kRadians); };
  float result = settings.exposure;
  if (settings.falloff > 0) {
    const float reach = std::abs(std::cos(settings.falloff_degrees * kRadians)) +
                        std::abs(std::sin(settings.falloff_degrees * kRadians));
    result *= 1 - settings.falloff * (0.5f + along(settings.falloff_degrees) / reach);
  }
  const float x = u + 0.5f - settings.lamp_x, y = v + 0.5f - settings.lamp_y;
  result /= 1 + settings.lamp * (x * x + y * y);
  if (settings.shadow == 0) return result;
  const float edge = along(settings.shadow_degrees) - settings.shadow_at;
  return result * (1 - settings.shadow * smooth_step(-settings.shadow_soft, settings.shadow_soft, edge));
}

// Rows, then columns, of three interleaved channels; pixels beyond the edge repeat it.
void blur(std::vector<float>& image, int64_t width, int64_t height, float deviation) {
  const auto reach = static_cast<int64_t>(std::ceil(3 * deviation));
  std::vector<float> weights;
  float total = 0;
  for (int64_t i = -reach; i <= reach; ++i) {
    weights.push_back(std::exp(-0.5f * static_cast<float>(i * i) / (deviation * deviation)));
    total += weights.back();
  }
  for (const bool across : {true, false}) {
    const std::vector<float> source = image;
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        for (int64_t channel = 0; channel < 3; ++channel) {
          float sum = 0;
          for (int64_t i = -reach; i <= reach; ++i) {
            const int64_t column = across ? std::clamp<int64_t>(x + i, 0, width - 1) : x;
            const int64_t row = across ? y : std::clamp<int64_t>(y + i, 0, height - 1);
            sum += weights[static_cast<size_t>(i + reach)] *
                   source[static_cast<size_t>((row * width + column) * 3 + channel)];
          }
          image[static_cast<size_t>((y * width + x) * 3 + channel)] = sum / total;
        }
  }
}

}  // namespace

Settings draw_settings(uint64_t seed, uint32_t index, bool outline) {
  Draws draws(seed, kSettings, index);
  Settings settings;
  settings.seed = seed * 1'000'003 + index;
  settings.width = static_cast<int64_t>(draws.between(160, 520));
  settings.height = static_cast<int64_t>(static_cast<float>(settings.width) * draws.between(0.75f, 1.35f));
  settings.digit = draws.between(0.25f, 0.7f);
  settings.x = draws.between(0.42f, 0.58f), settings.y = draws.between(0.42f, 0.58f);
  settings.tilt_degrees = draws.between(-15, 15);
  settings.pen = outline ? draws.between(-0.02f, 0.04f) : draws.between(0.02f, 0.085f);

  constexpr std::array<Color, 5> kInks = {
      Color{0.1f, 0.1f, 0.1f}, {0.12f, 0.15f, 0.45f}, {0.6f, 0.1f, 0.12f}, {0.1f, 0.35f, 0.2f}, {0.35f, 0.35f, 0.36f}};
  constexpr std::array<Color, 4> kSheets = {
      Color{0.95f, 0.95f, 0.95f}, {0.8f, 0.8f, 0.8f}, {0.95f, 0.9f, 0.75f}, {0.75f, 0.65f, 0.5f}};
  settings.ink = kInks[draws.below(kInks.size())];
  settings.ink_grain = draws.chance(0.3f) ? draws.between(0.1f, 0.5f) : 0;
  settings.sheet = kSheets[draws.below(kSheets.size())];
  settings.texture = draws.between(0, 0.02f);
  const float paper = draws.unit();
  settings.paper = paper < 0.4f ? Paper::kPlain : paper < 0.7f ? Paper::kRuled : Paper::kSquared;
  settings.rule_pitch = draws.between(0.08f, 0.25f);
  settings.rule_width_pixels = draws.between(0.6f, 2.5f);
  const float dark = draws.between(0.1f, 0.5f), blue = draws.between(0.3f, 1);
  settings.rule = {settings.sheet[0] * (1 - dark), settings.sheet[1] * (1 - dark * (0.5f + 0.5f * blue)),
                   settings.sheet[2] * (1 - dark * blue)};
  settings.specks = draws.chance(0.3f) ? 1 + static_cast<int>(draws.below(6)) : 0;

  settings.exposure = draws.between(0.5f, 1.05f);
  if (draws.chance(0.5f)) settings.falloff = draws.between(0.1f, 0.6f);
  settings.falloff_degrees = draws.between(0, 360);
  if (draws.chance(0.3f)) settings.lamp = draws.between(0.5f, 2.5f);
  settings.lamp_x = draws.between(0, 1), settings.lamp_y = draws.between(0, 1);
  if (draws.chance(0.4f)) settings.shadow = draws.between(0.15f, 0.5f);
  settings.shadow_soft = draws.between(0.005f, 0.15f);
  settings.shadow_degrees = draws.between(0, 360), settings.shadow_at = draws.between(-0.3f, 0.3f);
  settings.blur_pixels = draws.between(0, 0.008f) * static_cast<float>(settings.width);
  settings.noise = draws.between(0, 10);
  return settings;
}

datasets::Picture take_photo(const Drawing* drawing, const Settings& settings) {
  const int64_t width = settings.width, height = settings.height;
  const Sheet sheet(drawing, settings);
  std::vector<float> image;
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      const float column = static_cast<float>(x) + 0.5f, row = static_cast<float>(y) + 0.5f;
      const float bright =
          light(settings, column / static_cast<float>(width) - 0.5f, row / static_cast<float>(height) - 0.5f);
      for (const float part : sheet.at(column, row)) image.push_back(255 * bright * part);
    }
  }
  if (settings.blur_pixels > 0.2f) blur(image, width, height, settings.blur_pixels);
  datasets::Picture picture{width, height, 3, datasets::Bytes(image.size())};
  for (size_t i = 0; i < image.size(); ++i) {
    if (settings.noise > 0)
      image[i] += settings.noise * static_cast<float>(philox::normal_at(settings.seed, kNoise, 0, i));
    picture.pixels[i] = static_cast<uint8_t>(std::clamp(std::lround(image[i]), 0L, 255L));
  }
  return picture;
}

Photo random_photo(uint64_t seed, uint32_t index) {
  const float width = 0.55f + 0.01f * static_cast<float>(index % 25);
  const Drawing drawing = draw_strokes(static_cast<int>(index % 10), index / 10, width);
  Photo photo{draw_settings(seed, index, false), {}, static_cast<int>(index % 10)};
  photo.picture = take_photo(&drawing, photo.settings);
  return photo;
}

Photo random_photo(uint64_t seed, uint32_t index, const datasets::Split& images) {
  const auto image = static_cast<size_t>((seed * 7919 + index) % static_cast<uint64_t>(images.count));
  const Drawing drawing = draw_image(datasets::images(images).subspan(image * 784, 784));
  Photo photo{draw_settings(seed, index, true), {}, datasets::labels(images)[image]};
  photo.picture = take_photo(&drawing, photo.settings);
  return photo;
}

}  // namespace cairn::photos
