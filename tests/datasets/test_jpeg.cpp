// JPEG files: every kind becomes the pixels that Pillow makes of it, and what is none is one line.
#include "datasets/jpeg.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "datasets/color_image.h"
#include "datasets/exif.h"
#include "datasets/file.h"
#include "datasets/png.h"
#include "datasets/sha256.h"
#include "framework/error.h"
#include "tests/datasets/jpeg_files.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const fs::path kJpegSeeds = fs::path(CAIRN_SOURCE_DIR) / "fuzz/corpus/jpeg";

Picture decode_jpg(const Bytes& file) {
  return decode_picture(file, "file.jpg");
}

void check_jpeg_refused(const Bytes& file, std::initializer_list<const char*> parts) {
  check_error<DataError>([&] { decode_jpg(file); }, {"file.jpg: "});
  check_error<DataError>([&] { decode_jpg(file); }, parts);
}

// Three channels of each pixel.
Bytes rgb_of(const Picture& picture) {
  Bytes rgb;
  for (size_t pixel = 0; pixel < static_cast<size_t>(picture.width * picture.height); ++pixel)
    for (size_t channel = 0; channel < 3; ++channel)
      rgb.push_back(
          picture.pixels[pixel * static_cast<size_t>(picture.channels) + (picture.channels == 1 ? 0 : channel)]);
  return rgb;
}

int largest_difference(const Bytes& a, const Bytes& b) {
  REQUIRE(a.size() == b.size());
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(int{a[i]} - int{b[i]}));
  return largest;
}

// A file that says it is of another size.
Bytes claiming(Bytes jpeg, uint32_t width, uint32_t height) {
  for (size_t i = 0; i + 9 < jpeg.size(); ++i) {
    if (jpeg[i] != 0xFF || jpeg[i + 1] < 0xC0 || jpeg[i + 1] > 0xC2) continue;
    for (const auto& [at, value] : {std::pair{i + 5, height}, std::pair{i + 7, width}}) {
      jpeg[at] = static_cast<uint8_t>(value >> 8);
      jpeg[at + 1] = static_cast<uint8_t>(value);
    }
    return jpeg;
  }
  FAIL("no frame");
  return jpeg;
}

}  // namespace

