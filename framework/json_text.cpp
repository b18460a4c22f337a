#include "framework/json_text.h"

#include <nlohmann/json.hpp>

namespace cairn {
namespace {

constexpr std::string_view kMark = "bytes:";

// Length of the UTF-8 character at the text's beginning (The Unicode Standard, table 3-7), or 0.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  // Neither longer than needed, nor a surrogate, nor beyond U+10FFFF.
  const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (first < 0xC2 || first > 0xF4 || byte(1) < least || byte(1) > most) return 0;
  for (size_t i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  return length;
}

void append_escaped(std::string& text, char byte) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  text += '%';
  text += kDigits[static_cast<unsigned char>(byte) >> 4];
  text += kDigits[static_cast<unsigned char>(byte) & 15];
}

int hexadecimal_value(char digit) {
  return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

// The same with every name and text changed.
nlohmann::json with_texts(const nlohmann::json& value, std::string (*changed)(const std::string&)) {
  if (value.is_string()) return changed(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value;
  nlohmann::json result = value.is_object() ? nlohmann::json::object() : nlohmann::json::array();
  for (const auto& [key, element] : value.items()) {
    if (value.is_object())
      result[changed(key)] = with_texts(element, changed);
    else
      result.push_back(with_texts(element, changed));
  }
  return result;
}

}  // namespace

std::string to_json_text(const std::string& bytes) {
  std::string text(kMark);
  bool plain = bytes.rfind(kMark, 0) != 0;
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = utf8_length(std::string_view(bytes).substr(i));
    plain = plain && length > 0;
    if (length == 0 || bytes[i] == '%')
      append_escaped(text, bytes[i++]);
    else
      text.append(bytes, i, length), i += length;
  }
  return plain ? bytes : text;
}

std::string from_json_text(const std::string& text) {
  if (text.rfind(kMark, 0) != 0) return text;
  std::string bytes;
  for (size_t i = kMark.size(); i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    const int high = escape ? hexadecimal_value(text[i + 1]) : -1, low = escape ? hexadecimal_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      bytes += text[i];
      continue;
    }
    bytes += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return bytes;
}

std::string dump_json(const nlohmann::json& value, int indent) {
  return with_texts(value, to_json_text).dump(indent);
}

nlohmann::json parse_json(const std::string& text, bool throws) {
  bool too_deep = false;
  const auto keep = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json&) {
    using Event = nlohmann::json::parse_event_t;
    too_deep |= depth >= kJsonDepth && (event == Event::array_start || event == Event::object_start);
    return !too_deep;
  };
  const nlohmann::json value = nlohmann::json::parse(text, keep, throws);
  return too_deep ? nlohmann::json(nlohmann::json::value_t::discarded) : with_texts(value, from_json_text);
}

}  // namespace cairn
