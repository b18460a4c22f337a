// augment_images: against reference over the options, and its windows against draws that are written out here. Not
// here: the generator (test_random.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "kernels/philox.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct Pictures {
  int64_t rows, channels, in_height, in_width, out_height, out_width, pad;
};

struct Options {
  bool random, flip;
  float brightness, contrast_low, contrast_high;
  bool standardise;
  int64_t scale_count;  // 1, or 0: one for each channel
  bool indexed, numbered;
};

AugmentImagesArgs place_pictures(Call& call, const Pictures& p, const Options& o, int64_t step = 17) {
  const int64_t images = o.indexed ? p.rows + 5 : p.rows;
  const int64_t scales = o.scale_count == 1 ? 1 : p.channels;
  AugmentImagesArgs args{.dtype = call.real(),
                         .rows = p.rows,
                         .channels = p.channels,
                         .in_height = p.in_height,
                         .in_width = p.in_width,
                         .out_height = p.out_height,
                         .out_width = p.out_width};
  args.images =
      call.typed_input<uint8_t>("images", integers(images * p.channels * p.in_height * p.in_width, 1, 0, 255));
  if (o.indexed) args.index = call.typed_input<int32_t>("index", integers(p.rows, 2, 0, static_cast<int>(images) - 1));
  if (o.numbered) args.number = call.typed_input<int32_t>("number", integers(p.rows, 3, 0, 59999));
  args.scale = call.typed_input<float>("scale", reals(scales, 4, 0.001, 0.02));
  args.shift = call.typed_input<float>("shift", reals(scales, 5));
  args.scale_count = scales;
  args.pad = p.pad;
  args.random = o.random;
  args.flip = o.flip;
  args.brightness = o.brightness;
  args.contrast_low = o.contrast_low;
  args.contrast_high = o.contrast_high;
  args.standardise = o.standardise;
  args.seed = 0x123456789ABCDEF;
  args.stream = 4u << 24;
  args.step = call.typed_input<int64_t>("step", {static_cast<double>(step)});
  args.steps_per_epoch = 5;
  return args;
}

// A value is byte * factor + offset, both rounded to float, with products up to 255 * factor. Contrast makes the factor
// twice the scale at most; standardisation divides by 1 / sqrt(count) at least, and where there are many random bytes
// by their deviation, 74.
double largest(const Pictures& p, const Options& o) {
  const auto count = static_cast<double>(p.channels * p.out_height * p.out_width);
  const double most = o.standardise ? (count >= 25 && p.pad == 0 ? 0.05 : std::sqrt(count)) : 0.02;
  return 1 + (255 + o.brightness) * 2 * most;
}

void check_pictures(DType real, const Pictures& p, const Options& o) {
  const auto run = [=](Call& call) {
    AugmentImagesArgs args = place_pictures(call, p, o);
    args.out = call.output("out", {p.rows, p.channels * p.out_height * p.out_width},
                           {.absolute = 4 * largest(p, o) * unit(real)});
    return call.invoke(&Backend::augment_images, args);
  };
  check({.primitive = "augment_images",
         .shape = shape_text({{"rows", p.rows},
                              {"channels", p.channels},
                              {"in_height", p.in_height},
                              {"in_width", p.in_width},
                              {"out_height", p.out_height},
                              {"out_width", p.out_width},
                              {"pad", p.pad},
                              {"random", o.random},
                              {"flip", o.flip},
                              {"brightness", static_cast<int64_t>(o.brightness)},
                              {"contrast", o.contrast_low != o.contrast_high},
                              {"standardise", o.standardise},
                              {"indexed", o.indexed},
                              {"numbered", o.numbered}}),
         .real = real,
         .offset = p.rows % 2,
         .run = run});
}

constexpr Pictures kPictures[] = {
    {0, 3, 8, 8, 8, 8, 0},     {1, 1, 1, 1, 1, 1, 0},    {5, 3, 8, 8, 8, 8, 2},   {4, 1, 28, 28, 24, 24, 0},
    {3, 3, 32, 32, 32, 32, 4}, {2, 3, 33, 17, 31, 9, 1}, {2, 2, 5, 70, 3, 65, 0}, {3, 1, 4, 4, 11, 9, 6},
    {2, 4, 3, 3, 1, 1, 0},     {2, 1, 40, 3, 37, 2, 0},  {9, 0, 4, 4, 4, 4, 0},   {2, 3, 2, 2, 0, 2, 0},
};

