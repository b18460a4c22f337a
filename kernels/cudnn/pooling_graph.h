// Pools as graphs of one operation. Not here: running them (pooling.cpp). Needs no GPU.
#pragma once

#include "kernels/cudnn/plan.h"

namespace cairn::cudnn {

enum class Pool { max, average, average_without_padding };

// One pool as cuDNN is asked for it: everything that a plan depends on.
struct PoolCase {
  Pool kind;
  bool backward = false;  // of average pools alone
  PoolShape shape;
  int64_t alignments[2] = {16, 16};  // of the arrays, by their identities below
};

// The identities of the arrays: x and y, or their gradients.
enum PoolArray : int64_t { kPoolInputs, kPoolOutputs };

// Whether cuDNN's pool of that window, stride and padding has this size: as much padding below and to the right as
// above and to the left, and no window that begins there for the sake of rounding up.
bool has_even_padding(const PoolShape& shape);

// forward: y = pool(x);  backward: dx from dy. shape must have even padding.
Descriptor pool_graph(const Target& target, const PoolCase& c);

}  // namespace cairn::cudnn
