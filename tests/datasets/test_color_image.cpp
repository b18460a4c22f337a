// Pictures for colour networks. The hashes are of what Pillow 13.0 makes of the same pixels (Image.resize with
// BILINEAR, then crop, sizes and places as torchvision's Resize and CenterCrop have them).
#include "datasets/color_image.h"

#include "datasets/choose.h"
#include "datasets/photos.h"
#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

Picture picture_of(int64_t width, int64_t height, int64_t channels, Bytes pixels) {
  return {width, height, channels, std::move(pixels)};
}

}  // namespace

TEST_CASE("pictures of any size become the bytes that Pillow makes of them") {
  struct Case {
    int64_t width, height;
    Shape image;
    const char* sha256;
    int64_t shorter_side = 0;
  };
  const Case cases[] = {
      {32, 32, {3, 32, 32}, "48d72d87d91e3a1969cce5d0ff50af7b75dc422e9547377f8c175417dfe7fcbc"},
      {64, 64, {3, 32, 32}, "2c0ab7586206f6de0f503bcaebc18166b693fe59d7cb1325b0139002495ab27f"},
      {100, 75, {3, 32, 32}, "494976a3a30a07b5d06c32d444ad42398929d0639e81b4adb923a1a1d31c9576"},
      {75, 100, {3, 32, 32}, "6d43b42e33f17cbfd3ce090bb90ff81c00215680790e83e459d6ebf0266377e4"},
      {7, 5, {3, 32, 32}, "9f2fd22afcec82e6965a9a67a43db419cfb93416721c631020ca3983b4487cb6"},
      {35, 32, {3, 32, 32}, "5ad351fb00c6cd7ad3ee832c0561900e3aaa2fd1328d72e69bc5fb0cc1584e6e"},
      {33, 32, {3, 32, 32}, "d2368c0de841ffcb8234965836ab51092631bcd24f7a883df8305d1a1a69cd29"},
      {301, 32, {3, 32, 32}, "e49ebaa6e440707e91ad634f45f8e7d87c3280dca8634b0b4786ee7ab184b41e"},
      {1, 1, {3, 32, 32}, "421123ff03d95069522bd55d465999e752f909abc70740bda95e9ad298393c70"},
      {640, 480, {3, 32, 32}, "a01a7d4b1d06da0f5fc5b5d224de0993049ca13a660f3ff2568d73f659859701"},
      {37, 90, {3, 40, 24}, "961b40469c224daf811ead1de374d81c14536c8fec79a4dc9240c12f868b5b59"},
      {100, 75, {3, 32, 32}, "87850165ea60f1588cb91db7866b5e38cb5ca70607da991cda8319bed0b97213", 40},
      {75, 100, {3, 32, 32}, "f0d23cc9460807b2de69c41efe5c1b705f3340ba2a39ba8fee249b50568a0992", 40},
      {75, 100, {3, 32, 36}, "06de6a6138829bc363b36aff963fc0cd72783f96bb2dabb123aa3aec4a13871a", 37},
      {7, 5, {3, 63, 64}, "c5de8dd5ec3ed5f9ff1b6353140684a60517f674fa6e6502f2f2d9115b1f1f64", 64},
      {640, 480, {3, 224, 224}, "600d1de1c813d80bd92b53bac3d04c33f749db30a583174cfc032c45baa0f65b", 256},
      {301, 32, {3, 32, 31}, "f6d73976bd2682d219ad14ae8fd009a876c45e0d99bd0be60a1c1cb1317c9a17", 33},
      {50, 50, {3, 50, 50}, "ca94032abe70fea996bb56ff9699b8808696b6f8c70357c5a9c36b877af3c2f9", 50},
  };
  for (const Case& each : cases) {
    CAPTURE(each.width);
    CAPTURE(each.height);
    const auto size = static_cast<size_t>(each.width * each.height * 3);
    const Bytes made =
        prepare_color(picture_of(each.width, each.height, 3, pattern(size)), each.image, each.shorter_side);
    CHECK(sha256(made) == each.sha256);
  }
}

