// How a text falls into words: as Keras's Tokenizer does it, so that its index of the reviews' words fits. Not here:
// which rank a word has (word_index.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "datasets/texts.h"
#include "datasets/word_index.h"

namespace cairn::datasets {

// The letters A to Z become small ones; each of !"#$%&()*+,-./:;<=>?@[\]^_`{|}~, tab and line feed becomes a space;
// what stands between spaces is a word. So apostrophes stay, and `<br />` gives the word br. All other bytes are parts
// of words, also those of no UTF-8 character, and whatever they are, letters beyond A to Z stay as they are.
class Words {
 public:
  explicit Words(std::string_view text);
  const std::vector<std::string_view>& words() const { return words_; }

 private:
  std::string text_;  // in small letters and spaces
  std::vector<std::string_view> words_;
};

// The words' ranks, kUnknownRank for those that the index does not have.
std::vector<int32_t> ranks_of(const Words& words, const WordIndex& index);

}  // namespace cairn::datasets
