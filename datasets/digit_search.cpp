#include "datasets/digit_search.h"

#include <algorithm>
#include <cmath>

namespace cairn::datasets {
namespace {

constexpr double kSpeckExtent = 0.03;  // of the picture's shorter side: no digit is smaller
constexpr double kSpeckShare = 0.025;  // of the largest piece's ink
constexpr double kSameInk = 0.8;       // of the strong ink that any threshold finds: enough to compare boxes
constexpr double kMuchSmaller = 0.75;  // times a box's longer side
constexpr double kTouching = 0.08;     // of the digit's longer side: pieces no further apart are one
constexpr double kApart = 0.12;        // the same: digits stand at least so far apart
constexpr double kReach = 0.35;        // the same: strokes further away belong to something else
constexpr double kDigitShare = 0.3;    // of the largest piece's ink and height: that much may be another digit
constexpr double kWide = 1.5;          // times its height: a digit is narrower

using Pieces = std::vector<Component>;

// What hysteresis finds with one lower threshold.
struct Level {
  float threshold = 0;
  double strong = 0;  // ink of the pieces that are no specks
  double longer = 0;  // side of the box around them
};

// In a drawing, whose border has no noise, what reaches the border was drawn; elsewhere it is no part of the digit.
Pieces pieces_above(const Ink& ink, float threshold) {
  Pieces pieces = components(ink.amount, threshold);
  if (ink.noise > 0) std::erase_if(pieces, &Component::at_border);
  return pieces;
}

Level measure(const Ink& ink, float threshold, double least_extent) {
  const Pieces pieces = pieces_above(ink, threshold);
  double most = 0;
  for (const Component& piece : pieces) most = std::max(most, piece.strong);
  Level level{threshold};
  std::optional<Box> box;
  for (const Component& piece : pieces) {
    if (static_cast<double>(piece.box.longer()) < least_extent || piece.strong < kSpeckShare * most) continue;
    level.strong += piece.strong;
    if (!box) box = piece.box;
    box->join(piece.box);
  }
  level.longer = box ? static_cast<double>(box->longer()) : 0;
  return level;
}

// Hysteresis with the lowest threshold that keeps pale things out: none that keeps the strong ink as well makes its box
// much smaller. Shadows and rules of the paper reach far, or come in over the border. The lowest of all, with what
// reaches the border, where no ink is free of it.
Pieces pieces_of(const Ink& ink, double least_extent, bool& whole) {
  std::vector<Level> levels = {measure(ink, ink.least, least_extent)};
  for (float threshold = 0.05f; threshold <= kStrong; threshold += 0.05f)
    if (threshold > ink.least) levels.push_back(measure(ink, threshold, least_extent));
  const double most = std::ranges::max_element(levels, {}, &Level::strong)->strong;
  std::erase_if(levels, [&](const Level& level) { return level.strong < kSameInk * most; });
  const auto first = std::ranges::find_if(levels, [&](const Level& level) {
    return std::ranges::none_of(levels, [&](const Level& other) {
      return other.threshold > level.threshold && other.longer < kMuchSmaller * level.longer;
    });
  });
  Pieces pieces = most > 0 ? pieces_above(ink, first->threshold) : components(ink.amount, ink.least);
  whole = std::ranges::none_of(pieces, &Component::at_border);
  return pieces;
}

// Of the gap between two boxes, the longer part.
double gap(const Box& a, const Box& b) {
  const int64_t x = std::max(a.left, b.left) - std::min(a.right, b.right) - 1;
  const int64_t y = std::max(a.top, b.top) - std::min(a.bottom, b.bottom) - 1;
  return static_cast<double>(std::max<int64_t>(0, std::max(x, y)));
}

bool contains(const Box& outer, const Box& inner) {
  return outer.left < inner.left && outer.top < inner.top && outer.right > inner.right && outer.bottom > inner.bottom;
}

// A piece around another that is too large to be a part of a digit.
void drop_frames(Pieces& pieces) {
  const auto is_frame = [&](const Component& piece) {
    return std::ranges::any_of(pieces, [&](const Component& other) {
      return contains(piece.box, other.box) && other.strong > 0.15 * piece.strong &&
             10 * other.box.longer() > 3 * piece.box.longer();
    });
  };
  std::vector<bool> frames;
  for (const Component& piece : pieces) frames.push_back(is_frame(piece));
  size_t index = 0;
  std::erase_if(pieces, [&](const Component&) { return frames[index++]; });
}

// A piece, or several that nearly touch.
struct Group {
  Box box;
  double strong = 0;
  std::vector<const Component*> pieces;
};

std::vector<Group> group(const Pieces& pieces, double distance) {
  std::vector<Group> groups;
  for (const Component& piece : pieces) {
    Group joined{piece.box, piece.strong, {&piece}};
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = 0; i < groups.size(); ++i) {
        if (gap(groups[i].box, joined.box) > distance) continue;
        joined.box.join(groups[i].box);
        joined.strong += groups[i].strong;
        joined.pieces.insert(joined.pieces.end(), groups[i].pieces.begin(), groups[i].pieces.end());
        groups.erase(groups.begin() + static_cast<ptrdiff_t>(i--));
        changed = true;
      }
    }
    groups.push_back(std::move(joined));
  }
  std::ranges::stable_sort(groups, std::ranges::greater(), &Group::strong);
  return groups;
}

