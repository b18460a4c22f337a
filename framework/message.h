// What programs tell people while they work: text on stderr that may be lost, never the work with it. Not here: results
// (stdout, apps/app.h), errors (error.h).
#pragma once

#include <cstdio>
#include <string>

namespace cairn {

// Writes the text out at once. A full disk, a closed stream, a reader or a terminal that is gone: the text is lost.
void show(const std::string& text, std::FILE* out = stderr);

// The same with a line end.
void say(const std::string& line, std::FILE* out = stderr);

// Whether a line shown there can be drawn again by an escape sequence: on a terminal, unless $TERM is empty or "dumb"
// or $NO_COLOR asks for plain text.
bool can_redraw(std::FILE* out = stderr);

// Takes back the line that is being drawn. Only where can_redraw.
inline constexpr const char* kClearLine = "\r\033[K";

}  // namespace cairn
