// Max and average pools, forward and backward. Not here: convolution (test_conv2d.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct Side {
  int64_t in, window, stride, pad;
  bool ceil;  // round the number of windows up

  bool fits() const { return in + 2 * pad >= window; }
  // A window that would begin in the padding behind x is left out, as in PyTorch.
  int64_t out() const {
    const int64_t windows = (in + 2 * pad - window + (ceil ? stride - 1 : 0)) / stride + 1;
    return ceil && (windows - 1) * stride >= in + pad ? windows - 1 : windows;
  }
};

PoolShape pool_of(int64_t planes, const Side& height, const Side& width) {
  return {.planes = planes,
          .in_height = height.in,
          .in_width = width.in,
          .out_height = height.out(),
          .out_width = width.out(),
          .window_height = height.window,
          .window_width = width.window,
          .stride_height = height.stride,
          .stride_width = width.stride,
          .pad_height = height.pad,
          .pad_width = width.pad};
}

// Windows of h x w that stand side by side: planes x in_height x in_width.
PoolShape side_by_side(int64_t planes, int64_t in_height, int64_t in_width, int64_t h, int64_t w) {
  return pool_of(planes, {in_height, h, h, 0, false}, {in_width, w, w, 0, false});
}

int64_t in_count(const PoolShape& s) {
  return s.planes * s.in_height * s.in_width;
}
int64_t out_count(const PoolShape& s) {
  return s.planes * s.out_height * s.out_width;
}

std::string text(const PoolShape& s, int turn) {
  return shape_text({{"planes", s.planes},
                     {"in", s.in_height},
                     {"x", s.in_width},
                     {"out", s.out_height},
                     {"x", s.out_width},
                     {"window", s.window_height},
                     {"x", s.window_width},
                     {"stride", s.stride_height},
                     {"x", s.stride_width},
                     {"pad", s.pad_height},
                     {"x", s.pad_width},
                     {"turn", turn}});
}

// Every window, stride and padding along the height, each with others along the width.
std::vector<PoolShape> window_sweep() {
  const std::vector<int64_t> windows = small_sweep() ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{1, 2, 3, 7};
  std::vector<PoolShape> shapes;
  int64_t turn = 0;
  for (size_t w = 0; w < windows.size(); ++w)
    for (int64_t stride : {1, 2, 3})
      for (int64_t pad = 0; pad < std::min<int64_t>(windows[w], 4); ++pad)
        for (bool ceil : {false, true})
          for (int64_t in : {5, 12}) {
            const int64_t other = windows[(w + static_cast<size_t>(turn)) % windows.size()];
            const Side height{in, windows[w], stride, pad, ceil};
            const Side width{17 - in, other, 1 + turn % 3, turn % std::min<int64_t>(other, 4), turn % 2 == 0};
            if (!height.fits() || !width.fits()) continue;
            shapes.push_back(pool_of(1 + turn++ % 3, height, width));
          }
  return shapes;
}

// What implementations may treat apart: 2 x 2 side by side with whole and cut vectors, rows and columns left over;
// windows over whole planes; more planes than one thread takes; nothing at all.
std::vector<PoolShape> special_shapes() {
  std::vector<PoolShape> shapes = {side_by_side(0, 4, 4, 2, 2),
                                   side_by_side(1, 1, 1, 1, 1),
                                   side_by_side(3, 7, 5, 7, 5),
                                   side_by_side(2, 24, 24, 24, 24),
                                   side_by_side(3, 6, 12, 2, 2),
                                   side_by_side(2, 6, 70, 2, 1),
                                   side_by_side(1, 600, 3, 2, 3),
                                   side_by_side(1, 3, 600, 3, 2),
                                   pool_of(2, {2, 2, 2, 0, false}, {1, 3, 1, 1, false}),
                                   pool_of(5, {5, 2, 2, 0, true}, {7, 2, 2, 0, true}),
                                   pool_of(1, {9, 3, 100, 1, false}, {9, 100, 7, 99, false})};
  if (small_sweep()) return shapes.push_back(side_by_side(5, 6, 9, 2, 2)), shapes;
  for (int64_t width : {2, 3, 4, 5, 7, 8, 9, 10, 14, 15, 16, 17, 18, 24, 28, 31, 32, 33, 34, 48, 65, 130})
    shapes.push_back(side_by_side(3, 4 + width % 3, width, 2, 2));
  shapes.push_back(side_by_side(100, 24, 24, 2, 2));
  shapes.push_back(side_by_side(701, 8, 8, 2, 2));
  shapes.push_back(pool_of(61, {17, 3, 2, 1, false}, {19, 3, 2, 1, false}));
  return shapes;
}

