#include "datasets/imdb.h"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/archive.h"
#include "datasets/fetch.h"
#include "datasets/file.h"
#include "datasets/numpy.h"
#include "datasets/sha256.h"
#include "datasets/sources.h"
#include "datasets/word_index.h"
#include "framework/message.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImdb = "imdb";
constexpr const char* kNpz = "imdb.npz";
constexpr int64_t kImdbClasses = 2;
constexpr const char* kReviewsArchive = "aclImdb_v1.tar.gz";
constexpr int64_t kPublishedReviews = 12500,
                  kPublishedWords = 88584;  // of each class of a split; in those for training
constexpr int64_t kMostRank = int64_t{1} << 24;

// The index has been compared with the published MD5; the reviews have not been at hand, and their hash is Keras's
// word.
const DataSource& imdb_source() {
  static const DataSource source{
      kImdb,
      "film reviews as the ranks of their words, for and against, as published with Keras",
      {{kNpz, 17464789, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"},
       {kKerasIndex, 1641221, "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6"}},
      {"https://storage.googleapis.com/tensorflow/tf-keras-datasets/", "https://s3.amazonaws.com/text-datasets/"}};
  return source;
}

LabelledTexts read_split(const ZipMember& x, const ZipMember& y, const std::string& x_name, const std::string& y_name) {
  LabelledTexts split{decode_lists(x.content, x_name), {}};
  const NpyFile labels(y.content, y_name);
  for (const int64_t label : integers(labels.array(), y_name)) {
    if (label < 0 || label >= kImdbClasses)
      throw DataError(fmt::format("{}: label {} of text {} is neither 0 nor 1", y_name, label, split.labels.size()));
    split.labels.push_back(static_cast<int32_t>(label));
  }
  if (static_cast<int64_t>(split.labels.size()) != split.texts.count())
    throw DataError(fmt::format("{}: has {} labels for {} texts", y_name, split.labels.size(), split.texts.count()));
  if (split.labels.empty()) throw DataError(x_name + ": has no texts");
  return split;
}

void check_published(const Bytes& file, const fs::path& path) {
  const RemoteFile& published = imdb_source().files.front();
  if (file.size() == published.bytes && sha256(file) == published.sha256) return;
  throw DataError(fmt::format(
      "{}: has sha256 {}, not the published one's: `fetch {}` brings that, --check-hash false takes another in this "
      "format",
      path.string(), sha256(file), kImdb));
}

// In the first of the folders that has it, or an empty path.
fs::path find_in(const fs::path& data_dir, const char* name) {
  std::error_code ignored;  // an unreadable folder holds nothing
  for (const fs::path& folder : {data_dir / kImdb, data_dir})
    if (fs::path path = folder / name; fs::exists(path, ignored)) return path;
  return {};
}

void download(const fs::path& data_dir, const LoadOptions& options) {
  const DataSource& source = imdb_source();
  if (!options.allow_download)
    throw MissingDataError(
        fmt::format("{}: {} is not in {}: put the published file there, or the folder aclImdb, `fetch {}`, or use "
                    "--dataset phrases",
                    kImdb, kNpz, (data_dir / kImdb).string(), kImdb));
  if (!options.quiet) say(fmt::format("{} is not in {}: downloading it", kImdb, data_dir.string()));
  try {
    fetch_source(source, data_dir, choose_mirrors(source, options.mirrors), unasked_download(options));
  } catch (const MissingDataError& error) {
    throw MissingDataError(std::string(error.what()) + ", or use --dataset phrases");
  }
}

Reviews load_npz(const fs::path& path, bool check_hash) {
  Reviews reviews;
  {
    const Bytes file = read_file(path);
    if (check_hash) check_published(file, path);
    reviews = decode_imdb(file, path.string());
  }
  reviews.words = find_word_index(path.parent_path(), check_hash ? imdb_source().files.back().sha256 : "");
  return reviews;
}

// The authors' files have no hash that all copies of the folder have; that their words are the right ones says as much.
void check_counts(const Reviews& reviews, const fs::path& path) {
  for (const LabelledTexts* split : {&reviews.train, &reviews.test})
    for (const int32_t label : {0, 1})
      if (const auto count = std::ranges::count(split->labels, label); count != kPublishedReviews)
        throw DataError(
            fmt::format("{}: has {} {} reviews for {}, where {} were published: --check-hash false takes any "
                        "number",
                        path.string(), count, label == 1 ? "positive" : "negative",
                        split == &reviews.train ? "training" : "testing", kPublishedReviews));
  if (reviews.words->count() != kPublishedWords)
    throw DataError(
        fmt::format("{}: its training reviews have {} words, where the published ones have {}: --check-hash "
                    "false takes others",
                    path.string(), reviews.words->count(), kPublishedWords));
}

// Keras's file, or else what the authors publish.
fs::path find_reviews(const fs::path& data_dir) {
  for (const char* name : {kNpz, kReviewsFolder, kReviewsArchive})
    if (fs::path path = find_in(data_dir, name); !path.empty()) return path;
  return {};
}

Dataset load_imdb(const fs::path& data_dir, const LoadOptions& options) {
  fs::path path = find_reviews(data_dir);
  if (path.empty()) {
    download(data_dir, options);
    path = data_dir / kImdb / kNpz;
  }
  Reviews reviews;
  if (path.filename() == kNpz) {
    reviews = load_npz(path, options.check_hash);
  } else {
    reviews = path.filename() == kReviewsFolder ? read_reviews(path) : read_reviews(read_file(path), path.string());
    if (options.check_hash) check_counts(reviews, path);
  }
  Dataset dataset = described(find_dataset(kImdb));
  dataset.source = path.string();
  dataset.train = text_split(std::move(reviews.train.texts), reviews.train.labels);
  dataset.test = text_split(std::move(reviews.test.texts), reviews.test.labels);
  dataset.words = std::move(reviews.words);
  return dataset;
}

}  // namespace

