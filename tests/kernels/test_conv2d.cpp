// Convolution: forward, its three gradients. Not here: pooling (test_pooling.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct Size {
  int64_t height, width;
};

// `beyond`: rows and columns of y more than fit, whose kernel reaches farther below and to the right than the padding.
Conv2dShape shape_of(int64_t batch, int64_t in_channels, Size in, int64_t out_channels, Size kernel,
                     Size stride = {1, 1}, Size pad = {0, 0}, Size beyond = {0, 0}) {
  return {.batch = batch,
          .in_channels = in_channels,
          .in_height = in.height,
          .in_width = in.width,
          .out_channels = out_channels,
          .out_height = (in.height + 2 * pad.height - kernel.height) / stride.height + 1 + beyond.height,
          .out_width = (in.width + 2 * pad.width - kernel.width) / stride.width + 1 + beyond.width,
          .kernel_height = kernel.height,
          .kernel_width = kernel.width,
          .stride_height = stride.height,
          .stride_width = stride.width,
          .pad_height = pad.height,
          .pad_width = pad.width};
}

Layout x_layout(const Conv2dShape& s) {
  return s.batch * s.in_channels * s.in_height * s.in_width;
}
Layout weight_layout(const Conv2dShape& s) {
  return s.out_channels * s.in_channels * s.kernel_height * s.kernel_width;
}
Layout y_layout(const Conv2dShape& s) {
  return s.batch * s.out_channels * s.out_height * s.out_width;
}

struct Problem {
  Conv2dShape shape;
  int epilogue = 0;  // forward: 1 bias + 2 ReLU + 4 another array; gradients: odd ones accumulate
  int64_t offset = 0;
  bool whole_numbers = true;
  bool prepared = false;  // forward: with weights that the implementation sorted beforehand
};

// What an array of a problem may hold; `extra` is what is added, or accumulated onto.
struct Operands {
  Values x, weight, dy, bias, extra;
};

// One of the three primitives: the most terms that a sum has, where its results lie, and its call.
struct Kind {
  const char* primitive;
  int64_t (*terms)(const Conv2dShape&);
  Layout (*results)(const Conv2dShape&);
  Status (*run)(Call&, const Problem&, const Operands&, const Tolerance&);
};

Status run_forward(Call& call, const Problem& p, const Operands& with, const Tolerance& tolerance) {
  const bool has_bias = p.epilogue % 2 != 0, has_add = p.epilogue / 4 != 0;
  const void* weight = call.input("weight", weight_layout(p.shape), with.weight);
  // For another number of images, which makes no difference; the weights themselves are then not looked at.
  Conv2dShape other = p.shape;
  other.batch += 3;
  const void* const prepared = p.prepared ? call.prepared(other, weight) : nullptr;
  const Conv2dForwardArgs args{
      .dtype = call.real(),
      .shape = p.shape,
      .x = call.input("x", x_layout(p.shape), with.x),
      .weight = prepared ? nullptr : weight,
      .bias = has_bias ? call.input("bias", p.shape.out_channels, with.bias) : nullptr,
      .add = has_add ? call.input("add", y_layout(p.shape), with.extra) : nullptr,
      .prepared = prepared,
      .y = call.output("y", y_layout(p.shape), tolerance),
      .relu = p.epilogue / 2 % 2,
  };
  return call.invoke(&Backend::conv2d_forward, args);
}

Status run_backward_data(Call& call, const Problem& p, const Operands& with, const Tolerance& tolerance) {
  const bool accumulate = p.epilogue % 2 != 0;
  const Conv2dBackwardDataArgs args{
      .dtype = call.real(),
      .shape = p.shape,
      .dy = call.input("dy", y_layout(p.shape), with.dy),
      .weight = call.input("weight", weight_layout(p.shape), with.weight),
      .dx = call.output("dx", x_layout(p.shape), tolerance, accumulate ? with.extra : Values{}),
      .accumulate = accumulate,
  };
  return call.invoke(&Backend::conv2d_backward_data, args);
}

