// The film reviews, as Keras publishes them and as their authors do.
#include "datasets/imdb.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "datasets/archive.h"
#include "datasets/choose.h"
#include "datasets/file.h"
#include "datasets/tokeniser.h"
#include "datasets/word_index.h"
#include "tests/datasets/numpy_files.h"
#include "tests/datasets/support.h"
#include "tests/datasets/tar.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

const Bytes kSmall = make_npz_reviews({{1, 2, 300}, {}, {70000, 1}}, {1, 0, 1}, {{2}, {5, 6}}, {0, 1});

std::vector<int32_t> text(const Split& split, int64_t i) {
  const auto words = split.texts->text(i);
  return {words.begin(), words.end()};
}

}  // namespace

TEST_CASE("Keras's imdb.npz is read from its folder or from the data folder, with its index of words") {
  using Ints = std::vector<int32_t>;
  const TemporaryFolder folder;
  for (const char* place : {"imdb", "."}) {
    CAPTURE(place);
    write_file(folder.path() / place / "imdb.npz", kSmall);
    const Dataset set = load_dataset("imdb", folder.path(), kUnchecked);
    CHECK(set.name == "imdb");
    CHECK(set.class_names == std::vector<std::string>{"negative", "positive"});
    CHECK(set.train.count == 3);
    CHECK(text(set.train, 0) == Ints{1, 2, 300});
    CHECK(text(set.train, 1).empty());
    CHECK(text(set.train, 2) == Ints{70000, 1});
    CHECK(text(set.test, 1) == Ints{5, 6});
    CHECK(labels(set.train)[2] == 1);
    CHECK(labels(set.test)[0] == 0);
    CHECK(set.words == nullptr);
    fs::remove_all(folder.path() / "imdb");
  }
  write_file(folder.path() / "imdb_word_index.json", to_bytes(R"({"the": 1})"));
  CHECK(load_dataset("imdb", folder.path(), kUnchecked).words->rank("the") == 1);
  check_error<DataError>([&] { load_dataset("imdb", folder.path(), kChecked); },
                         {"imdb.npz: has sha256 ", "not the published one's", "--check-hash false"});
}

TEST_CASE("imdb that is not there is missing, and phrases may stand in") {
  const TemporaryFolder folder;
  check_error<MissingDataError>([&] { load_dataset("imdb", folder.path(), kChecked); },
                                {"imdb: imdb.npz is not in ", "`fetch imdb`", "--dataset phrases"});
}

TEST_CASE("an imdb.npz that is none is refused in a line") {
  const auto refused = [](const Bytes& file, std::initializer_list<const char*> parts) {
    check_error<DataError>([&] { decode_imdb(file, "imdb.npz"); }, parts);
  };
  refused(to_bytes("PK and nothing"), {"imdb.npz: "});
  refused(make_npz_batch(pattern(8), 2, {1, 2, 3, 4}), {"imdb.npz: has no x_train.npy"});
  refused(make_npz_reviews({{1}}, {1, 0}, {{1}}, {1}), {"y_train.npy: has 2 labels for 1 texts"});
  refused(make_npz_reviews({{1}}, {2}, {{1}}, {1}), {"y_train.npy: label 2 of text 0 is neither 0 nor 1"});
  refused(make_npz_reviews({{1}}, {-1}, {{1}}, {1}), {"label -1"});
  refused(make_npz_reviews({{1}}, {1}, {{3, 0}}, {1}), {"x_test.npy: text 0 has the word 0, where ranks are from 1"});
  refused(make_npz_reviews({{1}}, {1}, {{-5}}, {1}), {"the word -5"});
  refused(make_npz_reviews({{1 << 30}}, {1}, {{1}}, {1}), {"the word 1073741824"});
  refused(make_npz_reviews({}, {}, {{1}}, {1}), {"x_train.npy: has no texts"});
  Bytes cut = kSmall;
  cut.resize(cut.size() / 2);
  refused(cut, {"imdb.npz: "});
}

