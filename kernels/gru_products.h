// The matrix products of the gated recurrent unit that take all time steps at once, for the implementations that keep
// this in `reserve`:
//   gates   batch x time x 4 hidden: r, z, n and W_hn h + b_hn of each step. Before the step has run, the first three
//           are the input's part, W_ih x + b_ih; after its backward pass all four are the gradients of r's, z's and
//           n's sums and of W_hn h + b_hn, so that columns 0 to 3 hidden belong to x, and those of r, z and the last to
//           h
//   states  batch x time x hidden: before each step
// Not here: the steps.
#pragma once

#include "kernels/matrix_args.h"
#include "kernels/sequence_args.h"

namespace cairn {

// The input's part of all gates.
inline GemmArgs gru_input_product(const GruForwardArgs& args, float* gates) {
  const GruShape& s = args.shape;
  return {.dtype = args.dtype,
          .m = s.batch * s.time,
          .n = 3 * s.hidden,
          .k = s.inputs,
          .a = args.x,
          .lda = s.inputs,
          .transpose_a = 0,
          .b = args.weight_ih,
          .ldb = s.inputs,
          .transpose_b = 1,
          .c = gates,
          .ldc = 4 * s.hidden,
          .bias = args.bias_ih,
          .relu = 0,
          .accumulate = 0};
}

inline GemmArgs gru_input_gradient(const GruBackwardArgs& args, const float* gates) {
  const GruShape& s = args.shape;
  return {.dtype = args.dtype,
          .m = s.batch * s.time,
          .n = s.inputs,
          .k = 3 * s.hidden,
          .a = gates,
          .lda = 4 * s.hidden,
          .transpose_a = 0,
          .b = args.weight_ih,
          .ldb = s.inputs,
          .transpose_b = 0,
          .c = args.dx,
          .ldc = s.inputs,
          .bias = nullptr,
          .relu = 0,
          .accumulate = args.accumulate_dx};
}

// dweight (rows x columns) (+)= the sum over all steps of `rows` of the gates' columns times x or the state.
inline GemmArgs gru_weight_gradient(const GruBackwardArgs& args, const float* gates, int64_t rows, const void* factor,
                                    int64_t columns, float* dweight, int32_t accumulate) {
  return {.dtype = args.dtype,
          .m = rows,
          .n = columns,
          .k = args.shape.batch * args.shape.time,
          .a = gates,
          .lda = 4 * args.shape.hidden,
          .transpose_a = 1,
          .b = factor,
          .ldb = columns,
          .transpose_b = 0,
          .c = dweight,
          .ldc = columns,
          .bias = nullptr,
          .relu = 0,
          .accumulate = accumulate};
}

// Calls gemm for each product of the backward pass whose gradient is asked for.
template <class Gemm>
void gru_gradient_products(const GruBackwardArgs& args, const float* gates, const float* states, const Gemm& gemm) {
  const int64_t inputs = args.shape.inputs, hidden = args.shape.hidden;
  if (args.dx) gemm(gru_input_gradient(args, gates));
  if (args.dweight_ih)
    gemm(gru_weight_gradient(args, gates, 3 * hidden, args.x, inputs, static_cast<float*>(args.dweight_ih),
                             args.accumulate_dweight_ih));
  if (!args.dweight_hh) return;
  float* to = static_cast<float*>(args.dweight_hh);
  gemm(gru_weight_gradient(args, gates, 2 * hidden, states, hidden, to, args.accumulate_dweight_hh));
  gemm(gru_weight_gradient(args, gates + 3 * hidden, hidden, states, hidden, to + 2 * hidden * hidden,
                           args.accumulate_dweight_hh));
}

}  // namespace cairn
