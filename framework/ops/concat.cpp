#include "framework/ops/concat.h"

#include "framework/autograd.h"
#include "framework/ops/check.h"

namespace cairn {
namespace {

// The shape with another number of channels.
Shape with_channels(const Shape& shape, int64_t channels) {
  std::vector<int64_t> dimensions;
  for (int i = 0; i < shape.rank(); ++i) dimensions.push_back(i == 1 ? channels : shape[i]);
  return Shape(dimensions);
}

void* element_of(const Tensor& tensor, int64_t i) {
  return tensor.data<std::byte>() + i * static_cast<int64_t>(size_of(tensor.dtype()));
}

Shape check_parts(std::span<const Tensor> parts) {
  if (parts.empty()) check::fail("concat", "there must be at least one part", "none");
  const Tensor& first = parts.front();
  int64_t channels = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string name = "part " + std::to_string(i);
    const Tensor& part = parts[i];
    check::values("concat", name.c_str(), part);
    if (part.shape().rank() < 2)
      check::fail("concat", name + " must have the layout N x C x ...", check::describe(part));
    check::together("concat", "part 0", first, name.c_str(), part);
    if (part.shape().rank() != first.shape().rank() ||
        with_channels(part.shape(), 0) != with_channels(first.shape(), 0))
      check::fail("concat", "part 0 and " + name + " (N x C x ...) must agree in all but the channels",
                  check::describe(first) + " and " + check::describe(part));
    channels += part.shape()[1];
  }
  return with_channels(first.shape(), channels);
}

}  // namespace

Tensor concat(std::span<const Tensor> parts) {
  const Shape shape = check_parts(parts);
  const int64_t rows = shape[0], columns = shape.columns();
  Tensor y = Tensor::empty(parts[0].device(), shape, parts[0].dtype(), "concat");
  std::vector<int64_t> widths;  // of the parts' rows
  int64_t begin = 0;
  for (const Tensor& part : parts) {
    const int64_t width = part.shape().columns();
    part.device()->call(&Backend::copy_rows, CopyRowsArgs{.dtype = y.dtype(),
                                                          .rows = rows,
                                                          .columns = width,
                                                          .x = part.data(),
                                                          .x_stride = width,
                                                          .y = element_of(y, begin),
                                                          .y_stride = columns,
                                                          .accumulate = 0});
    widths.push_back(width);
    begin += width;
  }
  if (!needs_gradient(parts)) return y;
  record(y, "concat", {parts.begin(), parts.end()},
         [widths = std::move(widths), rows, columns](const Tensor& dy, Gradients& gradients) {
           int64_t offset = 0;
           for (size_t i = 0; i < widths.size(); ++i) {
             if (const auto dx = gradients.destination(i))
               dy.device()->call(&Backend::copy_rows, CopyRowsArgs{.dtype = dy.dtype(),
                                                                   .rows = rows,
                                                                   .columns = widths[i],
                                                                   .x = element_of(dy, offset),
                                                                   .x_stride = columns,
                                                                   .y = dx->gradient.data(),
                                                                   .y_stride = widths[i],
                                                                   .accumulate = dx->accumulate});
             offset += widths[i];
           }
         });
  return y;
}

}  // namespace cairn
