#include "trainers/sample_input.h"

namespace cairn {
namespace {

// Texts and features are numbers already, a row of them each.
bool are_numbers(const Tensor& rows) {
  return rows.dtype() != DType::u8;
}

}  // namespace

Tensor gather_rows(const Tensor& all, const Tensor& index, Tensor into) {
  into.device()->call(&Backend::gather_rows, GatherRowsArgs{.from = all.dtype(),
                                                            .to = into.dtype(),
                                                            .rows = index.count(),
                                                            .channels = 1,
                                                            .plane = into.count() / index.count(),
                                                            .x = all.data(),
                                                            .index = index.data<int32_t>(),
                                                            .out = into.data()});
  return into;
}

Tensor SampleInput::augmented(const Tensor& all, const Tensor& index, const ImageDraws& draws,
                              const Tensor& number) const {
  if (are_numbers(all)) {
    if (!index.defined()) return all;
    return gather_rows(all, index,
                       Tensor::empty(all.device(), {index.count(), all.shape()[1]}, all.dtype(), "a batch of numbers"));
  }
  const Tensor rows = Tensor::byte_rows(all, index, scale_, real_);
  if (!augmentation_.any()) return rows;
  return augment_images(rows, augmentation_.settings(), true, draws.seed, draws.step, draws.steps_per_epoch, number);
}

Tensor SampleInput::plain(const Tensor& all) const {
  if (are_numbers(all)) return all;
  const Tensor rows = Tensor::byte_rows(all, {}, scale_, real_);
  return augmentation_.any() ? augment_images(rows, augmentation_.settings(), false, 0, {}, 1) : rows;
}

}  // namespace cairn