TEST_CASE("grey and see-through pictures become colour ones") {
  const Shape image{3, 2, 2};
  CHECK(prepare_color(picture_of(2, 2, 1, {10, 20, 30, 40}), image) ==
        Bytes{10, 20, 30, 40, 10, 20, 30, 40, 10, 20, 30, 40});
  // Opaque, half seen through, not to be seen.
  CHECK(prepare_color(picture_of(2, 2, 4, {9, 8, 7, 255, 9, 8, 7, 255, 0, 100, 200, 128, 1, 2, 3, 0}), image) ==
        Bytes{9, 9, 127, 255, 8, 8, 177, 255, 7, 7, 227, 255});
}

TEST_CASE("a picture a million times longer than wide takes no more memory than it has") {
  constexpr int64_t kLong = 2'000'000;
  const Bytes long_line(kLong, 77);
  for (const bool wide : {false, true}) {
    const Bytes made = prepare_color(picture_of(wide ? kLong : 1, wide ? 1 : kLong, 1, long_line), {3, 32, 32});
    CHECK(made == Bytes(3 * 32 * 32, 77));
  }
  check_error<UsageError>([] { prepare_color({1, 1, 1, {0}}, {1, 28, 28}); }, {"of 3 channels, not of [1, 28, 28]"});
}

TEST_CASE("the middle is no larger than the scaled picture") {
  const Picture wide = picture_of(64, 8, 1, Bytes(512, 7));
  CHECK(prepare_color(wide, {3, 32, 32}, 32).size() == 3 * 32 * 32);
  check_error<UsageError>(
      [&] {
        prepare_color(wide, {3, 33, 32}, 32);
      },
      {"a picture scaled to a shorter side of 32 has no middle of 33 x 32"});
  check_error<UsageError>([&] { prepare_color(wide, {3, 32, 33}, 32); }, {"no middle of 32 x 33"});
}

TEST_CASE("a set's images are scaled as pictures of them would be, whenever they are read") {
  Dataset small;
  small.name = "small";
  small.classes = 2;
  Bytes pixels;  // two images of 3 x 5 x 4, plane by plane
  for (int i = 0; i < 2 * 3 * 5 * 4; ++i) pixels.push_back(static_cast<uint8_t>(i * 37));
  const std::vector<int32_t> labels = {1, 0};
  small.train = small.test = image_split({3, 5, 4}, pixels, labels);
  const NetworkInput input{.network = "net", .image = {3, 7, 7}, .classes = 2, .photo_side = 8};
  Dataset scaled = small;
  scale_to_fit(input, scaled);
  CHECK(image_shape(scaled.train) == Shape{3, 7, 7});
  CHECK(fits(input, scaled));
  CHECK_FALSE(fits(input, small));

  Bytes interleaved;  // the second image
  for (size_t i = 0; i < 20; ++i)
    for (size_t channel = 0; channel < 3; ++channel) interleaved.push_back(pixels[60 + channel * 20 + i]);
  Bytes row(3 * 7 * 7);
  const int32_t second = 1;
  read_rows(scaled.test.column(kImage), std::span(&second, 1), reinterpret_cast<std::byte*>(row.data()));
  CHECK(row == prepare_color(picture_of(4, 5, 3, interleaved), {3, 7, 7}, 8));
  CHECK(scaled.train.column(kLabel).bytes == small.train.column(kLabel).bytes);

  // What tells one such set from another: its images, and what they become.
  const auto print_of = [](const Dataset& dataset) { return dataset.train.column(kImage).source->fingerprint(); };
  Dataset larger = small, other = small;
  scale_images(larger, {{3, 7, 7}, 9});
  other.train.columns.front().bytes[0] ^= 1;
  scale_to_fit(input, other);
  CHECK(print_of(scaled) != print_of(larger));
  CHECK(print_of(scaled) != print_of(other));

  Dataset same = scaled;
  scale_to_fit(input, same);  // as large as it is to be
  CHECK(same.train.column(kImage).source == scaled.train.column(kImage).source);
  NetworkInput exact = input;
  exact.photo_side = 0;  // no network of photos
  scale_to_fit(exact, small);
  CHECK(image_shape(small.train) == Shape{3, 5, 4});
  Dataset grey;
  grey.train = grey.test = image_split({1, 2, 2}, Bytes(4, 0));
  CHECK_THROWS_AS(scale_images(grey, {}), ShapeError);
}

}  // namespace cairn::datasets
