// Networks of texts from the command line: trained, asked about texts, tested; and what is refused.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/apps/command.h"
#include "tests/datasets/numpy_files.h"

namespace cairn::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModel = "imdb-gru";

// A run to ask, trained once for all tests, on phrases; empty: this build has no network of texts.
const fs::path& text_run() {
  static const TemporaryFolder folder;
  static const fs::path run_folder = [] {
    if (contains(run(CAIRN_TRAIN, {"--model", kModel, "--dry-run"}, folder.path).error, "unknown model"))
      return fs::path();
    const Result result = run(CAIRN_TRAIN,
                              {"--model", kModel, "--dataset", "phrases", "--impl", "simd", "--steps", "5", "--epochs",
                               "0", "--threads", "2", "--text-length", "16", "--quiet", "--out", "run"},
                              folder.path);
    REQUIRE_MESSAGE(result.code == 0, result.error);
    return folder.path / "run";
  }();
  return run_folder;
}

bool no_network_of_texts() {
  if (text_run().empty()) MESSAGE("skipped: this build has no network of texts");
  return text_run().empty();
}

std::vector<std::string> ask(const std::vector<std::string>& more) {
  return with({"--weights", text_run(), "--impl", "simd", "--threads", "1", "--quiet"}, more);
}

Result ask_lines(const std::string& lines, const std::vector<std::string>& more, const fs::path& folder) {
  write_file(folder / "lines", lines);
  return run("/bin/sh", with({"-c", "exec \"$@\" <lines", "sh", CAIRN_PREDICT}, ask(more)), folder);
}

nlohmann::json prediction(const std::string& text, const fs::path& folder) {
  const Result result = run(CAIRN_PREDICT, ask({"--json", "--text=" + text}), folder);
  CHECK_MESSAGE(result.code == 0, result.error);
  return last_line(result.out)["predictions"][0];
}

}  // namespace