TEST_CASE("a list that stands for many texts takes no more memory than the file has bytes") {
  // [1, 1, ...] once, and then the same list again and again out of the memo.
  using namespace std::string_literals;
  std::string pickle = "\x80\3cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"s +
                       "C\1b\x87R(K\1M\xe8\3\x85"s + "cnumpy\ndtype\nX\2\0\0\0O8K\0K\1\x87R(K\3X\1\0\0\0|NNNJ"s +
                       "\xff\xff\xff\xffJ\xff\xff\xff\xffK?t"s + "b\x89]("s + "](";
  for (int i = 0; i < 1000; ++i) pickle += "K\1";
  pickle += "eq\1";
  for (int i = 1; i < 1000; ++i) pickle += "h\1";
  pickle += "etb.";
  const Bytes x = make_npy("|O", "(1000,)", to_bytes(pickle)), y = make_npy("|u1", "(1000,)", Bytes(1000, 1));
  const Bytes file = make_zip({{"x_train.npy", x}, {"y_train.npy", y}, {"x_test.npy", x}, {"y_test.npy", y}});
  check_error<DataError>([&] { decode_imdb(file, "imdb.npz"); }, {"x_train.npy: has the same list as many texts"});
}

TEST_CASE("a network of texts gets imdb, else phrases, and a network of images gets neither") {
  const TemporaryFolder folder;
  const NetworkInput texts{"gru", {}, 2}, images{"dnn", {1, 28, 28}, 10}, filter{"colour filter", {3, 32, 32}};
  CHECK(choose_name("", texts) == "imdb");
  check_error<UsageError>([&] { choose_dataset("mnist", texts, folder.path(), kChecked); },
                          {"model gru takes texts in 2 classes; data set mnist has images of [1, 28, 28] in 10"});
  check_error<UsageError>([&] { choose_dataset("imdb", images, folder.path(), kChecked); },
                          {"model dnn takes images of [1, 28, 28] in 10 classes; data set imdb has texts in 2"});
  check_error<UsageError>([&] { choose_dataset("imdb", filter, folder.path(), kChecked); },
                          {"takes images of [3, 32, 32]; data set imdb has texts"});
  CHECK(choose_dataset("", texts, folder.path(), {.allow_download = false, .quiet = true}).name == "phrases");
  check_error<MissingDataError>([&] { choose_dataset("imdb", texts, folder.path(), kChecked); }, {"imdb"});
  check_error<UsageError>([&] { choose_dataset("phrases", images, folder.path(), kChecked); }, {"phrases has texts"});
  write_file(folder.path() / "imdb.npz", kSmall);
  CHECK(choose_dataset("", texts, folder.path(), kUnchecked).train.count == 3);
  check_error<UsageError>([&] { choose_dataset("imdb", images, folder.path(), kUnchecked); }, {"has texts in 2"});
}

namespace {

struct ReviewFile {
  std::string path, text;
};
// "film" 4 times, "a" and "good" twice, the rest once; ties by bytes.
const std::vector<ReviewFile> kReviewFiles = {
    {"test/pos/2_8.txt", "A new FILM!"},      {"train/pos/10_9.txt", "good film"},
    {"train/neg/3_1.txt", "a bad film, a"},   {"train/pos/0_7.txt", "Good film<br />"},
    {"train/neg/1_2.txt", "film zoo"},        {"test/neg/0_3.txt", ""},
    {"train/unsup/0_0.txt", "other words"},   {"train/pos/notes.md", "film film film"},
    {"train/labeledBow.feat", "9 0:9"},       {"README", "film"},
    {"train/pos/more/0_7.txt", "zoo zoo zoo"}};

Bytes review_archive(const std::vector<ReviewFile>& files) {
  Bytes all;
  for (const ReviewFile& file : files) {
    const Bytes entry = tar_entry("aclImdb/" + file.path, to_bytes(file.text));
    all.insert(all.end(), entry.begin(), entry.end());
  }
  return tar_gz({all});
}

void check_reviews(const Dataset& set) {
  using Ints = std::vector<int32_t>;
  REQUIRE(set.words);
  CHECK(set.words->lines(100) == "film\na\ngood\nbad\nbr\nzoo\n");
  CHECK(std::ranges::equal(labels(set.train), Ints{0, 0, 1, 1}));
  CHECK(text(set.train, 0) == Ints{1, 6});
  CHECK(text(set.train, 1) == Ints{2, 4, 1, 2});
  CHECK(text(set.train, 2) == Ints{3, 1, 5});
  CHECK(text(set.train, 3) == Ints{3, 1});
  CHECK(std::ranges::equal(labels(set.test), Ints{0, 1}));
  CHECK(text(set.test, 0).empty());
  CHECK(text(set.test, 1) == Ints{2, 0, 1});  // a word of the test reviews alone stays, unknown
}

}  // namespace

