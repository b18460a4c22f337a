#include "tests/photos/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/digit_strokes.h"

namespace cairn::photos {
namespace {

using datasets::Point;

constexpr int kSide = Drawing::kSide;
constexpr float kSpan = 1 + 2 * Drawing::kMargin;
constexpr float kFar = 10;

float to_unit(int cell) {
  return (static_cast<float>(cell) + 0.5f) / kSide * kSpan - Drawing::kMargin;
}

float distance_to_piece(Point p, Point a, Point b) {
  const float dx = b.x - a.x, dy = b.y - a.y;
  const float along = ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy + 1e-12f);
  const float t = std::clamp(along, 0.0f, 1.0f);
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

// The corners of a stroke; those of a curve lie on the Catmull-Rom curve through its points.
std::vector<Point> corners(const datasets::Stroke& stroke) {
  if (stroke.pen == datasets::Pen::kStraight) return stroke.points;
  constexpr int kPieces = 12;
  const std::vector<Point>& points = stroke.points;
  std::vector<Point> result = {points[0]};
  for (size_t i = 0; i + 1 < points.size(); ++i) {
    const Point p0 = points[i == 0 ? 0 : i - 1], p1 = points[i], p2 = points[i + 1];
    const Point p3 = points[std::min(i + 2, points.size() - 1)];
    for (int piece = 1; piece <= kPieces; ++piece) {
      const float t = static_cast<float>(piece) / kPieces;
      const auto blend = [t](float a, float b, float c, float d) {
        return b + 0.5f * t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a)));
      };
      result.push_back({blend(p0.x, p1.x, p2.x, p3.x), blend(p0.y, p1.y, p2.y, p3.y)});
    }
  }
  return result;
}

// Catmull-Rom interpolation of an image of 28 x 28 at pixel coordinates; 0 outside.
float sample(std::span<const uint8_t> pixels, float x, float y) {
  const auto weights = [](float t) {
    return std::array<float, 4>{0.5f * t * (-1 + t * (2 - t)), 1 + 0.5f * t * t * (-5 + 3 * t),
                                0.5f * t * (1 + t * (4 - 3 * t)), 0.5f * t * t * (t - 1)};
  };
  const float left = std::floor(x), top = std::floor(y);
  const std::array<float, 4> across = weights(x - left), down = weights(y - top);
  float sum = 0;
  for (int j = 0; j < 4; ++j)
    for (int i = 0; i < 4; ++i) {
      const int column = static_cast<int>(left) + i - 1, row = static_cast<int>(top) + j - 1;
      if (column < 0 || column >= 28 || row < 0 || row >= 28) continue;
      sum += across[static_cast<size_t>(i)] * down[static_cast<size_t>(j)] *
             pixels[static_cast<size_t>(row * 28 + column)];
    }
  return sum;
}

// Steps of 1 and sqrt(2) to the nearest cell that is `inside`, by two passes (chamfer).
std::vector<float> steps_to(const std::vector<bool>& inside) {
  std::vector<float> steps(inside.size());
  for (size_t i = 0; i < steps.size(); ++i) steps[i] = inside[i] ? 0 : 1e6f;
  const auto relax = [&](int x, int y, int dx, int dy) {
    const int column = x + dx, row = y + dy;
    if (column < 0 || column >= kSide || row < 0 || row >= kSide) return;
    float& here = steps[static_cast<size_t>(y * kSide + x)];
    here = std::min(here, steps[static_cast<size_t>(row * kSide + column)] + (dx != 0 && dy != 0 ? 1.41421f : 1.0f));
  };
  for (int i = 0; i < kSide * kSide; ++i)
    for (const auto& [dx, dy] : {std::pair{-1, 0}, {-1, -1}, {0, -1}, {1, -1}}) relax(i % kSide, i / kSide, dx, dy);
  for (int i = kSide * kSide - 1; i >= 0; --i)
    for (const auto& [dx, dy] : {std::pair{1, 0}, {1, 1}, {0, 1}, {-1, 1}}) relax(i % kSide, i / kSide, dx, dy);
  return steps;
}

}  // namespace

float Drawing::at(float x, float y) const {
  const float column = (x + kMargin) / kSpan * kSide - 0.5f, row = (y + kMargin) / kSpan * kSide - 0.5f;
  if (!(column >= 0 && column < kSide - 1 && row >= 0 && row < kSide - 1)) return kFar;
  const int left = static_cast<int>(column), top = static_cast<int>(row);
  const float u = column - static_cast<float>(left), v = row - static_cast<float>(top);
  const float* cell = distance.data() + top * kSide + left;
  return (1 - v) * ((1 - u) * cell[0] + u * cell[1]) + v * ((1 - u) * cell[kSide] + u * cell[kSide + 1]);
}

Drawing draw_strokes(int digit, uint32_t form, float width) {
  const std::vector<datasets::Form>& forms = datasets::digit_forms()[static_cast<size_t>(digit)];
  Drawing drawing{std::vector<float>(kSide * kSide, kFar)};
  for (const datasets::Stroke& stroke : forms[form % forms.size()]) {
    std::vector<Point> line = corners(stroke);
    for (Point& point : line) point.x = 0.5f + (point.x - 0.5f) * width;
    for (int cell = 0; cell < kSide * kSide; ++cell) {
      const Point here{to_unit(cell % kSide), to_unit(cell / kSide)};
      float& distance = drawing.distance[static_cast<size_t>(cell)];
      for (size_t i = 0; i + 1 < line.size(); ++i)
        distance = std::min(distance, distance_to_piece(here, line[i], line[i + 1]));
    }
  }
  return drawing;
}

Drawing draw_image(std::span<const uint8_t> pixels) {
  int left = 28, right = -1, top = 28, bottom = -1;
  for (int i = 0; i < 784; ++i) {
    if (pixels[static_cast<size_t>(i)] < 128) continue;
    left = std::min(left, i % 28), right = std::max(right, i % 28);
    top = std::min(top, i / 28), bottom = std::max(bottom, i / 28);
  }
  const auto size = static_cast<float>(std::max(right - left, bottom - top) + 1);
  const float middle_x = 0.5f * static_cast<float>(left + right), middle_y = 0.5f * static_cast<float>(top + bottom);
  std::vector<bool> ink(kSide * kSide), ground(kSide * kSide);
  for (int cell = 0; cell < kSide * kSide; ++cell) {
    const float x = middle_x + (to_unit(cell % kSide) - 0.5f) * size,
                y = middle_y + (to_unit(cell / kSide) - 0.5f) * size;
    ink[static_cast<size_t>(cell)] = sample(pixels, x, y) > 110;
    ground[static_cast<size_t>(cell)] = !ink[static_cast<size_t>(cell)];
  }
  const std::vector<float> outwards = steps_to(ink), inwards = steps_to(ground);
  Drawing drawing{std::vector<float>(kSide * kSide)};
  for (size_t i = 0; i < drawing.distance.size(); ++i)
    drawing.distance[i] = (outwards[i] - inwards[i] - (ink[i] ? -0.5f : 0.5f)) * kSpan / kSide;
  return drawing;
}

}  // namespace cairn::photos
