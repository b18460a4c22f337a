// Header first, then limits, then memory, then content: no field of a file is trusted before it is checked.
#include "datasets/idx.h"

#include <fmt/format.h>

#include <algorithm>

#include "datasets/gzip.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

struct IdxHeader {
  std::vector<int64_t> sizes;
  size_t header_bytes;
  size_t content_bytes;
};

size_t header_bytes(int dimensions) {
  return 4 + 4 * static_cast<size_t>(dimensions);
}

IdxHeader parse_header(std::span<const uint8_t> start, int dimensions, const std::string& name) {
  if (start.size() < 4) throw DataError(fmt::format("{}: truncated: no room for an IDX header", name));
  const uint32_t magic = big_endian(start);
  if (magic >> 8 != 8) {
    throw DataError(fmt::format("{}: wrong magic number {:#010x}: not an IDX file of bytes (expected {:#010x})", name,
                                magic, 0x800u + static_cast<uint32_t>(dimensions)));
  }
  if ((magic & 0xFF) != static_cast<uint32_t>(dimensions)) {
    throw DataError(fmt::format("{}: has {} dimensions where {} were expected", name, magic & 0xFF, dimensions));
  }
  IdxHeader header{{}, header_bytes(dimensions), 1};
  if (start.size() < header.header_bytes) throw DataError(fmt::format("{}: truncated inside its IDX header", name));
  for (int dimension = 0; dimension < dimensions; ++dimension) {
    const int64_t size = big_endian(start.subspan(4 + 4 * static_cast<size_t>(dimension)));
    const int64_t limit = dimension == 0 ? kMaxIdxItems : kMaxIdxSide;
    const char* const what = dimension == 0 ? "items" : "pixels a side";
    if (size == 0) throw DataError(fmt::format("{}: declares 0 {}", name, what));
    if (size > limit) {
      throw DataError(fmt::format("{}: declares {} {}, more than the {} that are accepted", name, size, what, limit));
    }
    header.sizes.push_back(size);
    // Below 2^30 * 10^7 at each step, so the product cannot overflow before it is checked.
    header.content_bytes *= static_cast<size_t>(size);
    if (header.content_bytes > static_cast<size_t>(kMaxIdxBytes)) {
      throw DataError(fmt::format("{}: declares more than the {} bytes that are accepted", name, kMaxIdxBytes));
    }
  }
  return header;
}

IdxArray decode_plain(std::span<const uint8_t> file, int dimensions, const std::string& name) {
  IdxHeader header = parse_header(file, dimensions, name);
  const std::span<const uint8_t> content = file.subspan(header.header_bytes);
  if (content.size() < header.content_bytes) {
    throw DataError(fmt::format("{}: truncated: {} bytes of content where its header declares {}", name, content.size(),
                                header.content_bytes));
  }
  if (content.size() > header.content_bytes) {
    throw DataError(fmt::format("{}: {} trailing bytes after the {} that its header declares", name,
                                content.size() - header.content_bytes, header.content_bytes));
  }
  return {std::move(header.sizes), Bytes(content.begin(), content.end())};
}

IdxArray decode_gzip(std::span<const uint8_t> file, int dimensions, const std::string& name) {
  IdxHeader header = parse_header(peek_gzip(file, header_bytes(dimensions), name), dimensions, name);
  const size_t total = header.header_bytes + header.content_bytes;
  if (total > max_inflated_bytes(file.size())) {
    throw DataError(
        fmt::format("{}: declares {} bytes, more than its {} compressed bytes can hold", name, total, file.size()));
  }
  Bytes bytes(total);
  inflate_gzip(file, bytes, name);
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(header.header_bytes));
  return {std::move(header.sizes), std::move(bytes)};
}

}  // namespace

IdxArray decode_idx(std::span<const uint8_t> file, int dimensions, const std::string& name) {
  if (file.empty()) throw DataError(fmt::format("{}: is empty", name));
  return is_gzip(file) ? decode_gzip(file, dimensions, name) : decode_plain(file, dimensions, name);
}

Split join_idx(IdxArray images, IdxArray labels, int classes, const std::string& images_name,
               const std::string& labels_name) {
  if (images.sizes[0] != labels.sizes[0]) {
    throw DataError(fmt::format("{} holds {} images but {} holds {} labels", images_name, images.sizes[0], labels_name,
                                labels.sizes[0]));
  }
  const auto bad =
      std::find_if(labels.bytes.begin(), labels.bytes.end(), [&](uint8_t label) { return label >= classes; });
  if (bad != labels.bytes.end()) {
    throw DataError(
        fmt::format("{}: label {} of item {} is over {}", labels_name, *bad, bad - labels.bytes.begin(), classes - 1));
  }
  return image_split({1, images.sizes[1], images.sizes[2]}, std::move(images.bytes), widen_labels(labels.bytes));
}

}  // namespace cairn::datasets
