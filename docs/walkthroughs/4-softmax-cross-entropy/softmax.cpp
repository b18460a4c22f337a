// Walkthrough 4: softmax and -log softmax of the logits in the arguments, as the formula is written and as Cairn does
// it.
#include <cmath>
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/ops/loss.h"
#include "kernels/number.h"

using namespace cairn;
using walkthrough::values_of;

namespace {

// The formula as it is written, in float.
std::vector<float> naive_softmax(const std::vector<float>& x) {
  float sum = 0;
  for (const float value : x) sum += std::exp(value);
  std::vector<float> p;
  for (const float value : x) p.push_back(std::exp(value) / sum);
  return p;
}

// -log softmax(x)[label], for each label in turn.
std::vector<double> losses(const Tensor& x) {
  std::vector<double> result;
  for (int32_t label = 0; label < x.count(); ++label)
    result.push_back(cross_entropy(x, Tensor::from_host<int32_t>(x.device(), {1}, std::vector{label})).item());
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<float> x;
  for (int i = 1; i < argc; ++i)
    if (read_number(argv[i], x.emplace_back())) return std::printf("%s is no number\n", argv[i]), 2;
  const std::vector<double> wide(x.begin(), x.end());
  const auto columns = static_cast<int64_t>(x.size());
  if (x.empty()) return std::printf("usage: walkthrough_softmax LOGIT...\n"), 2;

  // vanilla: the CUDA kernel, here on the CPU, in float. reference: loops in double.
  const auto vanilla = Device::open({.implementation = "vanilla", .where = "cpu", .threads = 1});
  const auto reference = Device::open({.implementation = "reference"});
  const Tensor narrow_row = Tensor::from_host<float>(vanilla, {1, columns}, x);
  const Tensor wide_row = Tensor::from_host<double>(reference, {1, columns}, wide);

  const std::vector<float> naive = naive_softmax(x);
  const std::vector<double> kernel = values_of(softmax(narrow_row)), exact = values_of(softmax(wide_row));
  const std::vector<double> kernel_loss = losses(narrow_row), exact_loss = losses(wide_row);
  std::printf("%8s %12s | %31s | %28s\n", "", "", "softmax", "-log softmax");
  std::printf("%8s %12s | %9s %9s %11s | %8s %9s %9s\n", "x", "exp(x)", "naive", "vanilla", "reference", "naive",
              "vanilla", "reference");
  for (size_t i = 0; i < x.size(); ++i)  // abs: a nan and a -0 without their sign
    std::printf("%8g %12.6g | %9.6f %9.6f %11.4e | %8.5f %9.5f %9.5f\n", x[i], std::exp(x[i]), std::abs(naive[i]),
                kernel[i], exact[i], std::abs(-std::log(naive[i])), std::abs(kernel_loss[i]), std::abs(exact_loss[i]));
}
