// Shapes and element types of tensors. Not here: the data (tensor.h).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "kernels/backend.h"

namespace cairn {

// Up to four dimensions, outermost first; no dimensions at all is a scalar of one element.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  // Throws ShapeError for more than kMaxRank dimensions or a negative one.
  Shape(std::initializer_list<int64_t> dimensions) : Shape(std::span(dimensions.begin(), dimensions.size())) {}
  explicit Shape(std::span<const int64_t> dimensions);

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return dimensions_[static_cast<size_t>(i)]; }
  int64_t count() const;
  // The first dimension and the product of the rest, as a matrix has them.
  int64_t rows() const { return rank_ == 0 ? 1 : dimensions_[0]; }
  int64_t columns() const;

  bool operator==(const Shape&) const = default;
  std::string text() const;  // "[64, 784]"

 private:
  int64_t product_from(int first) const;

  std::array<int64_t, kMaxRank> dimensions_{};
  int rank_ = 0;
};

size_t size_of(DType dtype);       // bytes
const char* name_of(DType dtype);  // "f32"
// Of all elements. Throws ShapeError if that is more than an address can reach.
size_t bytes_of(const Shape& shape, DType dtype);

}  // namespace cairn
