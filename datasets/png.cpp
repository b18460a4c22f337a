// The chunks (PNG specification, W3C, section 5) are walked here: libpng's simplified interface, which needs no longjmp
// past C++ objects, stops reading at the last row and so would miss a wrong checksum or a missing end.
#include "datasets/png.h"

#include <fmt/format.h>
#include <libdeflate.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "datasets/exif.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

constexpr std::array<uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr size_t kChunkFrame = 12;  // length, type and checksum, four bytes each
constexpr size_t kHeaderBytes = 13;

// Every chunk whole and unchanged, from the header to the end. Returns the picture's orientation.
int check_chunks(std::span<const uint8_t> file, const std::string& name) {
  if (file.empty()) throw DataError(fmt::format("{}: is empty, not a PNG file", name));
  const size_t compared = std::min(file.size(), kSignature.size());
  if (!std::equal(kSignature.begin(), kSignature.begin() + static_cast<ptrdiff_t>(compared), file.begin())) {
    throw DataError(fmt::format("{}: is not a PNG file", name));
  }
  std::span<const uint8_t> rest = file.subspan(compared);
  int orientation = 1;
  for (bool first = true;; first = false) {
    if (rest.size() < kChunkFrame) throw DataError(fmt::format("{}: is cut short: its last chunk is missing", name));
    const size_t length = big_endian(rest);
    const std::string type(rest.begin() + 4, rest.begin() + 8);
    if (!std::ranges::all_of(type, [](unsigned char letter) { return std::isalpha(letter); })) {
      throw DataError(
          fmt::format("{}: is damaged: something that is no chunk at byte {}", name, file.size() - rest.size()));
    }
    if (first && (type != "IHDR" || length != kHeaderBytes)) {
      throw DataError(fmt::format("{}: is damaged: it does not begin with a PNG header", name));
    }
    if (length > rest.size() - kChunkFrame) {
      throw DataError(
          fmt::format("{}: is cut short: chunk {} has {} of {} bytes", name, type, rest.size() - kChunkFrame, length));
    }
    if (libdeflate_crc32(0, rest.data() + 4, length + 4) != big_endian(rest.subspan(8 + length))) {
      throw DataError(fmt::format("{}: is damaged: the checksum (CRC) of chunk {} is wrong", name, type));
    }
    if (first) check_picture_size(big_endian(rest.subspan(8)), big_endian(rest.subspan(12)), name);
    if (type == "eXIf") orientation = exif_orientation(rest.subspan(8, length));
    if (type == "IEND") return orientation;
    rest = rest.subspan(kChunkFrame + length);
  }
}

// Frees what libpng holds for a picture, however reading it ends.
struct PngImage : png_image {
  PngImage() : png_image{} { version = PNG_IMAGE_VERSION; }
  ~PngImage() { png_image_free(this); }
  PngImage(const PngImage&) = delete;
  PngImage& operator=(const PngImage&) = delete;
};

}  // namespace

Picture decode_png(std::span<const uint8_t> file, const std::string& name) {
  const int orientation = check_chunks(file, name);
  PngImage image;
  const auto fail = [&] { throw DataError(fmt::format("{}: cannot be decoded: {}", name, image.message)); };
  if (!png_image_begin_read_from_memory(&image, file.data(), file.size())) fail();
  image.format = PNG_FORMAT_RGBA;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // else 16 bits without a word on gamma would be taken for linear light
  Picture picture{image.width, image.height, 4, Bytes(PNG_IMAGE_SIZE(image))};
  if (!png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr)) fail();
  return upright(std::move(picture), orientation);
}

Bytes encode_png(const Picture& picture) {
  PngImage image;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  if (picture.channels != 1 && picture.channels != 3 && picture.channels != 4)
    throw ShapeError(fmt::format("encode_png: a picture of {} channels; 1, 3 and 4 can be written", picture.channels));
  image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : picture.channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  if (picture.width <= 0 || picture.height <= 0 || picture.width > kMaxPicturePixels / picture.height ||
      picture.pixels.size() != PNG_IMAGE_SIZE(image)) {
    throw ShapeError(fmt::format("encode_png: {} bytes for {} x {} pixels of {} channels", picture.pixels.size(),
                                 picture.width, picture.height, picture.channels));
  }
  const auto fail = [&] { throw DataError(fmt::format("a PNG file cannot be made: {}", image.message)); };
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes file(size);
  if (!png_image_write_to_memory(&image, file.data(), &size, 0, picture.pixels.data(), 0, nullptr)) fail();
  file.resize(size);
  return file;
}

}  // namespace cairn::datasets
