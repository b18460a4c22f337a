// Film reviews in plain text, as the authors of the Large Movie Review Dataset publish them: aclImdb/train and
// aclImdb/test, in each the folders neg and pos with a file for each review. They become ranks of words, and the words
// an index. Not here: where they are looked for, and Keras's form of them (imdb.h).
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/texts.h"

namespace cairn::datasets {

class WordIndex;

struct LabelledTexts {
  Texts texts;
  std::vector<int32_t> labels;  // 0: neg, 1: pos
};
struct Reviews {
  LabelledTexts train, test;
  std::shared_ptr<const WordIndex> words = {};
};

inline constexpr const char* kReviewsFolder = "aclImdb";

// Of the folder, or of the archive, gzipped or not, that it is published in. Reviews are in the order of their classes
// and of their files' names, byte by byte. The index has the words of the training reviews, the most frequent first;
// those as frequent as another are in the order of their bytes. (Keras has them in another order, so that its numbers
// are others there.) Words of the test reviews that the index does not have stay, as kUnknownRank. DataError: a class
// of a split has no reviews; one is longer than any is; a damaged archive.
Reviews read_reviews(const std::filesystem::path& folder);
Reviews read_reviews(std::span<const uint8_t> archive, const std::string& archive_name);

}  // namespace cairn::datasets
