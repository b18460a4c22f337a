// The products and convolutions of every network in models/, at every batch size that its recipes name: read off the
// networks themselves, so that a new one is there without a word here. Not here: timing them (ladder.h).
#pragma once

#include <string>
#include <vector>

#include "benchmarks/cases.h"

namespace cairn::benchmarks {

// gemm and the three directions of conv2d, each call once: `use` names the layers that make it, "lenet conv2, batch
// 64". The first layer has no data gradient. A fully connected first layer stands as the product that it is, also where
// the networks read the bytes themselves (byte_linear_forward).
std::vector<Case> network_cases();

// What a call says of its sizes, "64 x 32 x 784 a b^T", without arrays for it.
std::string case_shape(const Case& one);

}  // namespace cairn::benchmarks
