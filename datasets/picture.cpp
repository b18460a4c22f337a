#include "datasets/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "datasets/file.h"
#include "datasets/jpeg.h"
#include "datasets/png.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

using std::string_view_literals::operator""sv;

// A file that ends within the mark begins with it too: it is cut short, not something else.
bool has_mark(std::span<const uint8_t> file, std::string_view mark, size_t at = 0) {
  if (file.size() <= at) return false;
  const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at);
  return std::equal(begin, begin + static_cast<std::ptrdiff_t>(std::min(file.size() - at, mark.size())), mark.begin(),
                    [](uint8_t byte, char letter) { return byte == static_cast<uint8_t>(letter); });
}

// What else people have pictures in; empty: none of those.
std::string_view kind_of(std::span<const uint8_t> file) {
  struct Kind {
    size_t at;
    std::string_view mark, name;
  };
  static constexpr Kind kKinds[] = {
      {0, "GIF8"sv, "a GIF file"},       {0, "RIFF"sv, "a WebP or another RIFF file"},
      {0, "BM"sv, "a BMP file"},         {0, "II*\0"sv, "a TIFF file"},
      {0, "MM\0*"sv, "a TIFF file"},     {4, "ftyp"sv, "a HEIC, AVIF or video file"},
      {0, "%PDF"sv, "a PDF file"},       {0, "<"sv, "text such as SVG or HTML"},
      {0, "\0\0\1\0"sv, "an icon file"},
  };
  for (const Kind& kind : kKinds)
    if (file.size() >= kind.at + kind.mark.size() && has_mark(file, kind.mark, kind.at)) return kind.name;
  return {};
}

}  // namespace

void check_picture_size(int64_t width, int64_t height, const std::string& name) {
  if (width == 0 || height == 0) throw DataError(fmt::format("{}: a picture of {} x {} pixels", name, width, height));
  if (width > kMaxPicturePixels || height > kMaxPicturePixels / width)
    throw DataError(fmt::format("{}: {} x {} pixels; at most {} are accepted, scale the picture down", name, width,
                                height, kMaxPicturePixels));
}

Picture decode_picture(std::span<const uint8_t> file, const std::string& name) {
  if (file.empty()) throw DataError(fmt::format("{}: is empty, not a PNG or JPEG file", name));
  if (has_mark(file, "\x89PNG"sv)) return decode_png(file, name);
  if (has_mark(file, "\xFF\xD8\xFF"sv)) return decode_jpeg(file, name);
  const std::string_view kind = kind_of(file);
  throw DataError(fmt::format("{}: is {}{}not a PNG or JPEG file", name, kind, kind.empty() ? "" : ", "));
}

Picture read_picture(const std::filesystem::path& path) {
  return decode_picture(read_file(path, Pipes::read), path.string());
}

}  // namespace cairn::datasets
