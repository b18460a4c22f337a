// Draws digits: a form from digit_strokes.h, every point of it moved a little, posed at random, inked with a pen of
// random width and softness, and noise on top. Only + - * / on floats and integers, in a fixed order and without fused
// operations (see CMakeLists.txt), so that the bytes do not depend on the machine or on a math library.
#include "datasets/digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "datasets/digit_strokes.h"
#include "datasets/drawn_files.h"
#include "datasets/draws.h"
#include "kernels/cpu_share.h"

namespace cairn::datasets {
namespace {

constexpr int kSide = static_cast<int>(kDigitSide);
constexpr int kRowFloats = 32;     // a row of pixels, padded to whole vectors
constexpr int kPiecesPerSpan = 4;  // straight pieces between two points of a curve
constexpr size_t kPixels = static_cast<size_t>(kSide) * kSide;

// From the unit box of the strokes to pixels: scale, slant, rotate, move.
struct Pose {
  float xx, xy, yx, yy, x, y;

  explicit Pose(Draws& draws) {
    const float width = draws.between(9.0f, 17.0f), height = draws.between(15.0f, 21.5f);
    const float slant = draws.between(-0.35f, 0.35f);
    // By half the angle's tangent, which needs no sine: +-0.14 is +-16 degrees.
    const float tangent = draws.between(-0.14f, 0.14f);
    const float cosine = (1 - tangent * tangent) / (1 + tangent * tangent);
    const float sine = 2 * tangent / (1 + tangent * tangent);
    xx = cosine * width;
    xy = -(cosine * slant + sine) * height;
    yx = sine * width;
    yy = (cosine - sine * slant) * height;
    x = 13.5f + draws.between(-3, 3);
    y = 13.5f + draws.between(-3, 3);
  }

  Point apply(Point point) const {
    const float u = point.x - 0.5f, v = point.y - 0.5f;
    return {x + xx * u + xy * v, y + yx * u + yy * v};
  }
};

// Squared distance of every pixel's centre to the nearest piece of the pen's path, as far as `reach`.
class Canvas {
 public:
  explicit Canvas(float reach) : reach_(reach) { std::fill_n(&squared_[0][0], kSide * kRowFloats, 1e6f); }

  void piece(Point a, Point b) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float inverse = 1.0f / (dx * dx + dy * dy + 1e-12f);
    const int first = std::max(0, static_cast<int>(std::min(a.y, b.y) - reach_));
    const int last = std::min(kSide - 1, static_cast<int>(std::max(a.y, b.y) + reach_ + 1));
    for (int row = first; row <= last; ++row) {
      const float py = static_cast<float>(row) - a.y;
      float* const squared = squared_[row];
      for (int column = 0; column < kRowFloats; ++column) {
        const float px = static_cast<float>(column) - a.x;
        float along = (px * dx + py * dy) * inverse;
        along = along < 0 ? 0 : along;
        along = along > 1 ? 1 : along;
        const float ex = px - along * dx, ey = py - along * dy;
        const float distance = ex * ex + ey * ey;
        squared[column] = distance < squared[column] ? distance : squared[column];
      }
    }
  }

  const float* row(int index) const { return squared_[index]; }

 private:
  float reach_;
  alignas(32) float squared_[kSide][kRowFloats];
};

// A point of the Catmull-Rom curve between p1 and p2.
Point on_curve(Point p0, Point p1, Point p2, Point p3, float t) {
  const auto blend = [t](float a, float b, float c, float d) {
    return b + 0.5f * t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a)));
  };
  return {blend(p0.x, p1.x, p2.x, p3.x), blend(p0.y, p1.y, p2.y, p3.y)};
}

void draw_stroke(Canvas& canvas, Pen pen, std::span<const Point> points) {
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    if (pen == Pen::kStraight) {
      canvas.piece(points[i], points[i + 1]);
      continue;
    }
    const Point before = points[i == 0 ? 0 : i - 1], after = points[std::min(i + 2, points.size() - 1)];
    Point from = points[i];
    for (int piece = 1; piece <= kPiecesPerSpan; ++piece) {
      const float t = static_cast<float>(piece) / kPiecesPerSpan;
      const Point to = on_curve(before, points[i], points[i + 1], after, t);
      canvas.piece(from, to);
      from = to;
    }
  }
}

}  // namespace

uint8_t draw_digit(uint64_t seed, DigitsSplit split, uint32_t index, std::span<uint8_t> pixels) {
  if (pixels.size() != kPixels) {
    throw ShapeError(fmt::format("draw_digit: {} pixels were given, not {}", pixels.size(), kPixels));
  }
  Draws draws(seed, static_cast<uint32_t>(split), index);
  const uint32_t label = draws.below(10);
  const std::vector<Form>& forms = digit_forms()[label];
  const Form& form = forms[draws.below(static_cast<uint32_t>(forms.size()))];
  const Pose pose(draws);
  const float radius = draws.between(0.45f, 1.75f), softness = draws.between(0.7f, 1.5f);
  const float ink = draws.between(165, 275);  // above 255: a pen that presses hard
  const int noise = static_cast<int>(draws.below(5));

  Canvas canvas(radius + softness);
  std::vector<Point> points;
  for (const Stroke& stroke : form) {
    points.clear();
    for (const Point& point : stroke.points) {
      // The sum of two draws: mostly near the middle.
      const float dx = draws.between(-0.06f, 0.06f) + draws.between(-0.06f, 0.06f);
      const float dy = draws.between(-0.045f, 0.045f) + draws.between(-0.045f, 0.045f);
      points.push_back(pose.apply({point.x + dx, point.y + dy}));
    }
    draw_stroke(canvas, stroke.pen, points);
  }

  // Full ink up to `inner`, none beyond `outer`, and between them by the squared distance, which needs no square root.
  const float inner = std::max(0.0f, radius - 0.5f * softness), outer = radius + softness;
  const float slope = ink / (outer * outer - inner * inner);
  for (int row = 0; row < kSide; ++row) {
    for (int column = 0; column < kSide; ++column) {
      const float value = slope * (outer * outer - canvas.row(row)[column]);
      const int level = static_cast<int>(std::clamp(value, 0.0f, ink));
      pixels[static_cast<size_t>(row * kSide + column)] = static_cast<uint8_t>(std::min(level, 255));
    }
  }
  if (noise == 0) return static_cast<uint8_t>(label);
  for (size_t i = 0; i < kPixels; i += 4) {  // a byte of each word's four for a pixel: its nibbles add up to 0 .. 30
    uint32_t word = draws.word();
    for (size_t pixel = i; pixel < i + 4; ++pixel, word >>= 8) {
      const int change = static_cast<int>((word & 15) + (word >> 4 & 15)) - 15;
      pixels[pixel] = static_cast<uint8_t>(std::clamp(pixels[pixel] + change * noise, 0, 255));
    }
  }
  return static_cast<uint8_t>(label);
}

DatasetInfo digits_info() {
  return {
      .name = "digits",
      .description = "digits drawn in-process from a seed, 28x28 grey, 10 classes, 20,000 + 4,000; needs no files",
      .image = {1, kDigitSide, kDigitSide},
      .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
      .pixels = {{0.155276537f}, {0.282759428f}},
      .load = [](const std::filesystem::path&, const LoadOptions& options) { return generate_digits(options.seed); },
      .write = write_digits,
      .file_count = 4};
}

Dataset generate_digits(uint64_t seed, int64_t train_count, int64_t test_count) {
  return generate(digits_info(), seed, train_count, test_count, draw_digit);
}

}  // namespace cairn::datasets
