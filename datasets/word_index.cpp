#include "datasets/word_index.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "datasets/archive.h"
#include "datasets/file.h"
#include "datasets/sha256.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostBytes = uint64_t{1} << 24;
constexpr size_t kMostWords = size_t{1} << 21;

std::string_view as_text(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes read_index(const fs::path& path) {
  Bytes bytes = read_file(path);
  if (path.extension() == ".gz") return decompress(bytes, kMostBytes, path.string());
  if (bytes.size() > kMostBytes)
    throw DataError(fmt::format("{}: has {} bytes, too many for an index of words", path.string(), bytes.size()));
  return bytes;
}

}  // namespace

WordIndex::WordIndex(std::vector<std::string> words, const std::string& name) : words_(std::move(words)) {
  ranks_.reserve(words_.size());
  for (size_t i = 0; i < words_.size(); ++i) {
    if (words_[i].empty() || words_[i].find('\n') != std::string::npos)
      throw DataError(fmt::format("{}: the word of rank {} is empty or has a line end in it", name, i + 1));
    if (!ranks_.emplace(words_[i], static_cast<int32_t>(i + 1)).second)
      throw DataError(fmt::format("{}: has {} twice", name, in_quotes(words_[i])));
  }
}

int32_t WordIndex::rank(std::string_view word) const {
  const auto found = ranks_.find(word);
  return found == ranks_.end() ? kUnknownRank : found->second;
}

const std::string& WordIndex::word(int32_t rank) const {
  static const std::string none = "?";
  return rank < 1 || rank > count() ? none : words_[static_cast<size_t>(rank) - 1];
}

std::string WordIndex::lines(int64_t most) const {
  std::string lines;
  for (int64_t rank = 1; rank <= std::min(most, count()); ++rank) lines += word(static_cast<int32_t>(rank)) + "\n";
  return lines;
}

std::shared_ptr<const WordIndex> parse_word_index(std::string_view json, const std::string& name) {
  const nlohmann::json index = nlohmann::json::parse(json, nullptr, false);
  if (!index.is_object()) throw DataError(name + ": is no JSON object of words and their ranks");
  if (index.size() > kMostWords) throw DataError(fmt::format("{}: has more than {} words", name, kMostWords));
  std::vector<std::string> words(index.size());
  for (const auto& [word, value] : index.items()) {
    if (!value.is_number_integer()) throw DataError(fmt::format("{}: {} has no rank", name, in_quotes(word)));
    // A number beyond 64 bits is read as a real one.
    const auto rank = value.get<uint64_t>();
    if (rank < 1 || rank > words.size() || !words[rank - 1].empty())
      throw DataError(fmt::format("{}: the rank of {} is not one of its own from 1 to {}, as many as there are words",
                                  name, in_quotes(word), words.size()));
    words[rank - 1] = word;
  }
  return std::make_shared<WordIndex>(std::move(words), name);
}

std::shared_ptr<const WordIndex> parse_words(std::string_view lines, const std::string& name) {
  if (!lines.empty() && lines.back() != '\n') throw DataError(name + ": is cut short: its last line does not end");
  std::vector<std::string> words;
  for (size_t begin = 0; begin < lines.size();) {
    const size_t end = lines.find('\n', begin);
    if (words.size() == kMostWords) throw DataError(fmt::format("{}: has more than {} words", name, kMostWords));
    words.emplace_back(lines.substr(begin, end - begin));
    begin = end + 1;
  }
  return std::make_shared<WordIndex>(std::move(words), name);
}

std::shared_ptr<const WordIndex> find_word_index(const fs::path& folder, const std::string& sha256) {
  std::error_code ignored;  // an unreadable folder holds nothing
  if (const fs::path path = folder / kWordsFile; fs::exists(path, ignored))
    return parse_words(as_text(read_index(path)), path.string());
  for (const char* ending : {"", ".gz"}) {
    const fs::path path = folder / (std::string(kKerasIndex) + ending);
    if (!fs::exists(path, ignored)) continue;
    const Bytes bytes = read_index(path);
    if (!sha256.empty() && datasets::sha256(bytes) != sha256)
      throw DataError(
          fmt::format("{}: has sha256 {}, not the published index's: `fetch imdb` brings that, --check-hash "
                      "false takes another",
                      path.string(), datasets::sha256(bytes)));
    return parse_word_index(as_text(bytes), path.string());
  }
  return nullptr;
}

std::string text_of(std::span<const int32_t> ranks, const WordIndex* index) {
  std::string text;
  for (const int32_t rank : ranks)
    text += (text.empty() ? "" : " ") + (index ? index->word(rank) : fmt::format("#{}", rank));
  return text;
}

}  // namespace cairn::datasets
