// Texts and JSON as files, for what the suites leave behind. Not here: how a file is replaced as a whole
// (framework/file.h).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "framework/file.h"

namespace cairn::comparisons {

std::string read_text(const std::filesystem::path& path);  // throws DataError
// Throw RunError: what was asked for began well and has no room or place to end in.
void write_text(const std::filesystem::path& path, const std::string& text);
void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes);
// Proves that a folder has room for that many bytes more, and gives them back.
void check_room(const std::filesystem::path& folder, int64_t bytes);

// The JSON object that a file holds. Throws DataError.
nlohmann::json read_object(const std::filesystem::path& path);
// The objects of a file with one a line, where it can be read; half a line, as a killed process leaves it, is left out.
std::vector<nlohmann::json> read_lines(const std::filesystem::path& path);
void append_line(const std::filesystem::path& path, const nlohmann::json& line);

}  // namespace cairn::comparisons
