// The flags that say how images are changed on their way into a network: --crop, --pad, --flip, --brightness,
// --contrast, --standardise. Not here: parsing (flags.h), what each does (kernels/augment.h).
#pragma once

#include <optional>

#include "apps/flags.h"
#include "models/model.h"

namespace cairn::app {

class AugmentationFlags {
 public:
  void add(Flags& flags);
  bool any() const;
  // After parse: what was given replaces the recipe's.
  void change(AugmentationRecipe& recipe) const;

 private:
  std::optional<int64_t> crop_, pad_;
  std::optional<double> brightness_, contrast_;
  std::optional<bool> flip_, standardise_;
};

}  // namespace cairn::app