std::vector<PoolShape> all_shapes() {
  std::vector<PoolShape> shapes = window_sweep();
  for (const PoolShape& shape : special_shapes()) shapes.push_back(shape);
  return shapes;
}

// Below zero, where a padding that takes part shows; few different values, so that most windows have ties; with nan and
// infinities in between.
Values inputs(int64_t count, int kind) {
  if (kind == 0) return reals(count, 1, -9, -1);
  Values values = integers(count, 1, -2, 2);
  if (kind == 2)
    for (size_t i = 0; i < values.size(); ++i) {
      const double draw = reals(count, 2)[i];
      if (std::fabs(draw) < 0.1) values[i] = draw < 0 ? kNan : draw < 0.05 ? -kInfinity : kInfinity;
    }
  return values;
}

// For each window a place within it, not the same for all.
Values places(const PoolShape& s) {
  Values result;
  const Values& draws = reals(2 * out_count(s), 4, 0, 1);
  const auto draw = [&](int64_t p, int64_t window, int64_t stride, int64_t pad, int64_t in, double share) {
    const int64_t begin = std::max<int64_t>(p * stride - pad, 0), end = std::min(p * stride - pad + window, in);
    return begin + std::min(static_cast<int64_t>(share * static_cast<double>(end - begin)), end - begin - 1);
  };
  for (int64_t plane = 0; plane < s.planes; ++plane)
    for (int64_t p = 0; p < s.out_height; ++p)
      for (int64_t q = 0; q < s.out_width; ++q) {
        const size_t i = 2 * result.size();
        const int64_t h = draw(p, s.window_height, s.stride_height, s.pad_height, s.in_height, draws[i]);
        const int64_t w = draw(q, s.window_width, s.stride_width, s.pad_width, s.in_width, draws[i + 1]);
        result.push_back(static_cast<double>(h * s.in_width + w));
      }
  return result;
}

// Of the sum of all dy (each at most 1) whose windows cover one value, and what was there before.
Tolerance gradient_tolerance(const PoolShape& s, DType real) {
  const int64_t rows = std::min(s.out_height, s.window_height / s.stride_height + 1);
  const int64_t columns = std::min(s.out_width, s.window_width / s.stride_width + 1);
  return {.absolute = sum_bound(rows * columns + 2, static_cast<double>(rows * columns + 1), real)};
}

Status max_pool(Call& call, const PoolShape& s, const Values& x, bool relu, bool indices) {
  const MaxPoolForwardArgs args{.dtype = call.real(),
                                .shape = s,
                                .x = call.input("x", in_count(s), x),
                                .y = call.output("y", out_count(s), {}),
                                .indices = indices ? call.typed_output<int32_t>("indices", out_count(s), {}) : nullptr,
                                .relu = relu};
  return call.invoke(&Backend::max_pool_forward, args);
}

}  // namespace

TEST_CASE("max_pool_forward") {
  for (DType real : kReals) {
    for (const PoolShape& s : all_shapes()) {
      for (int turn = 0; turn < 6; ++turn) {
        const int kind = turn % 3;
        const bool relu = turn / 3, indices = turn != 4;
        const auto run = [=](Call& call) { return max_pool(call, s, inputs(in_count(s), kind), relu, indices); };
        check({.primitive = "max_pool_forward",
               .shape = text(s, turn),
               .real = real,
               .offset = s.in_width % 2,
               .run = run});
      }
    }
  }
}