// Side by side, or one above the other where both are upright: the parts of a 5 may stand far apart too, but lie.
bool is_another_digit(const Group& other, const Group& digit) {
  if (other.strong < kDigitShare * digit.strong) return false;
  const auto height = static_cast<double>(digit.box.height());
  if (static_cast<double>(other.box.height()) < 0.5 * height || gap(other.box, digit.box) <= kApart * height)
    return false;
  const bool above = other.box.left <= digit.box.right && digit.box.left <= other.box.right;
  const auto upright = [](const Box& box) { return 10 * box.height() > 9 * box.width(); };
  return !above || (upright(other.box) && upright(digit.box));
}

}  // namespace

std::optional<Digit> find_digit(const Ink& ink) {
  const double least_extent = kSpeckExtent * static_cast<double>(std::min(ink.amount.width, ink.amount.height));
  Digit digit;
  Pieces pieces = pieces_of(ink, least_extent, digit.whole);
  drop_frames(pieces);
  const auto largest = std::ranges::max_element(pieces, {}, &Component::strong);
  if (largest == pieces.end() || static_cast<double>(largest->box.longer()) < least_extent) return {};

  double all = 0;
  for (const Component& piece : pieces) all += piece.strong;
  const double speck = kSpeckShare * largest->strong;
  std::erase_if(pieces, [&](const Component& piece) { return piece.strong < speck; });
  const double side = static_cast<double>(std::ranges::max_element(pieces, {}, &Component::strong)->box.longer());
  std::vector<Group> groups = group(pieces, kTouching * side);
  Group& main = groups.front();
  double written = main.strong;
  for (size_t i = 1; i < groups.size(); ++i) {
    if (is_another_digit(groups[i], main)) {
      digit.alone = false;
      written += groups[i].strong;
    } else if (gap(groups[i].box, main.box) <= kReach * side) {
      written += groups[i].strong;
      main.box.join(groups[i].box);
      main.pieces.insert(main.pieces.end(), groups[i].pieces.begin(), groups[i].pieces.end());
    }
  }

  digit.box = main.box;
  digit.share = written / all;
  digit.amount = {ink.amount.width, ink.amount.height, std::vector<float>(ink.amount.values.size())};
  for (const Component* piece : main.pieces)
    for (const int64_t pixel : piece->pixels)
      digit.amount.values[static_cast<size_t>(pixel)] = ink.amount.values[static_cast<size_t>(pixel)];
  if (!digit.whole) digit.doubts.push_back("reaches the edge of the picture");
  if (static_cast<double>(main.box.width()) > kWide * static_cast<double>(main.box.height()))
    digit.doubts.push_back("wider than a digit");
  return digit;
}

}  // namespace cairn::datasets
