// Film reviews, as the first byte says: imdb.npz, one of its arrays of lists, the authors' archive, an index of words
// as JSON and as lines.
#include "datasets/imdb.h"
#include "datasets/tokeniser.h"
#include "datasets/word_index.h"
#include "fuzz/fuzz.h"

namespace {

using namespace cairn::datasets;

void check(const LabelledTexts& split) {
  if (split.texts.count() != static_cast<int64_t>(split.labels.size()) || split.labels.empty()) __builtin_trap();
  for (const int32_t label : split.labels)
    if (label != 0 && label != 1) __builtin_trap();
}

// Whatever the words are, their lines are read as the same index.
void check(const WordIndex& index) {
  const auto again = parse_words(index.lines(index.count()), "lines");
  if (again->count() != index.count()) __builtin_trap();
  for (int32_t rank = 1; rank <= index.count(); ++rank)
    if (again->rank(index.word(rank)) != rank) __builtin_trap();
}

}  // namespace

void cairn::fuzz::run(std::span<const uint8_t> input) {
  if (input.empty()) return;
  const std::span<const uint8_t> file = input.subspan(1);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  switch (input[0] % 5) {
    case 0:
    case 1: {
      const Reviews reviews = input[0] % 5 == 0 ? decode_imdb(file, "file") : read_reviews(file, "archive");
      check(reviews.train);
      check(reviews.test);
      if (reviews.words) check(*reviews.words);
      return;
    }
    case 2:
      for (const int32_t rank : decode_lists(file, "file").ranks)
        if (rank < 1) __builtin_trap();
      return;
    case 3:
      return check(*parse_word_index(text, "file"));
    default: {
      const auto index = parse_words(text, "file");
      check(*index);
      ranks_of(Words(text), *index);
    }
  }
}
