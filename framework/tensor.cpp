#include "framework/tensor.h"

#include "framework/error.h"
#include "framework/ops/check.h"
#include "framework/tensor_state.h"

namespace cairn {

Tensor Tensor::empty(const std::shared_ptr<Device>& device, Shape shape, DType dtype, const char* op) {
  auto state = std::make_shared<TensorState>();
  state->device = device;
  state->shape = shape;
  state->dtype = dtype;
  state->storage = std::make_shared<Storage>(device->pool(), bytes_of(shape, dtype), op);
  return Tensor(std::move(state));
}

Tensor Tensor::zeros(const std::shared_ptr<Device>& device, Shape shape, DType dtype) {
  Tensor tensor = empty(device, shape, dtype);
  device->fill_zero(tensor.data(), bytes_of(shape, dtype));
  return tensor;
}

namespace {

// A shape with another first dimension.
Shape with_rows(const Shape& shape, int64_t rows) {
  std::vector<int64_t> dimensions = {rows};
  for (int i = 1; i < shape.rank(); ++i) dimensions.push_back(shape[i]);
  return Shape(dimensions);
}

}  // namespace

Tensor Tensor::byte_rows(const Tensor& bytes, const Tensor& index, const RowScale& scale, DType dtype) {
  check::defined("byte_rows", "bytes", bytes);
  if (bytes.dtype() != DType::u8 || bytes.shape().rank() < 1)
    check::fail("byte_rows", "bytes must be u8 of rank 1 to 4", check::describe(bytes));
  if (index.defined() && (index.dtype() != DType::i32 || index.shape().rank() != 1 || index.device() != bytes.device()))
    check::fail("byte_rows", "index must be i32 of rank 1 on the device of bytes",
                check::describe(index) + " for " + check::describe(bytes));
  if (scale.channels() < 1 || scale.device() != bytes.device())
    check::fail("byte_rows", "scale must be made for the device of bytes", check::describe(bytes));
  if (scale.channels() > 1 && (bytes.shape().rank() < 2 || bytes.shape()[1] != scale.channels()))
    check::fail("byte_rows",
                "a scale for each of " + std::to_string(scale.channels()) + " channels needs bytes of N x " +
                    std::to_string(scale.channels()) + " x ...",
                check::describe(bytes));
  if (dtype != DType::f32 && dtype != DType::f64)
    check::fail("byte_rows", "the result must be f32 or f64", name_of(dtype));
  const int64_t rows = index.defined() ? index.count() : bytes.shape()[0];
  auto state = std::make_shared<TensorState>();
  state->device = bytes.device();
  state->shape = with_rows(bytes.shape(), rows);
  state->dtype = dtype;
  const ByteRows read{.bytes = bytes.data<uint8_t>(),
                      .index = index.defined() ? index.data<int32_t>() : nullptr,
                      .rows = rows,
                      .columns = bytes.shape().columns(),
                      .scale = scale.scale().front(),
                      .shift = scale.shift().front()};
  state->pending = std::make_shared<PendingBytes>(PendingBytes{bytes, index, scale, read});
  return Tensor(std::move(state));
}

const Shape& Tensor::shape() const {
  return state_->shape;
}
DType Tensor::dtype() const {
  return state_->dtype;
}
const std::shared_ptr<Device>& Tensor::device() const {
  return state_->device;
}

const PendingBytes* Tensor::pending_rows() const {
  return state_->pending.get();
}

const ByteRows* Tensor::pending_bytes() const {
  return state_->pending && state_->pending->scale.is_uniform() ? &state_->pending->rows : nullptr;
}

void Tensor::gather() const {
  if (state_->storage) return;
  const PendingBytes& pending = *state_->pending;
  Device& device = *state_->device;
  auto storage = std::make_shared<Storage>(device.pool(), bytes_of(shape(), dtype()), "gathering a batch");
  const int64_t channels = pending.scale.channels();
  device.call(&Backend::gather_rows, GatherRowsArgs{.from = DType::u8,
                                                    .to = dtype(),
                                                    .rows = pending.rows.rows,
                                                    .channels = channels,
                                                    .plane = pending.rows.columns / channels,
                                                    .x = pending.rows.bytes,
                                                    .index = pending.rows.index,
                                                    .scale = pending.scale.device_scale(),
                                                    .shift = pending.scale.device_shift(),
                                                    .out = storage->data()});
  state_->storage = std::move(storage);
  state_->pending.reset();
}

void* Tensor::address() const {
  if (!state_->storage)
    throw Error("the rows of a byte data set of shape " + shape().text() + " have no values yet: gather() them first");
  return static_cast<char*>(state_->storage->data()) + state_->offset;
}

void Tensor::copy_out(void* to, DType dtype, size_t elements) const {
  if (dtype != state_->dtype)
    throw ShapeError(std::string("reading a tensor of ") + name_of(state_->dtype) + " as " + name_of(dtype));
  gather();
  if (elements) state_->device->copy_to_host(to, data(), elements * size_of(dtype));
}

void Tensor::copy_in(const void* from, DType dtype, size_t elements) {
  if (dtype != state_->dtype || elements != static_cast<size_t>(count()))
    throw ShapeError(std::string("setting a tensor of ") + name_of(state_->dtype) + shape().text() + " from " +
                     std::to_string(elements) + " values of " + name_of(dtype));
  gather();
  if (elements) state_->device->copy_to_device(data(), from, elements * size_of(dtype));
}

double Tensor::item() const {
  if (count() != 1) throw ShapeError("item() needs a tensor of one element, not " + shape().text());
  switch (dtype()) {
    case DType::f32:
      return to_host<float>()[0];
    case DType::f64:
      return to_host<double>()[0];
    case DType::u8:
      return to_host<uint8_t>()[0];
    case DType::i32:
      return to_host<int32_t>()[0];
    case DType::i64:
      return static_cast<double>(to_host<int64_t>()[0]);
  }
  throw ShapeError("unknown element type");
}

Tensor Tensor::detach() const {
  return detach_as(shape());
}

Tensor Tensor::detach_as(Shape shape) const {
  if (shape.count() != count())
    throw ShapeError("reshape: " + this->shape().text() + " has " + std::to_string(count()) + " elements, " +
                     shape.text() + " needs " + std::to_string(shape.count()));
  auto state = std::make_shared<TensorState>();
  state->device = state_->device;
  state->shape = shape;
  state->dtype = state_->dtype;
  state->storage = state_->storage;
  state->offset = state_->offset;
  state->pending = state_->pending;
  return Tensor(std::move(state));
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  if (shape().rank() < 1 || begin < 0 || end < begin || end > shape()[0])
    throw ShapeError("rows " + std::to_string(begin) + " to " + std::to_string(end) + " of a tensor of shape " +
                     shape().text());
  gather();  // it is of all rows
  Tensor view = detach();
  view.state_->shape = with_rows(shape(), end - begin);
  view.state_->offset += static_cast<size_t>(begin * shape().columns()) * size_of(dtype());
  return view;
}

bool Tensor::requires_grad() const {
  return state_->requires_grad;
}

Tensor& Tensor::set_requires_grad(bool value) {
  if (value && dtype() != DType::f32 && dtype() != DType::f64)
    throw ShapeError(std::string("only f32 and f64 tensors have gradients, not ") + name_of(dtype()));
  state_->requires_grad = value;
  return *this;
}

Tensor Tensor::grad() const {
  return state_->grad_valid ? state_->grad : Tensor();
}

void Tensor::clear_grad() {
  state_->grad_valid = false;
}

}  // namespace cairn
