// Photos of digits, rendered: whatever the lamp, the paper and the sensor do, the network sees what it sees of the same
// writing on clean paper.
#include <algorithm>
#include <functional>
#include <map>

#include "datasets/digit_image.h"
#include "framework/error.h"
#include "tests/datasets/support.h"
#include "tests/photos/photo.h"
#include "tests/sweep.h"

namespace cairn::datasets {
namespace {

using photos::Paper;
using photos::Settings;

DigitPixels seen(const photos::Drawing& drawing, const Settings& settings) {
  return prepare_digit(photos::take_photo(&drawing, settings), "photo.png").pixels;
}

// The same writing under the same camera, without what gets in the way of reading it.
Settings cleaned(Settings settings) {
  settings.ink = {0.1f, 0.1f, 0.1f};
  settings.sheet = {0.9f, 0.9f, 0.9f};
  settings.paper = Paper::kPlain;
  settings.specks = 0;
  settings.ink_grain = settings.texture = settings.falloff = settings.lamp = settings.shadow = settings.noise = 0;
  settings.exposure = 1;
  return settings;
}

struct Nuisance {
  std::string name;
  std::function<void(Settings&)> add;
};

const std::vector<Nuisance>& nuisances() {
  static const std::vector<Nuisance> all = {
      {"noise of 2", [](Settings& s) { s.noise = 2; }},
      {"noise of 10", [](Settings& s) { s.noise = 10; }},
      {"20 % less light at the right", [](Settings& s) { s.falloff = 0.2f; }},
      {"30 % less light at the bottom", [](Settings& s) { s.falloff = 0.3f, s.falloff_degrees = 90; }},
      {"50 % less light at a corner, and noise",
       [](Settings& s) { s.falloff = 0.5f, s.falloff_degrees = 225, s.noise = 2; }},
      {"a near lamp", [](Settings& s) { s.lamp = 2, s.lamp_x = 0.2f, s.lamp_y = 0.1f, s.noise = 3; }},
      {"a soft shadow across the digit",
       [](Settings& s) { s.shadow = 0.4f, s.shadow_soft = 0.15f, s.shadow_degrees = 30, s.noise = 3; }},
      {"a hard shadow across the digit",
       [](Settings& s) { s.shadow = 0.35f, s.shadow_soft = 0.005f, s.shadow_degrees = 200, s.noise = 2; }},
      {"ruled paper", [](Settings& s) { s.paper = Paper::kRuled, s.tilt_degrees = 4, s.noise = 2; }},
      {"squared paper", [](Settings& s) { s.paper = Paper::kSquared, s.tilt_degrees = -9, s.noise = 2; }},
      {"squares as dark as pencil",
       [](Settings& s) {
         s.paper = Paper::kSquared, s.rule = {0.4f, 0.45f, 0.5f}, s.ink = {0.35f, 0.35f, 0.35f}, s.noise = 3;
       }},
      {"specks", [](Settings& s) { s.specks = 6, s.noise = 1; }},
      {"blue ink on brown paper",
       [](Settings& s) {
         s.ink = {0.12f, 0.15f, 0.45f}, s.sheet = {0.75f, 0.65f, 0.5f}, s.noise = 3;
       }},
      {"chalk on a board",
       [](Settings& s) {
         s.ink = {0.9f, 0.9f, 0.85f}, s.sheet = {0.12f, 0.2f, 0.15f}, s.falloff = 0.3f, s.noise = 3;
       }},
      {"all at once",
       [](Settings& s) {
         s.paper = Paper::kSquared, s.tilt_degrees = 12, s.falloff = 0.4f, s.falloff_degrees = 70;
         s.shadow = 0.3f, s.shadow_degrees = 160, s.noise = 5, s.specks = 4, s.texture = 0.015f;
       }},
  };
  return all;
}

}  // namespace

TEST_CASE("light, shadow, noise and paper hardly change what the network sees") {
  double sum = 0;
  int count = 0, close = 0;
  std::map<std::pair<int, float>, DigitPixels> clean;  // by what of the settings is left: drawn once
  for (size_t i = 0; i < nuisances().size(); ++i) {
    for (int digit = static_cast<int>(i % 2); digit < 10; digit += testing::small_sweep() ? 6 : 2) {
      Settings settings;
      settings.seed = static_cast<uint64_t>(digit);
      settings.digit = 0.4f + 0.02f * static_cast<float>(digit);
      nuisances()[i].add(settings);
      const photos::Drawing drawing = photos::draw_strokes(digit, static_cast<uint32_t>(digit), 0.65f);
      DigitPixels& expected = clean[{digit, settings.tilt_degrees}];
      if (expected == DigitPixels{}) expected = seen(drawing, cleaned(settings));
      const double difference = difference_but_for_a_pixel(seen(drawing, settings), expected);
      if (difference >= 8) MESSAGE(digit << ", " << nuisances()[i].name << ": differs by " << difference);
      close += difference < 8;  // the mean of a digit is about 30: a stroke more or less makes more
      sum += difference;
      ++count;
    }
  }
  CHECK(close >= count * 90 / 100);
  CHECK(sum / count < 3);
}

TEST_CASE("photos with every property drawn at random are seen as they were written") {
  const uint32_t count = testing::small_sweep() ? 10 : 40;
  uint32_t close = 0;
  for (uint32_t index = 0; index < count; ++index) {
    const Settings settings = photos::draw_settings(11, index, false);
    const int digit = static_cast<int>(index % 10);
    const photos::Drawing drawing =
        photos::draw_strokes(digit, index / 10, 0.55f + 0.01f * static_cast<float>(index % 25));
    const double difference = [&] {
      try {
        return difference_but_for_a_pixel(seen(drawing, settings), seen(drawing, cleaned(settings)));
      } catch (const DataError&) {
        return 255.0;
      }
    }();
    close += difference < 10;
    if (difference >= 10) MESSAGE("photo " << index << " of a " << digit << " differs by " << difference);
  }
  CHECK(close >= count * 90 / 100);
}

TEST_CASE("thin and thick pens are brought towards MNIST's") {
  for (const float pen : {0.015f, 0.025f, 0.05f, 0.1f}) {
    CAPTURE(pen);
    const DigitPixels pixels = seen(photos::draw_strokes(1, 0, 0.6f), {.pen = pen, .noise = 2});  // a bar
    int columns = 0;
    for (size_t x = 0; x < 28; ++x) columns += pixels[14 * 28 + x] >= 128;
    CHECK(columns >= 1);
    CHECK(columns <= 4);
    CHECK(std::ranges::count_if(pixels, [](uint8_t pixel) { return pixel >= 128; }) >= 20);
  }
}

TEST_CASE("paper without writing is blank, whatever the light") {
  for (const Nuisance& nuisance : nuisances()) {
    Settings settings;
    nuisance.add(settings);
    CAPTURE(nuisance.name);
    check_error<DataError>([&] { prepare_digit(photos::take_photo(nullptr, settings), "paper.png"); },
                           {"paper.png: is blank"});
  }
}

TEST_CASE("two digits are said to be two") {
  for (const Nuisance& nuisance : nuisances()) {
    if (nuisance.name == "all at once") continue;
    CAPTURE(nuisance.name);
    for (const bool beside : {true, false}) {
      CAPTURE(beside);
      Settings settings;
      settings.width = settings.height = 200;
      nuisance.add(settings);
      settings.tilt_degrees = 0;
      settings.falloff = settings.lamp = settings.shadow = 0;  // which would have an edge where the halves meet
      const photos::Drawing first = photos::draw_strokes(3, 0, 0.7f), second = photos::draw_strokes(6, 1, 0.7f);
      const Picture left = photos::take_photo(&first, settings), right = photos::take_photo(&second, settings);
      Picture both{beside ? 400 : 200, beside ? 200 : 400, 3, {}};
      for (int64_t y = 0; y < 200; ++y)
        for (const Picture* half : {&left, &right}) {
          if (!beside && half == &right) continue;
          both.pixels.insert(both.pixels.end(), half->pixels.begin() + y * 600, half->pixels.begin() + (y + 1) * 600);
        }
      if (!beside) both.pixels.insert(both.pixels.end(), right.pixels.begin(), right.pixels.end());
      check_error<DataError>([&] { prepare_digit(both, "two.png"); }, {"two.png: holds more than one digit"});
    }
  }
}

TEST_CASE("what is doubtful about a picture is said") {
  const photos::Drawing drawing = photos::draw_strokes(7, 0, 0.7f);
  const auto doubts = [&](const Settings& settings) {
    std::string all;
    for (const std::string& doubt : prepare_digit(photos::take_photo(&drawing, settings), "photo.png").doubts)
      all += doubt;
    return all;
  };
  CHECK(doubts({.noise = 2}) == "");
  CHECK(doubts({.digit = 0.9f, .x = 0.2f, .noise = 2}) == "reaches the edge of the picture");
  CHECK(doubts({.paper = Paper::kRuled, .rule = {0.2f, 0.2f, 0.2f}, .noise = 2}) ==
        "the paper's lines are as dark as the ink");
}

}  // namespace cairn::datasets
