#include "comparisons/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "framework/error.h"
#include "framework/json_text.h"

namespace cairn::comparisons {
namespace {

constexpr uint64_t kMaxTextBytes = uint64_t{16} << 20;

}  // namespace

std::string read_text(const std::filesystem::path& path) {
  const InputFile file(path);
  if (file.size() > kMaxTextBytes)
    throw DataError(fmt::format("{}: has {} bytes, too many for a text of a suite", path.string(), file.size()));
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  try {
    write_file_atomically(path, std::span(&bytes, 1));
  } catch (const IoError& error) {
    throw RunError(error.what());
  }
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  write_bytes(path, std::as_bytes(std::span(text)));
}

void check_room(const std::filesystem::path& folder, int64_t bytes) {
  std::string pattern = folder / "room-XXXXXX";
  const int descriptor = mkstemp(pattern.data());
  int fault = descriptor < 0 ? errno : 0;
  if (descriptor >= 0) {
    unlink(pattern.c_str());
    fault = posix_fallocate(descriptor, 0, static_cast<off_t>(bytes));
    close(descriptor);
  }
  // File systems that cannot allocate ahead have to be believed.
  if (fault != 0 && fault != EOPNOTSUPP && fault != EINVAL)
    throw RunError(
        fmt::format("{}: the next training needs {:.1f} MiB: {}; what is finished stays, and the same call "
                    "goes on from there",
                    folder.string(), static_cast<double>(bytes) / (1 << 20), std::strerror(fault)));
}

nlohmann::json read_object(const std::filesystem::path& path) {
  nlohmann::json object = parse_json(read_text(path));
  if (!object.is_object()) throw DataError(path.string() + ": is not a JSON object");
  return object;
}

std::vector<nlohmann::json> read_lines(const std::filesystem::path& path) {
  std::vector<nlohmann::json> lines;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);)
    if (nlohmann::json line = parse_json(text); line.is_object()) lines.push_back(std::move(line));
  return lines;
}

void append_line(const std::filesystem::path& path, const nlohmann::json& line) {
  errno = 0;
  std::ofstream file(path, std::ios::app);
  file << dump_json(line) + "\n" << std::flush;
  if (!file) throw RunError(path.string() + ": cannot be written: " + std::strerror(errno));
}

}  // namespace cairn::comparisons
