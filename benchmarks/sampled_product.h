// The oracle of products too large for plain loops: some rows and some columns of the result, in double. Not here:
// which products (ladder.h).
#pragma once

#include <cstdint>
#include <vector>

#include "benchmarks/place.h"

namespace cairn::benchmarks {

// c = a b of n x n values each, at the places that it knows; nan elsewhere. Rows and columns are spread by the golden
// ratio over all tiles, the first and the last among them.
std::vector<double> sampled_square(int64_t n, const Generator& a, const Generator& b);

// Lines that sampled_square computes, of n.
std::vector<int64_t> sampled_lines(int64_t n);

}  // namespace cairn::benchmarks
