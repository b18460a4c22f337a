#include "trainers/image_input.h"

namespace cairn {

Tensor ImageInput::augmented(const Tensor& images, const Tensor& index, const ImageDraws& draws,
                             const Tensor& number) const {
  const Tensor rows = Tensor::byte_rows(images, index, scale_, real_);
  if (!augmentation_.any()) return rows;
  return augment_images(rows, augmentation_.settings(), true, draws.seed, draws.step, draws.steps_per_epoch, number);
}

Tensor ImageInput::plain(const Tensor& images) const {
  const Tensor rows = Tensor::byte_rows(images, {}, scale_, real_);
  return augmentation_.any() ? augment_images(rows, augmentation_.settings(), false, 0, {}, 1) : rows;
}

}  // namespace cairn
