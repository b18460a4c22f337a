// The members' headers and trailers are read here and only their middles are given to libdeflate, so that each fault
// can be told apart. RFC 1952 gives the layout of a file: members, one after the other, each of 10 bytes, optional
// fields, deflate data, CRC-32, content length modulo 2^32. Zeros after the last one are padding, as gzip itself has
// it.
#include "datasets/gzip.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <memory>
#include <new>

#include "framework/error.h"

namespace cairn::datasets {
namespace {

constexpr size_t kFixedHeaderBytes = 10, kTrailerBytes = 8;
enum HeaderFlag : uint8_t { kHeaderCrc = 2, kExtra = 4, kFileName = 8, kComment = 16, kReserved = 0xE0 };

struct Inflated {
  libdeflate_result result;
  size_t consumed, produced;
};

class Inflater {
 public:
  Inflater() : decompressor_(libdeflate_alloc_decompressor()) {
    if (decompressor_ == nullptr) throw std::bad_alloc();
  }
  Inflated operator()(std::span<const uint8_t> deflated, std::span<uint8_t> content) const {
    Inflated inflated{LIBDEFLATE_BAD_DATA, 0, 0};
    inflated.result =
        libdeflate_deflate_decompress_ex(decompressor_.get(), deflated.data(), deflated.size(), content.data(),
                                         content.size(), &inflated.consumed, &inflated.produced);
    return inflated;
  }

 private:
  struct Free {
    void operator()(libdeflate_decompressor* decompressor) const { libdeflate_free_decompressor(decompressor); }
  };
  std::unique_ptr<libdeflate_decompressor, Free> decompressor_;
};

uint32_t little_endian(std::span<const uint8_t> bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

// Everything after the member's header: deflate data, trailer and whatever follows.
std::span<const uint8_t> skip_header(std::span<const uint8_t> file, const std::string& name) {
  const auto cut_short = [&] { return DataError(fmt::format("{}: cut short inside its gzip header", name)); };
  if (file.size() < kFixedHeaderBytes) throw cut_short();
  const uint8_t method = file[2], flags = file[3];
  if (method != 8 || (flags & kReserved) != 0) {
    throw DataError(fmt::format("{}: gzip header names an unknown method or flag", name));
  }
  size_t position = kFixedHeaderBytes;
  if (flags & kExtra) {
    if (file.size() < position + 2) throw cut_short();
    position += size_t{2} + file[position] + size_t{256} * file[position + 1];
  }
  for (const HeaderFlag text : {kFileName, kComment}) {
    if (!(flags & text)) continue;
    if (position >= file.size()) throw cut_short();
    const auto end = std::find(file.begin() + static_cast<ptrdiff_t>(position), file.end(), 0);
    if (end == file.end()) throw cut_short();
    position = static_cast<size_t>(end - file.begin()) + 1;
  }
  if (flags & kHeaderCrc) position += 2;
  if (position > file.size()) throw cut_short();
  return file.subspan(position);
}

DataError damaged(const std::string& name) {
  return DataError(fmt::format("{}: its compressed data is cut short or damaged", name));
}

// Checks the trailer at the start of `rest` against the member's content; returns what comes after it.
std::span<const uint8_t> skip_trailer(std::span<const uint8_t> rest, std::span<const uint8_t> content,
                                      const std::string& name) {
  if (rest.size() < kTrailerBytes) throw DataError(fmt::format("{}: cut short inside its gzip trailer", name));
  if (little_endian(rest) != libdeflate_crc32(0, content.data(), content.size())) {
    throw DataError(fmt::format("{}: gzip checksum (CRC-32) is wrong: the file is damaged", name));
  }
  if (little_endian(rest.subspan(4)) != static_cast<uint32_t>(content.size())) {
    throw DataError(fmt::format("{}: gzip length is wrong: the file is damaged", name));
  }
  return rest.subspan(kTrailerBytes);
}

// Whether another member follows. DataError: something that is neither a member nor padding.
bool has_more(std::span<const uint8_t> rest, const std::string& name) {
  if (is_gzip(rest)) return true;
  if (std::ranges::any_of(rest, [](uint8_t byte) { return byte != 0; })) {
    throw DataError(fmt::format("{}: {} bytes after the end of its gzip stream", name, rest.size()));
  }
  return false;
}

}  // namespace

bool is_gzip(std::span<const uint8_t> file) {
  return file.size() >= 2 && file[0] == 0x1F && file[1] == 0x8B;
}

Bytes peek_gzip(std::span<const uint8_t> file, size_t count, const std::string& name) {
  // libdeflate fills its buffer in order and gives up at the first piece that does not fit; a piece is at most a stored
  // block of 65,535 bytes, so a buffer of that and `count` bytes holds the first `count` when it gives up.
  Bytes buffer(65535 + count, 0);
  const Inflater inflate;
  size_t done = 0;
  for (std::span<const uint8_t> rest = file; done < count;) {
    const std::span<const uint8_t> deflated = skip_header(rest, name);
    const std::span<uint8_t> content = std::span(buffer).subspan(done);
    const Inflated inflated = inflate(deflated, content);
    if (inflated.result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      done = count;
      break;
    }
    if (inflated.result != LIBDEFLATE_SUCCESS) throw damaged(name);
    done += inflated.produced;
    if (done >= count) break;  // the trailer's faults are for inflate_gzip to find
    rest = skip_trailer(deflated.subspan(inflated.consumed), content.first(inflated.produced), name);
    if (!has_more(rest, name)) break;
  }
  buffer.resize(std::min(count, done));
  return buffer;
}

void inflate_gzip(std::span<const uint8_t> file, std::span<uint8_t> content, const std::string& name) {
  const Inflater inflate;
  size_t done = 0;
  std::span<const uint8_t> rest = file;
  do {
    const std::span<const uint8_t> deflated = skip_header(rest, name);
    const std::span<uint8_t> free = content.subspan(done);
    const Inflated inflated = inflate(deflated, free);
    if (inflated.result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      throw DataError(fmt::format("{}: holds more than the {} bytes that its header declares", name, content.size()));
    }
    if (inflated.result != LIBDEFLATE_SUCCESS) throw damaged(name);
    rest = skip_trailer(deflated.subspan(inflated.consumed), free.first(inflated.produced), name);
    done += inflated.produced;
  } while (has_more(rest, name));
  if (done != content.size()) {
    throw DataError(
        fmt::format("{}: truncated: holds {} bytes where its header declares {}", name, done, content.size()));
  }
}

}  // namespace cairn::datasets
