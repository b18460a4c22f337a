// cuDNN's graph API as C++ objects: a descriptor that owns itself, and the tensors and operations that graphs are made
// of. Needs no GPU. Not here: choosing an engine for a graph (plan.h), and what the graphs compute (conv2d_graph.h,
// pooling_graph.h).
// Not yet run on a GPU; descriptors, graphs and plans are built without one in tests/kernels/cudnn.
#pragma once

#include <cudnn.h>

#include <array>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace cairn::cudnn {

struct CudnnError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The first line of what cuDNN says of its last failure; empty when there was none since it was asked last.
std::string last_failure();

// Throws CudnnError "<what>: <cuDNN's name of the error>: <its text>", one line.
void check(cudnnStatus_t status, const char* what);

// The value of CUDNN_ATTR_..._TYPE that goes with a C++ type.
template <class Value>
inline constexpr cudnnBackendAttributeType_t kAttributeType = Value::has_no_attribute_type;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<void*> = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnResampleMode_t> = CUDNN_TYPE_RESAMPLE_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnPaddingMode_t> = CUDNN_TYPE_PADDING_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnFraction_t> = CUDNN_TYPE_FRACTION;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnNanPropagation_t> = CUDNN_TYPE_NAN_PROPOGATION;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kAttributeType<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;

// One backend descriptor: created, given its attributes, finalized, destroyed with the object.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  template <class Value>
  Descriptor& set(cudnnBackendAttributeName_t name, const Value& value) {
    return set(name, kAttributeType<Value>, 1, &value);
  }
  template <class Value>
  Descriptor& set(cudnnBackendAttributeName_t name, std::span<const Value> values) {
    return set(name, kAttributeType<Value>, static_cast<int64_t>(values.size()), values.data());
  }
  // The other must outlive this one's finalize.
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other);
  Descriptor& set(cudnnBackendAttributeName_t name, std::span<const Descriptor* const> others);

  // Throws where cuDNN refuses what was set; try_finalize returns false, and last_failure says why.
  Descriptor& finalize();
  bool try_finalize();

  int64_t number(cudnnBackendAttributeName_t name) const;
  // All values of an attribute that has a varying number of them.
  std::vector<cudnnBackendNumericalNote_t> notes(cudnnBackendAttributeName_t name) const;
  std::vector<Descriptor> descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type) const;

  cudnnBackendDescriptor_t get() const { return handle_; }

 private:
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                  const void* values);
  int64_t count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const;

  cudnnBackendDescriptor_t handle_ = nullptr;
};

using Sizes = std::array<int64_t, 4>;  // of a dense float tensor, N x C x H x W

// identity: what a plan's arrays are told apart by. alignment: bytes, of the array's address. A virtual tensor is never
// stored: it only carries one operation's result to the next.
Descriptor tensor(int64_t identity, const Sizes& sizes, int64_t alignment);
Descriptor virtual_tensor(int64_t identity, const Sizes& sizes);

// y = x + b, with b of size 1 where it is broadcast;   y = max(0, x), a nan stays one
Descriptor add_operation(const Descriptor& x, const Descriptor& b, const Descriptor& y);
Descriptor relu_operation(const Descriptor& x, const Descriptor& y);

}  // namespace cairn::cudnn
