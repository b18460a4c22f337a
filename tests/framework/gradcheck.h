// Gradients against central differences, in double on `reference`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "framework/tensor.h"

namespace cairn::test {

// The result may have any shape: what is differentiated is its product with fixed random weights.
using Function = std::function<Tensor(const std::vector<Tensor>& inputs)>;

struct Gradcheck {
  std::string fault;  // "" if every gradient agrees
  int checked = 0;    // elements compared
  int kinks = 0;      // elements left out, because the function has a corner there
};

// Compares backward()'s gradient of every input that requires one with differences, element by element, to 1e-6
// relative; of large inputs every fifth with CAIRN_TEST_SWEEP=small. An input that requires none must be left without.
// Inputs are f64 leaves; they come back unchanged, gradients cleared.
Gradcheck gradcheck(const Function& function, std::vector<Tensor> inputs);

}  // namespace cairn::test
