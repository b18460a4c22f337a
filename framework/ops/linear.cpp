#include "framework/ops/linear.h"

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

// Reads x's bytes in place if that is how x comes (one scale for all of them, and not reshaped to other rows) and the
// device can, and otherwise as floats.
bool reads_bytes(const Tensor& x) {
  const ByteRows* rows = x.pending_bytes();
  return rows && rows->rows == x.shape()[0] && rows->columns == x.shape()[1] && x.dtype() == DType::f32 &&
         x.device()->has(&Backend::byte_linear_forward) && x.device()->has(&Backend::byte_linear_backward_weight);
}

// c[m,n] (+)= op(a) op(b) for dense matrices.
GemmArgs product(DType dtype, int64_t m, int64_t n, int64_t k, const Tensor& a, bool transpose_a, const Tensor& b,
                 bool transpose_b, const Tensor& c, int32_t accumulate) {
  return {.dtype = dtype,
          .m = m,
          .n = n,
          .k = k,
          .a = a.data(),
          .lda = transpose_a ? m : k,
          .transpose_a = transpose_a,
          .b = b.data(),
          .ldb = transpose_b ? k : n,
          .transpose_b = transpose_b,
          .c = c.data(),
          .ldc = n,
          .bias = nullptr,
          .relu = 0,
          .accumulate = accumulate};
}

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check::floating("linear", "x", x);
  check::values("linear", "weight", weight);
  check::rank("linear", "x", x, 2, "N x in");
  check::rank("linear", "weight", weight, 2, "out x in");
  check::together("linear", "x", x, "weight", weight);
  if (x.shape()[1] != weight.shape()[1])
    check::fail("linear", "x (N x in) and weight (out x in) must agree in `in`",
                check::describe(x) + " and " + check::describe(weight));
  if (!bias.defined()) return;
  check::together("linear", "weight", weight, "bias", bias);
  if (bias.shape() != Shape{weight.shape()[0]})
    check::fail("linear", "bias must have one value per output, " + Shape{weight.shape()[0]}.text(),
                check::describe(bias));
}

// dz, the gradient before the activation (y: its output, not defined: there was none); with its column sums, the
// gradient of the bias.
Tensor before_activation(const Tensor& dy, const Tensor& y, const std::optional<Destination>& dbias) {
  Device& device = *dy.device();
  const int64_t rows = dy.shape()[0], out = dy.shape()[1];
  if (!y.defined()) {
    if (dbias)
      device.call(&Backend::bias_backward, BiasBackwardArgs{.dtype = dy.dtype(),
                                                            .rows = rows,
                                                            .columns = out,
                                                            .dy = dy.data(),
                                                            .dbias = dbias->gradient.data(),
                                                            .accumulate = dbias->accumulate});
    return dy;
  }
  const Tensor dz = Tensor::empty(dy.device(), dy.shape(), dy.dtype(), "linear backward");
  device.call(&Backend::bias_relu_backward, BiasReluBackwardArgs{.dtype = dy.dtype(),
                                                                 .rows = rows,
                                                                 .columns = out,
                                                                 .dy = dy.data(),
                                                                 .y = y.data(),
                                                                 .dz = dz.data(),
                                                                 .dbias = dbias ? dbias->gradient.data() : nullptr,
                                                                 .accumulate = dbias ? dbias->accumulate : 0});
  return dz;
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  check_linear(x, weight, bias);
  Device& device = *x.device();
  const int64_t rows = x.shape()[0], in = x.shape()[1], out = weight.shape()[0];
  const bool relu = activation == Activation::relu;
  const bool bytes = reads_bytes(x);
  if (!bytes) x.gather();
  Tensor y = Tensor::empty(x.device(), {rows, out}, x.dtype(), "linear");
  if (bytes) {
    device.call(&Backend::byte_linear_forward,
                ByteLinearForwardArgs{.x = *x.pending_bytes(),
                                      .n = out,
                                      .weight = weight.data<float>(),
                                      .bias = bias.defined() ? bias.data<float>() : nullptr,
                                      .y = y.data<float>(),
                                      .relu = relu});
  } else {
    GemmArgs args = product(x.dtype(), rows, out, in, x, false, weight, true, y, 0);
    args.bias = bias.defined() ? bias.data() : nullptr;
    args.relu = relu;
    device.call(&Backend::gemm, args);
  }

  if (!needs_gradient({x, weight, bias})) return y;
  auto backward = [x = x.detach(), weight = weight.detach(), y = relu ? y.detach() : Tensor(), bytes, rows, in, out](
                      const Tensor& dy, Gradients& gradients) {
    Device& device = *dy.device();
    const Tensor dz = before_activation(dy, y, gradients.destination(2));
    if (const auto dweight = gradients.destination(1)) {  // dweight = dz^T x
      if (bytes)
        device.call(&Backend::byte_linear_backward_weight,
                    ByteLinearBackwardWeightArgs{.x = *x.pending_bytes(),
                                                 .n = out,
                                                 .dy = dz.data<float>(),
                                                 .dweight = dweight->gradient.data<float>(),
                                                 .accumulate = dweight->accumulate});
      else
        device.call(&Backend::gemm,
                    product(dz.dtype(), out, in, rows, dz, true, x, false, dweight->gradient, dweight->accumulate));
    }
    if (const auto dx = gradients.destination(0))  // dx = dz weight
      device.call(&Backend::gemm,
                  product(dz.dtype(), rows, in, out, dz, false, weight, false, dx->gradient, dx->accumulate));
  };
  record(y, "linear", {x, weight, bias}, std::move(backward));
  return y;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  check::values("matmul", "a", a);
  check::values("matmul", "b", b);
  check::rank("matmul", "a", a, 2, "M x K");
  check::rank("matmul", "b", b, 2, "K x N");
  check::together("matmul", "a", a, "b", b);
  if (a.shape()[1] != b.shape()[0])
    check::fail("matmul", "a (M x K) and b (K x N) must agree in K", check::describe(a) + " and " + check::describe(b));

  Device& device = *a.device();
  const int64_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  Tensor c = Tensor::empty(a.device(), {m, n}, a.dtype(), "matmul");
  device.call(&Backend::gemm, product(a.dtype(), m, n, k, a, false, b, false, c, 0));

  if (!needs_gradient({a, b})) return c;
  record(c, "matmul", {a, b}, [a = a.detach(), b = b.detach(), m, n, k](const Tensor& dc, Gradients& gradients) {
    Device& device = *dc.device();
    if (const auto da = gradients.destination(0))  // da = dc b^T
      device.call(&Backend::gemm, product(dc.dtype(), m, k, n, dc, false, b, true, da->gradient, da->accumulate));
    if (const auto db = gradients.destination(1))  // db = a^T dc
      device.call(&Backend::gemm, product(dc.dtype(), k, n, m, a, true, dc, false, db->gradient, db->accumulate));
  });
  return c;
}

}  // namespace cairn