// The hashes are of what Pillow 13.0 (libjpeg-turbo 3.2) makes of the files, by exif_transpose and convert("RGB").
TEST_CASE("every kind of JPEG becomes the pixels that Pillow makes of it") {
  struct Case {
    const char* name;
    int64_t width, height;
    const char* sha256;
  };
  const Case cases[] = {
      {"cmyk", 19, 13, "553d09f934bbd1a3177c80023f65dc4a7664461cf3108d29054970e1c2f6594d"},
      {"exif6", 13, 19, "79d839cd025eba738ba183c5ee7615210f65bcf8a5a825f1f827aeccc2481db5"},
      {"grey", 19, 13, "b0222540b663642e42b1db62d1e020f84cc694f5916dce1278abad426abaac56"},
      {"keep_rgb", 19, 13, "b3b9742694d48cf147f4ddeeebf77df69ec9431327cbb870416a26aff11d583b"},
      {"progressive", 19, 13, "9b7e2d9b0aa4f46015c39a135e3037a4704585b740a45f16ed0ae31edc2638e2"},
      {"restart", 19, 13, "67bc245591089656c0297cbe97f4db9ede91e78dbe32f6f03bca348fa5b63d0e"},
      {"rgb420", 19, 13, "d6e45f7de721ccdb3ba83519ab1895ee49c64278fea36361cc0d38673745836f"},
      {"rgb422", 19, 13, "756d88f6bde81faa54ff31dc7f02e0c7121fedf5fe6eed7bc3a8a4e392ff972a"},
      {"rgb444", 19, 13, "9aa79d0ed1481a8a483b21e0dd7fe10d4656137215784c8c5837f1f78a0a2834"},
      {"ycck", 19, 13, "c0bbe7edc5232ec21ba23e64771d4fe6af5bffc8480efe1bcf46fa2a09b2ff84"},
      {"ycck_progressive", 19, 13, "c0bbe7edc5232ec21ba23e64771d4fe6af5bffc8480efe1bcf46fa2a09b2ff84"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    const Picture picture = read_picture(kJpegSeeds / each.name);
    CHECK(picture.width == each.width);
    CHECK(picture.height == each.height);
    CHECK(picture.channels == (each.name == std::string("grey") ? 1 : 3));
    CHECK(sha256(rgb_of(picture)) == each.sha256);
  }
}

TEST_CASE("what libjpeg writes comes back") {
  for (const int64_t channels : {1, 3}) {
    for (const bool progressive : {false, true}) {
      for (const int sampling : {1, 2}) {
        const Picture picture = smooth_picture(37, 21, channels);
        const Picture back = decode_jpg(make_jpeg(picture, {95, sampling, progressive}));
        CHECK(back.width == 37);
        CHECK(back.height == 21);
        CHECK(back.channels == channels);
        CHECK(largest_difference(back.pixels, picture.pixels) <= 8);  // what is lost at quality 95
      }
    }
  }
  // No black (255: they are inverted) leaves what the inks let through.
  Picture inks = smooth_picture(16, 16, 4);
  for (size_t i = 3; i < inks.pixels.size(); i += 4) inks.pixels[i] = 255;
  for (const bool ycck : {false, true}) {
    const Picture back = decode_jpg(make_jpeg(inks, {.quality = 100, .ycck = ycck}));
    CHECK(back.channels == 3);
    for (size_t pixel = 0; pixel < 256; ++pixel)
      for (size_t channel = 0; channel < 3; ++channel)
        CHECK(std::abs(back.pixels[pixel * 3 + channel] - inks.pixels[pixel * 4 + channel]) <= 6);
  }
}

TEST_CASE("a picture is turned as its orientation says") {
  // As Pillow's transpose makes them of the rows 1 2 3 and 4 5 6.
  const std::map<int, std::pair<int64_t, Bytes>> expected = {
      {1, {3, {1, 2, 3, 4, 5, 6}}}, {2, {3, {3, 2, 1, 6, 5, 4}}}, {3, {3, {6, 5, 4, 3, 2, 1}}},
      {4, {3, {4, 5, 6, 1, 2, 3}}}, {5, {2, {1, 4, 2, 5, 3, 6}}}, {6, {2, {4, 1, 5, 2, 6, 3}}},
      {7, {2, {6, 3, 5, 2, 4, 1}}}, {8, {2, {3, 6, 2, 5, 1, 4}}}, {0, {3, {1, 2, 3, 4, 5, 6}}},
      {9, {3, {1, 2, 3, 4, 5, 6}}},
  };
  const Bytes file = make_jpeg(smooth_picture(24, 16, 3));
  for (const auto& each : expected) {
    const int orientation = each.first;
    const auto& turned = each.second;
    CAPTURE(orientation);
    const Picture small = upright({3, 2, 1, {1, 2, 3, 4, 5, 6}}, orientation);
    CHECK(small.width == turned.first);
    CHECK(small.height == 6 / turned.first);
    CHECK(small.pixels == turned.second);
    const Picture whole = upright(decode_jpg(file), orientation);
    for (const bool little_endian : {false, true}) {
      const Picture read = decode_jpg(with_segment(file, 0xE1, exif_data(orientation, little_endian)));
      CHECK(read.width == whole.width);
      CHECK(read.pixels == whole.pixels);
    }
  }
}

TEST_CASE("damaged EXIF data are ignored") {
  const Bytes file = make_jpeg(smooth_picture(24, 16, 3));
  const Bytes exif = exif_data(6);
  CHECK(decode_jpg(with_segment(file, 0xE1, exif)).width == 16);
  for (size_t length = 0; length < exif.size() - 4; ++length)  // the last four lead to a next directory
    CHECK(decode_jpg(with_segment(file, 0xE1, Bytes(exif.begin(), exif.begin() + static_cast<std::ptrdiff_t>(length))))
              .width == 24);
  for (const auto& [at, value] : std::vector<std::pair<size_t, uint8_t>>{
           {0, 'e'}, {6, 'M'}, {8, 43}, {10, 0xFF}, {13, 0xFF}, {16, 0x13}, {18, 2}, {20, 2}, {24, 9}}) {
    Bytes damaged = exif;
    damaged[at] = value;
    CHECK(decode_jpg(with_segment(file, 0xE1, damaged)).width == 24);
  }
  Bytes counted = exif;  // more entries than there is room for
  counted[14] = counted[15] = 0xFF;
  CHECK(decode_jpg(with_segment(file, 0xE1, counted)).width == 16);
  Bytes wide = exif;  // a number of four bytes
  wide[18] = 4;
  CHECK(decode_jpg(with_segment(file, 0xE1, wide)).width == 16);
}

TEST_CASE("a JPEG that ends too early is refused, wherever it ends") {
  for (const char* name : {"grey", "rgb420", "progressive", "restart", "cmyk", "ycck_progressive"}) {
    const Bytes file = read_file(kJpegSeeds / name);
    for (size_t length = 1; length < file.size(); ++length) {
      CAPTURE(length);
      CHECK_THROWS_AS(decode_jpg(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length))), DataError);
    }
    check_jpeg_refused(Bytes(file.begin(), file.end() - 30), {"is cut short: its end is missing"});
  }
  Bytes ended = make_jpeg(smooth_picture(64, 64, 3));
  ended.erase(ended.end() - 100, ended.end() - 2);  // the end is there, and rows are not
  check_jpeg_refused(ended, {"cannot be decoded", "premature end of data segment"});
}