Status run_backward_filter(Call& call, const Problem& p, const Operands& with, const Tolerance& tolerance) {
  const bool accumulate = p.epilogue % 2 != 0;
  const Conv2dBackwardFilterArgs args{
      .dtype = call.real(),
      .shape = p.shape,
      .x = call.input("x", x_layout(p.shape), with.x),
      .dy = call.input("dy", y_layout(p.shape), with.dy),
      .dweight = call.output("dweight", weight_layout(p.shape), tolerance, accumulate ? with.extra : Values{}),
      .accumulate = accumulate,
  };
  return call.invoke(&Backend::conv2d_backward_filter, args);
}

constexpr Kind kForward{"conv2d_forward",
                        [](const Conv2dShape& s) { return s.in_channels * s.kernel_height * s.kernel_width; }, y_layout,
                        run_forward};
constexpr Kind kBackwardData{"conv2d_backward_data",
                             [](const Conv2dShape& s) { return s.out_channels * s.kernel_height * s.kernel_width; },
                             x_layout, run_backward_data};
constexpr Kind kBackwardFilter{"conv2d_backward_filter",
                               [](const Conv2dShape& s) { return s.batch * s.out_height * s.out_width; }, weight_layout,
                               run_backward_filter};

std::string text(const Problem& p) {
  const Conv2dShape& s = p.shape;
  const auto size = [](const char* name, int64_t height, int64_t width) {
    return std::string(name) + std::to_string(height) + "x" + std::to_string(width);
  };
  return shape_text({{"batch", s.batch}, {"channels", s.in_channels}}) + ">" + std::to_string(s.out_channels) +
         size(" x ", s.in_height, s.in_width) + size(" y ", s.out_height, s.out_width) +
         size(" kernel ", s.kernel_height, s.kernel_width) + size(" stride ", s.stride_height, s.stride_width) +
         size(" pad ", s.pad_height, s.pad_width) + " epilogue " + std::to_string(p.epilogue) +
         (p.whole_numbers ? " whole" : "") + (p.prepared ? " prepared" : "");
}

void check_problem(const Kind& kind, const Problem& p, DType real) {
  const Layout results = kind.results(p.shape);
  const auto draw = [&](Layout layout, uint32_t stream) {
    return p.whole_numbers ? integers(layout.count(), stream) : reals(layout.count(), stream);
  };
  const Operands operands{.x = draw(x_layout(p.shape), 1),
                          .weight = draw(weight_layout(p.shape), 2),
                          .dy = draw(y_layout(p.shape), 3),
                          .bias = draw(p.shape.out_channels, 4),
                          .extra = draw(results, 5)};
  Values magnitudes;  // the sums of the terms' absolute values; none for whole numbers, which ask for equality
  if (!p.whole_numbers) {
    Operands absolute = operands;
    for (Values* values : {&absolute.x, &absolute.weight, &absolute.dy, &absolute.bias, &absolute.extra})
      for (double& value : *values) value = std::fabs(value);
    const auto run = [&](Call& call) { return kind.run(call, p, absolute, {}); };
    magnitudes = expected_of({.primitive = kind.primitive, .shape = "magnitudes", .run = run})[0];
  }
  const auto run = [&](Call& call) {
    Tolerance tolerance;
    for (double magnitude : magnitudes)
      tolerance.each.push_back(sum_bound(kind.terms(p.shape) + 2, magnitude, real) +
                               2 * call.input_rounding() * magnitude);
    return kind.run(call, p, operands, tolerance);
  };
  check({.primitive = kind.primitive, .shape = text(p), .real = real, .offset = p.offset, .run = run});
}

// ---- the sweep -------------------------------------------------------------------------------------------------

