// Which word has which rank by frequency, from 1 on. Two files hold one: Keras's JSON, {"the": 1, ...}, as published or
// gzipped, and words.txt, a word a line in the order of the ranks, which stands beside a run's weights. Not here: how
// texts fall into words (tokeniser.h), the numbers that a network sees (framework/token_encoding.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "datasets/texts.h"

namespace cairn::datasets {

inline constexpr const char* kWordsFile = "words.txt";
inline constexpr const char* kKerasIndex = "imdb_word_index.json";

class WordIndex {
 public:
  // The words of rank 1, 2, ...; `name` is what errors call where they are from. DataError: a word that is there twice,
  // is empty, or has a line end in it.
  WordIndex(std::vector<std::string> words, const std::string& name);
  WordIndex(const WordIndex&) = delete;
  WordIndex& operator=(const WordIndex&) = delete;

  int64_t count() const { return static_cast<int64_t>(words_.size()); }
  // kUnknownRank: it is not there.
  int32_t rank(std::string_view word) const;
  // "?" for a rank that no word has.
  const std::string& word(int32_t rank) const;
  // What words.txt holds; of the first `most` words.
  std::string lines(int64_t most) const;

 private:
  std::vector<std::string> words_;
  std::unordered_map<std::string_view, int32_t> ranks_;  // views of words_
};

// DataError: not such a file, or one of more words than memory is taken for.
std::shared_ptr<const WordIndex> parse_word_index(std::string_view json, const std::string& name);
std::shared_ptr<const WordIndex> parse_words(std::string_view lines, const std::string& name);

// Out of the folder: words.txt, or Keras's JSON, also gzipped. Null: there is none of them. sha256: of the JSON as it
// is published; "": any. DataError: as above, or another file than that.
std::shared_ptr<const WordIndex> find_word_index(const std::filesystem::path& folder, const std::string& sha256 = "");

// The ranks' words with spaces between.
std::string text_of(std::span<const int32_t> ranks, const WordIndex* index);

}  // namespace cairn::datasets
