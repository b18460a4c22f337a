// The ways in which pickles write characters that are not just bytes with a length. Not here: opcodes
// (pickle_machine.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

// What stands between quotes in Python 2's source: 'ab\x00\'c'. Nothing: no quotes, or an unknown escape.
std::optional<std::string> unquote_python(std::string_view quoted);

// Python's raw-unicode-escape as UTF-8: each byte a character, but for \uXXXX and \UXXXXXXXX. Nothing: a bad escape.
std::optional<std::string> unescape_unicode(std::string_view escaped);

// UTF-8 of characters up to U+00FF, one byte each. Nothing: other characters, or no UTF-8.
std::optional<std::string> latin1(std::string_view utf8);

}  // namespace cairn
