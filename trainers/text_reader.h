// What somebody types, as a network of texts reads it: its words by the index that is kept beside the weights, and
// which of them the network does not know. Not here: how texts fall into words (datasets/tokeniser.h), predicting
// (predictor.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/word_index.h"
#include "trainers/weights.h"

namespace cairn {

// Whether the index is there.
bool has_words(const Weights& weights);

class TextReader {
 public:
  // Of a network of texts. DataError: there is no index of words beside the weights, or a damaged one.
  explicit TextReader(const Weights& weights);

  struct Reading {
    std::vector<int32_t> ranks;        // of all words
    int64_t words = 0, seen = 0;       // all, and those that the network is shown: the last or the first of them
    std::vector<std::string> unknown;  // of these, each once, in their order
  };
  Reading read(std::string_view text) const;
  // Texts whose ranks are of another index, such as that of another form of the same data set, as ranks of this one.
  // The same texts where both have the same words.
  datasets::Texts translated(datasets::Texts texts, const datasets::WordIndex& from) const;

  const std::shared_ptr<const datasets::WordIndex>& index() const { return index_; }

 private:
  TokenEncoding encoding_;
  std::shared_ptr<const datasets::WordIndex> index_;
};

}  // namespace cairn
