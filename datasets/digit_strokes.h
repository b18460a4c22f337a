// How the ten digits are written: for each, several forms; a form is a list of pen strokes; a stroke goes through
// points in a unit box (x to the right, y down), either straight from one to the next or as a smooth curve.
#pragma once

#include <array>
#include <vector>

namespace cairn::datasets {

struct Point {
  float x, y;
};
enum class Pen { kStraight, kCurved };
struct Stroke {
  Pen pen;
  std::vector<Point> points;
};
using Form = std::vector<Stroke>;

// Long because it is a table: every digit in each of its forms.
inline const std::array<std::vector<Form>, 10>& digit_forms() {
  using enum Pen;
  static const std::array<std::vector<Form>, 10> forms{{
      // 0: an oval; one that starts and ends inside; one that does not close.
      {{{kCurved, {{.5, .02}, {.2, .17}, {.1, .5}, {.2, .84}, {.5, .98}, {.8, .84}, {.9, .5}, {.8, .17}, {.5, .02}}}},
       {{kCurved,
         {{.62, .1}, {.3, .05}, {.12, .4}, {.2, .85}, {.55, .97}, {.85, .7}, {.84, .25}, {.55, .03}, {.4, .12}}}},
       {{kCurved, {{.4, .0}, {.14, .3}, {.13, .7}, {.42, 1.}, {.76, .86}, {.88, .48}, {.74, .12}, {.52, .05}}}}},
      // 1: a bar; with a flag; with flag and foot.
      {{{kStraight, {{.5, .0}, {.5, 1.}}}},
       {{kStraight, {{.25, .27}, {.56, .0}, {.56, 1.}}}},
       {{kStraight, {{.25, .25}, {.53, .0}, {.53, 1.}}}, {kStraight, {{.2, 1.}, {.86, 1.}}}}},
      // 2: with a sharp foot; with a looped foot; in one swing.
      {{{kCurved, {{.12, .25}, {.3, .05}, {.62, .02}, {.85, .22}, {.7, .52}, {.38, .8}, {.1, .98}}},
        {kStraight, {{.1, .98}, {.92, .98}}}},
       {{kCurved,
         {{.15, .2}, {.45, .02}, {.8, .2}, {.7, .52}, {.32, .85}, {.1, .93}, {.18, .76}, {.48, .87}, {.92, .97}}}},
       {{kCurved, {{.1, .14}, {.5, .0}, {.84, .2}, {.66, .55}, {.2, .94}}},
        {kCurved, {{.2, .94}, {.55, .9}, {.9, .96}}}}},
      // 3: two bows; a flat top; bows that meet in a loop.
      {{{kCurved, {{.15, .12}, {.45, .0}, {.8, .17}, {.7, .4}, {.38, .48}}},
        {kCurved, {{.38, .48}, {.76, .54}, {.9, .75}, {.6, .98}, {.1, .88}}}},
       {{kStraight, {{.12, .03}, {.85, .03}, {.45, .4}}},
        {kCurved, {{.45, .4}, {.8, .48}, {.9, .75}, {.6, .98}, {.1, .9}}}},
       {{kCurved, {{.14, .1}, {.5, .0}, {.8, .2}, {.55, .45}, {.36, .5}, {.55, .5}, {.88, .7}, {.6, 1.}, {.12, .9}}}}},
      // 4: open; closed; open with a curved arm.
      {{{kStraight, {{.25, .0}, {.1, .56}, {.92, .56}}}, {kStraight, {{.7, .12}, {.7, 1.}}}},
       {{kStraight, {{.68, 1.}, {.68, .0}, {.06, .66}, {.95, .66}}}},
       {{kCurved, {{.2, .02}, {.13, .32}, {.25, .54}, {.55, .54}, {.85, .45}}}, {kStraight, {{.82, .0}, {.76, 1.}}}}},
      // 5: with a cornered neck; the top bar drawn last and apart; in one swing.
      {{{kStraight, {{.85, .02}, {.26, .02}, {.2, .42}}},
        {kCurved, {{.2, .42}, {.56, .35}, {.88, .62}, {.7, .92}, {.35, .98}, {.1, .88}}}},
       {{kCurved, {{.25, .05}, {.2, .45}, {.55, .38}, {.86, .64}, {.62, .96}, {.12, .92}}},
        {kStraight, {{.28, .06}, {.88, .0}}}},
       {{kCurved, {{.86, .06}, {.42, .04}, {.2, .28}, {.5, .45}, {.85, .66}, {.6, .95}, {.12, .9}}}}},
      // 6: a round stem; a straight one; a small loop.
      {{{kCurved,
         {{.75, .02}, {.36, .24}, {.13, .64}, {.3, .95}, {.66, .97}, {.87, .73}, {.6, .5}, {.3, .57}, {.15, .74}}}},
       {{kStraight, {{.62, .0}, {.18, .66}}},
        {kCurved, {{.18, .66}, {.2, .92}, {.55, 1.}, {.84, .78}, {.66, .52}, {.34, .56}, {.18, .72}}}},
       {{kCurved, {{.55, .0}, {.22, .3}, {.12, .7}, {.36, 1.}, {.72, .94}, {.7, .68}, {.4, .64}, {.18, .8}}}}},
      // 7: two bars; with a crossbar; with a serif and a curved stem.
      {{{kStraight, {{.1, .05}, {.9, .05}, {.4, 1.}}}},
       {{kStraight, {{.1, .04}, {.9, .04}, {.42, 1.}}}, {kStraight, {{.3, .5}, {.84, .5}}}},
       {{kStraight, {{.12, .2}, {.12, .04}, {.88, .05}}}, {kCurved, {{.88, .05}, {.58, .45}, {.44, 1.}}}}},
      // 8: crossing from the middle; two ovals; an S that is closed.
      {{{kCurved,
         {{.5, .48},
          {.2, .28},
          {.3, .05},
          {.66, .02},
          {.82, .22},
          {.5, .48},
          {.15, .72},
          {.3, .97},
          {.7, .97},
          {.87, .74},
          {.5, .48}}}},
       {{kCurved, {{.5, .0}, {.22, .1}, {.24, .38}, {.5, .47}, {.76, .38}, {.78, .1}, {.5, .0}}},
        {kCurved, {{.5, .47}, {.16, .62}, {.2, .92}, {.5, 1.}, {.82, .9}, {.84, .62}, {.5, .47}}}},
       {{kCurved,
         {{.8, .14}, {.48, .0}, {.2, .2}, {.48, .47}, {.85, .74}, {.5, 1.}, {.16, .78}, {.5, .48}, {.8, .16}}}}},
      // 9: with a straight stem; with a hooked tail; a small head.
      {{{kCurved, {{.84, .26}, {.55, .02}, {.18, .18}, {.22, .46}, {.58, .5}, {.84, .26}}},
        {kStraight, {{.86, .12}, {.76, 1.}}}},
       {{kCurved, {{.84, .3}, {.52, .02}, {.15, .24}, {.38, .52}, {.82, .32}, {.86, .64}, {.62, .98}, {.2, .92}}}},
       {{kCurved, {{.78, .14}, {.5, .0}, {.26, .16}, {.34, .38}, {.64, .36}, {.78, .14}, {.74, .55}, {.58, 1.}}}}},
  }};
  return forms;
}

}  // namespace cairn::datasets
