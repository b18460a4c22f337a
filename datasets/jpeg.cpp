// libjpeg leaves by longjmp when something is wrong, which passes over destructors: the functions that call it (those
// of Decoder) have no objects that need one, and what they say becomes an exception outside.
#include "datasets/jpeg.h"

#include <fmt/format.h>
#include <stdio.h>  // libjpeg needs FILE

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <string_view>

#include "datasets/exif.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

constexpr std::string_view kExifMark("Exif\0\0", 6);
constexpr int kExifMarker = JPEG_APP0 + 1;

struct Failure {
  jpeg_error_mgr errors;  // first: libjpeg hands out its address
  std::jmp_buf jump;
  bool cut_short, too_many_scans;
  char message[JMSG_LENGTH_MAX];
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* const failure = reinterpret_cast<Failure*>(info->err);
  failure->cut_short = failure->errors.msg_code == JWRN_JPEG_EOF;
  failure->errors.format_message(info, failure->message);
  std::longjmp(failure->jump, 1);
}

// Of a warning: what does not touch the pixels. After the others libjpeg goes on with grey or shifted blocks.
bool is_harmless(int code) {
  return code == JWRN_ADOBE_XFORM || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR ||
         code == JWRN_NOT_SEQUENTIAL;
}

void warn(j_common_ptr info, int level) {
  if (level < 0 && !is_harmless(info->err->msg_code)) fail(info);
}

void check_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxJpegScans) return;
  auto* const failure = reinterpret_cast<Failure*>(info->err);
  failure->too_many_scans = true;
  std::longjmp(failure->jump, 1);
}

class Decoder {
 public:
  Decoder() {
    info_.err = jpeg_std_error(&failure_.errors);
    failure_.errors.error_exit = fail;
    failure_.errors.emit_message = warn;
    progress_.progress_monitor = check_scans;
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Up to the first pixel. False: see failure().
  bool read_header(std::span<const uint8_t> file) {
    if (setjmp(failure_.jump) != 0) return false;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_save_markers(&info_, kExifMarker, 0xFFFF);
    jpeg_mem_src(&info_, file.data(), file.size());
    return jpeg_read_header(&info_, TRUE) == JPEG_HEADER_OK;
  }
  // height x width x channels bytes, of CMYK as the file has it. As Pillow sets libjpeg up, which is its own default.
  bool read_pixels(uint8_t* row) {
    if (setjmp(failure_.jump) != 0) return false;
    info_.out_color_space = channels() == 1 ? JCS_GRAYSCALE : channels() == 3 ? JCS_RGB : JCS_CMYK;
    info_.dct_method = JDCT_ISLOW;
    info_.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      jpeg_read_scanlines(&info_, &row, 1);
      row += int64_t{info_.output_width} * channels();
    }
    return jpeg_finish_decompress(&info_) == TRUE;
  }

  int64_t width() const { return info_.image_width; }
  int64_t height() const { return info_.image_height; }
  int channels() const { return info_.num_components; }
  bool arithmetic() const { return info_.arith_code; }
  int orientation() const {
    for (const jpeg_marker_struct* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const std::span<const uint8_t> data(marker->data, marker->data_length);
      if (data.size() >= kExifMark.size() && std::memcmp(data.data(), kExifMark.data(), kExifMark.size()) == 0)
        return exif_orientation(data.subspan(kExifMark.size()));
    }
    return 1;
  }
  std::string failure() const {
    if (failure_.cut_short) return "is cut short: its end is missing";
    if (failure_.too_many_scans)
      return fmt::format("has more than {} scans: save it again as a plain JPEG", kMaxJpegScans);
    return fmt::format("cannot be decoded: {}", failure_.message);
  }

 private:
  jpeg_decompress_struct info_{};
  jpeg_progress_mgr progress_{};
  Failure failure_{};
};

// Inverted CMYK, as Pillow makes RGB of it: c * k / 255 to the nearest.
void to_rgb(Picture& picture) {
  uint8_t* to = picture.pixels.data();
  for (const uint8_t* from = to; from != picture.pixels.data() + picture.pixels.size(); from += 4) {
    const int black = from[3];
    for (int channel = 0; channel < 3; ++channel) {
      const int product = (255 - from[channel]) * black + 128;
      *to++ = static_cast<uint8_t>(black - ((product >> 8) + product) / 256);
    }
  }
  picture.channels = 3;
  picture.pixels.resize(static_cast<size_t>(to - picture.pixels.data()));
}

}  // namespace

Picture decode_jpeg(std::span<const uint8_t> file, const std::string& name) {
  Decoder decoder;
  const auto refuse = [&] { throw DataError(fmt::format("{}: {}", name, decoder.failure())); };
  const bool whole = decoder.read_header(file);
  if (whole || decoder.width() * decoder.height() > 0) check_picture_size(decoder.width(), decoder.height(), name);
  if (!whole) refuse();
  // Its zeros need no data: a hundred bytes would keep a decoder busy for minutes.
  if (decoder.arithmetic())
    throw DataError(fmt::format("{}: is coded arithmetically, which is not read: save it as a plain JPEG", name));
  const int channels = decoder.channels();
  if (channels != 1 && channels != 3 && channels != 4)
    throw DataError(fmt::format("{}: has {} channels; JPEGs of 1, 3 and 4 are read", name, channels));
  const int orientation = decoder.orientation();  // gone with the last pixel
  Picture picture{decoder.width(), decoder.height(), channels,
                  Bytes(static_cast<size_t>(decoder.width() * decoder.height() * channels))};
  if (!decoder.read_pixels(picture.pixels.data())) refuse();
  if (channels == 4) to_rgb(picture);
  return upright(std::move(picture), orientation);
}

}  // namespace cairn::datasets
