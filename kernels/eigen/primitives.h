// The primitives of the eigen implementation, and the seam's arrays as Eigen's. Not here: the manifest, which says what
// is left to the fallback (backend.cpp).
//
// The rule of every file in this folder: arithmetic is an expression of Eigen's. Work is cut into pieces by the shapes
// alone and a piece is computed by one thread, so that results are the same on any number of threads, though Eigen adds
// a sum up in an order that depends on its length.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <stdexcept>
#include <string>

#include "kernels/runtime/cpu/stream.h"

namespace cairn::eigen {

using cpu::Stream;

// One function a primitive, in the file of its family.
#define CAIRN_PRIMITIVE(family, name, Args) void name(Stream&, const Args&);
CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE

using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;
using RowMajorArray = Eigen::Array<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = Eigen::Map<RowMajorArray>;
using ConstRows = Eigen::Map<const RowMajorArray>;
using RowMajorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Matrix = Eigen::Map<RowMajorMatrix>;
using ConstMatrix = Eigen::Map<const RowMajorMatrix>;

// `count` values from `begin` on; `rows` rows of `columns` from row `begin` on.
inline Array part(void* array, int64_t begin, int64_t count) {
  return Array(static_cast<float*>(array) + begin, count);
}
inline ConstArray part(const void* array, int64_t begin, int64_t count) {
  return ConstArray(static_cast<const float*>(array) + begin, count);
}
inline Rows rows_of(void* array, int64_t begin, int64_t rows, int64_t columns) {
  return Rows(static_cast<float*>(array) + begin * columns, rows, columns);
}
inline ConstRows rows_of(const void* array, int64_t begin, int64_t rows, int64_t columns) {
  return ConstRows(static_cast<const float*>(array) + begin * columns, rows, columns);
}

// to = value, or to += value.
template <class To, class Value>
void store(To&& to, const Value& value, int32_t accumulate) {
  if (accumulate)
    to += value;
  else
    to = value;
}

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// `count` rows of `width` values each, cut into pieces of about 16,384 values.
struct Pieces {
  Pieces(int64_t count, int64_t width)
      : total(count), rows(std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width))), count(ceil_div(total, rows)) {}

  int64_t total, rows, count;
};

// body(piece, first row, its rows) for each piece, in parallel.
template <class Body>
void for_each_piece(Stream& stream, const Pieces& pieces, const Body& body) {
  stream.pool.parallel_for(pieces.count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece)
      body(piece, piece * pieces.rows, std::min(pieces.rows, pieces.total - piece * pieces.rows));
  });
}

inline void require_f32(DType dtype, const char* primitive) {
  if (dtype != DType::f32)
    throw std::invalid_argument(
        std::string(primitive) +
        ": the eigen implementation computes in float32 only; use --impl reference for float64");
}

}  // namespace cairn::eigen
