// What augment_images draws for a picture, and the two numbers for each channel that all it does to values comes down
// to: the one text that every implementation compiles, so that all see the same pictures. Not here: moving the pixels.
#pragma once

#include "kernels/data_args.h"
#include "kernels/philox.h"

namespace cairn::augment {

// One picture's part of the epoch.
struct Draw {
  int64_t row, column;  // of the window's first pixel, in the padded picture
  bool mirrored;        // left and right
  double brightness;    // added to every byte
  double contrast;      // factor of the distance from the channel's mean
};

// A whole number in [0, range), from a word: Lemire's multiplication, without its rare second try.
CAIRN_HOST_DEVICE inline int64_t below(uint32_t word, int64_t range) {
  return static_cast<int64_t>(uint64_t{word} * static_cast<uint64_t>(range) >> 32);
}

// Of row i of the batch. step is read only where something is random.
CAIRN_HOST_DEVICE inline Draw draw(const AugmentImagesArgs& args, int64_t i) {
  const int64_t more_rows = args.in_height + 2 * args.pad - args.out_height;
  const int64_t more_columns = args.in_width + 2 * args.pad - args.out_width;
  if (!args.random) return {more_rows / 2, more_columns / 2, false, 0.0, 1.0};
  const auto number = static_cast<uint64_t>(args.number ? args.number[i] : args.index ? args.index[i] : i);
  const auto epoch = static_cast<uint32_t>(*args.step / args.steps_per_epoch);
  const philox::Block first = philox::draw(args.seed, args.stream, epoch, 2 * number);
  const philox::Block second = philox::draw(args.seed, args.stream, epoch, 2 * number + 1);
  const double low = args.contrast_low, high = args.contrast_high;
  return {below(first.word[0], more_rows + 1), below(first.word[1], more_columns + 1),
          args.flip != 0 && first.word[2] >> 31 != 0,
          static_cast<double>(args.brightness) * (2.0 * static_cast<double>(philox::uniform(first.word[3])) - 1.0),
          low + (high - low) * static_cast<double>(philox::uniform(second.word[0]))};
}

// Whether values depend on the window's sums.
CAIRN_HOST_DEVICE inline bool needs_sums(const AugmentImagesArgs& args) {
  return args.standardise != 0 || (args.random != 0 && (args.contrast_low != 1.0f || args.contrast_high != 1.0f));
}

// Of a channel's bytes in the window, padding as zeros: whole numbers, so exact in any order.
struct Sums {
  uint64_t bytes, squares;
};

// A value of channel c is byte * factor + offset.
struct Affine {
  float factor, offset;
};

// Of all channels' values after brightness and contrast; for standardise.
struct Moments {
  double mean, inverse_deviation;
};

// With m the mean of a channel's bytes, d the brightness and f the contrast, a value is f (byte - m) + m + d.
CAIRN_HOST_DEVICE inline Moments moments(const AugmentImagesArgs& args, const Draw& draw, const Sums* sums) {
  const auto plane = static_cast<double>(args.out_height * args.out_width);
  const double count = plane * static_cast<double>(args.channels);
  double total = 0.0, squares = 0.0;
  for (int64_t c = 0; c < args.channels; ++c) total += static_cast<double>(sums[c].bytes);
  const double mean = total / count;  // of bytes: brightness moves values and their mean alike
  for (int64_t c = 0; c < args.channels; ++c) {
    const auto sum = static_cast<double>(sums[c].bytes);
    const double from_mean = sum / plane - mean;
    squares += draw.contrast * draw.contrast * (static_cast<double>(sums[c].squares) - sum * sum / plane) +
               plane * from_mean * from_mean;
  }
  const double deviation = sqrt(squares > 0.0 ? squares / count : 0.0), least = 1.0 / sqrt(count);
  return {mean + draw.brightness, 1.0 / (deviation > least ? deviation : least)};
}

// sums: one for each channel, or null where needs_sums() is false.
CAIRN_HOST_DEVICE inline Affine affine(const AugmentImagesArgs& args, const Draw& draw, const Sums* sums, int64_t c) {
  double mean = 0.0;
  if (sums) mean = static_cast<double>(sums[c].bytes) / static_cast<double>(args.out_height * args.out_width);
  const double offset = (1.0 - draw.contrast) * mean + draw.brightness;
  if (args.standardise) {
    const Moments all = moments(args, draw, sums);
    return {static_cast<float>(draw.contrast * all.inverse_deviation),
            static_cast<float>((offset - all.mean) * all.inverse_deviation)};
  }
  const int64_t at = args.scale_count == 1 ? 0 : c;
  const double scale = args.scale[at], shift = args.shift[at];
  return {static_cast<float>(draw.contrast * scale), static_cast<float>(offset * scale + shift)};
}

// Where pixel (y, x) of the window lies in channel c of the picture, or -1: in the padding.
CAIRN_HOST_DEVICE inline int64_t source(const AugmentImagesArgs& args, const Draw& draw, int64_t c, int64_t y,
                                        int64_t x) {
  const int64_t row = draw.row - args.pad + y;
  const int64_t column = draw.column - args.pad + (draw.mirrored ? args.out_width - 1 - x : x);
  if (row < 0 || row >= args.in_height || column < 0 || column >= args.in_width) return -1;
  return (c * args.in_height + row) * args.in_width + column;
}

}  // namespace cairn::augment
