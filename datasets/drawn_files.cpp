#include "datasets/drawn_files.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "datasets/digits.h"
#include "datasets/digits32.h"
#include "datasets/file.h"
#include "datasets/phrases.h"
#include "datasets/word_index.h"
#include "framework/error.h"
#include "framework/file.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

// Magic number and sizes, big-endian.
Bytes idx_file(std::span<const int64_t> sizes, std::span<const uint8_t> content) {
  Bytes file;
  for (const size_t byte : {size_t{0}, size_t{0}, size_t{8}, sizes.size()}) file.push_back(static_cast<uint8_t>(byte));
  for (const int64_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) file.push_back(static_cast<uint8_t>(size >> shift));
  file.insert(file.end(), content.begin(), content.end());
  return file;
}

// False: it holds that already.
bool write_once(const fs::path& path, const Bytes& bytes, const char* set) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) {
    if (read_file(path) == bytes) return false;
    throw DataError(fmt::format("{}: is not what `{}` is drawn as: move or delete it", path.string(), set));
  }
  const std::span<const std::byte> part = std::as_bytes(std::span(bytes));
  write_file_atomically(path, std::span(&part, 1));
  return true;
}

fs::path make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw IoError(fmt::format("cannot write {}: {}", folder.string(), error.message()));
  return folder;
}

// Images first .. end - 1 as records of one label byte and the pixels.
Bytes cifar_file(const Split& split, int64_t first, int64_t end) {
  const size_t size = split.column(kImage).row_bytes();
  const Bytes bytes = byte_labels(split);
  Bytes file;
  for (auto i = static_cast<size_t>(first); i < static_cast<size_t>(end); ++i) {
    const std::span<const uint8_t> pixels = images(split).subspan(i * size, size);
    file.push_back(bytes[i]);
    file.insert(file.end(), pixels.begin(), pixels.end());
  }
  return file;
}

Bytes tsv(const Split& split, const WordIndex& index) {
  Bytes lines;
  for (int64_t i = 0; i < split.count; ++i) {
    const std::string line =
        fmt::format("{}\t{}\n", labels(split)[static_cast<size_t>(i)], text_of(split.texts->text(i), &index));
    lines.insert(lines.end(), line.begin(), line.end());
  }
  return lines;
}

}  // namespace

bool write_digits(const fs::path& data_dir) {
  const fs::path folder = make_folder(data_dir / "digits");
  const Dataset digits = generate_digits(0);
  bool wrote = false;
  for (const auto& [name, set] : {std::pair("train", &digits.train), std::pair("t10k", &digits.test)}) {
    const std::array<int64_t, 3> sizes{set->count, kDigitSide, kDigitSide};
    wrote |= write_once(folder / fmt::format("{}-images-idx3-ubyte", name), idx_file(sizes, images(*set)), "digits");
    wrote |= write_once(folder / fmt::format("{}-labels-idx1-ubyte", name),
                        idx_file(std::span(sizes).first(1), byte_labels(*set)), "digits");
  }
  return wrote;
}

bool write_digits32(const fs::path& data_dir) {
  const fs::path folder = make_folder(data_dir / "digits32");
  const Dataset digits = generate_digits32(0);
  constexpr int64_t kBatches = 5, kImages = kDigitsTrainCount / kBatches;
  bool wrote = false;
  for (int64_t i = 0; i < kBatches; ++i)
    wrote |= write_once(folder / fmt::format("data_batch_{}.bin", i + 1),
                        cifar_file(digits.train, i * kImages, (i + 1) * kImages), "digits32");
  wrote |= write_once(folder / "test_batch.bin", cifar_file(digits.test, 0, digits.test.count), "digits32");
  return wrote;
}

bool write_phrases(const fs::path& data_dir) {
  const fs::path folder = make_folder(data_dir / "phrases");
  const Dataset phrases = generate_phrases(0);
  const std::string words = phrases.words->lines(phrases.words->count());
  bool wrote = write_once(folder / "train.tsv", tsv(phrases.train, *phrases.words), "phrases");
  wrote |= write_once(folder / "test.tsv", tsv(phrases.test, *phrases.words), "phrases");
  wrote |= write_once(folder / kWordsFile, Bytes(words.begin(), words.end()), "phrases");
  return wrote;
}

}  // namespace cairn::datasets
