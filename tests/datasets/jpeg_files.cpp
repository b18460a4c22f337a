#include "tests/datasets/jpeg_files.h"

#include <stdio.h>  // libjpeg needs FILE

#include <jpeglib.h>

#include <cstdlib>
#include <vector>

namespace cairn::datasets {
namespace {

// Each coefficient in scans of its own, a bit more in each pass.
std::vector<jpeg_scan_info> many_scans(int passes) {
  std::vector<jpeg_scan_info> scans;
  for (int pass = 0; pass < passes; ++pass) {
    for (int i = 0; i < DCTSIZE2; ++i) {
      jpeg_scan_info scan{};
      scan.comps_in_scan = 1;
      scan.Ss = scan.Se = i;
      scan.Al = passes - 1 - pass;
      scan.Ah = pass == 0 ? 0 : scan.Al + 1;
      scans.push_back(scan);
    }
  }
  return scans;
}

}  // namespace

Bytes make_jpeg(const Picture& picture, const JpegForm& form) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = static_cast<int>(picture.channels);
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : picture.channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  if (form.ycck) jpeg_set_colorspace(&info, JCS_YCCK);
  jpeg_set_quality(&info, form.quality, TRUE);
  for (int i = 0; i < info.num_components; i += 3)  // brightness, and black
    info.comp_info[i].h_samp_factor = info.comp_info[i].v_samp_factor = form.sampling;
  if (form.progressive) jpeg_simple_progression(&info);
  const std::vector<jpeg_scan_info> scans = many_scans(form.passes);
  if (!scans.empty()) {
    info.scan_info = scans.data();
    info.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  for (int64_t y = 0; y < picture.height; ++y) {
    auto* row = const_cast<uint8_t*>(picture.pixels.data()) + y * picture.width * picture.channels;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  Bytes file(memory, memory + size);
  std::free(memory);
  return file;
}

Bytes with_segment(const Bytes& jpeg, uint8_t marker, const Bytes& content) {
  const size_t length = content.size() + 2;
  Bytes file(jpeg.begin(), jpeg.begin() + 2);
  for (const size_t byte : {size_t{0xFF}, size_t{marker}, length / 256, length % 256})
    file.push_back(static_cast<uint8_t>(byte));
  file.insert(file.end(), content.begin(), content.end());
  file.insert(file.end(), jpeg.begin() + 2, jpeg.end());
  return file;
}

Bytes exif_data(int orientation, bool little_endian) {
  const auto value = static_cast<uint8_t>(orientation);
  if (little_endian)
    return {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', 42,    0, 8, 0, 0, 0, 1, 0,
            0x12, 1,   3,   0,   1, 0, 0,   0,   value, 0, 0, 0, 0, 0, 0, 0};
  return {'E', 'x',  'i', 'f', 0, 0, 'M', 'M', 0, 42,    0, 0, 0, 8, 0, 1,
          1,   0x12, 0,   3,   0, 0, 0,   1,   0, value, 0, 0, 0, 0, 0, 0};
}

Picture smooth_picture(int64_t width, int64_t height, int64_t channels) {
  Picture picture{width, height, channels, {}};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t channel = 0; channel < channels; ++channel)
        picture.pixels.push_back(
            static_cast<uint8_t>(30 + 20 * channel + 90 * x / width + 45 * y * (channel % 2 + 1) / height));
  return picture;
}

}  // namespace cairn::datasets
