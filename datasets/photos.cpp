#include "datasets/photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "datasets/sha256.h"
#include "framework/error.h"

namespace cairn::datasets {
namespace {

class PhotoSource : public BatchSource {
 public:
  PhotoSource(PhotoFiles files, const PhotoForm& form) : files_(std::move(files)), form_(form) {}

  int64_t count() const override { return files_.count(); }
  size_t row_bytes() const override { return static_cast<size_t>(form_.image.count()); }
  void read(std::span<const int32_t> rows, std::byte* into) const override {
    for (const int32_t row : rows) {
      const Bytes pixels = prepare_color(read_picture(files_.path(row)), form_.image, form_.shorter_side);
      std::memcpy(into, pixels.data(), pixels.size());
      into += pixels.size();
    }
  }
  // Decoding a million photos before the first step would take an hour: their names and sizes tell them apart.
  std::string fingerprint() const override {
    const std::string text = fmt::format("{} {} {}", form_.image.text(), form_.shorter_side, files_.sha256());
    return sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

 private:
  PhotoFiles files_;
  PhotoForm form_;
};

class ScaledImages : public BatchSource {
 public:
  ScaledImages(Column images, int64_t count, const PhotoForm& form)
      : images_(std::move(images)), count_(count), form_(form) {}

  int64_t count() const override { return count_; }
  size_t row_bytes() const override { return static_cast<size_t>(form_.image.count()); }
  void read(std::span<const int32_t> rows, std::byte* into) const override {
    Bytes planes(images_.row_bytes());
    for (const int32_t row : rows) {
      read_rows(images_, std::span(&row, 1), reinterpret_cast<std::byte*>(planes.data()));
      const Bytes pixels = prepare_color(picture_of(planes), form_.image, form_.shorter_side);
      std::memcpy(into, pixels.data(), pixels.size());
      into += pixels.size();
    }
  }
  std::string fingerprint() const override {
    const std::string text = fmt::format("{} {} {}", form_.image.text(), form_.shorter_side,
                                         images_.source ? images_.source->fingerprint() : sha256(images_.bytes));
    return sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

 private:
  Picture picture_of(const Bytes& planes) const {
    const int64_t channels = images_.row_shape[0], height = images_.row_shape[1], width = images_.row_shape[2];
    Picture picture{width, height, channels, Bytes(planes.size())};
    const auto plane = static_cast<size_t>(height * width), step = static_cast<size_t>(channels);
    for (size_t channel = 0; channel < step; ++channel)
      for (size_t i = 0; i < plane; ++i) picture.pixels[i * step + channel] = planes[channel * plane + i];
    return picture;
  }

  Column images_;
  int64_t count_;
  PhotoForm form_;
};

}  // namespace

void PhotoFiles::enter(const std::filesystem::path& folder) {
  folders_.push_back(folder);
  first_.push_back(count());
}

void PhotoFiles::add(const std::string& name) {
  names_ += name;
  ends_.push_back(names_.size());
}

std::filesystem::path PhotoFiles::path(int64_t i) const {
  const auto at = static_cast<size_t>(i);
  const auto folder = static_cast<size_t>(std::ranges::upper_bound(first_, i) - first_.begin() - 1);
  const size_t begin = at == 0 ? 0 : ends_[at - 1];
  return folders_[folder] / names_.substr(begin, ends_[at] - begin);
}

std::string PhotoFiles::sha256() const {
  Sha256 hash;
  for (int64_t i = 0; i < count(); ++i) {
    const std::filesystem::path file = path(i);
    std::error_code failed;
    const uintmax_t size = std::filesystem::file_size(file, failed);
    if (failed) throw DataError(fmt::format("{}: {}", file.string(), failed.message()));
    const std::string line =
        fmt::format("{}/{} {}\n", file.parent_path().filename().string(), file.filename().string(), size);
    hash.update({reinterpret_cast<const uint8_t*>(line.data()), line.size()});
  }
  return hash.finish();
}

std::shared_ptr<BatchSource> photo_source(PhotoFiles files, const PhotoForm& form) {
  return std::make_shared<PhotoSource>(std::move(files), form);
}

void scale_images(Dataset& dataset, const PhotoForm& form) {
  for (Split* split : {&dataset.train, &dataset.test})
    for (Column& column : split->columns) {
      if (column.name != kImage) continue;
      if (column.row_shape[0] != form.image[0])
        throw ShapeError(fmt::format("scale_images: the images of {} are {}, not of {} channels", dataset.name,
                                     column.row_shape.text(), form.image[0]));
      const auto scaled = std::make_shared<ScaledImages>(std::move(column), split->count, form);
      column = {.name = kImage, .row_shape = form.image, .bytes = {}, .source = scaled};
    }
}

}  // namespace cairn::datasets
