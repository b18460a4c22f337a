// What the walkthroughs' programs share: a tensor's values on one line, and the text of an error that is made on
// purpose.
#pragma once

#include <cstdio>
#include <exception>
#include <string>

#include "framework/tensor.h"

namespace cairn::walkthrough {

// f32, f64, u8 or i32, as doubles.
inline std::vector<double> values_of(const Tensor& tensor) {
  const auto widened = [](const auto& values) { return std::vector<double>(values.begin(), values.end()); };
  switch (tensor.dtype()) {
    case DType::f32:
      return widened(tensor.to_host<float>());
    case DType::u8:
      return widened(tensor.to_host<uint8_t>());
    case DType::i32:
      return widened(tensor.to_host<int32_t>());
    default:
      return tensor.to_host<double>();
  }
}

// name f32[2, 3]:  1 2 3 | 4 5 6
inline void show(const char* name, const Tensor& tensor) {
  std::printf("%-8s %s%-8s", name, name_of(tensor.dtype()), tensor.shape().text().c_str());
  const std::vector<double> values = values_of(tensor);
  const auto columns = static_cast<size_t>(tensor.shape().columns());
  for (size_t i = 0; i < values.size(); ++i)
    std::printf("%s %g", i > 0 && tensor.shape().rank() > 1 && i % columns == 0 ? " |" : "", values[i]);
  std::printf("\n");
}

// Runs what is wrong and prints what the framework says.
template <class Body>
void attempt(const char* what, const Body& body) {
  try {
    body();
    std::printf("%s\n  nothing is wrong with that\n", what);
  } catch (const std::exception& error) {
    std::printf("%s\n  %s\n", what, error.what());
  }
}

}  // namespace cairn::walkthrough
