// The table of published weights of networks for photos. Not here: how they are fetched (fetch.h), reading them
// (torch_file.h), the networks (models/).
#pragma once

#include <span>

#include "datasets/sources.h"

namespace cairn::datasets {

// torchvision's, each under its network's name. Their files' names end in the first digits of their SHA-256.
std::span<const DataSource> pretrained_sources();

}  // namespace cairn::datasets
