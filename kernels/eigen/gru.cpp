// The gated recurrent unit through time: a product and a few expressions a step, and products over all of them
// (kernels/gru_products.h).
#include "kernels/eigen/primitives.h"
#include "kernels/gru_products.h"

namespace cairn::eigen {
namespace {

// One step's values of every row of the batch, or some of its columns.
using StepRows = Eigen::Map<RowMajorArray, Eigen::Unaligned, Eigen::OuterStride<>>;

// Arrays of batch x time x width.
struct OverTime {
  GruShape shape;
  StepRows at(const void* data, int64_t width, int64_t t, int64_t column) const {
    return StepRows(static_cast<float*>(const_cast<void*>(data)) + t * width + column, shape.batch, shape.hidden,
                    Eigen::OuterStride<>(shape.time * width));
  }
  StepRows gate(float* gates, int64_t t, int64_t number) const {
    return at(gates, 4 * shape.hidden, t, number * shape.hidden);
  }
  // Of an array of batch x width, without time.
  StepRows rows(const void* data, int64_t width, int64_t column) const {
    return StepRows(static_cast<float*>(const_cast<void*>(data)) + column, shape.batch, shape.hidden,
                    Eigen::OuterStride<>(width));
  }
};

RowMajorArray sigmoid(const RowMajorArray& x) {
  return (1.0f + (-x).exp()).inverse();
}

// from_h (batch x 3 hidden) = state weight_hh^T + bias_hh, the state being that before step t.
GemmArgs state_product(const GruForwardArgs& args, const float* states, int64_t t, float* from_h) {
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  return {.dtype = DType::f32,
          .m = batch,
          .n = 3 * hidden,
          .k = hidden,
          .a = states + t * hidden,
          .lda = time * hidden,
          .b = args.weight_hh,
          .ldb = hidden,
          .transpose_b = 1,
          .c = from_h,
          .ldc = 3 * hidden,
          .bias = args.bias_hh};
}

// dbias (+)= the sums of the gates' columns, of n those of the column `n` of the four.
void bias_gradient(const float* sums, int64_t hidden, int64_t n, void* dbias, int32_t accumulate) {
  if (!dbias) return;
  store(part(dbias, 0, 2 * hidden), part(sums, 0, 2 * hidden), accumulate);
  store(part(dbias, 2 * hidden, hidden), part(sums, n * hidden, hidden), accumulate);
}

}  // namespace

void gru_forward(Stream& stream, const GruForwardArgs& args) {
  require_f32(args.dtype, "gru_forward");
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  if (batch == 0 || hidden == 0) return;
  const OverTime of{args.shape};
  const auto start = [&](StepRows to) {
    if (args.h0)
      to = of.rows(args.h0, hidden, 0);
    else
      to = 0.0f;
  };
  if (time == 0) {
    if (args.last_only) start(of.rows(args.y, hidden, 0));
    return;
  }
  const int64_t kept = gru_reserve_count(args.shape);
  auto* from_h = static_cast<float*>(
      stream.workspace(static_cast<size_t>(3 * batch * hidden + (args.reserve ? 0 : kept)) * sizeof(float)));
  float* gates = args.reserve ? static_cast<float*>(args.reserve) : from_h + 3 * batch * hidden;
  float* states = gates + 4 * batch * time * hidden;
  gemm(stream, gru_input_product(args, gates));
  start(of.at(states, hidden, 0, 0));
  for (int64_t t = 0; t < time; ++t) {
    gemm(stream, state_product(args, states, t, from_h));
    StepRows r = of.gate(gates, t, 0), z = of.gate(gates, t, 1), n = of.gate(gates, t, 2), hn = of.gate(gates, t, 3);
    r = sigmoid(r + of.rows(from_h, 3 * hidden, 0));
    z = sigmoid(z + of.rows(from_h, 3 * hidden, hidden));
    hn = of.rows(from_h, 3 * hidden, 2 * hidden);
    n = (n + r * hn).tanh();
    const RowMajorArray state = (1.0f - z) * n + z * of.at(states, hidden, t, 0);
    if (t + 1 < time) of.at(states, hidden, t + 1, 0) = state;
    if (!args.last_only) of.at(args.y, hidden, t, 0) = state;
    if (args.last_only && t + 1 == time) of.rows(args.y, hidden, 0) = state;
  }
}

void gru_backward(Stream& stream, const GruBackwardArgs& args) {
  require_f32(args.dtype, "gru_backward");
  const int64_t batch = args.shape.batch, time = args.shape.time, hidden = args.shape.hidden;
  const OverTime of{args.shape};
  auto* gates = static_cast<float*>(args.reserve);
  const float* states = gates + 4 * batch * time * hidden;
  auto* carried =
      static_cast<float*>(stream.workspace(static_cast<size_t>(4 * batch * hidden + 4 * hidden) * sizeof(float)));
  float* from_h = carried + batch * hidden;  // the gates' gradients, side by side
  float* sums = from_h + 3 * batch * hidden;
  StepRows dh = of.rows(carried, hidden, 0);
  dh = 0.0f;
  if (args.last_only) dh = of.rows(args.dy, hidden, 0);
  for (int64_t t = time - 1; t >= 0 && batch > 0; --t) {
    if (!args.last_only) dh += of.at(args.dy, hidden, t, 0);
    StepRows r = of.gate(gates, t, 0), z = of.gate(gates, t, 1), n = of.gate(gates, t, 2), hn = of.gate(gates, t, 3);
    const RowMajorArray dn = dh * (1.0f - z) * (1.0f - n.square());
    const RowMajorArray dz = dh * (of.at(states, hidden, t, 0) - n) * z * (1.0f - z);
    dh *= z;
    of.rows(from_h, 3 * hidden, 2 * hidden) = dn * r;
    r = dn * hn * r * (1.0f - r);
    z = dz;
    n = dn;
    hn = of.rows(from_h, 3 * hidden, 2 * hidden);
    of.rows(from_h, 3 * hidden, 0) = r;
    of.rows(from_h, 3 * hidden, hidden) = z;
    gemm(stream, {.dtype = DType::f32,
                  .m = batch,
                  .n = hidden,
                  .k = 3 * hidden,
                  .a = from_h,
                  .lda = 3 * hidden,
                  .b = args.weight_hh,
                  .ldb = hidden,
                  .c = carried,
                  .ldc = hidden,
                  .accumulate = 1});
  }
  if (args.dh0) store(of.rows(args.dh0, hidden, 0), dh, args.accumulate_dh0);
  gru_gradient_products(args, gates, states, [&](const GemmArgs& product) { gemm(stream, product); });
  bias_backward(stream, {DType::f32, batch * time, 4 * hidden, gates, sums, 0});
  bias_gradient(sums, hidden, 2, args.dbias_ih, args.accumulate_dbias_ih);
  bias_gradient(sums, hidden, 3, args.dbias_hh, args.accumulate_dbias_hh);
}

}  // namespace cairn::eigen