TEST_CASE("predict says of a text what it is and which words the network does not know") {
  if (no_network_of_texts()) return;
  const TemporaryFolder folder;
  const Result result =
      run(CAIRN_PREDICT, ask({"--text", "The film was GOOD, but then awful; awful and dull!"}), folder.path);
  CHECK(result.code == 0);
  CHECK(result.error.empty());
  CHECK(line_count(result.out) == 1);
  CHECK_MESSAGE(contains(result.out, "   unknown: 'awful'\n"), result.out);
  CHECK(contains(result.out, " last  "));
  const nlohmann::json one = prediction("the film was good, zebra", folder.path);
  CHECK(one["words"] == 5);
  CHECK(one["words_read"] == 5);
  CHECK(one["unknown"] == std::vector<std::string>{"zebra"});
  CHECK(one["top"].size() == 2);
  CHECK(one["name"] == one["top"][0]["name"]);
  const double sum = one["top"][0]["probability"].get<double>() + one["top"][1]["probability"].get<double>();
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("predict takes texts of any kind: none, only unknown words, flags, brackets, bytes that are no UTF-8") {
  if (no_network_of_texts()) return;
  const TemporaryFolder folder;
  CHECK(prediction("", folder.path)["words"] == 0);
  CHECK(prediction(" \t,.<>", folder.path)["words"] == 0);
  CHECK(prediction("xyzzy plugh", folder.path)["unknown"].size() == 2);
  CHECK(prediction("-5 stars", folder.path)["words"] == 2);
  CHECK(prediction("--weights", folder.path)["words"] == 1);
  CHECK(prediction("[good, bad]", folder.path)["words"] == 2);
  CHECK(prediction("{}", folder.path)["words"] == 0);
  CHECK(prediction("a caf\xC3\xA9 \xFF", folder.path)["unknown"] ==
        std::vector<std::string>{"caf\xC3\xA9", "bytes:%FF"});
  CHECK(contains(run(CAIRN_PREDICT, ask({"--text", ""}), folder.path).out, "   no words\n"));
}

TEST_CASE("predict takes the lines of standard input, also one of a megabyte") {
  if (no_network_of_texts()) return;
  const TemporaryFolder folder;
  const Result three = ask_lines("good film\r\n\nbad", {"--text", "-"}, folder.path);
  CHECK(three.code == 0);
  CHECK(line_count(three.out) == 3);
  for (const char* part : {"line 1  ", "line 2  ", "line 3  ", "   no words\n"}) CHECK(contains(three.out, part));
  CHECK_FALSE(contains(three.out, "unknown"));  // the carriage return is no part of the word
  CHECK(ask_lines("", {"--text", "-"}, folder.path).out.empty());
  std::string megabyte;
  while (megabyte.size() < 1 << 20) megabyte += "film ";
  const Result large = ask_lines(megabyte, {"--text", "-"}, folder.path);
  CHECK(large.code == 0);
  CHECK_MESSAGE(contains(large.out, "reads the last 16 of 209716 words"), large.out);
  CHECK(ask_lines(std::string(1 << 20, 'x'), {"--text", "-", "--json"}, folder.path).code == 0);
  const Result many = ask_lines(std::string(100'001, '\n'), {"--text", "-"}, folder.path);
  CHECK(many.code == 2);
  CHECK(contains(many.error, "more than 100000 lines"));
}

TEST_CASE("predict tests a network of texts, and shows the worst mistakes as text") {
  if (no_network_of_texts()) return;
  const TemporaryFolder folder;
  const Result result = run(CAIRN_PREDICT, ask({"--dataset", "phrases"}), folder.path);
  CHECK_MESSAGE(result.code == 0, result.error);
  for (const char* part : {"accuracy ", " of 4000)", "worst mistakes", "  text ", "was taken for ", " texts/s"})
    CHECK_MESSAGE(contains(result.out, part), part);
  const nlohmann::json json = last_line(run(CAIRN_PREDICT, ask({"--dataset", "phrases", "--json"}), folder.path).out);
  CHECK(json["mistakes"][0]["text"].get<std::string>().find(' ') != std::string::npos);
}

TEST_CASE("predict needs a run's folder alone, and says in a line what does not go together") {
  if (no_network_of_texts()) return;
  const TemporaryFolder folder;
  const auto refused = [&](const std::vector<std::string>& flags, const char* part) {
    const Result result = run(CAIRN_PREDICT, flags, folder.path);
    CHECK(result.code == 2);
    CHECK(line_count(result.error) == 1);
    CHECK_MESSAGE(contains(result.error, part), result.error);
  };
  refused(ask({"--dataset", "mnist", "--data-dir", "none"}), "mnist");
  refused(ask({"--dataset", "digits"}), "takes texts in 2 classes; data set digits has images of [1, 28, 28] in 10");
  refused(ask({"picture.png"}), "pictures are for networks of images; model imdb-gru takes texts: --text");
  refused(ask({"--text", "a", "--dataset", "phrases"}), "one of them");
  refused(ask({"--dataset", "phrases", "--mistakes", "m.png"}), "--mistakes draws images");
  for (const char* file : {"config.json", "model.safetensors"}) fs::copy_file(text_run() / file, folder.path / file);
  refused({"--weights", ".", "--text", "a", "--quiet"}, "there is no words.txt beside it");
  write_file(folder.path / "words.txt", "the\n\n");
  refused({"--weights", ".", "--text", "a", "--quiet"}, "words.txt: the word of rank 2 is empty");
  refused({"--weights", ".", "--text"}, "--text needs a value");
}

TEST_CASE("how texts are encoded is part of a run: it is repeated, resumed, and may not all be changed within one") {
  if (no_network_of_texts()) return;
  const TemporaryFolder folder;
  CHECK(config_of(text_run())["text-length"] == 16);
  CHECK(config_of(text_run())["keep-last"] == true);
  const Result repeated =
      run(CAIRN_TRAIN, {"--config", text_run() / "config.json", "--quiet", "--out", "again"}, folder.path);
  CHECK_MESSAGE(repeated.code == 0, repeated.error);
  CHECK(config_of(folder.path / "again") == config_of(text_run()));
  CHECK(read_file(folder.path / "again/model.safetensors") == read_file(text_run() / "model.safetensors"));
  CHECK(read_file(folder.path / "again/words.txt") == read_file(text_run() / "words.txt"));
  const Result longer =
      run(CAIRN_TRAIN, {"--resume", "again", "--steps", "7", "--text-length", "12", "--quiet"}, folder.path);
  CHECK_MESSAGE(longer.code == 0, longer.error);
  const nlohmann::json config = config_of(folder.path / "again");
  CHECK(config["text-length"] == 12);
  CHECK(config["earlier"][0]["text-length"] == 16);
  const Result other = run(CAIRN_TRAIN, {"--resume", "again", "--vocabulary", "100"}, folder.path);
  CHECK(other.code == 2);
  CHECK_MESSAGE(contains(other.error, "--vocabulary 100: the run in again has "), other.error);
}

TEST_CASE("a network of images takes no texts") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& program, const std::vector<std::string>& flags, const char* part) {
    const Result result = run(program, flags, folder.path);
    CHECK(result.code == 2);
    CHECK(line_count(result.error) == 1);
    CHECK_MESSAGE(contains(result.error, part), result.error);
  };
  refused(CAIRN_TRAIN, {"--model", "dnn", "--dataset", "phrases"},
          "model dnn takes images of [1, 28, 28] in 10 classes; data set phrases has texts in 2");
  refused(CAIRN_TRAIN, {"--model", "dnn", "--vocabulary", "100"}, "are for networks of texts; model dnn takes images");
  refused(CAIRN_DENOISE, {"--dataset", "phrases"}, "data set phrases has texts");
  write_file(folder.path / "none.safetensors", "");
  refused(CAIRN_PREDICT, {"--weights", "none.safetensors", "--model", "dnn", "--text", "a"},
          "--text is for networks of texts; model dnn takes images");
}

TEST_CASE("info tells how long a data set's texts are, and of which words") {
  const TemporaryFolder folder;
  const Result phrases = run(CAIRN_INFO, {"--dataset", "phrases"}, folder.path);
  CHECK(phrases.code == 0);
  for (const char* part :
       {"training examples: 20000\n", "training texts: 4 to 14 words, ", "22 in the index, from 'the' on",
        "class 1: praise last, 10000 training and 2000 test examples"})
    CHECK_MESSAGE(contains(phrases.out, part), phrases.out);
  const datasets::Bytes file = datasets::make_npz_reviews({{1, 2}, {7}}, {0, 1}, {{3}}, {1});
  write_file(folder.path / "imdb.npz", std::string(file.begin(), file.end()));
  const Result imdb = run(CAIRN_INFO, {"--dataset", "imdb", "--data-dir", ".", "--check-hash", "false"}, folder.path);
  for (const char* part : {"training texts: 1 to 2 words, ", "test texts: 1 to 1 words",
                           "vocabulary: 7 words in the training texts, and no index"})
    CHECK_MESSAGE(contains(imdb.out, part), imdb.out);
  const Result show = run(CAIRN_INFO, {"--dataset", "phrases", "--show", "x.png"}, folder.path);
  CHECK(show.code == 2);
  CHECK(contains(show.error, "--show draws images; data set phrases has texts"));
}

}  // namespace cairn::testing
