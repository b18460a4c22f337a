#include "apps/text_flags.h"

namespace cairn::app {

void TextFlags::add(Flags& flags) {
  flags.add("--vocabulary", vocabulary_,
            "numbers of words and of padding, start and unknown word, of a network of texts");
  flags.add("--text-length", length_, "words of a text that a network sees, the start token included");
  flags.add("--keep-last", keep_last_, "of a longer text see the end (true), or its beginning (false)");
  flags.add("--pad-front", pad_front_, "fill up a shorter text at its beginning (true), or at its end (false)");
  flags.add("--start-token", start_token_, "a number of its own ahead of the first word (true or false)");
  flags.add("--top-specials", top_specials_,
            "padding, start and unknown word are the highest numbers as in Knet (true), or 0 to 2 as in Keras (false)");
}

void TextFlags::change(TokenEncoding& encoding) const {
  encoding.vocabulary = vocabulary_.value_or(encoding.vocabulary);
  encoding.length = length_.value_or(encoding.length);
  encoding.keep_last = keep_last_.value_or(encoding.keep_last);
  encoding.pad_front = pad_front_.value_or(encoding.pad_front);
  encoding.start_token = start_token_.value_or(encoding.start_token);
  encoding.top_specials = top_specials_.value_or(encoding.top_specials);
}

}  // namespace cairn::app
