// byte_linear_forward and byte_linear_backward_weight against a gather and a gemm in double. Not here: gemm itself.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct BytesShape {
  int64_t rows, columns, n;
  bool indexed, whole_numbers;
  int turn;  // which epilogue and alignment this shape gets
};

// One factor of a product, and the magnitude of what was added up to get it: a byte's is that of scaled byte and shift,
// whether an implementation adds the two before or after the product.
struct Factor {
  double value, magnitude;
};
Factor factor_of(double value) {
  return {value, std::fabs(value)};
}

// The data set: more images than the batch has rows, so that an index can skip and repeat them.
struct DataSet {
  explicit DataSet(const BytesShape& s)
      : images(s.indexed ? s.rows + 7 : s.rows),
        bytes(integers(images * s.columns, 5, 0, 255)),
        index(integers(s.rows, 6, 0, static_cast<int>(images) - 1)),
        scale(s.whole_numbers ? 1.0f : 1.0f / 255 / 0.3081f),
        shift(s.whole_numbers ? -3.0f : -0.1307f / 0.3081f) {}
  Factor factor(const BytesShape& s, int64_t row, int64_t column) const {
    const auto image = s.indexed ? static_cast<int64_t>(index[static_cast<size_t>(row)]) : row;
    const double scaled = bytes[static_cast<size_t>(image * s.columns + column)] * scale;
    return {scaled + shift, scaled + std::fabs(shift)};
  }
  ByteRows place(Call& call, const BytesShape& s) const {
    return {.bytes = call.typed_input<uint8_t>("bytes", bytes),
            .index = s.indexed ? call.typed_input<int32_t>("index", index) : nullptr,
            .rows = s.rows,
            .columns = s.columns,
            .scale = scale,
            .shift = shift};
  }
  int64_t images;
  Values bytes, index;
  float scale, shift;
};

// What is expected: the sum over `terms` of left(i, q) * right(j, q), and how far off it may be.
struct Expected {
  Values values;
  Tolerance tolerance;
};
template <class Left, class Right>
Expected product(int64_t m, int64_t n, int64_t terms, bool exact, const Values& addend, bool per_column, bool relu,
                 const Left& left, const Right& right) {
  Expected result;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double total = 0, magnitude = 0;
      for (int64_t q = 0; q < terms; ++q) {
        const Factor a = left(i, q), b = right(j, q);
        total += a.value * b.value;
        magnitude += a.magnitude * b.magnitude;
      }
      if (!addend.empty()) total += addend[static_cast<size_t>(per_column ? j : i * n + j)];
      result.values.push_back(relu && total < 0 ? 0 : total);
      if (!exact) result.tolerance.each.push_back(sum_bound(terms + 1, magnitude + 1, DType::f32));
    }
  }
  return result;
}

std::string text_of(const BytesShape& s) {
  return shape_text({{"rows", s.rows}, {"columns", s.columns}, {"n", s.n}, {"turn", s.turn}}) +
         (s.indexed ? " indexed" : "") + (s.whole_numbers ? " whole" : "");
}

Case forward_case(const BytesShape& s) {
  const DataSet data(s);
  const bool has_bias = s.turn % 2, relu = s.turn / 2 % 2;
  const Values weight = s.whole_numbers ? integers(s.n * s.columns, 1) : reals(s.n * s.columns, 1);
  const Values bias = has_bias ? (s.whole_numbers ? integers(s.n, 2) : reals(s.n, 2)) : Values{};
  const Expected expected = product(
      s.rows, s.n, s.columns, s.whole_numbers, bias, true, relu,
      [&](int64_t i, int64_t q) { return data.factor(s, i, q); },
      [&](int64_t j, int64_t q) { return factor_of(weight[static_cast<size_t>(j * s.columns + q)]); });
  const auto run = [=](Call& call) {
    const ByteLinearForwardArgs args{.x = data.place(call, s),
                                     .n = s.n,
                                     .weight = call.typed_input<float>("weight", weight),
                                     .bias = has_bias ? call.typed_input<float>("bias", bias) : nullptr,
                                     .y = call.typed_output<float>("y", {s.rows, s.n}, expected.tolerance),
                                     .relu = relu};
    return call.invoke(&Backend::byte_linear_forward, args);
  };
  return {.primitive = "byte_linear_forward",
          .shape = text_of(s),
          .offset = s.turn % 3 == 0,
          .run = run,
          .expected = {expected.values}};
}

Case backward_case(const BytesShape& s) {
  const DataSet data(s);
  const bool accumulate = s.turn % 2;
  const Values dy = s.whole_numbers ? integers(s.rows * s.n, 3) : reals(s.rows * s.n, 3);
  const Values initial = !accumulate       ? Values{}
                         : s.whole_numbers ? integers(s.n * s.columns, 4)
                                           : reals(s.n * s.columns, 4);
  const Expected expected = product(
      s.n, s.columns, s.rows, s.whole_numbers, initial, false, false,
      [&](int64_t j, int64_t q) { return factor_of(dy[static_cast<size_t>(q * s.n + j)]); },
      [&](int64_t p, int64_t q) { return data.factor(s, q, p); });
  const auto run = [=](Call& call) {
    const ByteLinearBackwardWeightArgs args{
        .x = data.place(call, s),
        .n = s.n,
        .dy = call.typed_input<float>("dy", dy),
        .dweight = call.typed_output<float>("dweight", {s.n, s.columns}, expected.tolerance, initial),
        .accumulate = accumulate};
    return call.invoke(&Backend::byte_linear_backward_weight, args);
  };
  return {.primitive = "byte_linear_backward_weight",
          .shape = text_of(s),
          .offset = s.turn % 3 == 0,
          .run = run,
          .expected = {expected.values}};
}

std::vector<BytesShape> shapes() {
  std::vector<BytesShape> result;
  const auto append = [&](int64_t rows, int64_t columns, int64_t n, bool whole_numbers) {
    const auto turn = static_cast<int>(result.size());
    result.push_back({rows, columns, n, turn / 4 % 2 == 0, whole_numbers, turn});
  };
  for (int64_t size : edge_sizes()) {
    for (int i = 0; i < 3; ++i) {
      append(size, 33, 17, true);
      append(17, size, 33, true);
      append(33, 17, size, true);
    }
    append(size, size, size, true);
  }
  for (int i = 0; i < 8; ++i) {  // every turn of the shapes that the models use
    append(64, small_sweep() ? 65 : 784, 32, false);
    append(small_sweep() ? 65 : 257, 49, 10, false);
  }
  if (!small_sweep()) append(1031, 37, 40, true), append(37, 40, 1031, true);  // a tall narrow result, each way
  return result;
}

}  // namespace

TEST_CASE("byte_linear_forward") {
  for (const BytesShape& shape : shapes()) check(forward_case(shape));
}

TEST_CASE("byte_linear_backward_weight") {
  for (const BytesShape& shape : shapes()) check(backward_case(shape));
}

}  // namespace cairn::test
