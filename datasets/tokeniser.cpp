#include "datasets/tokeniser.h"

#include <array>

namespace cairn::datasets {
namespace {

constexpr std::string_view kSeparators = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";

// What becomes of each byte.
std::array<char, 256> make_table() {
  std::array<char, 256> table;
  for (size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(i >= 'A' && i <= 'Z' ? i - 'A' + 'a' : i);
  for (const char separator : kSeparators) table[static_cast<unsigned char>(separator)] = ' ';
  return table;
}

}  // namespace

Words::Words(std::string_view text) : text_(text) {
  static const std::array<char, 256> table = make_table();
  for (char& c : text_) c = table[static_cast<unsigned char>(c)];
  const std::string_view all = text_;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = std::min(all.find(' ', begin), all.size());
    if (end > begin) words_.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
}

std::vector<int32_t> ranks_of(const Words& words, const WordIndex& index) {
  std::vector<int32_t> ranks;
  ranks.reserve(words.words().size());
  for (const std::string_view word : words.words()) ranks.push_back(index.rank(word));
  return ranks;
}

}  // namespace cairn::datasets
