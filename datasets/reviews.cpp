// Words are numbered as they come, since an archive may have the test reviews first, and ranked in the end.
#include "datasets/reviews.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "datasets/archive.h"
#include "datasets/file.h"
#include "datasets/tokeniser.h"
#include "datasets/word_index.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::array kSplitFolders = {"train", "test"}, kClassFolders = {"neg", "pos"};
constexpr size_t kTrain = 0;
constexpr const char* kReviewEnding = ".txt";
// The longest published review has 2,494 words. The archive has 50,000 more reviews, without a class, and counts of
// words.
constexpr uint64_t kMostReviewBytes = uint64_t{1} << 20;
constexpr size_t kMostReviews = 1'000'000;
constexpr ArchiveLimits kReviewLimits{
    .entries = 300'000, .file_bytes = kMostReviewBytes, .all_bytes = uint64_t{1} << 30};

// Which split and class a file of the archive is of: aclImdb/train/pos/0_9.txt.
struct ReviewPlace {
  size_t split = 0, label = 0;
  std::string name;
};
std::optional<ReviewPlace> place_of(std::string_view path) {
  if (!path.ends_with(kReviewEnding)) return std::nullopt;
  for (size_t split = 0; split < kSplitFolders.size(); ++split)
    for (size_t label = 0; label < kClassFolders.size(); ++label) {
      const std::string folder = fmt::format("{}/{}/{}/", kReviewsFolder, kSplitFolders[split], kClassFolders[label]);
      if (path.starts_with(folder) && path.find('/', folder.size()) == std::string_view::npos)
        return ReviewPlace{split, label, std::string(path.substr(folder.size()))};
    }
  return std::nullopt;
}

class Collector {
 public:
  explicit Collector(std::string name) : name_(std::move(name)) {}

  void add(ReviewPlace place, const Bytes& text) {
    if (reviews_.size() == kMostReviews)
      throw DataError(fmt::format("{}: has more than {} reviews", name_, kMostReviews));
    const Words words(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()));
    const size_t begin = numbers_.size();
    for (const std::string_view word : words.words()) {
      const auto [found, fresh] = known_.try_emplace(std::string(word), static_cast<int32_t>(counts_.size()));
      if (fresh) counts_.push_back(0);
      counts_[static_cast<size_t>(found->second)] += place.split == kTrain;
      numbers_.push_back(found->second);
    }
    reviews_.push_back({std::move(place), begin, numbers_.size()});
  }

  Reviews finish() {
    std::ranges::sort(reviews_, {}, [](const Review& review) {
      return std::tie(review.place.split, review.place.label, review.place.name);
    });
    Reviews result;
    const std::vector<int32_t> ranks = rank_words(result);
    for (const Review& review : reviews_) {
      LabelledTexts& split = review.place.split == kTrain ? result.train : result.test;
      for (size_t i = review.begin; i < review.end; ++i)
        split.texts.ranks.push_back(ranks[static_cast<size_t>(numbers_[i])]);
      split.texts.end_text();
      split.labels.push_back(static_cast<int32_t>(review.place.label));
    }
    check_classes();
    return result;
  }

 private:
  struct Review {
    ReviewPlace place;
    size_t begin, end;  // in numbers_
  };

  // The rank of each number, and the index.
  std::vector<int32_t> rank_words(Reviews& result) const {
    using Entry = std::pair<const std::string, int32_t>;
    std::vector<const Entry*> order;
    for (const Entry& entry : known_)
      if (counts_[static_cast<size_t>(entry.second)] > 0) order.push_back(&entry);
    std::ranges::sort(order, [&](const Entry* a, const Entry* b) {
      const int64_t count_a = counts_[static_cast<size_t>(a->second)],
                    count_b = counts_[static_cast<size_t>(b->second)];
      return count_a != count_b ? count_a > count_b : a->first < b->first;
    });
    std::vector<int32_t> ranks(counts_.size(), kUnknownRank);
    std::vector<std::string> words;
    for (const Entry* entry : order) {
      words.push_back(entry->first);
      ranks[static_cast<size_t>(entry->second)] = static_cast<int32_t>(words.size());
    }
    result.words = std::make_shared<WordIndex>(std::move(words), name_);
    return ranks;
  }

  void check_classes() const {
    for (size_t split = 0; split < kSplitFolders.size(); ++split)
      for (size_t label = 0; label < kClassFolders.size(); ++label)
        if (std::ranges::none_of(reviews_, [&](const Review& review) {
              return review.place.split == split && review.place.label == label;
            }))
          throw DataError(fmt::format("{}: has no reviews in {}/{}: is it as it was published?", name_,
                                      kSplitFolders[split], kClassFolders[label]));
  }

  std::string name_;
  std::unordered_map<std::string, int32_t> known_;
  std::vector<int64_t> counts_;  // of each word in the training reviews
  std::vector<int32_t> numbers_;
  std::vector<Review> reviews_;
};

}  // namespace

Reviews read_reviews(const fs::path& folder) {
  Collector collector(folder.string());
  for (size_t split = 0; split < kSplitFolders.size(); ++split) {
    for (size_t label = 0; label < kClassFolders.size(); ++label) {
      std::error_code error;  // a folder that is not there has no reviews, which finish() says
      for (const auto& entry : fs::directory_iterator(folder / kSplitFolders[split] / kClassFolders[label], error)) {
        if (entry.path().extension() != kReviewEnding) continue;
        const Bytes text = read_file(entry.path());
        if (text.size() > kMostReviewBytes)
          throw DataError(fmt::format("{}: has {} bytes, more than a review has", entry.path().string(), text.size()));
        collector.add({split, label, entry.path().filename().string()}, text);
      }
    }
  }
  return collector.finish();
}

Reviews read_reviews(std::span<const uint8_t> archive, const std::string& archive_name) {
  Collector collector(archive_name);
  visit_tar(
      archive, kReviewLimits, [](const std::string& path) { return place_of(path).has_value(); },
      [&](const std::string& path, const Bytes& text) { collector.add(*place_of(path), text); }, archive_name);
  return collector.finish();
}

}  // namespace cairn::datasets
