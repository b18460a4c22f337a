// A .npy file, or a .npz archive as a batch of images of 1 x 2 pixels, as the first byte says.
#include "datasets/archive.h"
#include "datasets/pixel_batch.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  constexpr uint64_t kMostBytes = 1 << 16;
  if (input.empty()) return;
  const std::span<const uint8_t> file = input.subspan(1);
  if (input[0] % 2 == 0) {
    const datasets::NpyFile npy(file, "file");
    if (!npy.array().objects && npy.array().bytes.size() % npy.array().element_bytes != 0) __builtin_trap();
    datasets::integers(npy.array(), "file");
    return;
  }
  datasets::read_zip(file, {"data.npy", "labels.npy"}, kMostBytes, "archive");
  const datasets::PixelBatch batch(datasets::Bytes(file.begin(), file.end()), {.image = Shape{1, 1, 2}}, "archive");
  if (batch.pixels().size() != 2 * batch.labels().size()) __builtin_trap();
}