// Every kernel with every stride and padding; channels, batch and what lies beyond x vary along with them.
std::vector<Problem> geometries() {
  constexpr Size kKernels[] = {{1, 1}, {3, 3}, {5, 5}, {7, 7}, {5, 2}};
  constexpr Size kStrides[] = {{1, 1}, {2, 2}, {2, 3}};
  constexpr Size kChannels[] = {{1, 1}, {3, 5}, {1, 7}, {5, 1}, {9, 17}};  // in, out
  constexpr int64_t kBatches[] = {1, 3, 2};
  constexpr Size kBeyond[] = {{0, 0}, {1, 0}, {0, 2}, {0, 0}, {0, 0}, {2, 1}, {0, 0}};
  std::vector<Problem> problems;
  int turn = 0;
  for (Size kernel : kKernels)
    for (Size stride : kStrides)
      for (int64_t pad = 0; pad <= 3; ++pad, ++turn) {
        if (small_sweep() && turn % 5 != 0) continue;
        const Size channels = kChannels[turn % 5];
        const bool equal = stride.height == stride.width;
        problems.push_back({.shape = shape_of(kBatches[turn % 3], channels.height, {9, 11}, channels.width, kernel,
                                              stride, {pad, equal ? pad : 3 - pad}, kBeyond[turn % 7]),
                            .epilogue = (turn + turn / 8) % 8,
                            .offset = turn % 2});
      }
  return problems;
}

// Around the edges of tiles, in channels and in places; kernels that see more padding than image; long sums.
std::vector<Problem> sizes() {
  std::vector<Conv2dShape> shapes = {
      shape_of(2, 6, {14, 14}, 16, {5, 5}),                // LeNet's second
      shape_of(1, 3, {8, 8}, 33, {3, 3}, {1, 1}, {1, 1}),  // 64 places: whole tiles of them
      shape_of(5, 4, {4, 4}, 8, {3, 3}, {1, 1}, {1, 1}),   // planes of 16 places, channels in fours
      shape_of(2, 1, {2, 2}, 3, {5, 5}, {1, 1}, {3, 3}),   // the kernel always reaches beyond x
      shape_of(1, 2, {1, 70}, 3, {1, 7}, {1, 1}, {0, 3}),  // a single row, longer than a tile
      shape_of(1, 2, {70, 1}, 3, {7, 1}, {3, 1}, {3, 0}),  // a single column
      shape_of(1, 1, {3, 3}, 1, {3, 3}),                   // a single place
      shape_of(1, 3, {5, 6}, 20, {3, 3}, {1, 1}, {1, 1}),  // up to 32 filters and places
      shape_of(1, 3, {7, 7}, 50, {3, 3}, {1, 1}, {1, 1}),  // up to 64
      shape_of(2, 7, {8, 8}, 50, {3, 3}, {1, 1}, {1, 1}),  // 64 and 128
      shape_of(1, 1, {3, 20}, 2, {2, 17}),                 // more taps in a row than rung 8 counts
  };
  if (!small_sweep())
    for (const Conv2dShape& shape : {
             shape_of(1, 1, {28, 28}, 6, {5, 5}, {1, 1}, {2, 2}),    // LeNet's first
             shape_of(1, 3, {35, 35}, 2, {11, 11}, {4, 4}, {2, 2}),  // AlexNet's first, narrower
             shape_of(1, 3, {9, 13}, 129, {3, 3}, {1, 1}, {1, 1}),   //
             shape_of(1, 65, {9, 13}, 3, {3, 3}, {2, 2}, {1, 1}),    //
             shape_of(3, 33, {5, 9}, 65, {1, 1}),                    // a matrix product
             shape_of(2, 9, {6, 12}, 33, {5, 5}),                    // more channels in y, no padding: rows of 8
             shape_of(1, 5, {8, 8}, 100, {5, 5}),                    // and of 4
             shape_of(1, 32, {5, 5}, 64, {3, 3}, {1, 1}, {1, 1}),    //
             shape_of(1, 180, {5, 5}, 3, {5, 5}),                    // 4500 terms an output
             shape_of(1, 2, {3, 3}, 180, {5, 5}, {1, 1}, {2, 2}),    // 4500 terms an element of dx
             shape_of(33, 1, {16, 16}, 2, {3, 3}, {1, 1}, {1, 1}),   // 8448 terms a weight
             shape_of(129, 2, {2, 3}, 3, {3, 3}, {1, 1}, {1, 1}),    // many small images
         })
      shapes.push_back(shape);
  std::vector<Problem> problems;
  int turn = 0;
  for (const Conv2dShape& shape : shapes) {
    problems.push_back({.shape = shape, .epilogue = turn % 8, .offset = turn / 8 % 2});
    problems.push_back({.shape = shape, .epilogue = 7 - turn % 8, .whole_numbers = false});
    ++turn;
  }
  // So many patches that im2col writes them in two groups.
  if (!small_sweep())
    problems.push_back({.shape = shape_of(7, 1, {80, 80}, 1, {11, 11}, {1, 1}, {5, 5}), .epilogue = 3});
  return problems;
}

