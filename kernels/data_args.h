// The argument structs of what brings a data set's rows to a step, and of the clock that counts the steps. Not here:
// the conventions that hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/matrix_args.h"

namespace cairn {

// A captured step is replayed unchanged, so what changes from step to step is read from device memory:
// `step` counts optimizer steps since the start of training, and batch number = *step % steps_per_epoch.
// For i in [0, rows): index[i] = order[batch * batch_size + i];   labels[i] = all_labels[index[i]]
struct SelectBatchArgs {
  const int32_t* order;  // the epoch's permutation, at least batch * batch_size + rows values
  const uint8_t* all_labels;
  const int64_t* step;
  int64_t steps_per_epoch;
  int64_t batch_size;
  int64_t rows;     // batch_size, or fewer in a short last batch
  int32_t* index;   // out
  int32_t* labels;  // out
};

// out[i,j] = x[i,j]: gather bytes and normalise
struct GatherBytesArgs {
  DType dtype;  // of out: f32 or f64
  ByteRows x;
  void* out;
};

// history[*step % capacity] = value[0] (converted to float);   then *step += 1
struct FinishStepArgs {
  DType dtype;
  const void* value;
  float* history;
  int64_t capacity;
  int64_t* step;
};

}  // namespace cairn
