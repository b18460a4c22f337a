// The flags that say how texts become numbers on their way into a network: --vocabulary, --text-length, --keep-last,
// --pad-front, --start-token, --top-specials. Not here: parsing (flags.h), what each does (framework/token_encoding.h).
#pragma once

#include <optional>

#include "apps/flags.h"
#include "framework/token_encoding.h"

namespace cairn::app {

class TextFlags {
 public:
  void add(Flags& flags);
  // After parse: what was given replaces the recipe's.
  void change(TokenEncoding& encoding) const;

 private:
  std::optional<int64_t> vocabulary_, length_;
  std::optional<bool> keep_last_, pad_front_, start_token_, top_specials_;
};

}  // namespace cairn::app
