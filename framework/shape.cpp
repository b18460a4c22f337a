#include "framework/shape.h"

#include "framework/error.h"

namespace cairn {

Shape::Shape(std::span<const int64_t> dimensions) {
  if (dimensions.size() > kMaxRank)
    throw ShapeError("a tensor has at most " + std::to_string(kMaxRank) + " dimensions, not " +
                     std::to_string(dimensions.size()));
  for (int64_t dimension : dimensions) {
    if (dimension < 0) throw ShapeError("a dimension cannot be negative: " + std::to_string(dimension));
    dimensions_[static_cast<size_t>(rank_++)] = dimension;
  }
}

int64_t Shape::count() const {
  return product_from(0);
}

int64_t Shape::columns() const {
  return product_from(1);
}

int64_t Shape::product_from(int first) const {
  int64_t product = 1;
  for (int i = first; i < rank_; ++i)
    if (__builtin_mul_overflow(product, (*this)[i], &product))
      throw ShapeError("shape " + text() + " has more elements than an address can reach");
  return product;
}

std::string Shape::text() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i ? ", " : "") + std::to_string((*this)[i]);
  return text + "]";
}

size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::u8:
      return 1;
  }
  throw ShapeError("unknown element type");
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::u8:
      return "u8";
    case DType::i32:
      return "i32";
    case DType::i64:
      return "i64";
  }
  return "?";
}

size_t bytes_of(const Shape& shape, DType dtype) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(shape.count(), static_cast<int64_t>(size_of(dtype)), &bytes))
    throw ShapeError("shape " + shape.text() + " has more bytes than an address can reach");
  return static_cast<size_t>(bytes);
}

}  // namespace cairn
