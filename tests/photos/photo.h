// Photos of a digit on paper, rendered: a pen, plain, ruled or squared paper, lamps and shadows, a lens that blurs and
// a sensor that is noisy. The same bits for the same settings. Not here: the digits (drawing.h), what reads them.
#pragma once

#include <array>
#include <cstdint>

#include "datasets/dataset.h"
#include "datasets/png.h"
#include "tests/photos/drawing.h"

namespace cairn::photos {

using Color = std::array<float, 3>;  // share of the light that comes back

enum class Paper { kPlain, kRuled, kSquared };

// Lengths without a unit in their names are in shorter sides of the picture.
struct Settings {
  int64_t width = 240, height = 240;  // pixels
  float digit = 0.5f;                 // height of the digit
  float x = 0.5f, y = 0.5f;           // its middle, in widths and heights of the picture
  float tilt_degrees = 0;             // of the sheet, with all that is on it
  float pen = 0.05f;                  // in heights of the digit: what Drawing's distances are compared with
  Color ink = {0.2f, 0.2f, 0.2f};
  float ink_grain = 0;  // pencil: share of the ink that the paper's tooth keeps off

  Paper paper = Paper::kPlain;
  Color sheet = {0.9f, 0.9f, 0.9f};
  float texture = 0;  // deviation of the paper's own unevenness, of its colour
  float rule_pitch = 0.12f, rule_width_pixels = 1.5f;
  Color rule = {0.7f, 0.75f, 0.85f};
  int specks = 0;

  float exposure = 1;
  float falloff = 0, falloff_degrees = 0;        // share of the light lost from one end to the other
  float lamp = 0, lamp_x = 0.5f, lamp_y = 0.5f;  // strength of a lamp's fall-off around a point
  float shadow = 0, shadow_soft = 0.05f;         // share of the light that a straight shadow takes, its edge
  float shadow_degrees = 0, shadow_at = 0;       // beyond this distance from the middle, in this direction
  float blur_pixels = 0;                         // deviation of a Gaussian
  float noise = 0;                               // deviation of each channel, of 255
  uint64_t seed = 0;                             // of noise, texture and specks
};

// Every property drawn on its own, over what cameras, pens and paper do. `outline`: the pen is for draw_image's.
Settings draw_settings(uint64_t seed, uint32_t index, bool outline);

datasets::Picture take_photo(const Drawing* drawing, const Settings& settings);  // null: nothing is written

struct Photo {
  Settings settings;
  datasets::Picture picture;
  int label = 0;
};

// Photo `index` of a seed: of the strokes of a generated digit, or of one of `images` (28 x 28), each once before any
// is taken again.
Photo random_photo(uint64_t seed, uint32_t index);
Photo random_photo(uint64_t seed, uint32_t index, const datasets::Split& images);

}  // namespace cairn::photos