// Kernels of 3 and 5 between 16 channels and more, which an implementation may transform (Winograd): its sums of
// products of other numbers are exact for whole ones no more. One tile and parts of it, several images in a block of
// tiles, and several blocks in an image.
std::vector<Problem> transformable() {
  std::vector<Conv2dShape> shapes = {shape_of(1, 17, {7, 6}, 18, {5, 5}, {1, 1}, {2, 2}),
                                     shape_of(4, 17, {15, 14}, 18, {3, 3}, {1, 1}, {1, 1})};
  if (!small_sweep())
    for (const Conv2dShape& shape : {
             shape_of(1, 17, {23, 21}, 35, {5, 5}, {1, 1}, {2, 2}),  //
             shape_of(5, 16, {9, 9}, 24, {5, 5}, {1, 1}, {1, 1}),    //
             shape_of(1, 17, {43, 41}, 35, {5, 5}, {1, 1}, {2, 2}),  // enough tiles for filter gradients, as some below
             shape_of(2, 32, {14, 14}, 64, {5, 5}, {1, 1}, {2, 2}),  // cnn's second
             shape_of(5, 20, {12, 12}, 50, {5, 5}),                  // lenet-caffe's second
             shape_of(65, 16, {3, 2}, 16, {5, 5}, {1, 1}, {2, 2}),   // images smaller than a tile
             shape_of(1, 40, {70, 9}, 18, {5, 5}, {1, 1}, {0, 1}),   // uneven padding, long images
             shape_of(2, 16, {9, 75}, 33, {5, 5}, {1, 1}, {2, 0}, {0, 2}),  // wide ones, and y reaching beyond
             shape_of(2, 130, {9, 8}, 72, {5, 5}, {1, 1}, {1, 1}),          // many channels
             shape_of(1, 72, {8, 9}, 130, {5, 5}, {1, 1}, {2, 1}),
             shape_of(1, 33, {37, 35}, 50, {3, 3}, {1, 1}, {1, 1}),
             shape_of(5, 16, {16, 16}, 16, {3, 3}, {1, 1}, {1, 1}),  // resnet20's
             shape_of(3, 50, {32, 32}, 50, {3, 3}, {1, 1}, {1, 1}),  // cifar-vgg's
             shape_of(17, 20, {10, 9}, 24, {3, 3}),                  // without padding
             shape_of(65, 16, {3, 2}, 16, {3, 3}, {1, 1}, {1, 1}),
             shape_of(1, 40, {70, 9}, 18, {3, 3}, {1, 1}, {0, 1}),
             shape_of(2, 16, {9, 75}, 33, {3, 3}, {1, 1}, {1, 0}, {0, 2}),
             shape_of(2, 130, {23, 24}, 72, {3, 3}, {1, 1}, {1, 1}),
             shape_of(2, 72, {24, 25}, 130, {3, 3}, {1, 1}, {1, 1}),
         })
      shapes.push_back(shape);
  std::vector<Problem> problems;
  int turn = 0;
  for (const Conv2dShape& shape : shapes) {
    problems.push_back({.shape = shape, .epilogue = turn % 8, .offset = turn % 2, .whole_numbers = false});
    ++turn;
  }
  return problems;
}

