// Matrix products: gemm on its own and as `linear` uses it in the networks, and the two that read bytes.
#include <cmath>

#include "benchmarks/cases.h"

namespace cairn::benchmarks {
namespace {

constexpr ProductForm kPlain{false, false, false, false};

ByteRows rows_of(Place& place, int64_t rows, int64_t columns) {
  return {.bytes = place.typed_input<uint8_t>(rows * columns, pixels(1)),
          .index = place.typed_input<int32_t>(rows, integers(2, 0, rows - 1)),
          .rows = rows,
          .columns = columns,
          .scale = 1.0f / (255.0f * 0.3081f),
          .shift = -0.1307f / 0.3081f};
}

constexpr double kLargestPixel = 3;  // as normalised

void add_byte_linear(std::vector<Case>& cases, const std::string& use, bool large, int64_t rows, int64_t n, bool relu) {
  constexpr int64_t kColumns = 784;
  cases.push_back(make_case<ByteLinearForwardArgs>(&Backend::byte_linear_forward, use, large, [=](Place& place) {
    ByteLinearForwardArgs args{.x = rows_of(place, rows, kColumns), .n = n};
    args.weight = place.typed_input<float>(n * kColumns, reals(3));
    args.bias = place.typed_input<float>(n, reals(4));
    args.y = place.typed_output<float>("y", rows * n, kLargestPixel * sum_tolerance(kColumns));
    args.relu = relu;
    return args;
  }));
}

void add_byte_gradient(std::vector<Case>& cases, const std::string& use, bool large, int64_t rows, int64_t n) {
  constexpr int64_t kColumns = 784;
  cases.push_back(
      make_case<ByteLinearBackwardWeightArgs>(&Backend::byte_linear_backward_weight, use, large, [=](Place& place) {
        ByteLinearBackwardWeightArgs args{.x = rows_of(place, rows, kColumns), .n = n};
        args.dy = place.typed_input<float>(rows * n, reals(3));
        args.dweight = place.typed_output<float>("dweight", n * kColumns, kLargestPixel * sum_tolerance(rows));
        return args;
      }));
}

}  // namespace

void add_product(std::vector<Case>& cases, const std::string& use, bool large, int64_t m, int64_t n, int64_t k,
                 ProductForm form) {
  cases.push_back(make_case<GemmArgs>(&Backend::gemm, use, large, [=](Place& place) {
    // Products lie in [-1, 1]; where the inputs may be rounded, their errors behave as random numbers.
    const double rounding = 8 * std::sqrt(static_cast<double>(k)) * place.input_rounding();
    GemmArgs args{.dtype = place.real(), .m = m, .n = n, .k = k};
    args.a = place.input(m * k, reals(1));
    args.lda = form.transpose_a ? m : k;
    args.transpose_a = form.transpose_a;
    args.b = place.input(k * n, reals(2));
    args.ldb = form.transpose_b ? k : n;
    args.transpose_b = form.transpose_b;
    args.bias = form.bias ? place.input(n, reals(3)) : nullptr;
    args.relu = form.relu;
    args.c = place.output("c", m * n, sum_tolerance(k) + rounding);
    args.ldc = n;
    return args;
  }));
}

void add_layer(std::vector<Case>& cases, const std::string& layer, int64_t rows, int64_t in, int64_t out, bool relu,
               bool large, bool first) {
  add_product(cases, layer + " forward", large, rows, out, in, {false, true, true, relu});
  if (!first) add_product(cases, layer + " data gradient", large, rows, in, out, kPlain);
  add_product(cases, layer + " weight gradient", large, out, in, rows, {true, false, false, false});
}

void add_gemm_cases(std::vector<Case>& cases) {
  add_product(cases, "square", true, 512, 512, 512, kPlain);
  add_layer(cases, "dnn fc1", 64, 784, 32, true, false);
  add_layer(cases, "dnn fc2", 64, 32, 32, true, false);
  add_layer(cases, "dnn fc3", 64, 32, 10, false, false);
  add_layer(cases, "mlp fc1", 64, 784, 1024, true, true);
  add_layer(cases, "mlp fc2", 64, 1024, 10, false, false);
}

void add_byte_linear_cases(std::vector<Case>& cases) {
  add_byte_linear(cases, "linear", false, 64, 10, false);
  add_byte_linear(cases, "dnn fc1", false, 64, 32, true);
  add_byte_linear(cases, "mlp fc1", false, 64, 1024, true);
  add_byte_linear(cases, "dnn fc1, large batch", true, 4096, 32, true);
  add_byte_gradient(cases, "linear", false, 64, 10);
  add_byte_gradient(cases, "dnn fc1", false, 64, 32);
  add_byte_gradient(cases, "mlp fc1", false, 64, 1024);
  add_byte_gradient(cases, "dnn fc1, large batch", true, 4096, 32);
}

}  // namespace cairn::benchmarks
