// Texts as words, ranks and the numbers that a network sees.
#include "datasets/tokeniser.h"
#include "datasets/word_index.h"
#include "framework/token_encoding.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {
namespace {

using Ints = std::vector<int32_t>;

Ints numbers_of(const TokenEncoding& encoding, const Ints& ranks) {
  Ints row(static_cast<size_t>(encoding.length), -1);
  encoding.encode(ranks, row);
  return row;
}

std::vector<std::string> words_in(const std::string& text) {
  const Words found(text);
  return {found.words().begin(), found.words().end()};
}

}  // namespace

TEST_CASE("a text falls into words as Keras has it") {
  using Strings = std::vector<std::string>;
  CHECK(words_in("The film's BEST<br /><br />part, isn't it?") ==
        Strings{"the", "film's", "best", "br", "br", "part", "isn't", "it"});
  CHECK(words_in("a!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\nb") == Strings{"a", "b"});
  CHECK(words_in("\xC3\x89T\xC3\x89 \xC2\x96 a\rb") == Strings{"\xC3\x89t\xC3\x89", "\xC2\x96", "a\rb"});
  CHECK(words_in("bad\xFF\xC0 utf\x80") == Strings{"bad\xFF\xC0", "utf\x80"});  // bytes of no character belong to words
  CHECK(words_in(std::string("nul\0in", 6)) == Strings{std::string("nul\0in", 6)});
  CHECK(words_in("").empty());
  CHECK(words_in(" .,! \n").empty());
  CHECK(words_in(std::string(1 << 20, 'x')).size() == 1);
}

TEST_CASE("words are numbered as Keras does, and as Knet does") {
  const TokenEncoding keras{.vocabulary = 10, .length = 6};
  CHECK(numbers_of(keras, {1, 6, 7, 0}) == Ints{1, 4, 9, 2, 2, 0});
  CHECK(keras.known_words() == 6);
  const TokenEncoding knet{.vocabulary = 10, .length = 6, .pad_front = true, .top_specials = true};
  CHECK(numbers_of(knet, {1, 7, 8, 0}) == Ints{9, 8, 0, 6, 7, 7});
  CHECK(knet.known_words() == 7);
  for (const TokenEncoding& each : {keras, knet})
    for (int32_t rank = -1; rank < 20; ++rank) {
      CHECK(each.number(rank) >= 0);
      CHECK(each.number(rank) < each.vocabulary);
      CHECK((each.number(rank) != each.unknown()) == (rank >= 1 && rank <= each.known_words()));
    }
}

TEST_CASE("a longer text loses its beginning or its end, a shorter one is filled up at either") {
  TokenEncoding encoding{.vocabulary = 20, .length = 3};
  const Ints three{1, 2, 3}, one{5};
  CHECK(numbers_of(encoding, three) == Ints{4, 5, 6});  // the start token is what went
  CHECK(numbers_of(encoding, one) == Ints{1, 8, 0});
  CHECK(numbers_of(encoding, {}) == Ints{1, 0, 0});
  encoding.keep_last = false;
  CHECK(numbers_of(encoding, three) == Ints{1, 4, 5});
  encoding.start_token = false;
  CHECK(numbers_of(encoding, {1, 2, 3, 4}) == Ints{4, 5, 6});
  CHECK(numbers_of(encoding, {}) == Ints{0, 0, 0});
  encoding.pad_front = true;
  CHECK(numbers_of(encoding, one) == Ints{0, 0, 8});
  encoding.keep_last = true;
  CHECK(numbers_of(encoding, {1, 2, 3, 4}) == Ints{5, 6, 7});
  CHECK(encoding.kept(2) == 2);
  CHECK(encoding.kept(9) == 3);
}

TEST_CASE("the words that are shown of a text are those that are encoded") {
  for (const bool last : {false, true})
    for (const bool start : {false, true})
      for (int64_t length = 1; length < 6; ++length)
        for (int32_t words = 0; words < 8; ++words) {
          const TokenEncoding encoding{.vocabulary = 99, .length = length, .keep_last = last, .start_token = start};
          Ints ranks, expected;
          for (int32_t rank = 1; rank <= words; ++rank) ranks.push_back(rank);
          for (const int32_t rank : encoding.shown(ranks)) expected.push_back(encoding.number(rank));
          Ints row = numbers_of(encoding, ranks);
          std::erase_if(row,
                        [&](int32_t number) { return number == encoding.start() || number == encoding.padding(); });
          CHECK(row == expected);
        }
}