// Every epilogue and alignment of one odd shape, and of a kernel that covers the image, which is a matrix product.
std::vector<Problem> epilogues() {
  std::vector<Problem> problems;
  for (int epilogue = 0; epilogue < 8; ++epilogue)
    for (int64_t offset : {0, 1})
      for (bool whole_numbers : {false, true})
        for (const Conv2dShape& shape :
             {shape_of(3, 5, {7, 9}, 11, {3, 3}, {1, 1}, {1, 1}), shape_of(5, 3, {4, 6}, 7, {4, 6}, {2, 1})})
          problems.push_back({shape, epilogue, offset, whole_numbers});
  return problems;
}

// Sums without terms are zero, and arrays without elements are left alone.
std::vector<Problem> empties() {
  std::vector<Problem> problems;
  for (int epilogue = 0; epilogue < 8; ++epilogue) {
    problems.push_back({shape_of(0, 3, {5, 5}, 2, {3, 3}), epilogue});
    problems.push_back({shape_of(2, 0, {5, 5}, 2, {3, 3}), epilogue});
    problems.push_back({shape_of(2, 3, {5, 5}, 0, {3, 3}), epilogue});
    problems.push_back({shape_of(2, 3, {2, 5}, 2, {3, 3}), epilogue});  // no row of y
    for (const int64_t channels : {0, 2})
      problems.push_back({shape_of(channels, 2 - channels, {3, 3}, 2, {3, 3}), epilogue});
  }
  return problems;
}

void check_all(const Kind& kind) {
  for (DType real : kReals)
    for (const auto& problems : {geometries(), sizes(), transformable(), epilogues(), empties()})
      for (const Problem& problem : problems) check_problem(kind, problem, real);
}

// A prepared weight may take another way than one that is not, also one that is not exact for whole numbers.
void check_prepared() {
  for (const auto& problems : {geometries(), sizes(), transformable(), epilogues(), empties()})
    for (Problem problem : problems) {
      problem.prepared = true;
      problem.whole_numbers = false;
      check_problem(kForward, problem, DType::f32);
    }
}

void check_by_hand(const Kind& kind, const Problem& p, const Operands& operands, const Values& expected) {
  for (DType real : kReals)
    check({.primitive = kind.primitive,
           .shape = "by hand: " + text(p),
           .real = real,
           .run = [&](Call& call) { return kind.run(call, p, operands, {}); },
           .expected = {expected}});
}

}  // namespace

TEST_CASE("conv2d_forward") {
  check_all(kForward);
  // 1 2 3   times 1 10 100 1000 by rows; with a column of padding on the left, and one that y asks for on the right
  // 4 5 6
  check_by_hand(kForward, {shape_of(1, 1, {2, 3}, 1, {2, 2})}, {.x = {1, 2, 3, 4, 5, 6}, .weight = {1, 10, 100, 1000}},
                {5421, 6532});
  check_by_hand(kForward, {shape_of(1, 1, {2, 3}, 1, {2, 2}, {1, 1}, {0, 1})},
                {.x = {1, 2, 3, 4, 5, 6}, .weight = {1, 10, 100, 1000}}, {4010, 5421, 6532, 603});
  // Two images of two channels, two filters of one element; then the bias, then the ReLU.
  check_by_hand(kForward, {shape_of(2, 2, {1, 1}, 2, {1, 1}), 3},
                {.x = {1, 2, 3, 4}, .weight = {10, 1, -1, -1}, .bias = {100, 5}}, {112, 2, 134, 0});
  check_by_hand(kForward, {shape_of(2, 1, {1, 1}, 1, {1, 1}), 2}, {.x = {kNan, -1}, .weight = {1}}, {kNan, 0});
}

