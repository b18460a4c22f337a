#include "benchmarks/cases.h"

#include <algorithm>
#include <cstring>

namespace cairn::benchmarks {
namespace {

size_t place_of(const char* primitive) {
  size_t index = 0;
  while (index < kPrimitiveCount && std::strcmp(kPrimitives[index], primitive) != 0) ++index;
  return index;
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_gemm_cases(cases);
  add_byte_linear_cases(cases);
  add_elementwise_cases(cases);
  add_image_cases(cases);
  add_bias_cases(cases);
  add_softmax_cases(cases);
  add_reduction_cases(cases);
  add_row_cases(cases);
  add_augment_cases(cases);
  add_sequence_cases(cases);
  add_clock_cases(cases);
  add_optimizer_cases(cases);
  std::stable_sort(cases.begin(), cases.end(),
                   [](const Case& a, const Case& b) { return place_of(a.primitive) < place_of(b.primitive); });
  return cases;
}

}  // namespace cairn::benchmarks
