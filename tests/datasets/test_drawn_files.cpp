// Generated sets as files: what a reader of them gets is what is drawn, bit for bit; nobody's file is written over.
#include "datasets/drawn_files.h"

#include "datasets/digits.h"
#include "datasets/file.h"
#include "datasets/idx.h"
#include "datasets/phrases.h"
#include "datasets/word_index.h"
#include "framework/error.h"
#include "tests/datasets/support.h"

namespace cairn::datasets {

namespace fs = std::filesystem;

TEST_CASE("digits written as IDX files are the pixels and labels that are drawn") {
  const TemporaryFolder folder;
  CHECK(write_digits(folder.path()));
  const Dataset drawn = generate_digits(0);
  for (const auto& [name, set] : {std::pair(std::string("train"), &drawn.train), {"t10k", &drawn.test}}) {
    const fs::path images = folder.path() / "digits" / (name + "-images-idx3-ubyte");
    const fs::path labels = folder.path() / "digits" / (name + "-labels-idx1-ubyte");
    const Split read =
        join_idx(decode_idx(read_file(images), 3, "images"), decode_idx(read_file(labels), 1, "labels"), 10, "", "");
    CHECK(read.count == set->count);
    CHECK(image_shape(read) == Shape{1, 28, 28});
    CHECK(read.column("image").bytes == set->column("image").bytes);
    CHECK(byte_labels(read) == byte_labels(*set));
  }
  CHECK_FALSE(write_digits(folder.path()));
  const fs::path first = folder.path() / "digits" / "train-labels-idx1-ubyte";
  write_file(first, to_bytes("mine"));
  check_error<DataError>([&] { write_digits(folder.path()); }, {"train-labels-idx1-ubyte: is not what `digits`"});
  CHECK(read_file(first) == to_bytes("mine"));
  write_file(folder.path() / "file", {});
  check_error<IoError>([&] { write_digits(folder.path() / "file"); }, {"cannot write", "file/digits"});
}

TEST_CASE("phrases written as lines are the labels and words that are drawn") {
  const TemporaryFolder folder;
  CHECK(write_phrases(folder.path()));
  const Dataset drawn = generate_phrases(0);
  const auto index = find_word_index(folder.path() / "phrases");
  REQUIRE(index);
  for (const auto& [name, set] : {std::pair("train.tsv", &drawn.train), {"test.tsv", &drawn.test}}) {
    const Bytes file = read_file(folder.path() / "phrases" / name);
    std::string lines;
    for (int64_t i = 0; i < set->count; ++i)
      lines += std::to_string(labels(*set)[static_cast<size_t>(i)]) + "\t" + text_of(set->texts->text(i), index.get()) +
               "\n";
    CHECK(std::string(file.begin(), file.end()) == lines);
  }
  CHECK_FALSE(write_phrases(folder.path()));
  write_file(folder.path() / "phrases" / "words.txt", to_bytes("mine\n"));
  check_error<DataError>([&] { write_phrases(folder.path()); }, {"words.txt: is not what `phrases` is drawn as"});
}

}  // namespace cairn::datasets
