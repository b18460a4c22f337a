// Gzip: a member inflated into a buffer of the size that the first two bytes say.
#include "datasets/gzip.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  if (input.size() < 2) return;
  std::vector<uint8_t> content(input[0] | input[1] << 8);
  const auto file = input.subspan(2);
  if (!datasets::is_gzip(file)) return;
  datasets::peek_gzip(file, 16, "file");
  datasets::inflate_gzip(file, content, "file");
}
