#include "apps/augmentation_flags.h"

namespace cairn::app {

void AugmentationFlags::add(Flags& flags) {
  flags.add("--crop", crop_, "a square window of so many pixels of each image, at a random place; 0 = whole images");
  flags.add("--pad", pad_, "black pixels around an image before it is cropped");
  flags.add("--flip", flip_, "mirror every other image, left and right (true or false)");
  flags.add("--brightness", brightness_, "add up to so much to an image's pixels, or take it away; of 255");
  flags.add("--contrast", contrast_, "spread an image's pixels by a factor of 1 - C to 1 + C");
  flags.add("--standardise", standardise_, "scale each image to mean 0 and deviation 1 (true or false)");
}

bool AugmentationFlags::any() const {
  return crop_ || pad_ || brightness_ || contrast_ || flip_ || standardise_;
}

void AugmentationFlags::change(AugmentationRecipe& recipe) const {
  recipe.crop = crop_.value_or(recipe.crop);
  recipe.pad = pad_.value_or(recipe.pad);
  recipe.flip = flip_.value_or(recipe.flip);
  recipe.brightness = brightness_.value_or(recipe.brightness);
  recipe.contrast = contrast_.value_or(recipe.contrast);
  recipe.standardise = standardise_.value_or(recipe.standardise);
}

}  // namespace cairn::app
