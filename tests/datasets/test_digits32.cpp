// The coloured digits: the same bytes everywhere, readable, and not told apart by their colours.
#include "datasets/digits32.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/cifar.h"
#include "datasets/drawn_files.h"
#include "datasets/sha256.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {

TEST_CASE("coloured digits are the same bytes on every machine and compiler") {
  const Dataset dataset = generate_digits32(0, 1000, 200);
  CHECK(sha256(images(dataset.train)) == "5721d467d513d29fbc43e982fb985cd01e39468ce16a75290d178150d9319a62");
  CHECK(sha256(images(dataset.test)) == "30d484b4d1b7972768b24cf26918550aadd1e0428d62a62c6aeaf55137cf6f76");
  CHECK(std::ranges::equal(labels(dataset.train), labels(generate_digits(0, 1000, 200).train)));
  const Dataset few = generate_digits32(3, 50, 20), more = generate_digits32(3, 130, 20);
  CHECK(std::equal(images(few.train).begin(), images(few.train).end(), images(more.train).begin()));
  CHECK(!std::equal(images(few.test).begin(), images(few.test).end(), images(few.train).begin()));
  CHECK(generate_digits32(4, 50, 20).train.column("image").bytes != few.train.column("image").bytes);
  Bytes small(10);
  check_error<ShapeError>([&] { draw_digit32(0, DigitsSplit::kTest, 0, small); }, {"10 pixels were given, not 3072"});
  check_error<UsageError>([] { generate_digits32(0, 0, 1); }, {"digits32: at least one image"});
}

TEST_CASE("the table has the statistics of the coloured digits, and every channel differs from the others") {
  const Dataset dataset = load_dataset("digits32");
  CHECK(dataset.train.count == 20'000);
  CHECK(dataset.test.count == 4'000);
  CHECK(image_shape(dataset.train) == Shape{3, 32, 32});
  CHECK(find_dataset("digits32").pixels.mean == dataset.mean);
  CHECK(find_dataset("digits32").pixels.std == dataset.std);
  for (size_t channel = 0; channel < 3; ++channel) {
    CHECK(dataset.mean[channel] > 0.4f);
    CHECK(dataset.mean[channel] < 0.6f);
    CHECK(dataset.std[channel] > 0.2f);
  }
  size_t differ = 0;
  for (size_t i = 0; i < 1000; ++i) {
    const auto image = images(dataset.train).subspan(i * 3072, 3072);
    differ += !std::equal(image.begin(), image.begin() + 1024, image.begin() + 1024);
  }
  CHECK(differ == 1000);
}

TEST_CASE("a coloured digit can be read: its ink is brighter or darker than its ground") {
  const Dataset dataset = generate_digits32(0, 500, 1);
  std::array<uint8_t, 784> digit;
  for (uint32_t i = 0; i < 500; ++i) {
    draw_digit(0, DigitsSplit::kTrain, i, digit);
    const auto image = images(dataset.train).subspan(i * size_t{3072}, 3072);
    // The digit's place among the 25 is where brightness follows its ink best.
    double best = 0;
    for (size_t top = 0; top <= 4; ++top)
      for (size_t left = 0; left <= 4; ++left) {
        double ink = 0, ground = 0;
        int inked = 0;
        for (size_t p = 0; p < 1024; ++p) {
          const double light = 0.3 * image[p] + 0.59 * image[1024 + p] + 0.11 * image[2048 + p];
          const size_t y = p / 32 - top, x = p % 32 - left;
          const bool covered = y < 28 && x < 28 && digit[y * 28 + x] > 200;
          (covered ? ink : ground) += light;
          inked += covered;
        }
        if (inked == 0) continue;
        best = std::max(best, std::abs(ink / inked - ground / (1024 - inked)));
      }
    CAPTURE(i);
    if (*std::ranges::max_element(digit) > 200) CHECK(best > 30);
  }
}

TEST_CASE("coloured digits written as CIFAR's files are read as CIFAR-10 is") {
  const TemporaryFolder folder;
  CHECK(write_digits32(folder.path()));
  CHECK_FALSE(write_digits32(folder.path()));
  std::filesystem::rename(folder.path() / "digits32", folder.path() / "cifar10");
  const Dataset read = load_dataset("cifar10", folder.path(), {.allow_download = false, .check_hash = false});
  const Dataset drawn = generate_digits32(0);
  CHECK(read.train.column("image").bytes == drawn.train.column("image").bytes);
  CHECK(read.test.column("label").bytes == drawn.test.column("label").bytes);
}

}  // namespace cairn::datasets
