// Published figures of each suite. Not here: what they were measured on beyond a name (suites.cpp's notes).
#pragma once

#include "comparisons/suites.h"

namespace cairn::comparisons {

std::vector<PublishedCurve> skoltech_figures();
std::vector<PublishedCurve> nmist_figures();
std::vector<PublishedCurve> benchmark_mnist_figures();
std::vector<PublishedCurve> cifar_frameworks_figures();
std::vector<PublishedCurve> playground_cifar_figures();
std::vector<PublishedCurve> imdb_frameworks_figures();

}  // namespace cairn::comparisons
