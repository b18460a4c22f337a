// A file of CIFAR records; the first byte says of which of the two kinds.
#include "datasets/cifar.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  if (input.empty()) return;
  const datasets::CifarRecord record =
      input[0] % 2 == 0 ? datasets::CifarRecord{} : datasets::CifarRecord{.label_bytes = 2, .classes = 100};
  const std::span<const uint8_t> file = input.subspan(1);
  const auto count = static_cast<size_t>(datasets::count_cifar(file.size(), record, "file"));
  std::vector<uint8_t> pixels(count * datasets::kCifarImageBytes);
  std::vector<int32_t> labels(count);
  datasets::decode_cifar(file, record, "file", pixels, labels);
}
