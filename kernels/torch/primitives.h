// The torch implementation's primitives, each computed by ATen, and what they share: arrays of the seam as tensors. Not
// here: streams, errors and the table of entries (plugin.cpp).
//
// An entry is a function of a Place, which says where the arrays lie, and of its arguments. It runs in inference mode,
// on the stream's number of threads. Nothing here waits for a GPU.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/backend.h"

namespace cairn::torch {

class Place {
 public:
  explicit Place(at::Device device) : device_(device) {}
  at::Device device() const { return device_; }

  // An array as a tensor that shares its memory; without strides it is dense. Throws for a type that ATen's
  // floating-point entries do not have.
  at::Tensor reals(DType dtype, const void* data, at::IntArrayRef sizes, at::IntArrayRef strides = {}) const;
  at::Tensor i32(const int32_t* data, at::IntArrayRef sizes) const { return view(at::kInt, data, sizes, {}); }
  at::Tensor i64(const int64_t* data, at::IntArrayRef sizes) const { return view(at::kLong, data, sizes, {}); }
  at::Tensor f64(const double* data, at::IntArrayRef sizes) const { return view(at::kDouble, data, sizes, {}); }
  at::Tensor f32(const float* data, at::IntArrayRef sizes) const { return view(at::kFloat, data, sizes, {}); }
  // An array of any type that the seam has.
  at::Tensor values(DType dtype, const void* data, at::IntArrayRef sizes) const;
  // The rows of x, converted to floats: rows x columns.
  at::Tensor rows(const ByteRows& x) const;

 private:
  at::Tensor view(at::ScalarType type, const void* data, at::IntArrayRef sizes, at::IntArrayRef strides) const;

  at::Device device_;
};

// out = value, or out += value.
void store(at::Tensor out, const at::Tensor& value, bool accumulate);
// c = relu(a b + bias), bias and relu as asked for, or c += a b.
void multiply_into(at::Tensor c, const at::Tensor& a, const at::Tensor& b, const at::Tensor& bias, bool relu,
                   bool accumulate);
// dy where the output y of a ReLU is positive, 0 elsewhere.
at::Tensor where_positive(const at::Tensor& y, const at::Tensor& dy);
// Which of `count` values dropout keeps, by Cairn's draws: bool, on the CPU.
at::Tensor keep_mask(int64_t count, uint64_t seed, uint32_t stream, uint32_t step, double probability);

// One function a primitive, in the file of its family.
#define CAIRN_PRIMITIVE(family, name, Args) void name(const Place&, const Args&);
CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE

}  // namespace cairn::torch
