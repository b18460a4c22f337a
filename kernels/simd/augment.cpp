// Pictures that are changed at random on their way into a step: a window's rows are moved as wholes. Not here: what is
// drawn, and how brightness, contrast and standardisation become two numbers a channel (kernels/augment.h).
#include "kernels/augment.h"

#include <vector>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"

namespace cairn::simd {
namespace {

// One row of the window, as far as the picture has it: pixels [begin, end) come from from[0], from[1], ... or,
// mirrored, from from[0], from[-1], ...; the others are padding.
struct Line {
  const uint8_t* from;
  int64_t begin, end;
};

Line line_of(const AugmentImagesArgs& args, const augment::Draw& draw, const uint8_t* image, int64_t c, int64_t y) {
  const int64_t row = draw.row - args.pad + y, first = draw.column - args.pad;
  // The columns of the picture that the window covers.
  const int64_t begin = std::max<int64_t>(first, 0), end = std::min(first + args.out_width, args.in_width);
  if (row < 0 || row >= args.in_height || begin >= end) return {image, 0, 0};
  const uint8_t* pixels = image + (c * args.in_height + row) * args.in_width;
  if (!draw.mirrored) return {pixels + begin, begin - first, end - first};
  return {pixels + end - 1, first + args.out_width - end, first + args.out_width - begin};
}

augment::Sums sums_of(const AugmentImagesArgs& args, const augment::Draw& draw, const uint8_t* image, int64_t c) {
  augment::Sums sums{};
  for (int64_t y = 0; y < args.out_height; ++y) {
    const Line line = line_of(args, draw, image, c, y);
    const int64_t count = line.end - line.begin;
    const uint8_t* pixels = draw.mirrored ? line.from - (count > 0 ? count - 1 : 0) : line.from;
    for (int64_t i = 0; i < count; ++i) {
      sums.bytes += pixels[i];
      sums.squares += static_cast<uint32_t>(pixels[i]) * pixels[i];
    }
  }
  return sums;
}

void write_line(const Line& line, bool mirrored, augment::Affine affine, int64_t width, float* __restrict__ out) {
  const uint8_t* __restrict__ from = line.from;
  const int64_t count = line.end - line.begin;
  std::fill_n(out, line.begin, affine.offset);
  if (mirrored)
    for (int64_t i = 0; i < count; ++i)
      out[line.begin + i] = static_cast<float>(from[-i]) * affine.factor + affine.offset;
  else
    for (int64_t i = 0; i < count; ++i)
      out[line.begin + i] = static_cast<float>(from[i]) * affine.factor + affine.offset;
  std::fill_n(out + line.end, width - line.end, affine.offset);
}

}  // namespace

void augment_images(Stream& stream, const AugmentImagesArgs& args) {
  require_f32(args.dtype, "augment_images");
  const int64_t plane = args.out_height * args.out_width, columns = args.channels * plane;
  if (args.rows == 0 || columns == 0) return;
  const bool needs_sums = augment::needs_sums(args);
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, columns), [&](int64_t begin, int64_t end) {
    std::vector<augment::Sums> sums(needs_sums ? static_cast<size_t>(args.channels) : 0);
    for (int64_t i = begin; i < end; ++i) {
      const augment::Draw draw = augment::draw(args, i);
      const int64_t row = args.index ? args.index[i] : i;
      const uint8_t* image = args.images + row * args.channels * args.in_height * args.in_width;
      for (size_t c = 0; c < sums.size(); ++c) sums[c] = sums_of(args, draw, image, static_cast<int64_t>(c));
      float* out = floats(args.out) + i * columns;
      for (int64_t c = 0; c < args.channels; ++c) {
        const augment::Affine affine = augment::affine(args, draw, needs_sums ? sums.data() : nullptr, c);
        for (int64_t y = 0; y < args.out_height; ++y, out += args.out_width)
          write_line(line_of(args, draw, image, c, y), draw.mirrored, affine, args.out_width, out);
      }
    }
  });
}

}  // namespace cairn::simd
