#include "datasets/ground.h"

#include <algorithm>
#include <cmath>

namespace cairn::datasets {
namespace {

constexpr size_t kTerms = 6;  // 1, x, y, x x, x y, y y
using Terms = std::array<double, kTerms>;

Color laid_on(float sheet, const uint8_t* value, int64_t channels) {
  if (channels == 1) return {float(value[0]), float(value[0]), float(value[0])};
  if (channels == 3) return {float(value[0]), float(value[1]), float(value[2])};
  const float cover = float(value[3]) / 255, rest = sheet * (1 - cover);
  return {value[0] * cover + rest, value[1] * cover + rest, value[2] * cover + rest};
}

// x and y from -1 to 1, so that the equations are well conditioned.
Terms terms_at(int64_t column, int64_t row, const Colors& colors) {
  const double x = 2 * (static_cast<double>(column) + 0.5) / static_cast<double>(colors.width) - 1;
  const double y = 2 * (static_cast<double>(row) + 0.5) / static_cast<double>(colors.height) - 1;
  return {1, x, y, x * x, x * y, y * y};
}

double value_at(const Terms& factors, const Terms& terms) {
  double sum = 0;
  for (size_t i = 0; i < kTerms; ++i) sum += factors[i] * terms[i];
  return sum;
}

// Weighted least squares: normal equations by elimination. A little is added to the diagonal, so that a picture of few
// pixels has a solution too.
class Equations {
 public:
  void add(const Terms& terms, double value, double weight) {
    for (size_t i = 0; i < kTerms; ++i) {
      for (size_t j = 0; j < kTerms; ++j) matrix_[i][j] += weight * terms[i] * terms[j];
      right_[i] += weight * terms[i] * value;
    }
  }

  Terms solve() {
    for (size_t i = 0; i < kTerms; ++i) matrix_[i][i] += 1e-6 * matrix_[0][0] + 1e-12;
    for (size_t i = 0; i < kTerms; ++i) {
      for (size_t row = i + 1; row < kTerms; ++row) {
        const double factor = matrix_[row][i] / matrix_[i][i];
        for (size_t j = i; j < kTerms; ++j) matrix_[row][j] -= factor * matrix_[i][j];
        right_[row] -= factor * right_[i];
      }
    }
    for (size_t i = kTerms; i-- > 0;) {
      for (size_t j = i + 1; j < kTerms; ++j) right_[i] -= matrix_[i][j] * right_[j];
      right_[i] /= matrix_[i][i];
    }
    return right_;
  }

 private:
  std::array<Terms, kTerms> matrix_{};
  Terms right_{};
};

// Least squares again and again, each time weighted by one over the last differences: their plain sum in the end.
Terms fit(const Colors& colors, size_t channel) {
  constexpr int64_t kSamplesPerSide = 64;
  constexpr int kRounds = 12;
  const int64_t step_x = std::max<int64_t>(1, colors.width / kSamplesPerSide);
  const int64_t step_y = std::max<int64_t>(1, colors.height / kSamplesPerSide);
  Terms factors{};
  for (int round = 0; round < kRounds; ++round) {
    Equations equations;
    for (int64_t y = step_y / 2; y < colors.height; y += step_y)
      for (int64_t x = step_x / 2; x < colors.width; x += step_x) {
        const Terms terms = terms_at(x, y, colors);
        const double value = colors.pixels[static_cast<size_t>(y * colors.width + x)][channel];
        const double difference = round == 0 ? 1 : std::abs(value - value_at(factors, terms));
        equations.add(terms, value, 1 / std::max(difference, 1.0));
      }
    factors = equations.solve();
  }
  return factors;
}

}  // namespace

Colors to_colors(const Picture& picture, float sheet) {
  int64_t side = 1;
  const auto shrunk = [&side](int64_t length) { return std::max<int64_t>(1, length / side); };
  while (shrunk(picture.width) * shrunk(picture.height) > kMostPixels) ++side;
  const int64_t across = std::min(side, picture.width), down = std::min(side, picture.height);
  Colors colors{shrunk(picture.width), shrunk(picture.height), {}};
  colors.pixels.reserve(static_cast<size_t>(colors.width * colors.height));
  for (int64_t y = 0; y < colors.height; ++y) {
    for (int64_t x = 0; x < colors.width; ++x) {
      Color sum{};
      for (int64_t row = y * down; row < (y + 1) * down; ++row) {
        const uint8_t* value = picture.pixels.data() + (row * picture.width + x * across) * picture.channels;
        for (int64_t column = 0; column < across; ++column, value += picture.channels) {
          const Color color = laid_on(sheet, value, picture.channels);
          for (size_t channel = 0; channel < 3; ++channel) sum[channel] += color[channel];
        }
      }
      for (float& part : sum) part /= static_cast<float>(across * down);
      colors.pixels.push_back(sum);
    }
  }
  return colors;
}

Color border_color(const Colors& colors) {
  Color result;
  for (size_t channel = 0; channel < 3; ++channel) {
    std::vector<float> values;
    for (int64_t y = 0; y < colors.height; ++y) {
      const bool whole = y == 0 || y == colors.height - 1;
      for (int64_t x = 0; x < colors.width; x += whole ? 1 : std::max<int64_t>(1, colors.width - 1))
        values.push_back(colors.pixels[static_cast<size_t>(y * colors.width + x)][channel]);
    }
    result[channel] = quantile(std::move(values), 0.5);
  }
  return result;
}

std::array<Plane, 3> trend(const Colors& colors) {
  std::array<Plane, 3> planes;
  for (size_t channel = 0; channel < 3; ++channel) {
    const Terms factors = fit(colors, channel);
    planes[channel] = {colors.width, colors.height, {}};
    for (int64_t y = 0; y < colors.height; ++y)
      for (int64_t x = 0; x < colors.width; ++x)
        planes[channel].values.push_back(static_cast<float>(value_at(factors, terms_at(x, y, colors))));
  }
  return planes;
}

}  // namespace cairn::datasets
