// A twin: a network that a plugin builds from a plain description with its own library, and trains with that library's
// own optimizers beside Cairn's network, to be compared with it. Lives here: the description and the functions, plain C
// as in plugin.h. Not here: who describes Cairn's networks (comparisons/live.h).
#pragma once

#include <cstdint>

#include "kernels/plugin.h"

namespace cairn {

// A layer's setting that is no tensor: "stride", 2.
struct TwinOption {
  const char* name;
  double value;
};

// The layers run one after the other, but for blocks, whose parts are the lines that follow (framework/nn/branches.h).
// type and options: those of LayerSummary in framework/nn/module.h; a dropout layer also has "stream", that of its
// Philox draws.
struct TwinLayer {
  const char* name;
  const char* type;
  const TwinOption* options;
  int64_t option_count;
};

struct TwinTensor {
  const char* name;  // as in state_dict
  const float* values;
  int64_t sizes[4];
  int64_t rank;
};

enum class TwinOptimizer : int32_t { sgd, adam, adamw };

// All pointers are read during create() only.
struct TwinNetwork {
  const TwinLayer* layers;
  int64_t layer_count;
  const TwinTensor* tensors;  // weights and buffers at the start
  int64_t tensor_count;
  TwinOptimizer optimizer;
  double momentum, weight_decay;
  uint64_t seed;  // of the dropout masks
  int32_t threads;
  // The data set. Of images: count x channels x height x width; a pixel is byte * scale + shift, of its channel where
  // there are several. Of texts, where images is null: count x length numbers of words.
  const uint8_t* images;
  const int32_t* tokens;
  const int32_t* labels;
  int64_t count, channels, height, width, length;
  const float* scale;
  const float* shift;
  int64_t scale_count;  // 1, or a value for each channel
};

struct Twin;  // opaque

// The seam's fingerprint and that of the description.
constexpr uint64_t twin_layout() {
  return detail::mixed(detail::mixed(seam_layout(), sizeof(TwinNetwork)), sizeof(TwinLayer) + sizeof(TwinTensor));
}

struct TwinFunctions {
  uint64_t layout;                      // twin_layout(), always the first field
  const char* library;                  // "LibTorch 2.15.0"
  const char* (*last_error)();          // one line, after a failure
  Twin* (*create)(const TwinNetwork*);  // null: failed
  // Trains `steps` steps, of which the first is the run's step number `first`: step s on the samples index[s * rows +
  // i] (index null: on all of them) at the rate rates[s]. Writes losses[s]. Returns the seconds that it took without
  // drawing dropout masks, or a negative number for a failure.
  double (*train)(Twin*, int64_t first, int64_t steps, const int32_t* index, int64_t rows, const double* rates,
                  float* losses);
  // The tensor of that name as it is now. Returns 0 on success.
  int32_t (*read)(Twin*, const char* name, float* values, int64_t count);
  void (*destroy)(Twin*);
};

inline constexpr const char* kTwinFunction = "cairn_twin_plugin";
extern "C" {
using TwinFunction = const TwinFunctions*();
}

}  // namespace cairn
