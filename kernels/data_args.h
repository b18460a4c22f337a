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

// ---- pictures on their way into a step -----------------------------------------------------------------------------

// out[i] = a window of out_height x out_width of picture index[i] (index null: row i itself), padded by `pad` zeros on
// every side: where `random` is set at a place, mirrored, and with a brightness and contrast that are drawn for that
// picture in that epoch, otherwise in its centre and as it is. On each byte p of the window:
//   p = p + delta                         delta in [-brightness, brightness)              (only where random)
//   p = (p - mean_c) f + mean_c           mean_c of the window's channel c, f in [contrast_low, contrast_high)
//   (likewise) out = (p - mean) / max(deviation, 1 / sqrt(count))     of all the window's values and channels, if
//   standardise, out = p * scale[c] + shift[c]                          otherwise
// The draws are those of kernels/augment.h: by seed, stream, epoch = *step / steps_per_epoch and the picture's number,
// which is number[i], or where that is null index[i], or i.
struct AugmentImagesArgs {
  DType dtype;  // of out
  int64_t rows, channels, in_height, in_width, out_height, out_width;
  const uint8_t* images;  // ... x channels x in_height x in_width
  const int32_t* index;   // or null
  const int32_t* number;  // or null
  const float* scale;     // device, scale_count values, as shift
  const float* shift;
  int64_t scale_count;  // 1: for all channels; `channels`: for each
  int64_t pad;          // out_height <= in_height + 2 pad < 2^31, likewise width
  int32_t random;
  int32_t flip;                       // mirrors left and right with probability 1/2
  float brightness;                   // in units of a byte; 0: none
  float contrast_low, contrast_high;  // both 1: none
  int32_t standardise;
  uint64_t seed;
  uint32_t stream;
  const int64_t* step;  // device; null where nothing is random
  int64_t steps_per_epoch;
  void* out;  // rows x channels x out_height x out_width
};

// ---- the clock

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
