// The convolutions as graphs of operations. Not here: running them (conv2d.cpp). Needs no GPU.
#pragma once

#include "kernels/cudnn/plan.h"

namespace cairn::cudnn {

enum class Convolution { forward, backward_data, backward_filter };

// The identities of the arrays: x, weight and y, or their gradients, the bias, and what is added.
enum ConvolutionArray : int64_t { kImages, kWeight, kOutputs, kBias, kAdded };
inline constexpr int kConvolutionArrays = 5;

// One convolution as cuDNN is asked for it: everything that a plan depends on.
struct ConvolutionCase {
  Convolution kind;
  Conv2dShape shape;
  bool bias = false, add = false, relu = false;  // of forward
  bool accumulate = false;                       // of the others
  // Of the arrays, by their identities.
  int64_t alignments[kConvolutionArrays] = {16, 16, 16, 16, 16};
};

// forward: y = conv(x, weight), then + what is added, then + bias, then max(0, .);   the others: their output, plus
// what it was. cuDNN's convolution has padding of its own below and to the right: as much as the size of y asks for.
// Throws where that is negative, which no size of y is that the kernel's steps through x and its padding give.
Descriptor convolution_graph(const Target& target, const ConvolutionCase& c);

}  // namespace cairn::cudnn
