// PNG files: every kind that there is comes out as the same picture, and what is no picture is one line.
#include "datasets/png.h"

#include <libdeflate.h>

#include "framework/error.h"
#include "tests/datasets/jpeg_files.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

void append_big_endian(Bytes& to, uint32_t value) {
  for (const int shift : {24, 16, 8, 0}) to.push_back(static_cast<uint8_t>(value >> shift));
}

Bytes signature() {
  return {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
}

Bytes chunk(const std::string& type, const Bytes& data) {
  Bytes result;
  append_big_endian(result, static_cast<uint32_t>(data.size()));
  result.insert(result.end(), type.begin(), type.end());
  result.insert(result.end(), data.begin(), data.end());
  append_big_endian(result, libdeflate_crc32(0, result.data() + 4, result.size() - 4));
  return result;
}

Bytes header(uint32_t width, uint32_t height, uint8_t bits, uint8_t color_type, bool interlaced = false) {
  Bytes data;
  append_big_endian(data, width);
  append_big_endian(data, height);
  for (const int value : {int{bits}, int{color_type}, 0, 0, int{interlaced}})
    data.push_back(static_cast<uint8_t>(value));
  return chunk("IHDR", data);
}

Bytes image_data(const Bytes& rows) {
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(6);
  Bytes data(libdeflate_zlib_compress_bound(compressor, rows.size()));
  data.resize(libdeflate_zlib_compress(compressor, rows.data(), rows.size(), data.data(), data.size()));
  libdeflate_free_compressor(compressor);
  return chunk("IDAT", data);
}

Bytes join(std::initializer_list<Bytes> parts) {
  Bytes file;
  for (const Bytes& part : parts) file.insert(file.end(), part.begin(), part.end());
  return file;
}

Bytes end() {
  return chunk("IEND", {});
}

// 2 x 2 pixels, each as RGBA.
void check_pixels(const Bytes& file, const Bytes& expected) {
  const Picture picture = decode_png(file, "file.png");
  CHECK(picture.width == 2);
  CHECK(picture.height == 2);
  CHECK(picture.channels == 4);
  CHECK(picture.pixels == expected);
}

const Bytes kGood = join({signature(), header(2, 2, 8, 0), image_data({0, 0, 255, 0, 128, 7}), end()});

void check_refused(const Bytes& file, std::initializer_list<const char*> parts) {
  check_error<DataError>([&] { decode_png(file, "file.png"); }, {"file.png: "});
  check_error<DataError>([&] { decode_png(file, "file.png"); }, parts);
}

}  // namespace

TEST_CASE("pictures of one, three and four channels come back from a file") {
  for (const int64_t channels : {1, 3, 4}) {
    const Picture picture{5, 3, channels, pattern(static_cast<size_t>(15 * channels))};
    const Picture back = decode_png(encode_png(picture), "made here");
    CHECK(back.width == 5);
    CHECK(back.height == 3);
    for (size_t pixel = 0; pixel < 15; ++pixel) {
      for (size_t channel = 0; channel < 3; ++channel)
        CHECK(back.pixels[pixel * 4 + channel] ==
              picture.pixels[pixel * static_cast<size_t>(channels) + (channels == 1 ? 0 : channel)]);
      CHECK(back.pixels[pixel * 4 + 3] == (channels == 4 ? picture.pixels[pixel * 4 + 3] : 255));
    }
  }
  CHECK_THROWS_AS(encode_png({2, 2, 2, Bytes(8, 0)}), ShapeError);
  CHECK_THROWS_AS(encode_png({2, 2, 1, Bytes(5, 0)}), ShapeError);
  CHECK_THROWS_AS(encode_png({0, 2, 1, {}}), ShapeError);
}

