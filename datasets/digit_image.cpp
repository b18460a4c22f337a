#include "datasets/digit_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "datasets/digit_search.h"
#include "datasets/ruling.h"
#include "datasets/strokes.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

constexpr int64_t kBoxSide = 20;
constexpr double kMassCenter = 14.5;
constexpr float kFaint = 0.1f;                      // deviation of the ground, of the ink: more makes edges doubtful
constexpr double kThinnest = 1.6, kThickest = 3.6;  // strokes, of the 20 pixels
constexpr double kLeastZoom = 3;                    // pixels of the picture for one of the 20, to change strokes

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

Plane scale_box(const Plane& ink, const Box& box) {
  const double factor = static_cast<double>(kBoxSide) / static_cast<double>(box.longer());
  const auto scaled = [&](int64_t side) {
    return std::max<int64_t>(1, std::lround(static_cast<double>(side) * factor));
  };
  Plane result{scaled(box.width()), scaled(box.height()), {}};
  const std::vector<Share> columns = shares(box.width(), result.width), rows = shares(box.height(), result.height);
  for (const Share& row : rows) {
    for (const Share& column : columns) {
      float sum = 0;
      for (size_t y = 0; y < row.weights.size(); ++y) {
        const int64_t line = box.top + row.first + static_cast<int64_t>(y);
        const float* source = ink.values.data() + line * ink.width + box.left + column.first;
        float line_sum = 0;
        for (size_t x = 0; x < column.weights.size(); ++x) line_sum += column.weights[x] * source[x];
        sum += row.weights[y] * line_sum;
      }
      result.values.push_back(sum);
    }
  }
  return result;
}

// Where a box of `side` pixels with that centre of mass begins: the centre comes to the middle of pixel 14, which is
// where MNIST has it, and none of the box is lost.
int64_t place(double center, int64_t side) {
  return std::clamp<int64_t>(std::lround(kMassCenter - center), 0, kDigitSide - side);
}

// MNIST's recipe (LeCun, Cortes, Burges, "The MNIST database"): the box of the ink scaled, with its aspect ratio and
// antialiasing, so that its longer side is 20, then placed in 28 x 28 with its centre of mass in the middle (to the
// nearest pixel). The strongest pixel becomes 255.
DigitPixels center(const Plane& ink, const Box& box) {
  const Plane digit = scale_box(ink, box);
  double mass = 0, mass_x = 0, mass_y = 0;
  float strongest = 0;
  for (int64_t y = 0; y < digit.height; ++y) {
    for (int64_t x = 0; x < digit.width; ++x) {
      const float amount = digit.at(x, y);
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
          static_cast<uint8_t>(std::lround(255 * digit.at(x, y) / strongest));
  return pixels;
}

// Pens are thicker and thinner than those of MNIST, where a stroke is 2 to 4 of a digit's 20 pixels wide: towards that,
// where the picture has pixels enough for it.
void fit_pen(Digit& digit) {
  const Plane& amount = digit.amount;
  const double pixel = static_cast<double>(digit.box.longer()) / kBoxSide;
  const double width = measure_strokes(amount, digit.box).width;
  if (pixel < kLeastZoom) return;
  const auto half = [](double difference) { return static_cast<int64_t>(difference / 2); };
  if (const int64_t thick = half(width - kThickest * pixel); thick > 0) {
    shrink(digit.amount, thick);
    digit.box = {digit.box.left + thick, digit.box.top + thick, digit.box.right - thick, digit.box.bottom - thick};
  } else if (const int64_t thin = half(kThinnest * pixel - width); thin > 0) {
    grow(digit.amount, thin);
    const Box& box = digit.box;
    digit.box = {std::max<int64_t>(0, box.left - thin), std::max<int64_t>(0, box.top - thin),
                 std::min(amount.width - 1, box.right + thin), std::min(amount.height - 1, box.bottom + thin)};
  }
}

// What was found on one sheet.
struct Found {
  Digit digit;
  float least = 0, contrast = 0;

  // The lower, the likelier a see-through picture was meant to lie on this sheet: little ink, strong, on a calm ground.
  double doubt() const {
    const auto is_ink = [](float amount) { return amount >= kStrong; };
    return least * static_cast<double>(std::ranges::count_if(digit.amount.values, is_ink)) / contrast;
  }
};

std::optional<Found> find_in(std::optional<Ink>& ink) {
  if (!ink) return {};
  const int dark_rules = remove_rules(*ink);
  std::optional<Digit> digit = find_digit(*ink);
  if (!digit || (ink->noise > 0 && !is_drawn(*ink, *digit, dark_rules > 0))) return {};
  if (dark_rules > 0) digit->doubts.push_back("the paper's lines are as dark as the ink");
  if (ink->noise > kFaint) digit->doubts.push_back("the ink is faint for so much noise");
  return Found{std::move(*digit), ink->least, ink->contrast};
}

// Paper of one colour is the simpler guess. It is left when the border is not of one colour, or when what was found
// comes in over the border; but then it is kept all the same where uneven light explains no better.
std::optional<Found> find_on(const Picture& picture, float sheet) {
  const Colors colors = to_colors(picture, sheet);
  std::optional<Ink> ink = find_on_flat(colors);
  std::optional<Found> flat = find_in(ink);
  if (flat && ink->calm && (flat->digit.whole || ink->noise == 0)) return flat;
  std::optional<Ink> lit = find_on_uneven(colors);
  std::optional<Found> uneven = find_in(lit);
  if (ink && ink->calm && flat && !(uneven && uneven->digit.whole)) return flat;
  return uneven;
}

}  // namespace

PreparedDigit prepare_digit(const Picture& picture, const std::string& name) {
  bool opaque = true;
  if (picture.channels == 4)
    for (size_t i = 3; opaque && i < picture.pixels.size(); i += 4) opaque = picture.pixels[i] == 255;
  std::optional<Found> best = find_on(picture, 255);
  if (!opaque) {
    std::optional<Found> on_black = find_on(picture, 0);
    if (!best || (on_black && on_black->doubt() < best->doubt())) best = std::move(on_black);
  }
  if (!best) throw DataError(fmt::format("{}: is blank: nothing in it stands out from its ground", name));
  if (!best->digit.alone)
    throw DataError(fmt::format("{}: holds more than one digit; give each a picture of its own", name));
  fit_pen(best->digit);
  return {center(best->digit.amount, best->digit.box), std::move(best->digit.doubts)};
}

}  // namespace cairn::datasets