TEST_CASE("the authors' reviews are read from their folder and from the archive, and their words are ranked") {
  for (const char* place : {"imdb", "."}) {
    CAPTURE(place);
    const TemporaryFolder folder, other;
    for (const ReviewFile& file : kReviewFiles)
      write_file(folder.path() / place / "aclImdb" / file.path, to_bytes(file.text));
    check_reviews(load_dataset("imdb", folder.path(), kUnchecked));
    write_file(other.path() / place / "aclImdb_v1.tar.gz", review_archive(kReviewFiles));
    check_reviews(load_dataset("imdb", other.path(), kUnchecked));
    for (const TemporaryFolder* each : {&folder, &other})
      check_error<DataError>([&] { load_dataset("imdb", each->path(), kChecked); },
                             {"aclImdb", "has 2 negative reviews for training, where 12500 were published"});
    // Keras's file is what counts where both are there.
    write_file(folder.path() / place / "imdb.npz", kSmall);
    CHECK(load_dataset("imdb", folder.path(), kUnchecked).train.count == 3);
  }
}

TEST_CASE("reviews that are none are refused in a line") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "aclImdb");
  const auto refused = [&](std::initializer_list<const char*> parts) {
    check_error<DataError>([&] { load_dataset("imdb", folder.path(), kUnchecked); }, parts);
  };
  refused({"aclImdb: has no reviews in train/neg"});
  for (const char* place : {"train/neg", "train/pos", "test/pos"})
    write_file(folder.path() / "aclImdb" / place / "0_1.txt", to_bytes("film"));
  refused({"has no reviews in test/neg: is it as it was published?"});
  fs::create_directories(folder.path() / "aclImdb/test/neg/0_1.txt");
  refused({"0_1.txt: is a directory"});
  fs::remove(folder.path() / "aclImdb/test/neg/0_1.txt");
  write_file(folder.path() / "aclImdb/test/neg/0_1.txt", Bytes((1 << 20) + 1, 'a'));
  refused({"0_1.txt: has 1048577 bytes, more than a review has"});

  fs::remove_all(folder.path() / "aclImdb");
  const fs::path archive = folder.path() / "aclImdb_v1.tar.gz";
  Bytes file = review_archive(kReviewFiles);
  file.resize(file.size() / 2);
  write_file(archive, file);
  refused({"aclImdb_v1.tar.gz: "});
  write_file(archive, review_archive({{"test/neg/0_1.txt", std::string((1 << 20) + 1, 'a')}}));
  refused({"holds more than 1048576 bytes"});
  write_file(archive, tar_gz({tar_entry("aclImdb/train/neg/0_1.txt", {}, kSymbolicLink, "/etc/passwd")}));
  refused({"has no reviews in train/neg"});
}

