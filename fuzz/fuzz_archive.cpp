// An archive with two members to take out, or one compressed file, as the first byte says.
#include "datasets/archive.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  constexpr uint64_t kMostBytes = 1 << 16;
  if (input.empty()) return;
  const std::span<const uint8_t> file = input.subspan(1);
  if (input[0] % 2 == 0)
    datasets::read_members(file, "set", {"one.bin", "two.bin"}, kMostBytes, "archive");
  else
    datasets::decompress(file, kMostBytes, "file");
}
