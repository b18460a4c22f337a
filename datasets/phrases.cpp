#include "datasets/phrases.h"

#include <fmt/format.h>

#include <array>

#include "datasets/drawn_files.h"
#include "datasets/draws.h"
#include "datasets/word_index.h"

namespace cairn::datasets {
namespace {

constexpr const char* kPhrases = "phrases";
constexpr uint32_t kFirstPhraseStream = 4;  // the digits have those before

// In the order of their ranks, which is that of how often they come.
constexpr std::array kFillers = {"the", "a",     "film", "was",  "and",    "it",     "so",    "at",
                                 "but", "first", "then", "plot", "ending", "actors", "music", "scenes"};
constexpr std::array kPraise = {"good", "great", "fine"};
constexpr std::array kBlame = {"bad", "dull", "poor"};
constexpr size_t kFirstPraise = kFillers.size() + 1, kFirstBlame = kFirstPraise + kPraise.size();  // ranks

std::shared_ptr<const WordIndex> phrase_words() {
  static const auto index = [] {
    std::vector<std::string> words;
    for (const auto& list : {std::span<const char* const>(kFillers), std::span<const char* const>(kPraise),
                             std::span<const char* const>(kBlame)})
      words.insert(words.end(), list.begin(), list.end());
    return std::make_shared<WordIndex>(std::move(words), kPhrases);
  }();
  return index;
}

// Ranks fall off, as words' do: the less of two draws.
int32_t draw_filler(Draws& draws) {
  const uint32_t one = draws.below(kFillers.size());
  return static_cast<int32_t>(std::min(one, draws.below(kFillers.size())) + 1);
}

// The class goes by turns, and everything else is drawn without knowing it.
Split draw_phrases(uint64_t seed, uint32_t split, int64_t count) {
  Texts texts;
  std::vector<int32_t> labels, words;
  for (int64_t i = 0; i < count; ++i) {
    Draws draws(seed, kFirstPhraseStream + split, static_cast<uint32_t>(i));
    const auto label = static_cast<int32_t>(i % 2);
    words.resize(kLeastPhraseWords + draws.below(kMostPhraseWords - kLeastPhraseWords + 1));
    for (int32_t& word : words) word = draw_filler(draws);
    const auto praise = static_cast<int32_t>(kFirstPraise + draws.below(kPraise.size()));
    const auto blame = static_cast<int32_t>(kFirstBlame + draws.below(kBlame.size()));
    // Two different places, the earlier one first.
    const auto size = static_cast<uint32_t>(words.size());
    uint32_t first = draws.below(size), last = draws.below(size - 1);
    if (last >= first) ++last;
    if (first > last) std::swap(first, last);
    words[first] = label == 1 ? blame : praise;
    words[last] = label == 1 ? praise : blame;
    texts.add(words);
    labels.push_back(label);
  }
  return text_split(std::move(texts), labels);
}

}  // namespace

DatasetInfo phrases_info() {
  return {
      .name = kPhrases,
      .description =
          "phrases that only the order of words tells apart, 2 classes, 20,000 + 4,000 texts of 22 words; "
          "needs no files",
      .image = {},
      .class_names = {"blame last", "praise last"},
      .pixels = {},
      .load = [](const std::filesystem::path&, const LoadOptions& options) { return generate_phrases(options.seed); },
      .write = write_phrases,
      .file_count = 3};
}

Dataset generate_phrases(uint64_t seed, int64_t train_count, int64_t test_count) {
  if (train_count <= 0 || test_count <= 0)
    throw UsageError(fmt::format("{}: at least one text of each split is needed", kPhrases));
  Dataset dataset = described(phrases_info());
  dataset.source = fmt::format("drawn in-process from seed {}", seed);
  dataset.train = draw_phrases(seed, 0, train_count);
  dataset.test = draw_phrases(seed, 1, test_count);
  dataset.words = phrase_words();
  return dataset;
}

}  // namespace cairn::datasets
