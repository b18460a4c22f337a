// Every differentiable op as a function of tensors of some shape: what gradcheck and the comparison of implementations
// run over. A new op in framework/ops gets its line here.
#pragma once

#include <string>
#include <vector>

#include "framework/shape.h"
#include "tests/framework/gradcheck.h"

namespace cairn::test {

struct OpCase {
  std::string name;
  std::vector<Shape> inputs;
  Function run;  // works on any device and in f32 and f64; whatever else it needs it makes there
};

// With N rows, C columns (or classes, or outputs) and K inner elements.
std::vector<OpCase> op_cases(int64_t n, int64_t c, int64_t k);

// Those that take images, on N x C x H x W, H and W at least 4 (image_op_cases.cpp).
std::vector<OpCase> image_op_cases(int64_t n, int64_t c, int64_t h, int64_t w);

// N x K bytes, every one of the 256 values in some order, and N indices into them, some of them twice.
Tensor byte_data(const std::shared_ptr<Device>& device, int64_t n, int64_t k);
Tensor byte_index(const std::shared_ptr<Device>& device, int64_t n);

}  // namespace cairn::test
