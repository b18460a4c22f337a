// Pictures that are changed at random on their way into a step, value by value as the formula has it. Not here: what is
// drawn (kernels/augment.h).
#include "kernels/augment.h"

#include <numeric>
#include <vector>

#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

double mean_of(const double* values, int64_t count) {
  return std::accumulate(values, values + count, 0.0) / static_cast<double>(count);
}

// (p - mean) / max(deviation, 1 / sqrt(count)), over all values
void standardise(std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = mean_of(values.data(), static_cast<int64_t>(values.size()));
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double divisor = std::max(std::sqrt(squares / count), 1 / std::sqrt(count));
  for (double& value : values) value = (value - mean) / divisor;
}

// The window of row i of the batch, channel by channel.
std::vector<double> window(const AugmentImagesArgs& args, int64_t i) {
  const augment::Draw draw = augment::draw(args, i);
  const int64_t row = args.index ? args.index[i] : i;
  const uint8_t* image = args.images + row * args.channels * args.in_height * args.in_width;
  const int64_t plane = args.out_height * args.out_width;
  std::vector<double> values;
  for (int64_t c = 0; c < args.channels; ++c) {
    for (int64_t y = 0; y < args.out_height; ++y) {
      for (int64_t x = 0; x < args.out_width; ++x) {
        const int64_t from = augment::source(args, draw, c, y, x);
        values.push_back((from < 0 ? 0 : image[from]) + draw.brightness);
      }
    }
    const double mean = mean_of(&values[static_cast<size_t>(c * plane)], plane);
    for (int64_t p = c * plane; p < (c + 1) * plane; ++p) {
      double& value = values[static_cast<size_t>(p)];
      value = (value - mean) * draw.contrast + mean;
      const int64_t at = args.scale_count == 1 ? 0 : c;
      if (!args.standardise) value = value * args.scale[at] + args.shift[at];
    }
  }
  if (args.standardise) standardise(values);
  return values;
}

}  // namespace

void augment_images(Stream&, const AugmentImagesArgs& args) {
  with_type(args.dtype, "augment_images", [&]<class T>(Type<T>) {
    T* out = static_cast<T*>(args.out);
    if (args.channels * args.out_height * args.out_width == 0) return;
    for (int64_t i = 0; i < args.rows; ++i)
      for (const double value : window(args, i)) *out++ = static_cast<T>(value);
  });
}

}  // namespace cairn::reference
