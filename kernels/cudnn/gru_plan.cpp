#include "kernels/cudnn/gru_plan.h"

#include <algorithm>
#include <initializer_list>

#include "kernels/cudnn/graph.h"

namespace cairn::cudnn {
namespace {

// Whether the product of the sizes is an int, as cuDNN counts.
bool fits(std::initializer_list<int64_t> sizes) {
  int64_t left = INT32_MAX;
  for (const int64_t size : sizes) left /= size;
  return left > 0;
}

void set_data(cudnnRNNDataDescriptor_t data, const GruShape& s, int64_t features) {
  const std::vector<int> lengths(static_cast<size_t>(s.batch), static_cast<int>(s.time));
  check(cudnnSetRNNDataDescriptor(data, CUDNN_DATA_FLOAT, CUDNN_RNN_DATA_LAYOUT_BATCH_MAJOR_UNPACKED,
                                  static_cast<int>(s.time), static_cast<int>(s.batch), static_cast<int>(features),
                                  lengths.data(), nullptr),
        "describing sequences");
}

}  // namespace

bool has_gru(DType dtype, const GruShape& s) {
  if (dtype != DType::f32 || std::min({s.batch, s.time, s.inputs, s.hidden}) < 1) return false;
  return fits({s.batch, s.time, s.inputs}) && fits({s.batch, s.time, s.hidden}) && fits({3, s.hidden, s.inputs}) &&
         fits({3, s.hidden, s.hidden});
}

GruDescriptors::GruDescriptors(const GruShape& s, Precision precision) {
  try {
    check(cudnnCreateRNNDescriptor(&unit), "describing a recurrent unit");
    check(cudnnCreateRNNDataDescriptor(&x), "describing sequences");
    check(cudnnCreateRNNDataDescriptor(&y), "describing sequences");
    check(cudnnCreateTensorDescriptor(&state), "describing a state");
    const cudnnMathType_t products = precision == Precision::fp32 ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH;
    check(cudnnSetRNNDescriptor_v8(unit, CUDNN_RNN_ALGO_STANDARD, CUDNN_GRU, CUDNN_RNN_DOUBLE_BIAS,
                                   CUDNN_UNIDIRECTIONAL, CUDNN_LINEAR_INPUT, CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT,
                                   products, static_cast<int32_t>(s.inputs), static_cast<int32_t>(s.hidden),
                                   static_cast<int32_t>(s.hidden), 1, nullptr, CUDNN_RNN_PADDED_IO_ENABLED),
          "describing a recurrent unit");
    set_data(x, s, s.inputs);
    set_data(y, s, s.hidden);
    const int sizes[] = {1, static_cast<int>(s.batch), static_cast<int>(s.hidden)};
    const int strides[] = {sizes[1] * sizes[2], sizes[2], 1};
    check(cudnnSetTensorNdDescriptor(state, CUDNN_DATA_FLOAT, 3, sizes, strides), "describing a state");
  } catch (...) {
    destroy();
    throw;
  }
}

GruDescriptors::~GruDescriptors() {
  destroy();
}

void GruDescriptors::destroy() {
  if (state) cudnnDestroyTensorDescriptor(state);
  if (y) cudnnDestroyRNNDataDescriptor(y);
  if (x) cudnnDestroyRNNDataDescriptor(x);
  if (unit) cudnnDestroyRNNDescriptor(unit);
}

std::vector<GruBlock> gru_blocks(const GruShape& shape, const std::array<int64_t, 6>& matrices,
                                 const std::array<int64_t, 6>& biases) {
  std::vector<GruBlock> blocks;
  const auto add = [&](GruArray array, int64_t gate, int64_t place, int64_t count) {
    const GruBlock* last = blocks.empty() ? nullptr : &blocks.back();
    if (last && last->array == array && last->place + last->count == place)
      blocks.back().count += count;
    else
      blocks.push_back({array, gate * count, place, count});
  };
  for (size_t i = 0; i < 6; ++i)
    add(i < 3 ? kWeightIh : kWeightHh, static_cast<int64_t>(i % 3), matrices[i],
        shape.hidden * (i < 3 ? shape.inputs : shape.hidden));
  for (size_t i = 0; i < 6; ++i) add(i < 3 ? kBiasIh : kBiasHh, static_cast<int64_t>(i % 3), biases[i], shape.hidden);
  return blocks;
}

}  // namespace cairn::cudnn
