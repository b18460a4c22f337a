// IDX: an image file and a label file in one input, divided where the first two bytes say; joined as a data set is.
#include "datasets/idx.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  if (input.size() < 2) return;
  const size_t split = std::min<size_t>(input[0] | input[1] << 8, input.size() - 2);
  const auto images = input.subspan(2, split), labels = input.subspan(2 + split);
  datasets::join_idx(datasets::decode_idx(images, 3, "images"), datasets::decode_idx(labels, 1, "labels"), 10, "images",
                     "labels");
}