TEST_CASE("a byte changed anywhere ends in a picture or in one line") {
  for (const char* name : {"grey", "progressive", "cmyk", "exif6"}) {
    const Bytes file = read_file(kJpegSeeds / name);
    for (size_t at = 0; at < file.size(); ++at) {
      for (const uint8_t change : {0x01, 0x80, 0xFF}) {
        Bytes damaged = file;
        damaged[at] ^= change;
        try {
          const Picture picture = decode_jpg(damaged);
          CHECK(picture.pixels.size() == static_cast<size_t>(picture.width * picture.height * picture.channels));
        } catch (const DataError& error) {
          CHECK(std::string(error.what()).find('\n') == std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("a JPEG that is too large is refused by its header") {
  for (const bool progressive : {false, true}) {
    const Bytes file = make_jpeg(smooth_picture(16, 16, 3), {.progressive = progressive});
    check_jpeg_refused(claiming(file, 60'000, 60'000), {"60000 x 60000 pixels", "at most 33554432"});
    check_jpeg_refused(claiming(file, 65'535, 65'535), {"65535 x 65535 pixels", "at most 33554432"});
    check_jpeg_refused(claiming(file, 8192, 4097), {"8192 x 4097 pixels", "at most 33554432"});
    check_jpeg_refused(claiming(file, 65'535, 1), {"cannot be decoded", "65500"});
    check_jpeg_refused(claiming(file, 16, 0), {"cannot be decoded", "Empty JPEG image"});
    check_jpeg_refused(claiming(file, 8192, 4096), {"file.jpg: "});  // no data for so many
  }
}

TEST_CASE("a JPEG of too many scans is refused") {
  const Picture picture = smooth_picture(16, 16, 1);
  const Picture back = decode_jpg(make_jpeg(picture, {.quality = 95, .passes = 1}));  // 64 of them
  CHECK(largest_difference(back.pixels, picture.pixels) <= 4);
  check_jpeg_refused(make_jpeg(picture, {.passes = 2}), {"more than 100 scans"});
}

TEST_CASE("arithmetic coding is not read") {
  check_error<DataError>([] { read_picture(kJpegSeeds / "ycck_arithmetic"); }, {"is coded arithmetically"});
}

TEST_CASE("what is neither PNG nor JPEG is said to be what it is") {
  check_jpeg_refused({}, {"is empty, not a PNG or JPEG file"});
  check_jpeg_refused(to_bytes("hello"), {"file.jpg: is not a PNG or JPEG file"});
  check_jpeg_refused(to_bytes("GIF89a and more"), {"is a GIF file, not a PNG or JPEG file"});
  check_jpeg_refused(to_bytes("RIFF1234WEBP"), {"WebP"});
  check_jpeg_refused(to_bytes("BM and more"), {"BMP"});
  check_jpeg_refused(to_bytes("1234ftypheic"), {"HEIC"});
  check_jpeg_refused(to_bytes("<svg>"), {"SVG"});
  check_jpeg_refused(Bytes(1000, 0), {"file.jpg: is not a PNG or JPEG file"});
  check_jpeg_refused({0xFF, 0xD8}, {"is cut short"});
  check_jpeg_refused({0xFF, 0xD8, 0xFF}, {"is cut short"});
  check_jpeg_refused({0xFF, 0xD8, 0xFF, 0xD9}, {"cannot be decoded"});
  check_jpeg_refused({0x89, 'P', 'N', 'G'}, {"is cut short"});
}

TEST_CASE("real data: photos become the crops that Pillow makes of them") {
  const char* const data = std::getenv("CAIRN_DATA");
  if (data == nullptr || !fs::exists(fs::path(data) / "images/crop224")) {
    MESSAGE("skipped: CAIRN_DATA is not set, or has no images");
    return;
  }
  int photos = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(data) / "images")) {
    const fs::path& path = entry.path();
    if (path.extension() != ".jpg" && path.extension() != ".png") continue;
    CAPTURE(path.string());
    const Bytes made = prepare_color(read_picture(path), {3, 224, 224}, 256);
    const Bytes crop = rgb_of(read_picture(path.parent_path() / "crop224" / (path.stem().string() + ".png")));
    REQUIRE(made.size() == crop.size());
    constexpr size_t kPlane = 224 * 224;
    int largest = 0;
    double sum = 0;
    for (size_t i = 0; i < made.size(); ++i) {
      const int difference = std::abs(int{made[i % 3 * kPlane + i / 3]} - int{crop[i]});
      largest = std::max(largest, difference);
      sum += difference;
    }
    MESSAGE(path.filename().string() << ": at most " << largest << ", mean " << sum / static_cast<double>(made.size()));
    CHECK(largest <= 1);
    CHECK(sum / static_cast<double>(made.size()) < 0.05);
    ++photos;
  }
  CHECK(photos > 0);
}

}  // namespace cairn::datasets