namespace {

// One of the prepared files of the reviews; empty where they are not at hand.
Bytes prepared(const std::string& name) {
  const char* const data = std::getenv("CAIRN_DATA");
  const fs::path path = fs::path(data != nullptr ? data : "") / "imdb" / name;
  if (data == nullptr || !fs::exists(path)) return {};
  return decompress(read_file(path), kMaxFileBytes, name);
}

std::vector<int32_t> as_numbers(const Bytes& bytes) {
  std::vector<int32_t> numbers(bytes.size() / sizeof(int32_t));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(int32_t));
  return numbers;
}

// As they are prepared: a start token, and every word its number.
const TokenEncoding kAll{.vocabulary = 88588, .length = 4000};

// Text i of a split of these files.
std::vector<int32_t> prepared_text(const std::vector<int32_t>& tokens, const std::vector<int32_t>& offsets, size_t i) {
  return {tokens.begin() + offsets[i], tokens.begin() + offsets[i + 1]};
}

std::vector<int32_t> encoded(std::span<const int32_t> ranks) {
  std::vector<int32_t> row(static_cast<size_t>(kAll.length));
  kAll.encode(ranks, row);
  row.resize(static_cast<size_t>(kAll.kept(static_cast<int64_t>(ranks.size()))));
  return row;
}

std::vector<std::string_view> lines_of(const Bytes& bytes) {
  std::vector<std::string_view> lines;
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = std::min(all.find('\n', begin), all.size());
    lines.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

TEST_CASE("real data: the tokeniser gives the numbers of 400 prepared reviews, word for word") {
  const Bytes sample = prepared("imdb_sample_test_400.tsv.gz"), names = prepared("imdb_test_ids.txt.gz");
  if (sample.empty() || names.empty()) {
    MESSAGE("skipped: $CAIRN_DATA has no prepared reviews");
    return;
  }
  const std::vector<int32_t> tokens = as_numbers(prepared("imdb_test_tokens.i32.gz"));
  const std::vector<int32_t> offsets = as_numbers(prepared("imdb_test_offsets.i32.gz"));
  const std::vector<std::string_view> files = lines_of(names);
  const auto index = find_word_index(fs::path(std::getenv("CAIRN_DATA")) / "imdb",
                                     "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6");
  REQUIRE(index);
  CHECK(index->count() == 88584);
  int compared = 0;
  for (const std::string_view line : lines_of(sample)) {
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    const std::string_view file = line.substr(first + 1, second - first - 1);
    const auto place = std::ranges::find(files, file);
    REQUIRE(place != files.end());
    const std::vector<int32_t> ranks = ranks_of(Words(line.substr(second + 1)), *index);
    CHECK(encoded(ranks) == prepared_text(tokens, offsets, static_cast<size_t>(place - files.begin())));
    ++compared;
  }
  CHECK(compared == 400);
}

TEST_CASE("real data: imdb.npz has the prepared reviews, but for words that are in no index") {
  if (prepared("imdb_train_labels.u8.gz").empty() ||
      !fs::exists(fs::path(std::getenv("CAIRN_DATA")) / "imdb/imdb.npz")) {
    MESSAGE("skipped: $CAIRN_DATA has no prepared reviews");
    return;
  }
  const Dataset set = load_dataset("imdb", {}, kUnchecked);
  REQUIRE(set.words);
  for (const auto& [name, split] : {std::pair("train", &set.train), std::pair("test", &set.test)}) {
    const std::string stem = std::string("imdb_") + name;
    const std::vector<int32_t> tokens = as_numbers(prepared(stem + "_tokens.i32.gz"));
    const std::vector<int32_t> offsets = as_numbers(prepared(stem + "_offsets.i32.gz"));
    const Bytes right = prepared(stem + "_labels.u8.gz");
    REQUIRE(split->count == 25000);
    CHECK(byte_labels(*split) == right);
    int64_t other = 0;
    for (int64_t i = 0; i < split->count; ++i) {
      std::vector<int32_t> numbers = prepared_text(tokens, offsets, static_cast<size_t>(i));
      std::erase(numbers, kAll.unknown());
      other += numbers != encoded(split->texts->text(i));
    }
    CHECK(other == 0);
  }
}

}  // namespace cairn::datasets
