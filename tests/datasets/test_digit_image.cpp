// One digit in many clothes: wherever it stands, however large, in whatever colours, the network sees the same image.
#include "datasets/digit_image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "framework/error.h"
#include "tests/datasets/support.h"
#include "tests/sweep.h"

namespace cairn::datasets {
namespace {

using Color = std::array<int, 3>;

struct Clothes {
  int64_t width = 28, height = 28, left = 0, top = 0, zoom = 1;  // zoom: each pixel a square of that side
  Color ground = {0, 0, 0}, ink = {255, 255, 255};
  bool see_through = false;  // ground and half-ink by alpha, not by colour
  int noise = 0;
};

struct Outfit {
  std::string name;
  Clothes clothes;
};

// The same drawing each time: digit number `index` of the generated ones, without their noise.
Bytes drawing(uint32_t index) {
  Bytes pixels(static_cast<size_t>(kDigitSide * kDigitSide));
  draw_digit(0, DigitsSplit::kTest, index, pixels);
  for (uint8_t& pixel : pixels) pixel = pixel < 64 ? 0 : pixel;
  return pixels;
}

Picture dress(const Bytes& digit, const Clothes& clothes) {
  Picture picture{clothes.width, clothes.height, 4, Bytes(static_cast<size_t>(clothes.width * clothes.height * 4))};
  const Bytes noise = pattern(static_cast<size_t>(clothes.width * clothes.height));
  for (int64_t y = 0; y < clothes.height; ++y) {
    for (int64_t x = 0; x < clothes.width; ++x) {
      const int64_t column = x - clothes.left, row = y - clothes.top, side = kDigitSide * clothes.zoom;
      const bool inside = column >= 0 && column < side && row >= 0 && row < side;
      const int amount =
          inside ? digit[static_cast<size_t>(row / clothes.zoom * kDigitSide + column / clothes.zoom)] : 0;
      uint8_t* pixel = picture.pixels.data() + (y * clothes.width + x) * 4;
      const int speckle = clothes.noise ? noise[static_cast<size_t>(y * clothes.width + x)] % clothes.noise : 0;
      for (size_t channel = 0; channel < 3; ++channel) {
        const int blended = (clothes.ground[channel] * (255 - amount) + clothes.ink[channel] * amount) / 255;
        pixel[channel] =
            static_cast<uint8_t>(std::min(255, (clothes.see_through ? clothes.ink[channel] : blended) + speckle));
      }
      pixel[3] = clothes.see_through ? static_cast<uint8_t>(amount) : 255;
    }
  }
  return picture;
}

// In pixels, from the middle of pixel 14, where MNIST has it.
std::array<double, 2> center_of_mass(std::span<const uint8_t> pixels) {
  double mass = 0, x = 0, y = 0;
  for (size_t i = 0; i < pixels.size(); ++i) {
    mass += pixels[i];
    x += pixels[i] * static_cast<double>(i % 28);
    y += pixels[i] * static_cast<double>(i / 28);
  }
  return {x / mass - 14, y / mass - 14};
}

Clothes enlarged(Clothes clothes, int64_t zoom) {
  clothes.zoom = zoom;
  clothes.width = clothes.height = 28 * zoom;
  return clothes;
}

}  // namespace

TEST_CASE("place, size, colours and transparency do not change what the network sees") {
  constexpr Color kWhite = {255, 255, 255}, kBlack = {0, 0, 0}, kRed = {200, 30, 30}, kGreen = {40, 120, 20};
  const std::vector<Outfit> wardrobe = {
      {"shifted", {.width = 90, .height = 61, .left = 55, .top = 3}},
      {"at the edge of a larger picture", {.width = 300, .height = 200, .left = 268, .top = 172}},
      {"dark on light", {.ground = kWhite, .ink = kBlack}},
      {"pale on grey", {.ground = {120, 120, 120}, .ink = {170, 170, 170}}},
      {"dark on grey", {.ground = {120, 120, 120}, .ink = {60, 60, 60}}},
      {"red on white", {.ground = kWhite, .ink = kRed}},
      {"red on green of the same brightness", {.ground = kGreen, .ink = kRed}},
      {"enlarged three times", enlarged({}, 3)},
      {"enlarged ten times, dark on light", enlarged({.ground = kWhite, .ink = kBlack}, 10)},
      {"black on see-through", {.ink = kBlack, .see_through = true}},
      {"white on see-through", {.ink = kWhite, .see_through = true}},
      {"red on see-through", {.ink = kRed, .see_through = true}},
  };
  for (uint32_t index = 0; index < (testing::small_sweep() ? 6u : 30u); ++index) {
    const Bytes digit = drawing(index);
    const DigitPixels plain = prepare_digit(dress(digit, {}), "plain").pixels;
    const std::array<double, 2> center = center_of_mass(plain);
    CAPTURE(index);
    CHECK(std::abs(center[0]) <= 0.5);
    CHECK(std::abs(center[1]) <= 0.5);
    CHECK(*std::ranges::max_element(plain) == 255);
    for (const Outfit& outfit : wardrobe) {
      CAPTURE(outfit.name);
      CHECK(mean_difference(prepare_digit(dress(digit, outfit.clothes), outfit.name).pixels, plain) < 3);
    }
    const Clothes noisy = {
        .width = 60, .height = 60, .left = 20, .top = 9, .ground = {200, 200, 200}, .ink = {0, 0, 0}, .noise = 30};
    CHECK(difference_but_for_a_pixel(prepare_digit(dress(digit, noisy), "noisy").pixels, plain) < 6);
  }
}

TEST_CASE("the longer side of the ink becomes 20 pixels, the other keeps its proportion") {
  for (const std::pair<int, int>& size : {std::pair{40, 10}, {3, 12}, {1, 200}, {100, 100}, {7, 5}, {1, 1}}) {
    const int width = size.first, height = size.second;
    Picture picture{width + 6, height + 4, 1, Bytes(static_cast<size_t>((width + 6) * (height + 4)), 0)};
    for (int y = 2; y < height + 2; ++y)
      for (int x = 3; x < width + 3; ++x) picture.pixels[static_cast<size_t>(y * (width + 6) + x)] = 200;
    const DigitPixels pixels = prepare_digit(picture, "bar").pixels;
    int columns = 0, rows = 0;
    for (size_t i = 0; i < 28; ++i) {
      bool in_column = false, in_row = false;
      for (size_t j = 0; j < 28; ++j) {
        in_column |= pixels[j * 28 + i] > 0;
        in_row |= pixels[i * 28 + j] > 0;
      }
      columns += in_column;
      rows += in_row;
    }
    const double factor = 20.0 / std::max(width, height);
    CHECK(columns == std::max(1L, std::lround(width * factor)));
    CHECK(rows == std::max(1L, std::lround(height * factor)));
  }
}

TEST_CASE("a digit heavy on one side is not pushed out of the image") {
  Picture picture{40, 40, 1, Bytes(1600, 0)};
  for (size_t y = 2; y < 38; ++y)
    for (size_t x = 2; x < 38; ++x)
      if (x < 6 || (y > 18 && y < 21)) picture.pixels[y * 40 + x] = 255;
  const DigitPixels pixels = prepare_digit(picture, "heavy").pixels;
  int64_t ink = 0;
  for (const uint8_t pixel : pixels) ink += pixel > 0;
  CHECK(ink >= 20 * 2 + 18);
}

TEST_CASE("blank pictures are one line that names them") {
  for (const int64_t side : {1, 2, 28, 300})
    for (const uint8_t grey : {0, 128, 255}) {
      const Picture blank{side, side, 1, Bytes(static_cast<size_t>(side * side), grey)};
      check_error<DataError>([&] { prepare_digit(blank, "empty.png"); }, {"empty.png: is blank"});
    }
  check_error<DataError>([] { prepare_digit({5, 5, 4, Bytes(100, 0)}, "clear.png"); }, {"clear.png: is blank"});
  Picture faint{28, 28, 1, Bytes(784, 250)};
  faint.pixels[300] = 245;
  check_error<DataError>([&] { prepare_digit(faint, "faint.png"); }, {"faint.png: is blank"});
}

TEST_CASE("real data: MNIST's own images come out nearly unchanged") {
  if (std::getenv("CAIRN_DATA") == nullptr) {
    MESSAGE("skipped: CAIRN_DATA is not set");
    return;
  }
  LoadOptions options;
  options.allow_download = false;
  const Dataset mnist = load_dataset("mnist", {}, options);
  int unchanged = 0;
  double sum = 0;
  constexpr int kCount = 2000;
  for (int i = 0; i < kCount; ++i) {
    const auto first = mnist.test.column("image").bytes.begin() + i * 784;
    const Picture picture{28, 28, 1, Bytes(first, first + 784)};
    const DigitPixels pixels = prepare_digit(picture, "mnist").pixels;
    DigitPixels original;
    std::copy_n(first, 784, original.begin());
    const double difference = mean_difference(pixels, original);
    sum += difference;
    unchanged += difference < 0.5;
    const std::array<double, 2> center = center_of_mass(pixels);
    CHECK(std::max(std::abs(center[0]), std::abs(center[1])) <= 0.51);
  }
  CHECK(unchanged >= kCount * 99 / 100);
  CHECK(sum / kCount < 0.2);
}

}  // namespace cairn::datasets
