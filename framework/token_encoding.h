// How the words of a text become the numbers that a network sees: as many for every text, each below the vocabulary.
// Words come as their ranks by frequency, 1 the most frequent, 0 one that is in no index. Not here: which word has
// which rank (datasets/word_index.h), how texts fall into words (datasets/tokeniser.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace cairn {

struct TokenEncoding {
  int64_t vocabulary = 0;   // numbers are below it; 0: for networks that take no texts
  int64_t length = 0;       // numbers of a text
  bool keep_last = true;    // what is kept of a longer text: its end, else its beginning
  bool pad_front = false;   // where a shorter one is filled up: at its beginning, else at its end
  bool start_token = true;  // ahead of the first word
  // Padding, start and unknown word are the three highest numbers and words begin at 0, as in Knet. Otherwise they are
  // 0, 1 and 2, 3 is nothing, and words begin at 4, as in Keras.
  bool top_specials = false;

  bool operator==(const TokenEncoding&) const = default;

  int32_t padding() const { return top_specials ? highest() : 0; }
  int32_t start() const { return top_specials ? highest() - 1 : 1; }
  int32_t unknown() const { return top_specials ? highest() - 2 : 2; }
  // The words that have a number of their own: those of the ranks from 1 to this.
  int64_t known_words() const { return std::max<int64_t>(vocabulary - (top_specials ? 3 : 4), 0); }
  int32_t number(int32_t rank) const {
    if (rank < 1 || rank > known_words()) return unknown();
    return top_specials ? rank - 1 : rank + 3;
  }
  // How many of the text's numbers, start token included, are kept.
  int64_t kept(int64_t words) const { return std::min(words + (start_token ? 1 : 0), length); }

  // The words that are kept of a text.
  std::span<const int32_t> shown(std::span<const int32_t> ranks) const {
    const int64_t room = length - (start_token && !keep_last ? 1 : 0);  // of a longer text the start token goes
    const auto count = static_cast<size_t>(std::clamp<int64_t>(room, 0, static_cast<int64_t>(ranks.size())));
    return keep_last ? ranks.last(count) : ranks.first(count);
  }

  // into: `length` numbers.
  void encode(std::span<const int32_t> ranks, std::span<int32_t> into) const {
    const auto start_tokens = static_cast<int64_t>(start_token), words = static_cast<int64_t>(ranks.size());
    const int64_t count = kept(words), skipped = keep_last ? words + start_tokens - count : 0;
    const int64_t begin = pad_front ? length - count : 0;
    std::ranges::fill(into, padding());
    for (int64_t i = 0; i < count; ++i) {
      const int64_t word = skipped + i - start_tokens;
      into[static_cast<size_t>(begin + i)] = word < 0 ? start() : number(ranks[static_cast<size_t>(word)]);
    }
  }

 private:
  int32_t highest() const { return static_cast<int32_t>(vocabulary - 1); }
};

inline constexpr int64_t kLeastVocabulary = 4;

}  // namespace cairn
