#include "trainers/text_reader.h"

#include <unordered_set>

#include "datasets/tokeniser.h"
#include "framework/error.h"
#include "framework/file.h"

namespace cairn {

namespace {

// Null: there is none.
std::shared_ptr<const datasets::WordIndex> find_words(const Weights& weights) {
  return names_pipe(weights.file) ? nullptr : datasets::find_word_index(weights.file.parent_path());
}

}  // namespace

bool has_words(const Weights& weights) {
  return find_words(weights) != nullptr;
}

TextReader::TextReader(const Weights& weights) : encoding_(weights.text), index_(find_words(weights)) {
  if (!index_)
    throw DataError(weights.file.string() + ": there is no " + datasets::kWordsFile +
                    " beside it, which says what words the network knows; " + datasets::kKerasIndex +
                    " will do for one trained on imdb.npz");
}

TextReader::Reading TextReader::read(std::string_view text) const {
  const datasets::Words words(text);
  Reading reading{datasets::ranks_of(words, *index_), static_cast<int64_t>(words.words().size()), 0, {}};
  const std::span<const int32_t> shown = encoding_.shown(reading.ranks);
  reading.seen = static_cast<int64_t>(shown.size());
  const auto first = static_cast<size_t>(shown.data() - reading.ranks.data());
  std::unordered_set<std::string_view> told;
  for (size_t i = 0; i < shown.size(); ++i)
    if (encoding_.number(shown[i]) == encoding_.unknown() && told.insert(words.words()[first + i]).second)
      reading.unknown.emplace_back(words.words()[first + i]);
  return reading;
}

datasets::Texts TextReader::translated(datasets::Texts texts, const datasets::WordIndex& from) const {
  if (from.lines(index_->count()) == index_->lines(index_->count())) return texts;
  std::vector<int32_t> ranks = {datasets::kUnknownRank};
  for (int64_t rank = 1; rank <= from.count(); ++rank)
    ranks.push_back(index_->rank(from.word(static_cast<int32_t>(rank))));
  for (int32_t& rank : texts.ranks)
    rank = rank <= from.count() ? ranks[static_cast<size_t>(rank)] : datasets::kUnknownRank;
  return texts;
}

}  // namespace cairn
