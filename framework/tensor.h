// Tensor: a shape, an element type, a device and a piece of storage; dense, row-major. Copying a Tensor copies the
// handle. Not here: operations (framework/ops), how gradients flow (autograd.h).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "framework/device.h"
#include "framework/shape.h"

namespace cairn {

struct Node;
struct TensorState;

class RowScale;
struct PendingBytes;

class Tensor {
 public:
  Tensor() = default;  // no tensor at all: defined() is false

  // Contents undefined. op: what it is for, named when memory runs out.
  static Tensor empty(const std::shared_ptr<Device>& device, Shape shape, DType dtype = DType::f32,
                      const char* op = "a tensor");
  static Tensor zeros(const std::shared_ptr<Device>& device, Shape shape, DType dtype = DType::f32);
  // Copies values to the device; T is float, double, uint8_t, int32_t or int64_t and gives the dtype.
  template <class T>
  static Tensor from_host(const std::shared_ptr<Device>& device, Shape shape, std::span<const T> values);

  // Rows picked out of a resident byte data set as f32 (or f64): element (i, c, ...) = bytes[index[i], c, ...] *
  // scale[c] + shift[c]. bytes: N x ... u8; index: B i32. Nothing is computed yet: linear() reads the bytes themselves,
  // and other ops gather() them. The result's shape is B x ... of bytes.
  static Tensor byte_rows(const Tensor& bytes, const Tensor& index, const RowScale& scale, DType dtype = DType::f32);

  bool defined() const { return state_ != nullptr; }
  const Shape& shape() const;
  DType dtype() const;
  const std::shared_ptr<Device>& device() const;
  int64_t count() const { return shape().count(); }

  // Device address of the first element. Throws Error for rows of a byte data set that nobody has gathered.
  template <class T = void>
  T* data() const {
    return static_cast<T*>(address());
  }
  // Computes the values of a byte_rows tensor, if that is what this is and nobody has: whoever asks for data() of a
  // tensor that may be one does this first.
  void gather() const;
  // What a byte_rows tensor stands for (row_scale.h), while nobody has gathered it; or null.
  const PendingBytes* pending_rows() const;
  // The bytes alone, where all channels share one scale and shift; or null.
  const ByteRows* pending_bytes() const;

  // Copies from and to host memory; sizes and dtype must match (ShapeError). They wait for the device.
  template <class T>
  std::vector<T> to_host() const;
  template <class T>
  void set(std::span<const T> values);
  double item() const;  // of a tensor with one element

  // The same storage and shape with another view of them, outside the graph of gradients.
  Tensor detach() const;
  Tensor detach_as(Shape shape) const;
  // Rows begin .. end - 1 of the first dimension, likewise. Throws ShapeError if they are not there.
  Tensor rows(int64_t begin, int64_t end) const;

  // Gradients.
  bool requires_grad() const;
  Tensor& set_requires_grad(bool value);
  // The gradient that backward() left here; not defined before, and after clear_grad().
  Tensor grad() const;
  // Forgets the gradient and keeps its buffer, which the next backward() overwrites.
  void clear_grad();

 private:
  friend struct Autograd;
  explicit Tensor(std::shared_ptr<TensorState> state) : state_(std::move(state)) {}
  void* address() const;
  void copy_out(void* to, DType dtype, size_t count) const;
  void copy_in(const void* from, DType dtype, size_t count);

  std::shared_ptr<TensorState> state_;
};

// The dtype of a host type.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::i64;
};

template <class T>
Tensor Tensor::from_host(const std::shared_ptr<Device>& device, Shape shape, std::span<const T> values) {
  Tensor tensor = empty(device, shape, DTypeOf<T>::value);
  tensor.set(values);
  return tensor;
}

template <class T>
std::vector<T> Tensor::to_host() const {
  std::vector<T> values(static_cast<size_t>(count()));
  copy_out(values.data(), DTypeOf<T>::value, values.size());
  return values;
}

template <class T>
void Tensor::set(std::span<const T> values) {
  copy_in(values.data(), DTypeOf<T>::value, values.size());
}

}  // namespace cairn
