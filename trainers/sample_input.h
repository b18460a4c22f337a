// What a network sees of stored examples. Of images: their bytes as numbers, and, where the recipe augments them, a
// window of them, mirrored, brighter, of other contrast. Of texts, and of images' features: the numbers as they are.
// Training and prediction share it. Not here: the draws (kernels/augment.h), the numbering of words
// (framework/token_encoding.h).
#pragma once

#include "framework/row_scale.h"
#include "models/model.h"

namespace cairn {

// What the draws of an image depend on, beside its number.
struct ImageDraws {
  uint64_t seed = 0;
  Tensor step;  // one i64, the clock's
  int64_t steps_per_epoch = 1;
};

// into[i] = all[index[i]], rows of i32.
Tensor gather_rows(const Tensor& all, const Tensor& index, Tensor into);

class SampleInput {
 public:
  // scale: of images.
  SampleInput(RowScale scale, const AugmentationRecipe& augmentation, DType real = DType::f32)
      : scale_(std::move(scale)), augmentation_(augmentation), real_(real) {}

  // Rows as training sees them: u8 of images, i32 of texts, f32 of features. index: which; not defined: all. number:
  // the images' numbers in the split, which the draws hang on, where index does not say them.
  Tensor augmented(const Tensor& all, const Tensor& index, const ImageDraws& draws, const Tensor& number = {}) const;
  // All rows as evaluation sees them: the window in the middle, nothing drawn.
  Tensor plain(const Tensor& all) const;

 private:
  RowScale scale_;
  AugmentationRecipe augmentation_;
  DType real_;
};

}  // namespace cairn
