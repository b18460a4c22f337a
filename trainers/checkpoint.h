// What a run needs to continue bit for bit, as tensors of one safetensors file: weights ("model."), optimizer state
// ("optimizer."), their moving average ("average."), the step and how many an epoch has, the losses of an unfinished
// epoch, the best accuracy so far. Not the settings: config.json alone says what the run is. Random numbers and the
// order of batches follow from the seed and the step. Not here: where the file lies (run_folder.h).
#pragma once

#include <string>
#include <vector>

#include "framework/safetensors.h"
#include "trainers/trainer.h"

namespace cairn {

// What a checkpoint says of the run beside the state that it puts into the trainer.
struct RunState {
  double best_accuracy = -1;  // of best.safetensors; -1: there is none yet
};

std::vector<HostTensor> checkpoint_of(Trainer& trainer, const RunState& state);

// After how many steps a checkpoint was made. Throws DataError.
int64_t steps_of(const std::vector<HostTensor>& checkpoint, const std::string& where);

// Puts a checkpoint into a trainer of the same configuration. Throws DataError saying what does not fit; the trainer is
// then of no more use. where: the file, for that text.
RunState restore(Trainer& trainer, std::vector<HostTensor> checkpoint, const std::string& where);

}  // namespace cairn
