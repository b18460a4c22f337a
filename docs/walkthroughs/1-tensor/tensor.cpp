// Walkthrough 1: what a tensor consists of, what copying one shares, and what a view is.
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/ops/elementwise.h"

using namespace cairn;
using walkthrough::show;

int main() {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});

  std::printf("-- four facts\n");
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  Tensor a = Tensor::from_host<float>(device, {2, 3}, values);
  std::printf("shape %s, dtype %s, device %s\n", a.shape().text().c_str(), name_of(a.dtype()),
              a.device()->label().c_str());
  std::printf("%d elements, %zu bytes\n", static_cast<int>(a.count()), bytes_of(a.shape(), a.dtype()));
  show("a", a);

  std::printf("-- where element (1, 2) lies\n");
  const float* first = a.data<float>();
  const int64_t row = 1, column = 2, columns = a.shape()[1];
  std::printf("element %d, value %g\n", static_cast<int>(row * columns + column), first[row * columns + column]);
  std::printf("address a multiple of 256: %s\n", reinterpret_cast<uintptr_t>(first) % 256 == 0 ? "yes" : "no");

  std::printf("-- a copy of the handle\n");
  Tensor b = a;
  b.set<float>(std::vector<float>{10, 20, 30, 40, 50, 60});
  show("a", a);
  std::printf("same address: %s\n", a.data() == b.data() ? "yes" : "no");

  std::printf("-- a copy of the elements\n");
  std::vector<float> host = a.to_host<float>();
  host[0] = -1;
  Tensor c = Tensor::empty(device, a.shape(), a.dtype());
  device->copy_on_device(c.data(), a.data(), bytes_of(a.shape(), a.dtype()));
  Tensor d = scale(a, 2.0);
  a.set<float>(values);
  show("a", a);
  show("c", c);
  show("d", d);

  std::printf("-- views\n");
  Tensor tall = a.detach_as({3, 2});
  Tensor last_row = a.rows(1, 2);
  show("tall", tall);
  show("last_row", last_row);
  std::printf("last_row begins %d bytes after a\n", static_cast<int>(last_row.data<char>() - a.data<char>()));
  last_row.set<float>(std::vector<float>{0, 0, 0});
  show("a", a);
  show("tall", tall);

  std::printf("-- the last handle keeps the storage\n");
  a = Tensor();
  b = Tensor();
  std::printf("a is %s\n", a.defined() ? "a tensor" : "no tensor");
  show("tall", tall);

  std::printf("-- a fill, and no fill\n");
  show("zeros", Tensor::zeros(device, {3}));
  Tensor undefined = Tensor::empty(device, {1000});
  std::printf("empty: %s, of which nobody has said what they hold\n", undefined.shape().text().c_str());
  const double scalar = Tensor::from_host<double>(device, {}, std::vector<double>{0.5}).item();
  std::printf("a scalar has shape %s and one element, %g\n", Shape().text().c_str(), scalar);
}