TEST_CASE("texts become a column, in place of themselves") {
  Texts texts;
  texts.add(Ints{1, 2});
  texts.add({});
  Split split = text_split(texts, Ints{1, 0});
  CHECK(split.count == 2);
  encode_texts(split, {.vocabulary = 8, .length = 3});
  CHECK_FALSE(split.texts);
  const Column& tokens = split.column(kTokens);
  CHECK(tokens.row_shape == Shape{3});
  Ints values(6);
  read_rows(tokens, Ints{1, 0}, reinterpret_cast<std::byte*>(values.data()));
  CHECK(values == Ints{1, 0, 0, 1, 4, 5});
  check_error<ShapeError>([&] { text_split(texts, Ints{1}); }, {"1 labels for 2 texts"});
  const TextLengths lengths = measure_lengths(texts);
  CHECK(lengths.least == 0);
  CHECK(lengths.most == 2);
  CHECK(lengths.mean == 1);
  CHECK(measure_lengths({}).most == 0);
}

TEST_CASE("an index of words is read from Keras's JSON and from a run's lines") {
  const TemporaryFolder folder;
  CHECK(find_word_index(folder.path()) == nullptr);
  const std::string json = R"({"film": 2, "the": 1, "caf\u00e9": 3})";
  write_file(folder.path() / "imdb_word_index.json.gz", make_gzip(to_bytes(json)));
  const auto index = find_word_index(folder.path());
  REQUIRE(index);
  CHECK(index->count() == 3);
  CHECK(index->rank("film") == 2);
  CHECK(index->rank("caf\xC3\xA9") == 3);
  CHECK(index->rank("cafe") == kUnknownRank);
  CHECK(index->word(1) == "the");
  CHECK(index->word(0) == "?");
  CHECK(index->word(4) == "?");
  CHECK(index->lines(2) == "the\nfilm\n");
  CHECK(text_of(Ints{1, 2, 0}, index.get()) == "the film ?");
  CHECK(text_of(Ints{1, 2}, nullptr) == "#1 #2");
  CHECK(ranks_of(Words("The FILM, again"), *index) == Ints{1, 2, 0});

  write_file(folder.path() / "words.txt", to_bytes("a\nb\xC2\x85"
                                                   "c\n"));  // a line end of Unicode's is none here
  CHECK(find_word_index(folder.path())
            ->rank("b\xC2\x85"
                   "c") == 2);
  std::filesystem::remove(folder.path() / "words.txt");
  check_error<DataError>([&] { find_word_index(folder.path(), "ab"); }, {"has sha256", "`fetch imdb`"});
}

TEST_CASE("an index of words that is none is refused") {
  const auto refused = [](const char* json, const char* part) {
    check_error<DataError>([&] { parse_word_index(json, "index.json"); }, {"index.json: ", part});
  };
  refused("", "is no JSON object");
  refused("[1]", "is no JSON object");
  refused("{\"a\": 1", "is no JSON object");
  refused("{\"\xFF\": 1}", "is no JSON object");
  refused(R"({"a": "1"})", "'a' has no rank");
  refused(R"({"a": 1.5})", "'a' has no rank");
  refused(R"({"a": 0})", "the rank of 'a'");
  refused(R"({"a": -1})", "the rank of 'a'");
  refused(R"({"a": 1, "b": 1})", "is not one of its own from 1 to 2");
  refused(R"({"a": 1, "b": 3})", "the rank of 'b'");
  refused(R"({"a\nb": 1})", "line end");
  refused(R"({"": 1})", "rank 1 is empty");
  check_error<DataError>([] { parse_words("a\nb", "words.txt"); }, {"words.txt: is cut short"});
  check_error<DataError>([] { parse_words("a\n\nb\n", "words.txt"); }, {"words.txt: ", "rank 2 is empty"});
  check_error<DataError>([] { parse_words("a\nb\na\n", "words.txt"); }, {"words.txt: has 'a' twice"});
  CHECK(parse_words("", "words.txt")->count() == 0);
}

}  // namespace cairn::datasets
