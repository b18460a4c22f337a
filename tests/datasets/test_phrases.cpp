// The generated texts: alike in their words, told apart by their order alone.
#include "datasets/phrases.h"

#include <cmath>
#include <set>

#include "datasets/tokeniser.h"
#include "datasets/word_index.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

enum Side { kNeither, kBlameWord, kPraiseWord };

Side side_of(int32_t rank, const WordIndex& index) {
  static const std::set<std::string> praise = {"good", "great", "fine"}, blame = {"bad", "dull", "poor"};
  return praise.contains(index.word(rank)) ? kPraiseWord : blame.contains(index.word(rank)) ? kBlameWord : kNeither;
}

using Features = std::vector<double>;

Features bag(std::span<const int32_t> words, const WordIndex& index) {
  Features counts(static_cast<size_t>(index.count()) + 1);
  for (const int32_t word : words) ++counts[static_cast<size_t>(word) - 1];
  counts.back() = static_cast<double>(words.size());
  return counts;
}

// What each word is, from the end: knows the order.
Features last_words(std::span<const int32_t> words, const WordIndex& index) {
  Features sides(kMostPhraseWords);
  for (size_t i = 0; i < words.size(); ++i) {
    const Side side = side_of(words[words.size() - 1 - i], index);
    sides[i] = side == kPraiseWord ? 1 : side == kBlameWord ? -1 : 0;
  }
  return sides;
}

// Accuracy on the test split of a logistic regression, a few epochs of it.
template <class Feature>
double logistic(const Dataset& set, const Feature& features) {
  const size_t count = features(set.train.texts->text(0), *set.words).size();
  Features weights(count + 1);
  const auto logit = [&](const Features& x) {
    double sum = weights.back();
    for (size_t i = 0; i < count; ++i) sum += weights[i] * x[i];
    return sum;
  };
  for (int epoch = 0; epoch < 5; ++epoch)
    for (int64_t i = 0; i < set.train.count; ++i) {
      const Features x = features(set.train.texts->text(i), *set.words);
      const double error = labels(set.train)[static_cast<size_t>(i)] - 1 / (1 + std::exp(-logit(x)));
      for (size_t j = 0; j < count; ++j) weights[j] += 0.01 * error * x[j];
      weights.back() += 0.01 * error;
    }
  int64_t right = 0;
  for (int64_t i = 0; i < set.test.count; ++i)
    right +=
        (logit(features(set.test.texts->text(i), *set.words)) > 0) == (labels(set.test)[static_cast<size_t>(i)] == 1);
  return static_cast<double>(right) / static_cast<double>(set.test.count);
}

}  // namespace

TEST_CASE("phrases: both classes are as frequent, and the word of praise or blame that comes last says which it is") {
  const Dataset set = generate_phrases(0);
  CHECK(set.train.count == kPhrasesTrainCount);
  CHECK(set.test.count == kPhrasesTestCount);
  REQUIRE(set.words);
  for (const Split* split : {&set.train, &set.test}) {
    int64_t positive = 0, wrong = 0, mixed = 0;
    for (int64_t i = 0; i < split->count; ++i) {
      int praise = 0, blame = 0;
      Side last = kNeither;
      for (const int32_t rank : split->texts->text(i)) {
        REQUIRE(rank >= 1);
        REQUIRE(rank <= set.words->count());
        const Side side = side_of(rank, *set.words);
        praise += side == kPraiseWord;
        blame += side == kBlameWord;
        if (side != kNeither) last = side;
      }
      const int32_t label = labels(*split)[static_cast<size_t>(i)];
      positive += label;
      mixed += praise != 1 || blame != 1;
      wrong += (last == kPraiseWord) != (label == 1);
    }
    CHECK(positive * 2 == split->count);
    CHECK(mixed == 0);
    CHECK(wrong == 0);
    const TextLengths lengths = measure_lengths(*split->texts);
    CHECK(lengths.least == kLeastPhraseWords);
    CHECK(lengths.most == kMostPhraseWords);
  }
}

TEST_CASE("phrases: a bag of words is at chance, what knows the order is not") {
  const Dataset set = generate_phrases(0);
  // 4,000 fair draws have a deviation of 0.8 %: five of them.
  CHECK(std::abs(logistic(set, bag) - 0.5) < 0.04);
  CHECK(logistic(set, last_words) > 0.85);
}

TEST_CASE("phrases: the same for a seed, other ones for another") {
  const Dataset one = generate_phrases(7, 50, 50), again = generate_phrases(7, 60, 50),
                other = generate_phrases(8, 50, 50);
  CHECK(std::ranges::equal(one.train.texts->ranks,
                           std::span(again.train.texts->ranks).first(one.train.texts->ranks.size())));
  CHECK(one.train.texts->ranks != other.train.texts->ranks);
  CHECK(one.train.texts->ranks != one.test.texts->ranks);
  CHECK(one.words->rank("film") > 0);
  check_error<UsageError>([] { generate_phrases(0, 0, 1); }, {"phrases: at least one text"});
}

}  // namespace cairn::datasets
