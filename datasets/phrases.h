// A generated data set of texts that needs no files: phrases in which something is first praised and then blamed, or
// the other way round, and what was said last counts. Only the order of the words tells the classes apart: each phrase
// has one word of praise and one of blame, each drawn from its list alike for either class, and other words that the
// class does not depend on. Swapping the two words makes a phrase of the other class out of the same bag, so both are
// equally likely given the bag: by words alone nobody can do better than chance. Not here: encoding
// (framework/token_encoding.h).
#pragma once

#include "datasets/registry.h"

namespace cairn::datasets {

inline constexpr int64_t kPhrasesTrainCount = 20000, kPhrasesTestCount = 4000;
inline constexpr int64_t kLeastPhraseWords = 4, kMostPhraseWords = 14;

DatasetInfo phrases_info();

// Of 4 to 14 words; class 1: praise comes last. Half of the phrases of a split are of each class, but for one of an odd
// count. The same for a seed on every machine. UsageError: no phrases.
Dataset generate_phrases(uint64_t seed, int64_t train_count = kPhrasesTrainCount,
                         int64_t test_count = kPhrasesTestCount);

}  // namespace cairn::datasets