// Overlapping windows of 3 x 3 with stride 2 and padding 1 over one plane of 4 x 4 (windows' corners at rows and
// columns -1 and 1), and 2 x 2 side by side over the same.
TEST_CASE("max_pool_forward: by hand") {
  const Values x = {-5, -5, 3,  3,     //
                    -5, -6, 3,  kNan,  //
                    -8, -7, -7, kNan,  //
                    -9, -7, -7, -kInfinity};
  const PoolShape overlapping = pool_of(1, {4, 3, 2, 1, false}, {4, 3, 2, 1, false});
  const PoolShape pairs = side_by_side(1, 4, 4, 2, 2);
  struct Expected {
    const char* shape;
    PoolShape pool;
    bool relu;
    std::vector<Values> values;
  };
  const Expected all[] = {{"overlapping", overlapping, false, {{-5, kNan, -5, kNan}, {0, 7, 4, 7}}},
                          {"overlapping with relu", overlapping, true, {{0, kNan, 0, kNan}, {0, 7, 4, 7}}},
                          {"pairs", pairs, false, {{-5, kNan, -7, kNan}, {0, 7, 9, 11}}},
                          {"pairs with relu", pairs, true, {{0, kNan, 0, kNan}, {0, 7, 9, 11}}}};
  for (DType real : kReals)
    for (const Expected& expected : all) {
      const auto run = [&](Call& call) { return max_pool(call, expected.pool, x, expected.relu, true); };
      check({.primitive = "max_pool_forward",
             .shape = std::string("by hand, ") + expected.shape,
             .real = real,
             .run = run,
             .expected = expected.values});
    }
}

TEST_CASE("max_pool_backward") {
  for (DType real : kReals) {
    for (const PoolShape& s : all_shapes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool relu = turn % 2, accumulate = turn / 2;
        const auto run = [=](Call& call) {
          const MaxPoolBackwardArgs args{.dtype = call.real(),
                                         .shape = s,
                                         .dy = call.input("dy", out_count(s), reals(out_count(s), 1)),
                                         .indices = call.typed_input<int32_t>("indices", places(s)),
                                         // Zero and below zero count as cut off, and so does nan.
                                         .y = relu ? call.input("y", out_count(s), inputs(out_count(s), 2)) : nullptr,
                                         .dx = call.output("dx", in_count(s), gradient_tolerance(s, real),
                                                           accumulate ? reals(in_count(s), 3) : Values{}),
                                         .accumulate = accumulate};
          return call.invoke(&Backend::max_pool_backward, args);
        };
        check({.primitive = "max_pool_backward",
               .shape = text(s, turn),
               .real = real,
               .offset = s.in_width % 2,
               .run = run});
      }
    }
    // Four windows of 2 x 2 over 3 x 3 values: the one in the middle is the maximum of three, of which one is cut off.
    const auto run = [](Call& call) {
      const MaxPoolBackwardArgs args{.dtype = call.real(),
                                     .shape = pool_of(1, {3, 2, 1, 0, false}, {3, 2, 1, 0, false}),
                                     .dy = call.input("dy", 4, {1, 2, 4, 8}),
                                     .indices = call.typed_input<int32_t>("indices", {4, 4, 6, 4}),
                                     .y = call.input("y", 4, {5, 0, 1, 5}),
                                     .dx = call.output("dx", 9, {}, {10, 20, 30, 40, 50, 60, 70, 80, 90}),
                                     .accumulate = 1};
      return call.invoke(&Backend::max_pool_backward, args);
    };
    check({.primitive = "max_pool_backward",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{10, 20, 30, 40, 59, 60, 74, 80, 90}}});
  }
}

