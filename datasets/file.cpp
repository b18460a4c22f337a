#include "datasets/file.h"

#include <fmt/format.h>

#include "framework/error.h"

namespace cairn::datasets {

Bytes read_file(const std::filesystem::path& path, Pipes pipes) {
  const InputFile file(path, pipes);
  if (file.size() > kMaxFileBytes) {
    throw DataError(
        fmt::format("{}: has {} bytes, more than the {} that are accepted", path.string(), file.size(), kMaxFileBytes));
  }
  Bytes bytes(file.size());
  file.read(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

}  // namespace cairn::datasets
