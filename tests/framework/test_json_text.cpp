// JSON of texts that are not UTF-8: written in the stated way, read back to the byte.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "framework/json_text.h"

namespace cairn::test {

TEST_CASE("a text in JSON is itself where it is UTF-8, and otherwise marked, with its other bytes as %XX") {
  for (const char* plain : {"", "runs/a", "100 %", "%FF", "Z\xC3\xBCrich", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                            "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF", "a\nb"})
    CHECK(to_json_text(plain) == plain);
  CHECK(to_json_text("caf\xE9") == "bytes:caf%E9");
  CHECK(to_json_text("5% \xFF/Z\xC3\xBCrich") == "bytes:5%25 %FF/Z\xC3\xBCrich");
  CHECK(to_json_text("bytes:a%") == "bytes:bytes:a%25");
  // Cut off; longer than needed; a surrogate; beyond the last character; a byte that goes on with nothing.
  for (const auto& [bytes, text] : {std::pair("\xC3", "bytes:%C3"),
                                    {"\xE2\x82", "bytes:%E2%82"},
                                    {"\xC0\xAF", "bytes:%C0%AF"},
                                    {"\xE0\x80\x80", "bytes:%E0%80%80"},
                                    {"\xED\xA0\x80", "bytes:%ED%A0%80"},
                                    {"\xF4\x90\x80\x80", "bytes:%F4%90%80%80"},
                                    {"\xF0\x80\x80\x80", "bytes:%F0%80%80%80"},
                                    {"\x80", "bytes:%80"}})
    CHECK(to_json_text(bytes) == text);
  CHECK(from_json_text("bytes:no escape: %, %F, %G1, %1") == "no escape: %, %F, %G1, %1");
}

TEST_CASE("whatever the bytes, JSON holds them and gives them back") {
  std::mt19937 random(3);
  const std::string alphabet = "a%b:ytes\xC3\xBC\xE2\x82\xAC\xED\xF4\x90\xFF\n\"\\";
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = i % 3 == 0 ? "bytes:" : "";
    for (size_t length = random() % 8; length > 0; --length)
      bytes += i % 2 ? alphabet[random() % alphabet.size()] : static_cast<char>(random() % 256);
    const nlohmann::json value = {{"file", bytes}, {"list", {bytes, 1, true, nullptr}}, {bytes, 2.5}};
    REQUIRE(parse_json(dump_json(value)) == value);
    REQUIRE(parse_json(dump_json(value, 2)) == value);
  }
  CHECK(parse_json("{\"a\": ").is_discarded());
  CHECK_THROWS_AS(parse_json("{\"a\": ", true), nlohmann::json::exception);
}

TEST_CASE("JSON that is nested without end is no JSON, and takes no stack") {
  const auto nested = [](size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  CHECK(parse_json(nested(kJsonDepth)).is_array());
  CHECK(parse_json(nested(kJsonDepth + 1)).is_discarded());
  CHECK(parse_json(nested(500'000)).is_discarded());
  CHECK(parse_json(nested(500'000), true).is_discarded());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  CHECK(parse_json(objects + "1" + std::string(100'000, '}')).is_discarded());
}

}  // namespace cairn::test