TEST_CASE("average_pool_forward") {
  for (DType real : kReals) {
    for (const PoolShape& s : all_shapes()) {
      for (bool count_padding : {false, true}) {
        const auto run = [=](Call& call) {
          // A mean of values no larger than 1, of as many terms as the window has.
          const int64_t terms = std::min(s.window_height, s.in_height) * std::min(s.window_width, s.in_width);
          const AveragePoolForwardArgs args{
              .dtype = call.real(),
              .shape = s,
              .x = call.input("x", in_count(s), reals(in_count(s), 1)),
              .y = call.output("y", out_count(s), {.absolute = sum_bound(terms, 1, real)}),
              .count_padding = count_padding};
          return call.invoke(&Backend::average_pool_forward, args);
        };
        check({.primitive = "average_pool_forward",
               .shape = text(s, count_padding),
               .real = real,
               .offset = s.in_width % 2,
               .run = run});
      }
    }
    // Two values with padding 1 at each end, windows of 2 with stride 2: [pad, 6], [12, pad].
    for (bool count_padding : {false, true}) {
      const auto run = [=](Call& call) {
        const AveragePoolForwardArgs args{.dtype = call.real(),
                                          .shape = pool_of(1, {1, 1, 1, 0, false}, {2, 2, 2, 1, true}),
                                          .x = call.input("x", 2, {6, 12}),
                                          .y = call.output("y", 2, {}),
                                          .count_padding = count_padding};
        return call.invoke(&Backend::average_pool_forward, args);
      };
      const Values expected = count_padding ? Values{3, 6} : Values{6, 12};
      check({.primitive = "average_pool_forward", .shape = "padded", .real = real, .run = run, .expected = {expected}});
      // Without padding, rounded up: [1, 3], [5, beyond]. What lies beyond never counts.
      const auto beyond = [=](Call& call) {
        const AveragePoolForwardArgs args{.dtype = call.real(),
                                          .shape = pool_of(1, {3, 2, 2, 0, true}, {1, 1, 1, 0, false}),
                                          .x = call.input("x", 3, {1, 3, 5}),
                                          .y = call.output("y", 2, {}),
                                          .count_padding = count_padding};
        return call.invoke(&Backend::average_pool_forward, args);
      };
      check(
          {.primitive = "average_pool_forward", .shape = "clipped", .real = real, .run = beyond, .expected = {{2, 5}}});
    }
  }
}

TEST_CASE("average_pool_backward") {
  for (DType real : kReals) {
    for (const PoolShape& s : all_shapes()) {
      for (int turn = 0; turn < 4; ++turn) {
        const bool count_padding = turn % 2, accumulate = turn / 2;
        const auto run = [=](Call& call) {
          const AveragePoolBackwardArgs args{.dtype = call.real(),
                                             .shape = s,
                                             .dy = call.input("dy", out_count(s), reals(out_count(s), 1)),
                                             .dx = call.output("dx", in_count(s), gradient_tolerance(s, real),
                                                               accumulate ? reals(in_count(s), 3) : Values{}),
                                             .count_padding = count_padding,
                                             .accumulate = accumulate};
          return call.invoke(&Backend::average_pool_backward, args);
        };
        check({.primitive = "average_pool_backward",
               .shape = text(s, turn),
               .real = real,
               .offset = s.in_width % 2,
               .run = run});
      }
    }
    // Three windows of 2 with stride 1 and padding 1 over two values: [pad, a], [a, b], [b, pad].
    for (bool count_padding : {false, true}) {
      const auto run = [=](Call& call) {
        const AveragePoolBackwardArgs args{.dtype = call.real(),
                                           .shape = pool_of(1, {1, 1, 1, 0, false}, {2, 2, 1, 1, false}),
                                           .dy = call.input("dy", 3, {2, 4, 6}),
                                           .dx = call.output("dx", 2, {}, {100, 200}),
                                           .count_padding = count_padding,
                                           .accumulate = 1};
        return call.invoke(&Backend::average_pool_backward, args);
      };
      const Values expected = count_padding ? Values{103, 205} : Values{104, 208};
      check(
          {.primitive = "average_pool_backward", .shape = "by hand", .real = real, .run = run, .expected = {expected}});
    }
  }
}

}  // namespace cairn::test
