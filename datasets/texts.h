// Texts as data sets hold them: the ranks of their words, as many as each text has. Not here: which word has which rank
// (word_index.h), the rows of equal length that networks see (encode_texts in dataset.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cairn::datasets {

// Ranks count from 1, the most frequent word; 0 is a word that the index does not have.
inline constexpr int32_t kUnknownRank = 0;

struct Texts {
  std::vector<int64_t> begins = {0};  // of each text in ranks, and the end of the last
  std::vector<int32_t> ranks;

  int64_t count() const { return static_cast<int64_t>(begins.size()) - 1; }
  std::span<const int32_t> text(int64_t i) const {
    const auto at = static_cast<size_t>(i);
    return std::span(ranks).subspan(static_cast<size_t>(begins[at]), static_cast<size_t>(begins[at + 1] - begins[at]));
  }
  void add(std::span<const int32_t> words) {
    ranks.insert(ranks.end(), words.begin(), words.end());
    end_text();
  }
  // What has been put into ranks since the last one is a text.
  void end_text() { begins.push_back(static_cast<int64_t>(ranks.size())); }
};

// Of words: the least, the most, the mean and the middle one of all texts.
struct TextLengths {
  int64_t least = 0, most = 0, median = 0;
  double mean = 0;
};
TextLengths measure_lengths(const Texts& texts);

// To be hashed: the ranks, and where the texts begin among them, as memory holds them.
std::array<std::span<const uint8_t>, 2> bytes_of(const Texts& texts);

}  // namespace cairn::datasets