TEST_CASE("conv2d_forward: weights prepared beforehand") {
  check_prepared();
}

TEST_CASE("conv2d_backward_data") {
  check_all(kBackwardData);
  // dy 1 2 on a row of 3, kernel 2 x 2.
  check_by_hand(kBackwardData, {shape_of(1, 1, {2, 3}, 1, {2, 2})}, {.weight = {1, 10, 100, 1000}, .dy = {1, 2}},
                {1, 12, 20, 100, 1200, 2000});
  // Stride 2 leaves gaps, which are 0, or what was there.
  check_by_hand(kBackwardData, {shape_of(1, 1, {1, 4}, 1, {1, 1}, {2, 2})}, {.weight = {3}, .dy = {1, 2}},
                {3, 0, 6, 0});
  check_by_hand(kBackwardData, {shape_of(1, 1, {1, 4}, 1, {1, 1}, {2, 2}), 1},
                {.weight = {3}, .dy = {1, 2}, .extra = {1, 1, 1, 1}}, {4, 1, 7, 1});
  // Two filters on one channel and the other.
  check_by_hand(kBackwardData, {shape_of(1, 2, {1, 1}, 2, {1, 1})}, {.weight = {1, 2, 3, 4}, .dy = {10, 100}},
                {310, 420});
}

TEST_CASE("conv2d_backward_filter") {
  check_all(kBackwardFilter);
  check_by_hand(kBackwardFilter, {shape_of(1, 1, {2, 3}, 1, {2, 2})}, {.x = {1, 2, 3, 4, 5, 6}, .dy = {1, 100}},
                {201, 302, 504, 605});
  // One column of padding: where it met the kernel it adds nothing. Two images add up, onto what was there.
  check_by_hand(kBackwardFilter, {shape_of(2, 1, {1, 2}, 1, {1, 2}, {1, 1}, {0, 1}), 1},
                {.x = {1, 2, 3, 4}, .dy = {1, 10, 100, 1, 10, 100}, .extra = {1000, 2000}}, {1640, 2064});
}

// So many places that a ladder for a GPU takes each of its larger tiles (it has small ones to keep 132 multiprocessors
// busy, and those do for all of the sizes above), for short sums and for long ones.
TEST_CASE("conv2d: many tiles") {
  if (small_sweep()) return;
  struct Sizes {
    int64_t channels, filters, height, width;
  };
  for (auto [channels, filters, height, width] : {Sizes{1, 9, 64, 67},
                                                  {1, 17, 48, 60},
                                                  {1, 17, 72, 79},
                                                  {1, 17, 108, 105},
                                                  {2, 49, 80, 80},
                                                  {4, 9, 64, 67},
                                                  {4, 17, 48, 60},
                                                  {4, 17, 72, 79}})
    check_problem(kForward,
                  {.shape = shape_of(1, channels, {height, width}, filters, {3, 3}, {1, 1}, {1, 1}), .epilogue = 3},
                  DType::f32);
}

