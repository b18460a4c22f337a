#include "framework/pickle_text.h"

#include <charconv>
#include <cstdint>

namespace cairn {
namespace {

// So many digits of this base at the front, taken off it.
std::optional<uint32_t> take_digits(std::string_view& text, size_t digits, int base) {
  uint32_t value = 0;
  if (text.size() < digits) return std::nullopt;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + digits, value, base);
  if (fault != std::errc() || end != text.data() + digits) return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

void append_utf8(std::string& text, uint32_t character) {
  const auto append = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (character < 0x80) return append(character);
  if (character < 0x800) {
    append(0xC0 | character >> 6);
  } else {
    if (character < 0x10000) {
      append(0xE0 | character >> 12);
    } else {
      append(0xF0 | character >> 18);
      append(0x80 | (character >> 12 & 0x3F));
    }
    append(0x80 | (character >> 6 & 0x3F));
  }
  append(0x80 | (character & 0x3F));
}

// What follows a backslash, taken off the front.
std::optional<char> take_escape(std::string_view& text) {
  constexpr std::string_view kLetters = "\\'\"abfnrtv", kMeanings = "\\'\"\a\b\f\n\r\t\v";
  if (text.empty()) return std::nullopt;
  if (const size_t letter = kLetters.find(text[0]); letter != std::string_view::npos) {
    text.remove_prefix(1);
    return kMeanings[letter];
  }
  if (text[0] != 'x') return std::nullopt;
  text.remove_prefix(1);
  const std::optional<uint32_t> value = take_digits(text, 2, 16);
  return value ? std::optional(static_cast<char>(*value)) : std::nullopt;
}

}  // namespace

std::optional<std::string> unquote_python(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != quoted.back() || (quoted[0] != '\'' && quoted[0] != '"'))
    return std::nullopt;
  const char quote = quoted[0];
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  std::string text;
  text.reserve(rest.size());
  while (!rest.empty()) {
    char c = rest[0];
    rest.remove_prefix(1);
    if (c == quote) return std::nullopt;
    if (c == '\\') {
      const std::optional<char> escaped = take_escape(rest);
      if (!escaped) return std::nullopt;
      c = *escaped;
    }
    text += c;
  }
  return text;
}

std::optional<std::string> unescape_unicode(std::string_view escaped) {
  std::string text;
  text.reserve(escaped.size());
  while (!escaped.empty()) {
    const char c = escaped[0];
    escaped.remove_prefix(1);
    if (c != '\\' || escaped.empty() || (escaped[0] != 'u' && escaped[0] != 'U')) {
      append_utf8(text, static_cast<uint8_t>(c));
      continue;
    }
    const size_t digits = escaped[0] == 'u' ? 4 : 8;
    escaped.remove_prefix(1);
    const std::optional<uint32_t> character = take_digits(escaped, digits, 16);
    if (!character || *character > 0x10FFFF) return std::nullopt;
    append_utf8(text, *character);
  }
  return text;
}

std::optional<std::string> latin1(std::string_view utf8) {
  std::string text;
  text.reserve(utf8.size());
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<uint8_t>(utf8[i]);
    if (byte < 0x80) {
      text += utf8[i];
      continue;
    }
    // C2 and C3 lead the characters from U+0080 to U+00FF.
    if ((byte != 0xC2 && byte != 0xC3) || i + 1 == utf8.size()) return std::nullopt;
    const auto next = static_cast<uint8_t>(utf8[++i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    text += static_cast<char>((byte & 3) << 6 | (next & 0x3F));
  }
  return text;
}

}  // namespace cairn
