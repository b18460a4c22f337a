// Arrays of the seam as tensors, and the few forms of storing a result.
#include <ATen/ops/from_blob.h>
#include <ATen/ops/where.h>

#include <stdexcept>

#include "kernels/torch/primitives.h"

namespace cairn::torch {

at::Tensor Place::reals(DType dtype, const void* data, at::IntArrayRef sizes, at::IntArrayRef strides) const {
  if (dtype != DType::f32 && dtype != DType::f64)
    throw std::invalid_argument("the torch implementation takes f32 or f64 arrays only");
  return view(dtype == DType::f32 ? at::kFloat : at::kDouble, data, sizes, strides);
}

at::Tensor Place::values(DType dtype, const void* data, at::IntArrayRef sizes) const {
  switch (dtype) {
    case DType::u8:
      return view(at::kByte, data, sizes, {});
    case DType::i32:
      return i32(static_cast<const int32_t*>(data), sizes);
    case DType::i64:
      return i64(static_cast<const int64_t*>(data), sizes);
    default:
      return reals(dtype, data, sizes);
  }
}

at::Tensor Place::view(at::ScalarType type, const void* data, at::IntArrayRef sizes, at::IntArrayRef strides) const {
  const auto options = at::TensorOptions().dtype(type).device(device_);
  // A tensor has no form for memory that is read only; entries do not write to their inputs.
  void* memory = const_cast<void*>(data);
  if (strides.empty()) return at::from_blob(memory, sizes, options);
  return at::from_blob(memory, sizes, strides, options);
}

void store(at::Tensor out, const at::Tensor& value, bool accumulate) {
  if (accumulate)
    out.add_(value);
  else
    out.copy_(value);
}

at::Tensor where_positive(const at::Tensor& y, const at::Tensor& dy) {
  return at::where(y.gt(0), dy, at::Scalar(0));
}

}  // namespace cairn::torch
