// Reads a pickle's opcodes and builds its values. Not here: what the values mean.
#pragma once

#include "framework/pickle_store.h"

namespace cairn {

// Fills the store; returns where the pickle ends. DataError: framework/pickle.h.
size_t read_pickle(std::span<const std::byte> file, PickleStore& store);

}  // namespace cairn
