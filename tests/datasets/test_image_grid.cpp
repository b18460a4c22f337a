// Images on one picture.
#include "datasets/image_grid.h"

#include "tests/datasets/support.h"

namespace cairn::datasets {

TEST_CASE("a grid shows its images twice as large, with their texts below") {
  const Shape image{3, 1, 2};
  const Bytes one{10, 11, 20, 21, 30, 31}, two{40, 41, 50, 51, 60, 61};
  const std::vector<GridCell> cells = {{one, "7"}, {two, "12"}, {one, ""}};
  const Picture page = draw_grid(image, cells, 2);
  CHECK(page.channels == 3);
  CHECK(page.width == 2 * (4 + 8) + 8);
  CHECK(page.height == 2 * (2 + 14 + 8) + 8);
  const auto pixel = [&](int64_t x, int64_t y) {
    const auto first = static_cast<size_t>((y * page.width + x) * 3);
    return Bytes(page.pixels.begin() + static_cast<ptrdiff_t>(first),
                 page.pixels.begin() + static_cast<ptrdiff_t>(first + 3));
  };
  CHECK(pixel(8, 8) == Bytes{10, 20, 30});
  CHECK(pixel(9, 9) == Bytes{10, 20, 30});
  CHECK(pixel(10, 8) == Bytes{11, 21, 31});
  CHECK(pixel(20, 8) == Bytes{40, 50, 60});
  CHECK(pixel(8, 32) == Bytes{10, 20, 30});
  CHECK(pixel(0, 0) == Bytes{255, 255, 255});
  CHECK(pixel(8, 12) == Bytes{0, 0, 0});  // the 7 begins with ink
  CHECK(draw_grid(image, std::vector<GridCell>{{one}}, 8).height == 2 + 8 + 8);
  CHECK(draw_grid(image, {}, 8).pixels.size() > 0);
  check_error<ShapeError>([&] { draw_grid({2, 1, 3}, cells, 2); }, {"not of [2, 1, 3]"});
  check_error<ShapeError>([&] { draw_grid({3, 2, 2}, cells, 2); }, {"6 pixels for an image of [3, 2, 2]"});
}

TEST_CASE("the first examples of each class") {
  const Split split = image_split({1, 1, 1}, pattern(7), std::vector<int32_t>{2, 0, 2, 2, 0, 2, 3});
  CHECK(first_of_each_class(split, 4, 2) == std::vector<int32_t>{1, 4, 0, 2, 6});
}

}  // namespace cairn::datasets
