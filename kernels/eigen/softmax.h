// Softmax of a few rows at a time. Not here: its users (softmax.cpp, losses.cpp).
#pragma once

#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

// y = softmax(x), row by row. Returns log of the sum of exp(x - maximum), and the maximum, of each row.
struct RowScale {
  Eigen::ArrayXf maximum, log_sum;
};
inline RowScale softmax_rows(const ConstRows& x, Rows y) {
  const Eigen::ArrayXf maximum = x.rowwise().maxCoeff();
  y = x.colwise() - maximum;
  y = y.exp();
  const Eigen::ArrayXf sum = y.rowwise().sum();
  y.colwise() *= sum.inverse().eval();
  return {maximum, sum.log()};
}

}  // namespace cairn::eigen
