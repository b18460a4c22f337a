// PNG, up to the images that networks are shown, in colour and of a digit. A mutation is given right checksums, else
// none would get past the first chunk.
#include <cstring>

#include "datasets/color_image.h"
#include "datasets/digit_image.h"
#include "datasets/png.h"
#include "fuzz/fuzz.h"

namespace {

// Table-free CRC-32 of PNG (ISO 3309).
uint32_t crc32(std::span<const uint8_t> bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

uint32_t read_big_endian(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

void correct_checksums(std::span<uint8_t> file) {
  for (size_t chunk = 8; chunk + 12 <= file.size();) {
    const size_t length = read_big_endian(&file[chunk]);
    if (length > file.size() - chunk - 12) return;
    const uint32_t crc = crc32(file.subspan(chunk + 4, length + 4));
    for (int i = 0; i < 4; ++i) file[chunk + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    chunk += length + 12;
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t capacity);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t capacity, unsigned seed) {
  const size_t mutated = LLVMFuzzerMutate(data, size, capacity);
  if (seed % 8 != 0) correct_checksums({data, mutated});
  return mutated;
}

void cairn::fuzz::run(std::span<const uint8_t> input) {
  const datasets::Picture picture = datasets::decode_png(input, "file");
  datasets::prepare_color(picture, {3, 32, 32});
  datasets::prepare_digit(picture, "file");
}
