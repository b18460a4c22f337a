// Rows of a table by number, and the table's gradient. ATen refuses ids outside the table: they are given row 0, or one
// behind the last.
#include <ATen/ops/embedding_dense_backward.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/where.h>

#include <limits>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

template <class Args>
at::Tensor outside(const at::Tensor& ids, const Args& args) {
  return ids.lt(0).logical_or_(ids.ge(args.vocabulary));
}

}  // namespace

void embedding_forward(const Place& place, const EmbeddingForwardArgs& args) {
  if (args.count == 0 || args.features == 0) return;
  at::Tensor out = place.reals(args.dtype, args.out, {args.count, args.features});
  if (args.vocabulary == 0) {
    out.fill_(std::numeric_limits<double>::quiet_NaN());
    return;
  }
  const at::Tensor ids = place.i32(args.ids, {args.count}), unknown = outside(ids, args);
  const at::Tensor weight = place.reals(args.dtype, args.weight, {args.vocabulary, args.features});
  at::index_select_out(out, weight, 0, ids.masked_fill(unknown, 0));
  out.masked_fill_(unknown.unsqueeze(1), std::numeric_limits<double>::quiet_NaN());
}

void embedding_backward(const Place& place, const EmbeddingBackwardArgs& args) {
  if (args.vocabulary == 0 || args.features == 0) return;
  at::Tensor dweight = place.reals(args.dtype, args.dweight, {args.vocabulary, args.features});
  if (args.count == 0) {
    if (!args.accumulate) dweight.zero_();
    return;
  }
  const at::Tensor ids = place.i32(args.ids, {args.count});
  const at::Tensor table = at::embedding_dense_backward(place.reals(args.dtype, args.dout, {args.count, args.features}),
                                                        ids.masked_fill(outside(ids, args), args.vocabulary),
                                                        args.vocabulary + 1, args.padding_index, false);
  store(dweight, table.narrow(0, 0, args.vocabulary), args.accumulate);
}

}  // namespace cairn::torch
