// A picture of any kind, up to the image that a network is shown. The seeds are JPEGs; fuzz_png knows more of PNG. Most
// mutations are made small pictures: decoding a large one takes a thousand times as long and reaches no other code.
#include "datasets/color_image.h"
#include "fuzz/fuzz.h"

namespace {

// Below 256 x 256: the upper bytes of each frame's height and width.
void make_small(std::span<uint8_t> file) {
  for (size_t i = 0; i + 8 < file.size(); ++i)
    if (file[i] == 0xFF && file[i + 1] >= 0xC0 && file[i + 1] <= 0xC2) file[i + 5] = file[i + 7] = 0;
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t capacity);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t capacity, unsigned seed) {
  const size_t mutated = LLVMFuzzerMutate(data, size, capacity);
  if (seed % 256 != 0) make_small({data, mutated});
  return mutated;
}

void cairn::fuzz::run(std::span<const uint8_t> input) {
  const datasets::Picture picture = datasets::decode_picture(input, "file");
  if (picture.pixels.size() != static_cast<size_t>(picture.width * picture.height * picture.channels)) __builtin_trap();
  datasets::prepare_color(picture, {3, 32, 32}, 40);
}
