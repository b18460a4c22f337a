// gemm: every shape edge, operand layout, epilogue and rung. Not here: products with byte matrices
// (test_byte_linear.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

enum Epilogue { kOverwrite, kAccumulate, kBias, kRelu, kBiasRelu, kEpilogues };

struct Product {
  int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  int64_t gap = 0;  // what the leading dimensions exceed the widths by
  Epilogue epilogue = kOverwrite;
  int64_t offset = 0;
  bool whole_numbers = true;
  bool zeros = false;  // half of a and more
};

Case case_of(const Product& p, DType real) {
  const Layout a = p.transpose_a ? Layout(p.k, p.m, p.m + p.gap) : Layout(p.m, p.k, p.k + p.gap);
  const Layout b = p.transpose_b ? Layout(p.n, p.k, p.k + p.gap) : Layout(p.k, p.n, p.n + p.gap);
  const Layout c(p.m, p.n, p.n + p.gap);
  const auto draw = [&](int64_t count, uint32_t stream) {
    return p.whole_numbers ? integers(count, stream) : reals(count, stream);
  };
  Values a_values = draw(a.count(), 1);
  if (p.zeros)
    for (double& value : a_values) value = std::max(value - 0.5, 0.0) * 2;
  const Values b_values = draw(b.count(), 2), bias = draw(p.n, 3);
  const Values initial = p.epilogue == kAccumulate ? draw(c.count(), 4) : Values{};
  const bool has_bias = p.epilogue == kBias || p.epilogue == kBiasRelu;
  const bool has_relu = p.epilogue == kRelu || p.epilogue == kBiasRelu;

  Values magnitudes;  // per element of c; none for whole numbers, which ask for equality
  if (!p.whole_numbers) {
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        double magnitude = 0;
        for (int64_t q = 0; q < p.k; ++q)
          magnitude += std::fabs(a_values[static_cast<size_t>(p.transpose_a ? q * p.m + i : i * p.k + q)] *
                                 b_values[static_cast<size_t>(p.transpose_b ? j * p.k + q : q * p.n + j)]);
        magnitudes.push_back(magnitude + 1);  // |bias|, |initial| <= 1
      }
    }
  }

  const auto run = [=](Call& call) {
    Tolerance tolerance;
    for (double magnitude : magnitudes)
      tolerance.each.push_back(sum_bound(p.k + 1, magnitude, real) + 2 * call.input_rounding() * magnitude);
    const GemmArgs args{.dtype = call.real(),
                        .m = p.m,
                        .n = p.n,
                        .k = p.k,
                        .a = call.input("a", a, a_values),
                        .lda = a.leading,
                        .transpose_a = p.transpose_a,
                        .b = call.input("b", b, b_values),
                        .ldb = b.leading,
                        .transpose_b = p.transpose_b,
                        .c = call.output("c", c, tolerance, initial),
                        .ldc = c.leading,
                        .bias = has_bias ? call.input("bias", p.n, bias) : nullptr,
                        .relu = has_relu,
                        .accumulate = p.epilogue == kAccumulate};
    return call.invoke(&Backend::gemm, args);
  };
  constexpr const char* kNames[] = {"", " accumulate", " bias", " relu", " bias relu"};
  const std::string shape = shape_text({{"m", p.m}, {"n", p.n}, {"k", p.k}, {"gap", p.gap}}) +
                            (p.transpose_a ? " a^T" : "") + (p.transpose_b ? " b^T" : "") + kNames[p.epilogue] +
                            (p.whole_numbers ? " whole" : "") + (p.zeros ? " zeros" : "");
  return {.primitive = "gemm", .shape = shape, .real = real, .offset = p.offset, .run = run};
}

void check_all(const std::vector<Product>& products) {
  for (DType real : kReals)
    for (const Product& product : products) check(case_of(product, real));
}

}  // namespace

TEST_CASE("gemm: every layout, epilogue and alignment of one odd shape") {
  std::vector<Product> products;
  for (int layout = 0; layout < 4; ++layout)
    for (int64_t gap : {0, 3})
      for (int epilogue = 0; epilogue < kEpilogues; ++epilogue)
        for (int64_t offset : {0, 1})
          products.push_back({.m = 33,
                              .n = 17,
                              .k = 31,
                              .transpose_a = layout % 2 != 0,
                              .transpose_b = layout / 2 != 0,
                              .gap = gap,
                              .epilogue = static_cast<Epilogue>(epilogue),
                              .offset = offset});
  check_all(products);
}

TEST_CASE("gemm: every edge size in every dimension") {
  std::vector<Product> products;
  for (int64_t size : edge_sizes())
    for (auto [m, n, k] : {std::tuple{size, size, size}, {size, 33, 17}, {17, size, 33}, {33, 17, size}})
      for (int layout = 0; layout < 4; ++layout) {
        const size_t turn = products.size();  // the rest takes turns, so that every shape does not cost 80 calls
        products.push_back({.m = m,
                            .n = n,
                            .k = k,
                            .transpose_a = layout % 2 != 0,
                            .transpose_b = layout / 2 != 0,
                            .gap = turn / 3 % 2 ? 5 : 0,
                            .epilogue = static_cast<Epilogue>(turn % kEpilogues),
                            .offset = static_cast<int64_t>(turn / 7 % 2)});
      }
  check_all(products);
}