TEST_CASE("conv2d_backward_bias") {
  struct Sizes {
    int64_t batch, channels, plane;
  };
  std::vector<Sizes> all = {{0, 3, 4},  {2, 0, 4},   {2, 3, 0},   {1, 1, 1},
                            {3, 5, 49}, {2, 33, 31}, {5, 6, 784}, {33, 2, 1}};
  if (!small_sweep())
    for (Sizes more : {Sizes{1, 129, 64}, {33, 3, 784}, {129, 5, 100}, {1, 1, 70001}, {1027, 3, 1}, {3, 1025, 4}})
      all.push_back(more);
  for (DType real : kReals) {
    for (auto [batch, channels, plane] : all) {
      for (int turn = 0; turn < 12; ++turn) {
        // No ReLU; a ReLU; a ReLU in place. dbias null makes sense with a ReLU only.
        const int relu = turn % 3;
        const bool has_dbias = relu == 0 || turn / 3 % 2 == 0, accumulate = turn / 3 % 2 != 0;
        const bool whole_numbers = turn / 6 != 0;
        const auto run = [=, batch = batch, channels = channels, plane = plane](Call& call) {
          const Layout layout(batch * channels * plane);
          const Values dy = whole_numbers ? integers(layout.count(), 1) : reals(layout.count(), 1);
          const Values y = integers(layout.count(), 2, -1, 1);
          Tolerance tolerance;
          for (int64_t k = 0; k < channels && !whole_numbers; ++k) {
            double magnitude = 1;  // |initial| <= 1
            for (int64_t n = 0; n < batch; ++n)
              for (int64_t i = 0; i < plane; ++i)
                magnitude += std::fabs(dy[static_cast<size_t>((n * channels + k) * plane + i)]);
            tolerance.each.push_back(sum_bound(batch * plane + 1, magnitude, real));
          }
          void* dz = relu ? call.output("dz", layout, {}, relu == 2 ? dy : Values{}) : nullptr;
          const Values initial = accumulate ? integers(channels, 3, -1, 1) : Values{};
          const Conv2dBackwardBiasArgs args{
              .dtype = call.real(),
              .batch = batch,
              .channels = channels,
              .plane = plane,
              .dy = relu == 2 ? dz : call.input("dy", layout, dy),
              .y = relu ? call.input("y", layout, y) : nullptr,
              .dz = dz,
              .dbias = has_dbias ? call.output("dbias", channels, tolerance, initial) : nullptr,
              .accumulate = accumulate};
          return call.invoke(&Backend::conv2d_backward_bias, args);
        };
        check({.primitive = "conv2d_backward_bias",
               .shape = shape_text({{"batch", batch}, {"channels", channels}, {"plane", plane}, {"turn", turn}}),
               .real = real,
               .offset = turn % 2,
               .run = run});
      }
    }
    const auto run = [](Call& call) {
      const Conv2dBackwardBiasArgs args{.dtype = call.real(),
                                        .batch = 2,
                                        .channels = 2,
                                        .plane = 2,
                                        .dy = call.input("dy", 8, {1, 2, 3, 4, 5, 6, 7, 8}),
                                        .y = call.input("y", 8, {1, 0, 1, 1, 2, 3, 0, 1}),
                                        .dz = call.output("dz", 8, {}),
                                        .dbias = call.output("dbias", 2, {}, {100, 200}),
                                        .accumulate = 1};
      return call.invoke(&Backend::conv2d_backward_bias, args);
    };
    check({.primitive = "conv2d_backward_bias",
           .shape = "by hand",
           .real = real,
           .run = run,
           .expected = {{1, 0, 3, 4, 5, 6, 0, 8}, {112, 215}}});
  }
}

TEST_CASE("conv2d: a rung that is not there is refused, and so are sizes beyond the range of vanilla's indices") {
  // One tap on one pixel.
  const Problem usual{shape_of(1, 1, {1, 1}, 1, {1, 1})};
  Problem wide_stride = usual;
  wide_stride.shape.stride_width = int64_t{1} << 40;
  const Operands operands{.x = {2}, .weight = {3}, .dy = {5}};
  for (const Kind& kind : {kForward, kBackwardData, kBackwardFilter}) {
    for (const Subject& subject : subjects(kind.primitive)) {
      if (subject.kernels.empty()) continue;
      INFO(subject.name());
      const auto refuses = [&](const std::string& kernels, const Problem& problem) {
        return !refusal(subject, kernels, [&](Call& call) { return kind.run(call, problem, operands, {}); }).empty();
      };
      CHECK(!refuses(subject.kernels, usual));
      CHECK(refuses(std::string(kind.primitive) + "=999", usual));
      if (subject.backend->name == std::string("vanilla")) CHECK(refuses(subject.kernels, wide_stride));
    }
  }
}

}  // namespace cairn::test
