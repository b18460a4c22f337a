// A picture of any kind, up to the image that a network is shown. The seeds are JPEGs; fuzz_png knows more of PNG.
#include "datasets/color_image.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  const datasets::Picture picture = datasets::decode_picture(input, "file");
  if (picture.pixels.size() != static_cast<size_t>(picture.width * picture.height * picture.channels)) __builtin_trap();
  datasets::prepare_color(picture, {3, 32, 32}, 40);
}