// A few bytes of a pickle could name the same long list again and again: no more ranks are taken than it has bytes.
Texts decode_lists(std::span<const uint8_t> npy, const std::string& name) {
  const NpyFile file(npy, name);
  const NumpyArray& array = file.array();
  if (!array.objects || array.shape.size() != 1) throw DataError(name + ": is no row of lists, one for each text");
  Texts texts;
  for (int64_t i = 0; i < array.count(); ++i) {
    const std::string what = fmt::format("text {}", i);
    const std::vector<int64_t> ranks = integers(array.objects->element(static_cast<size_t>(i), "the array"), what);
    if (ranks.size() > npy.size() - texts.ranks.size()) throw DataError(name + ": has the same list as many texts");
    for (const int64_t rank : ranks) {
      if (rank < 1 || rank > kMostRank)
        throw DataError(
            fmt::format("{}: {} has the word {}, where ranks are from 1 to {}", name, what, rank, kMostRank));
      texts.ranks.push_back(static_cast<int32_t>(rank));
    }
    texts.end_text();
  }
  return texts;
}

Reviews decode_imdb(std::span<const uint8_t> file, const std::string& name) {
  const std::vector<std::string> members = {"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"};
  const std::vector<ZipMember> all = read_zip(file, members, kMaxFileBytes, name);
  const auto split = [&](size_t x) {
    return read_split(all[x], all[x + 1], name + ": " + members[x], name + ": " + members[x + 1]);
  };
  return {split(0), split(2)};
}

DatasetInfo imdb_info() {
  return {.name = kImdb,
          .description = "film reviews, 2 classes, 25,000 + 25,000 texts of 88,584 words (Maas and others)",
          .image = {},
          .class_names = {"negative", "positive"},
          .pixels = {},
          .load = load_imdb,
          .source = &imdb_source()};
}

}  // namespace cairn::datasets
