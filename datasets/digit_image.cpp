#include "datasets/digit_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "framework/error.h"

namespace cairn::datasets {
namespace {

constexpr int64_t kBoxSide = 20;
constexpr double kMassCenter = 14.5;
constexpr float kFaintest = 10;        // difference in colour, of 255, below which there is no ink at all
constexpr float kLeastInk = 0.02f;     // of the strongest: what a lossy format leaves around strokes is less
constexpr float kNoiseDeviations = 6;  // ink is this many times the border's median deviation

using Color = std::array<float, 3>;

float dot(const Color& a, const Color& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

// A picture laid on a sheet of one grey (0 or 255).
class Sheet {
 public:
  Sheet(const Picture& picture, float grey) : picture_(picture), grey_(grey) {}

  int64_t count() const { return picture_.width * picture_.height; }
  Color at(int64_t pixel) const {
    const uint8_t* value = picture_.pixels.data() + pixel * picture_.channels;
    if (picture_.channels == 1) return {float(value[0]), float(value[0]), float(value[0])};
    if (picture_.channels == 3) return {float(value[0]), float(value[1]), float(value[2])};
    const float cover = float(value[3]) / 255, rest = grey_ * (1 - cover);
    return {value[0] * cover + rest, value[1] * cover + rest, value[2] * cover + rest};
  }

 private:
  const Picture& picture_;
  float grey_;
};

std::vector<int64_t> border_of(const Picture& picture) {
  std::vector<int64_t> pixels;
  const int64_t width = picture.width, height = picture.height;
  for (int64_t x = 0; x < width; ++x) {
    pixels.push_back(x);
    if (height > 1) pixels.push_back((height - 1) * width + x);
  }
  for (int64_t y = 1; y + 1 < height; ++y) {
    pixels.push_back(y * width);
    if (width > 1) pixels.push_back(y * width + width - 1);
  }
  return pixels;
}

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Found {
  Ink ink;
  float contrast = 0;  // of the strongest ink, 0 to 441
  float least = 0;     // what counted as ink, of the strongest
  double area = 0;     // pixels with at least half of the strongest ink

  // The lower, the likelier a picture was meant to lie on this sheet: little ink, strong, on a calm ground.
  double doubt() const { return least * area / contrast; }
};

// Nothing where nothing stands out.
std::optional<Found> find_on(const Sheet& sheet, const Picture& picture) {
  const std::vector<int64_t> border = border_of(picture);
  Color ground;
  std::vector<float> values(border.size());
  for (size_t channel = 0; channel < 3; ++channel) {
    for (size_t i = 0; i < border.size(); ++i) values[i] = sheet.at(border[i])[channel];
    ground[channel] = median(values);
  }
  const auto difference = [&](int64_t pixel) {
    const Color color = sheet.at(pixel);
    return Color{color[0] - ground[0], color[1] - ground[1], color[2] - ground[2]};
  };

  // The mean difference, weighted by its own square, so that ink outweighs the ground around it.
  std::array<double, 3> sum{};
  double weights = 0;
  for (int64_t i = 0; i < sheet.count(); ++i) {
    const Color from_ground = difference(i);
    const double weight = dot(from_ground, from_ground);
    weights += weight;
    for (size_t channel = 0; channel < 3; ++channel) sum[channel] += weight * from_ground[channel];
  }
  if (weights == 0) return {};
  Color direction;
  for (size_t channel = 0; channel < 3; ++channel) direction[channel] = static_cast<float>(sum[channel] / weights);
  const float length = std::sqrt(dot(direction, direction));
  if (length == 0) return {};
  for (float& part : direction) part /= length;

  Found found;
  found.ink = {picture.width, picture.height, std::vector<float>(static_cast<size_t>(sheet.count()))};
  for (int64_t i = 0; i < sheet.count(); ++i) {
    const float amount = dot(difference(i), direction);
    found.ink.amount[static_cast<size_t>(i)] = amount;
    found.contrast = std::max(found.contrast, amount);
  }
  for (size_t i = 0; i < border.size(); ++i) values[i] = std::abs(found.ink.amount[static_cast<size_t>(border[i])]);
  const float noise = kNoiseDeviations * median(values) / found.contrast;
  if (found.contrast < kFaintest || noise >= 1) return {};

  found.least = std::max(kLeastInk, noise);
  for (float& amount : found.ink.amount) {
    amount /= found.contrast;
    if (amount < found.least) amount = 0;
    found.area += amount >= 0.5f;
  }
  return found;
}

// Pixels first .. end - 1 of a line, each with its share in one pixel of the scaled line.
struct Share {
  int64_t first = 0;
  std::vector<float> weights;
};

// Scaling from `from` to `to` pixels by the mean over a window: as wide as a pixel of the result where that is the
// larger one (antialiasing), else as a pixel of the source (which makes it linear interpolation).
std::vector<Share> shares(int64_t from, int64_t to) {
  const double step = static_cast<double>(from) / static_cast<double>(to), window = std::max(step, 1.0);
  std::vector<Share> result(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const double begin = (static_cast<double>(i) + 0.5) * step - window / 2, end = begin + window;
    Share& share = result[static_cast<size_t>(i)];
    share.first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(begin)));
    for (int64_t pixel = share.first; pixel < std::min(from, static_cast<int64_t>(std::ceil(end))); ++pixel) {
      const double overlap = std::min<double>(end, pixel + 1) - std::max<double>(begin, pixel);
      share.weights.push_back(static_cast<float>(overlap / window));
    }
  }
  return result;
}

struct Box {
  int64_t left, top, width, height;
};

Box box_of(const Ink& ink) {
  int64_t left = ink.width, right = -1, top = ink.height, bottom = -1;
  for (int64_t y = 0; y < ink.height; ++y) {
    for (int64_t x = 0; x < ink.width; ++x) {
      if (ink.amount[static_cast<size_t>(y * ink.width + x)] <= 0) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  if (right < 0) throw ShapeError("center_digit: there is no ink");
  return {left, top, right - left + 1, bottom - top + 1};
}

Ink scale_box(const Ink& ink, const Box& box) {
  const double factor = static_cast<double>(kBoxSide) / static_cast<double>(std::max(box.width, box.height));
  const auto scaled = [&](int64_t side) {
    return std::max<int64_t>(1, std::lround(static_cast<double>(side) * factor));
  };
  Ink result{scaled(box.width), scaled(box.height), {}};
  const std::vector<Share> columns = shares(box.width, result.width), rows = shares(box.height, result.height);
  for (const Share& row : rows) {
    for (const Share& column : columns) {
      float sum = 0;
      for (size_t y = 0; y < row.weights.size(); ++y) {
        const int64_t line = box.top + row.first + static_cast<int64_t>(y);
        const float* source = ink.amount.data() + line * ink.width + box.left + column.first;
        float line_sum = 0;
        for (size_t x = 0; x < column.weights.size(); ++x) line_sum += column.weights[x] * source[x];
        sum += row.weights[y] * line_sum;
      }
      result.amount.push_back(sum);
    }
  }
  return result;
}

// Where a box of `side` pixels with that centre of mass begins: the centre comes to the middle of pixel 14, which is
// where MNIST has it, and none of the box is lost.
int64_t place(double center, int64_t side) {
  return std::clamp<int64_t>(std::lround(kMassCenter - center), 0, kDigitSide - side);
}

}  // namespace

Ink find_ink(const Picture& picture, const std::string& name) {
  bool opaque = true;
  if (picture.channels == 4)
    for (size_t i = 3; opaque && i < picture.pixels.size(); i += 4) opaque = picture.pixels[i] == 255;
  std::optional<Found> best = find_on(Sheet(picture, 255), picture);
  if (!opaque) {
    std::optional<Found> on_black = find_on(Sheet(picture, 0), picture);
    if (!best || (on_black && on_black->doubt() < best->doubt())) best = std::move(on_black);
  }
  if (!best) throw DataError(fmt::format("{}: is blank: nothing in it stands out from its border's colour", name));
  return std::move(best->ink);
}

DigitPixels center_digit(const Ink& ink) {
  const Ink digit = scale_box(ink, box_of(ink));
  double mass = 0, mass_x = 0, mass_y = 0;
  float strongest = 0;
  for (int64_t y = 0; y < digit.height; ++y) {
    for (int64_t x = 0; x < digit.width; ++x) {
      const float amount = digit.amount[static_cast<size_t>(y * digit.width + x)];
      mass += amount;
      mass_x += amount * (static_cast<double>(x) + 0.5);
      mass_y += amount * (static_cast<double>(y) + 0.5);
      strongest = std::max(strongest, amount);
    }
  }
  const int64_t left = place(mass_x / mass, digit.width), top = place(mass_y / mass, digit.height);
  DigitPixels pixels{};
  for (int64_t y = 0; y < digit.height; ++y)
    for (int64_t x = 0; x < digit.width; ++x)
      pixels[static_cast<size_t>((top + y) * kDigitSide + left + x)] =
          static_cast<uint8_t>(std::lround(255 * digit.amount[static_cast<size_t>(y * digit.width + x)] / strongest));
  return pixels;
}

DigitPixels prepare_digit(const Picture& picture, const std::string& name) {
  return center_digit(find_ink(picture, name));
}

}  // namespace cairn::datasets