// The value of a picture's window at (y, x), by the formula: a whole number is word * range / 2^32.
double window_value(const Values& images, const Pictures& p, int64_t image, int64_t number, int64_t epoch, bool flip,
                    uint64_t seed, uint32_t stream, int64_t c, int64_t y, int64_t x) {
  const philox::Block block =
      philox::draw(seed, stream, static_cast<uint32_t>(epoch), 2 * static_cast<uint64_t>(number));
  const auto below = [](uint32_t word, int64_t range) {
    return static_cast<int64_t>(static_cast<double>(word) * static_cast<double>(range) / 0x1p32);
  };
  const int64_t row = below(block.word[0], p.in_height + 2 * p.pad - p.out_height + 1) + y - p.pad;
  const bool mirrored = flip && block.word[2] >= 0x80000000u;
  const int64_t column =
      below(block.word[1], p.in_width + 2 * p.pad - p.out_width + 1) + (mirrored ? p.out_width - 1 - x : x) - p.pad;
  if (row < 0 || row >= p.in_height || column < 0 || column >= p.in_width) return 0;
  return images[static_cast<size_t>(((image * p.channels + c) * p.in_height + row) * p.in_width + column)];
}

}  // namespace

TEST_CASE("augment_images") {
  for (DType real : kReals) {
    for (const Pictures& p : kPictures) {
      check_pictures(real, p, {false, false, 0, 1, 1, false, 1, false, false});
      check_pictures(real, p, {false, true, 9, 0.5f, 2, false, 0, true, false});  // not random: all of these are off
      check_pictures(real, p, {false, false, 0, 1, 1, true, 1, true, false});
      check_pictures(real, p, {true, false, 0, 1, 1, false, 0, true, false});
      check_pictures(real, p, {true, true, 0, 1, 1, false, 1, false, true});
      check_pictures(real, p, {true, true, 63, 1, 1, false, 0, true, false});
      check_pictures(real, p, {true, true, 0, 0.25f, 1.75f, false, 0, true, true});
      check_pictures(real, p, {true, true, 63, 0.25f, 1.75f, true, 1, true, false});
    }
  }
}

TEST_CASE("augment_images: windows are where the draws put them") {
  constexpr Pictures kSmall{40, 2, 6, 5, 4, 3, 2};
  const Options options{true, true, 0, 1, 1, false, 1, false, true};
  for (DType real : kReals) {
    for (int64_t step : {0, 4, 5, 1000000}) {
      const Values& images = integers(kSmall.rows * 2 * 6 * 5, 1, 0, 255);
      const Values& numbers = integers(kSmall.rows, 3, 0, 59999);
      Values expected;
      for (int64_t i = 0; i < kSmall.rows; ++i)
        for (int64_t c = 0; c < 2; ++c)
          for (int64_t y = 0; y < 4; ++y)
            for (int64_t x = 0; x < 3; ++x)
              expected.push_back(window_value(images, kSmall, i, static_cast<int64_t>(numbers[static_cast<size_t>(i)]),
                                              step / 5, true, 0x123456789ABCDEF, 4u << 24, c, y, x));
      const auto run = [=](Call& call) {
        AugmentImagesArgs args = place_pictures(call, kSmall, options, step);
        args.scale = call.typed_input<float>("scale", {1});
        args.shift = call.typed_input<float>("shift", {0});
        args.out = call.output("out", {kSmall.rows, 24}, {});
        return call.invoke(&Backend::augment_images, args);
      };
      check({.primitive = "augment_images",
             .shape = shape_text({{"step", step}}),
             .real = real,
             .run = run,
             .expected = {expected}});
    }
  }
}

TEST_CASE("augment_images: by hand") {
  for (DType real : kReals) {
    const auto check_picture = [real](const char* shape, Options options, int64_t out, const Values& expected) {
      const auto run = [=](Call& call) {
        AugmentImagesArgs args = place_pictures(call, {1, 1, 2, 2, out, out, out == 4 ? 1 : 0}, options);
        args.images = call.typed_input<uint8_t>("images", {10, 20, 30, 40});
        args.scale = call.typed_input<float>("scale", {0.5});
        args.shift = call.typed_input<float>("shift", {1});
        args.out = call.output("out", out * out, {.absolute = 0x1p-20});
        return call.invoke(&Backend::augment_images, args);
      };
      check({.primitive = "augment_images", .shape = shape, .real = real, .run = run, .expected = {expected}});
    };
    Options plain{false, false, 0, 1, 1, false, 1, false, false};
    check_picture("padded", plain, 4, {1, 1, 1, 1, 1, 6, 11, 1, 1, 16, 21, 1, 1, 1, 1, 1});
    check_picture("one pixel of four", plain, 1, {6});  // (2 - 1) / 2 = 0: the first
    plain.standardise = true;
    const double deviation = std::sqrt(125.0);
    check_picture("standardised", plain, 2, {-15 / deviation, -5 / deviation, 5 / deviation, 15 / deviation});
    check_picture("one value standardised", plain, 1, {0});
    // Contrast about the mean, 25.
    const Options doubled{true, false, 0, 2, 2, false, 1, false, false};
    check_picture("contrast", doubled, 2, {1 - 0.5 * 5, 1 + 0.5 * 15, 1 + 0.5 * 35, 1 + 0.5 * 55});
  }
}

}  // namespace cairn::test
