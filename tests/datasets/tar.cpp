#include "tests/datasets/tar.h"

#include <cstdio>
#include <cstring>

#include "tests/datasets/support.h"

namespace cairn::datasets {

Bytes tar_entry(const std::string& name, const Bytes& content, char type, const std::string& link,
                std::optional<size_t> size) {
  char head[512] = {};
  const auto put = [&](size_t place, const std::string& text) { std::memcpy(head + place, text.data(), text.size()); };
  const auto octal = [](size_t value, int digits) {
    char text[24];
    std::snprintf(text, sizeof text, "%0*zo", digits, value);
    return std::string(text);
  };
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(size.value_or(content.size()), 11));
  put(136, "00000000000");
  head[156] = type;
  put(157, link);
  put(257, "ustar");
  put(263, "00");
  std::memset(head + 148, ' ', 8);
  size_t sum = 0;
  for (const char byte : head) sum += static_cast<uint8_t>(byte);
  put(148, octal(sum, 6));
  head[154] = '\0';
  Bytes entry(head, head + sizeof head);
  entry.insert(entry.end(), content.begin(), content.end());
  entry.resize((entry.size() + 511) / 512 * 512, 0);
  return entry;
}

Bytes tar_gz(std::initializer_list<Bytes> entries) {
  Bytes tar;
  for (const Bytes& entry : entries) tar.insert(tar.end(), entry.begin(), entry.end());
  tar.resize(tar.size() + 1024, 0);
  return make_gzip(tar);
}

}  // namespace cairn::datasets
