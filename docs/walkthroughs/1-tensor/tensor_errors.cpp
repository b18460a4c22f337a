// Walkthrough 1: what the framework says when it is asked for what cannot be.
#include "docs/walkthroughs/show.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"

using namespace cairn;
using walkthrough::attempt;

int main() {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  const std::shared_ptr<Device> other = Device::open({.implementation = "reference"});
  Tensor a = Tensor::zeros(device, {2, 3});
  const Tensor labels = Tensor::zeros(device, {2}, DType::i32);

  attempt("a fifth dimension", [&] { Tensor::zeros(device, {1, 2, 3, 4, 5}); });
  attempt("a negative dimension", [&] { Tensor::zeros(device, {2, -3}); });
  attempt("five values for six elements", [&] { a.set<float>(std::vector<float>(5)); });
  attempt("doubles for floats", [&] { a.set<double>(std::vector<double>(6)); });
  attempt("floats read as doubles", [&] { a.to_host<double>(); });
  attempt("item() of six elements", [&] { a.item(); });
  attempt("rows that are not there", [&] { a.rows(1, 3); });
  attempt("another number of elements", [&] { reshape(a, {4, 2}); });
  attempt("a gradient of integers", [&] { Tensor(labels).set_requires_grad(true); });
  attempt("an op on two shapes", [&] { add(a, Tensor::zeros(device, {3, 2})); });
  attempt("an op on two devices", [&] { add(a, Tensor::zeros(other, {2, 3})); });
  attempt("a weight that does not fit", [&] { linear(a, Tensor::zeros(device, {10, 4})); });
  attempt("an op on nothing", [&] { add(a, Tensor()); });
  attempt("more elements than there are addresses", [&] { Tensor::empty(device, {1L << 40, 1L << 40}); });
  attempt("more memory than there is", [&] { Tensor::empty(device, {1L << 48}, DType::f32, "the exercise"); });
  attempt("and after all that", [&] { add(a, a); });
}
