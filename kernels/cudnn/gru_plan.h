// The gated recurrent unit as cuDNN's calls for recurrent networks are told of it, and how its weights lie in the one
// array that they want. Needs no GPU. Not here: running it (gru.cpp).
#pragma once

#include <cudnn.h>

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/sequence_args.h"

namespace cairn::cudnn {

// Whether cuDNN has it: no size is 0, and no array has 2^31 values or more.
bool has_gru(DType dtype, const GruShape& shape);

// One layer, one direction, two biases, sequences of one length in batch x time x features. cuDNN must have it.
class GruDescriptors {
 public:
  GruDescriptors(const GruShape& shape, Precision precision);
  ~GruDescriptors();
  GruDescriptors(const GruDescriptors&) = delete;
  GruDescriptors& operator=(const GruDescriptors&) = delete;

  cudnnRNNDescriptor_t unit = nullptr;
  cudnnRNNDataDescriptor_t x = nullptr, y = nullptr;
  cudnnTensorDescriptor_t state = nullptr;  // 1 x batch x hidden

 private:
  void destroy();
};

// The arrays of the unit's weights, in the order of the arguments.
enum GruArray { kWeightIh, kWeightHh, kBiasIh, kBiasHh };
constexpr int kGruArrays = 4;

// `count` elements of one of the arrays, from its element `from` on, and the element of cuDNN's array where they lie.
struct GruBlock {
  GruArray array;
  int64_t from, place, count;
  bool operator==(const GruBlock&) const = default;
};

// matrices, biases: where those of W_ir, W_iz, W_in, W_hr, W_hz, W_hn begin in cuDNN's array, in elements. Neighbours
// that lie there as they lie in the arguments are one block.
std::vector<GruBlock> gru_blocks(const GruShape& shape, const std::array<int64_t, 6>& matrices,
                                 const std::array<int64_t, 6>& biases);

// What cuDNN says once of a unit of one shape. The sizes are in bytes.
struct GruPlan {
  GruPlan(const GruShape& shape, Precision precision) : describe(shape, precision) {}
  GruDescriptors describe;
  size_t weight_bytes = 0, work_bytes = 0, reserve_bytes = 0;
  std::vector<GruBlock> blocks;
};

}  // namespace cairn::cudnn
