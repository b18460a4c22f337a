// Columns, splits and what is measured of them.
#include "datasets/dataset.h"

#include <cmath>

#include "tests/datasets/support.h"

namespace cairn::datasets {

TEST_CASE("columns are found by name, and a missing one is told with those there are") {
  const Split split = image_split({3, 1, 2}, pattern(12), std::vector<int32_t>{7, 300});
  CHECK(split.count == 2);
  CHECK(split.has("label"));
  CHECK(!split.has("tokens"));
  CHECK(split.column("image").row_bytes() == 6);
  CHECK(split.column("label").row_bytes() == 4);
  CHECK(image_shape(split) == Shape{3, 1, 2});
  CHECK(labels(split)[1] == 300);
  check_error<UsageError>([&] { split.column("tokens"); }, {"no column 'tokens'; it has image, label"});
  check_error<UsageError>([] { labels(Split{}); }, {"no column 'label'; it has no columns"});
  check_error<UsageError>([&] { byte_labels(split); }, {"label 300 does not fit into a byte"});
  CHECK(!image_split({1, 2, 2}, pattern(8)).has("label"));
}

TEST_CASE("labels are hashed as the bytes of files, and in four bytes where one does not hold them") {
  CHECK(label_bytes(image_split({1, 1, 1}, pattern(2), std::vector<int32_t>{7, 255})) == Bytes{7, 255});
  CHECK(label_bytes(image_split({1, 1, 1}, pattern(2), std::vector<int32_t>{7, 300})) ==
        Bytes{7, 0, 0, 0, 44, 1, 0, 0});
}

TEST_CASE("images must be whole, and each have a label") {
  check_error<ShapeError>([] { image_split({3, 2, 2}, pattern(13)); }, {"13 bytes are no whole number of images"});
  check_error<ShapeError>([] { image_split({2, 2}, pattern(8)); }, {"[2, 2]"});
  check_error<ShapeError>(
      [] {
        image_split({1, 2, 2}, pattern(8), std::vector<int32_t>{1});
      },
      {"1 labels for 2 images"});
}

TEST_CASE("pixels are measured channel by channel") {
  // Two images of two channels: the first channel holds 0, 255, 255, 0, the second always 51.
  const Split split = image_split({2, 1, 2}, {0, 255, 51, 51, 255, 0, 51, 51});
  const PixelStatistics pixels = measure_pixels(split);
  CHECK(pixels.mean == std::vector<float>{0.5f, 0.2f});
  CHECK(pixels.std == std::vector<float>{0.5f, 0.0f});
}

}  // namespace cairn::datasets