TEST_CASE("gemm: rounding, on the shapes of a training step and on larger odd ones") {
  std::vector<Product> products;
  for (auto [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{64, 32, 784},
                         {32, 784, 64},
                         {64, 10, 32},
                         {257, 131, 97},
                         {1, 300, 301},
                         {300, 1, 1031},
                         {5, 7, 4099}}) {
    if (small_sweep() && m * n * k > 100'000) continue;
    for (int layout = 0; layout < 4; ++layout)
      products.push_back({.m = m,
                          .n = n,
                          .k = k,
                          .transpose_a = layout % 2 != 0,
                          .transpose_b = layout / 2 != 0,
                          .epilogue = static_cast<Epilogue>(products.size() % kEpilogues),
                          .whole_numbers = false});
  }
  check_all(products);
}

// So many results that a ladder takes its largest tiles, with both edges cutting through one; or its tallest.
TEST_CASE("gemm: many tiles") {
  if (small_sweep()) return;
  std::vector<Product> products;
  for (int layout : {0, 3})  // both operands turned and both straight, once each
    for (auto [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{129, 16257, 33}, {1031, 40, 37}})
      products.push_back({.m = m, .n = n, .k = k, .transpose_a = layout % 2 != 0, .transpose_b = layout / 2 != 0});
  check_all(products);
}

// An implementation may list what is not zero in a.
TEST_CASE("gemm: an operand with many zeros") {
  if (small_sweep()) return;
  std::vector<Product> products;
  for (auto [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{33, 301, 131}, {200, 193, 64}, {1, 1031, 1027}})
    for (int layout = 0; layout < 4; ++layout)
      for (bool whole_numbers : {true, false})
        products.push_back(
            {.m = m,
             .n = n,
             .k = k,
             .transpose_a = layout % 2 != 0,
             .transpose_b = layout / 2 != 0,
             .gap = whole_numbers ? 3 : 0,
             .epilogue = static_cast<Epilogue>((products.size() + static_cast<size_t>(layout)) % kEpilogues),
             .offset = layout % 2,
             .whole_numbers = whole_numbers,
             .zeros = true});
  check_all(products);
}

// A nan means that a training has gone wrong, and must reach the loss. The one exception: cuBLASLt does not say what
// its ReLU makes of it.
TEST_CASE("gemm: nan goes through the ReLU") {
  const Case one{.primitive = "gemm", .shape = "nan", .run = [](Call& call) {
                   const GemmArgs args{.dtype = call.real(),
                                       .m = 2,
                                       .n = 2,
                                       .k = 1,
                                       .a = call.input("a", {2, 1}, {kNan, -1}),
                                       .lda = 1,
                                       .transpose_a = 0,
                                       .b = call.input("b", {1, 2}, {1, 2}),
                                       .ldb = 2,
                                       .transpose_b = 0,
                                       .c = call.output("c", {2, 2}, {}),
                                       .ldc = 2,
                                       .bias = nullptr,
                                       .relu = 1,
                                       .accumulate = 0};
                   return call.invoke(&Backend::gemm, args);
                 }};
  for (const Subject& subject : subjects("gemm")) {
    std::vector<std::string> faults = faults_of(subject, one, {{kNan, kNan, 0, 0}});
    if (!faults.empty() && place_of(*subject.backend) == "cudnn/cuda") faults = faults_of(subject, one, {{0, 0, 0, 0}});
    CHECK_MESSAGE(faults.empty(), (faults.empty() ? "" : faults.front()));
  }
}

TEST_CASE("gemm: by hand") {
  for (DType real : kReals)
    check({.primitive = "gemm",
           .shape = "by hand",
           .real = real,
           .run =
               [](Call& call) {
                 const GemmArgs args{.dtype = call.real(),
                                     .m = 2,
                                     .n = 2,
                                     .k = 3,
                                     .a = call.input("a", {2, 3}, {1, 2, 3, 4, 5, 6}),
                                     .lda = 3,
                                     .transpose_a = 0,
                                     .b = call.input("b", {3, 2}, {1, -1, 2, 0, 0, 1}),
                                     .ldb = 2,
                                     .transpose_b = 0,
                                     .c = call.output("c", {2, 2}, {}),
                                     .ldc = 2,
                                     .bias = call.input("bias", 2, {0.5, -4}),
                                     .relu = 1,
                                     .accumulate = 0};
                 return call.invoke(&Backend::gemm, args);
               },
           .expected = {{5.5, 0, 14.5, 0}}});
}

}  // namespace cairn::test