TEST_CASE("every kind of PNG is read") {
  const Bytes black_and_white = {0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 255};
  const auto file = [](uint8_t bits, uint8_t color_type, const Bytes& rows, const Bytes& before = {}) {
    return join({signature(), header(2, 2, bits, color_type), before, image_data(rows), end()});
  };
  check_pixels(file(1, 0, {0, 0x40, 0, 0x80}), black_and_white);
  check_pixels(file(4, 0, {0, 0x0F, 0, 0xF0}), black_and_white);
  check_pixels(file(8, 0, {0, 0, 255, 0, 255, 0}), black_and_white);
  check_pixels(file(16, 0, {0, 0, 0, 255, 255, 0, 255, 255, 0, 0}), black_and_white);
  check_pixels(file(8, 2, {0, 0, 0, 0, 255, 255, 255, 0, 255, 255, 255, 0, 0, 0}), black_and_white);
  check_pixels(file(8, 4, {0, 0, 255, 255, 255, 0, 255, 255, 0, 255}), black_and_white);
  check_pixels(file(2, 3, {0, 0x10, 0, 0x40}, chunk("PLTE", {0, 0, 0, 255, 255, 255})), black_and_white);
  // 16 bits without a word on gamma are sRGB, as 8 bits are.
  check_pixels(file(16, 0, {0, 0x80, 0x80, 0x10, 0x10, 0, 0, 0, 0, 0}),
               {128, 128, 128, 255, 16, 16, 16, 255, 0, 0, 0, 255, 0, 0, 0, 255});
  // A palette with a see-through entry; colour with alpha.
  check_pixels(file(8, 3, {0, 0, 1, 0, 1, 0}, join({chunk("PLTE", {9, 8, 7, 1, 2, 3}), chunk("tRNS", {0})})),
               {9, 8, 7, 0, 1, 2, 3, 255, 1, 2, 3, 255, 9, 8, 7, 0});
  check_pixels(file(8, 6, {0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 10, 11, 12, 13, 14, 15, 16}),
               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
  // Interlaced: of 2 x 2 pixels, Adam7 has one in pass 1, one in pass 6, two in pass 7.
  check_pixels(join({signature(), header(2, 2, 8, 0, true), image_data({0, 0, 0, 255, 0, 255, 0}), end()}),
               black_and_white);
}

TEST_CASE("what is no PNG, or not all of one, is refused in one line") {
  decode_png(kGood, "file.png");
  check_refused({}, {"is empty"});
  check_refused(to_bytes("GIF89a and more"), {"is not a PNG file"});
  check_refused(to_bytes("x"), {"is not a PNG file"});
  for (size_t length = 1; length < kGood.size(); ++length)
    check_refused(Bytes(kGood.begin(), kGood.begin() + static_cast<ptrdiff_t>(length)), {"cut short"});
  check_refused(join({signature(), end()}), {"does not begin with a PNG header"});
  check_refused(join({signature(), header(2, 2, 8, 0), end()}), {"cannot be decoded"});
  check_refused(join({signature(), header(2, 2, 3, 0), image_data(Bytes(6, 0)), end()}), {"cannot be decoded"});
  check_refused(join({signature(), header(2, 2, 8, 3), image_data(Bytes(6, 0)), end()}), {"cannot be decoded"});
  check_refused(join({signature(), header(2, 2, 8, 0), chunk("IDAT", to_bytes("garbage")), end()}),
                {"cannot be decoded"});
  check_refused(join({signature(), header(2, 2, 8, 0), image_data(Bytes(5, 0)), end()}), {"Not enough image data"});
  check_refused(join({signature(), header(2, 2, 8, 0), chunk("ID\nT", Bytes(4, 0)), end()}), {"no chunk at byte 33"});
}

TEST_CASE("any byte changed in a PNG is noticed") {
  for (size_t i = 0; i < kGood.size(); ++i) {
    Bytes file = kGood;
    file[i] ^= 1;
    CHECK_THROWS_AS(decode_png(file, "file.png"), DataError);
  }
  Bytes file = kGood;
  file[45] ^= 1;
  check_refused(file, {"checksum (CRC) of chunk IDAT is wrong"});
}

TEST_CASE("pictures that claim to be huge are refused by their header") {
  const auto claim = [](uint32_t width, uint32_t height) {
    return join({signature(), header(width, height, 8, 0), image_data(Bytes(6, 0)), end()});
  };
  check_refused(claim(100'000, 100'000), {"100000 x 100000 pixels", "at most 33554432"});
  check_refused(claim(4'294'967'295u, 4'294'967'295u), {"at most 33554432"});
  check_refused(claim(33'554'433, 1), {"at most 33554432"});
  check_refused(claim(0, 5), {"0 x 5 pixels"});
}

TEST_CASE("a picture with EXIF data is turned as they say") {
  const Bytes exif = exif_data(6);  // JPEG's, whose first six bytes are its own
  const auto file = [&](const Bytes& tiff) {
    return join({signature(), header(2, 2, 8, 0), chunk("eXIf", tiff), image_data({0, 1, 2, 0, 3, 4}), end()});
  };
  check_pixels(file({exif.begin() + 6, exif.end()}), {3, 3, 3, 255, 1, 1, 1, 255, 4, 4, 4, 255, 2, 2, 2, 255});
  const Bytes as_stored = {1, 1, 1, 255, 2, 2, 2, 255, 3, 3, 3, 255, 4, 4, 4, 255};
  check_pixels(file({exif.begin() + 6, exif.end() - 6}), as_stored);
  check_pixels(file({}), as_stored);
}

TEST_CASE("paths that are no file") {
  const TemporaryFolder folder;
  check_error<DataError>([&] { read_picture(folder.path()); }, {"is a directory"});
  check_error<DataError>([&] { read_picture(folder.path() / "none.png"); }, {"none.png", "No such file"});
  write_file(folder.path() / "good.png", kGood);
  CHECK(read_picture(folder.path() / "good.png").width == 2);
}

}  // namespace cairn::datasets
