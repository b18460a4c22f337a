// The argument structs of what brings a data set's rows to a step, and of the clock that counts the steps. Not here:
// the conventions that hold for every primitive (backend.h), which primitives there are (primitives.h).
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace cairn {

// A captured step is replayed unchanged, so what changes from step to step is read from device memory:
// `step` counts optimizer steps since the start of training, and batch number = *step % steps_per_epoch.
// For i in [0, rows): index[i] = order[batch * batch_size + i]
struct SelectRowsArgs {
  const int32_t* order;  // the epoch's permutation, at least batch * batch_size + rows values
  const int64_t* step;
  int64_t steps_per_epoch;
  int64_t batch_size;
  int64_t rows;    // batch_size, or fewer in a short last batch
  int32_t* index;  // out
};

// Rows of a column of a data set, converted: images to floats with a scale and a shift for each channel, labels as they
// are (channels = plane = 1).   out[i,c,p] = x[index[i],c,p] * scale[c] + shift[c]   (index null: row i itself)
struct GatherRowsArgs {
  DType from, to;  // from u8, i32 or f32 to f32 or f64; from u8 or i32 to i32, then without scale and shift
  int64_t rows, channels, plane;
  const void* x;
  const int32_t* index;
  const float* scale;  // device, `channels` values, as shift; both or neither
  const float* shift;
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

// *value += 1: a count of calls that a replayed step keeps itself
struct IncrementArgs {
  int64_t* value;  // device
};

}  // namespace cairn
