// Walkthrough 1: a batch that is not floats yet, and when it becomes floats.
#include <cstdio>

#include "docs/walkthroughs/show.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear.h"
#include "framework/row_scale.h"

using namespace cairn;
using walkthrough::show;

int main() {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  const auto report = [&](const char* when, const Tensor& x) {
    std::printf("%-30s %5zu bytes live, x is %s\n", when, device->memory().live,
                x.pending_bytes() ? "bytes" : "floats");
  };

  // Four "images" of six pixels, as a data set lies on the device.
  std::vector<uint8_t> pixels;
  for (int image = 0; image < 4; ++image)
    for (int pixel = 0; pixel < 6; ++pixel) pixels.push_back(static_cast<uint8_t>(10 * image + pixel));
  const Tensor images = Tensor::from_host<uint8_t>(device, {4, 6}, pixels);
  Tensor index = Tensor::from_host<int32_t>(device, {2}, std::vector<int32_t>{3, 1});
  show("images", images);

  // A batch: images 3 and 1, every byte b standing for b * 0.5 - 1.
  const RowScale pixels_as_numbers(device, 0.5f, -1.0f);
  Tensor x = Tensor::byte_rows(images, index, pixels_as_numbers);
  std::printf("x is %s%s\n", name_of(x.dtype()), x.shape().text().c_str());
  report("made", x);

  const Tensor weight = Tensor::from_host<float>(device, {1, 6}, std::vector<float>{1, 1, 1, 1, 1, 1});
  report("a weight beside it", x);
  const Tensor y = linear(x, weight);
  report("after linear", x);
  show("y", y);

  // The index is read when the bytes are: what x holds is settled only then.
  index.set<int32_t>(std::vector<int32_t>{0, 2});
  show("y", linear(x, weight));

  const Tensor z = scale(x, 1.0);
  report("after scale, which needs floats", x);
  show("x", x);
  index.set<int32_t>(std::vector<int32_t>{3, 3});
  show("x", x);
}
