#include "kernels/cudnn/graph.h"

#include <string>
#include <utility>

namespace cairn::cudnn {

// cuDNN keeps one line or more; the first says what it was.
std::string last_failure() {
  char text[512] = "";
  cudnnGetLastErrorString(text, sizeof text);
  const std::string lines(text);
  return lines.substr(0, lines.find('\n'));
}

void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS)
    throw CudnnError(std::string(what) + ": " + cudnnGetErrorString(status) + ": " + last_failure());
}

Descriptor::Descriptor(cudnnBackendDescriptorType_t type) {
  check(cudnnBackendCreateDescriptor(type, &handle_), "cudnnBackendCreateDescriptor");
}

Descriptor::~Descriptor() {
  if (handle_) cudnnBackendDestroyDescriptor(handle_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Descriptor& Descriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                            const void* values) {
  const cudnnStatus_t status = cudnnBackendSetAttribute(handle_, name, type, count, values);
  if (status != CUDNN_STATUS_SUCCESS)
    check(status, ("cudnnBackendSetAttribute, attribute " + std::to_string(name)).c_str());
  return *this;
}

Descriptor& Descriptor::set(cudnnBackendAttributeName_t name, const Descriptor& other) {
  return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other.handle_);
}

Descriptor& Descriptor::set(cudnnBackendAttributeName_t name, std::span<const Descriptor* const> others) {
  std::vector<cudnnBackendDescriptor_t> handles;
  for (const Descriptor* other : others) handles.push_back(other->handle_);
  return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(handles.size()), handles.data());
}

Descriptor& Descriptor::finalize() {
  check(cudnnBackendFinalize(handle_), "cudnnBackendFinalize");
  return *this;
}

bool Descriptor::try_finalize() {
  return cudnnBackendFinalize(handle_) == CUDNN_STATUS_SUCCESS;
}

int64_t Descriptor::number(cudnnBackendAttributeName_t name) const {
  int64_t value = 0, written = 0;
  check(cudnnBackendGetAttribute(handle_, name, CUDNN_TYPE_INT64, 1, &written, &value), "cudnnBackendGetAttribute");
  return value;
}

int64_t Descriptor::count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const {
  int64_t result = 0;
  check(cudnnBackendGetAttribute(handle_, name, type, 0, &result, nullptr), "cudnnBackendGetAttribute");
  return result;
}

std::vector<cudnnBackendNumericalNote_t> Descriptor::notes(cudnnBackendAttributeName_t name) const {
  std::vector<cudnnBackendNumericalNote_t> values(CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
  int64_t written = 0;
  check(cudnnBackendGetAttribute(handle_, name, CUDNN_TYPE_NUMERICAL_NOTE, static_cast<int64_t>(values.size()),
                                 &written, values.data()),
        "cudnnBackendGetAttribute");
  values.resize(static_cast<size_t>(written));
  return values;
}

std::vector<Descriptor> Descriptor::descriptors(cudnnBackendAttributeName_t name,
                                                cudnnBackendDescriptorType_t type) const {
  std::vector<Descriptor> result;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (int64_t left = count(name, CUDNN_TYPE_BACKEND_DESCRIPTOR); left > 0; --left)
    handles.push_back(result.emplace_back(type).get());
  int64_t written = 0;
  check(cudnnBackendGetAttribute(handle_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(handles.size()),
                                 &written, handles.data()),
        "cudnnBackendGetAttribute");
  result.erase(result.begin() + written, result.end());
  return result;
}

namespace {

Descriptor any_tensor(int64_t identity, const Sizes& sizes, int64_t alignment, bool is_virtual) {
  const Sizes strides = {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1};
  Descriptor result(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  result.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::span<const int64_t>(sizes))
      .set(CUDNN_ATTR_TENSOR_STRIDES, std::span<const int64_t>(strides))
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, identity)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, is_virtual)
      .finalize();
  return result;
}

}  // namespace

Descriptor tensor(int64_t identity, const Sizes& sizes, int64_t alignment) {
  return any_tensor(identity, sizes, alignment, false);
}

Descriptor virtual_tensor(int64_t identity, const Sizes& sizes) {
  return any_tensor(identity, sizes, 16, true);
}

Descriptor add_operation(const Descriptor& x, const Descriptor& b, const Descriptor& y) {
  Descriptor add(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  add.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT)
      .finalize();
  Descriptor result(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  result.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, add)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y)
      .finalize();
  return result;
}

// The attribute for nan is marked as deprecated, and its default is to turn a nan into 0.
Descriptor relu_operation(const Descriptor& x, const Descriptor& y) {
  Descriptor relu(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  relu.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_RELU_FWD)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_PROPAGATE_NAN)
      .finalize();
  Descriptor result(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  result.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, relu)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y)
      .finalize();
  return result;
}

}  // namespace cairn::cudnn
