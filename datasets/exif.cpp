#include "datasets/exif.h"

#include <algorithm>

namespace cairn::datasets {
namespace {

constexpr size_t kEntryBytes = 12;  // of a directory: tag, type, count, value
constexpr uint32_t kOrientationTag = 0x0112, kShort = 3, kLong = 4;

// A number of `size` bytes; callers see to it that these are there.
uint32_t number_at(std::span<const uint8_t> bytes, size_t at, size_t size, bool little_endian) {
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + (little_endian ? size - 1 - i : i)];
  return value;
}

}  // namespace

int exif_orientation(std::span<const uint8_t> tiff) {
  constexpr size_t kHeaderBytes = 8;
  if (tiff.size() < kHeaderBytes || tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M')) return 1;
  const bool little = tiff[0] == 'I';
  const auto number = [&](size_t at, size_t size) { return number_at(tiff, at, size, little); };
  const size_t directory = number(4, 4);
  if (number(2, 2) != 42 || directory > tiff.size() - 2) return 1;
  const size_t room = (tiff.size() - 2 - directory) / kEntryBytes;
  const size_t entries = std::min<size_t>(number(directory, 2), room);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + i * kEntryBytes;
    if (number(entry, 2) != kOrientationTag) continue;
    const uint32_t type = number(entry + 2, 2);
    if ((type != kShort && type != kLong) || number(entry + 4, 4) != 1) return 1;
    const uint32_t value = number(entry + 8, type == kShort ? 2 : 4);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Picture upright(Picture picture, int orientation) {
  if (orientation <= 1 || orientation > 8) return picture;
  const bool swapped = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int64_t channels = picture.channels;
  Picture turned{swapped ? picture.height : picture.width, swapped ? picture.width : picture.height, channels,
                 Bytes(picture.pixels.size())};
  uint8_t* to = turned.pixels.data();
  for (int64_t y = 0; y < turned.height; ++y) {
    for (int64_t x = 0; x < turned.width; ++x) {
      int64_t column = swapped ? y : x, row = swapped ? x : y;
      if (from_right) column = picture.width - 1 - column;
      if (from_bottom) row = picture.height - 1 - row;
      to = std::copy_n(picture.pixels.data() + (row * picture.width + column) * channels, channels, to);
    }
  }
  return turned;
}

}  // namespace cairn::datasets
