// JSON as text, whatever bytes the texts in it hold: names of files need not be UTF-8, JSON must be. Not here: what is
// in the JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace cairn {

// A text as JSON holds it: itself if it is UTF-8. Otherwise "bytes:" and the text, in which every byte that is not
// part of a UTF-8 character, and '%', is written as %XX; so is a text that begins with "bytes:".
std::string to_json_text(const std::string& bytes);
// The bytes that such a text stands for.
std::string from_json_text(const std::string& text);

// The value as text, names and texts in that form. indent: spaces a level; -1: all in one line.
std::string dump_json(const nlohmann::json& value, int indent = -1);
// The value of such a text. Where it is not JSON: throws nlohmann's exception, or returns one that is_discarded(). This
// also where it is nested deeper than kJsonDepth, which nothing is that programs write.
inline constexpr int kJsonDepth = 100;
nlohmann::json parse_json(const std::string& text, bool throws = false);

}  // namespace cairn
