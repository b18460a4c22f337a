// Photos as the rows of a column: files, each decoded, scaled and cut when it is asked for; or a set's images, scaled
// and cut likewise. Not here: which files these are (imagefolder.h), who reads ahead (stream.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "datasets/color_image.h"
#include "datasets/dataset.h"
#include "datasets/stream.h"

namespace cairn::datasets {

// Paths of files in a few folders, packed: there may be a million.
class PhotoFiles {
 public:
  // Later files are in this folder.
  void enter(const std::filesystem::path& folder);
  void add(const std::string& name);
  int64_t count() const { return static_cast<int64_t>(ends_.size()); }
  std::filesystem::path path(int64_t i) const;
  // SHA-256, in hexadecimal digits, of the names of files and their folders, in order, and of the files' sizes.
  std::string sha256() const;

 private:
  std::vector<std::filesystem::path> folders_;
  std::vector<int64_t> first_;  // of each folder
  std::string names_;           // one after the other
  std::vector<size_t> ends_;
};

// DataError, where a row is read: it is no picture; names the file.
std::shared_ptr<BatchSource> photo_source(PhotoFiles files, const PhotoForm& form);

// The set's images as photos of this form would be: they are left as they are, and scaled whenever they are read.
// ShapeError: they have other than three channels.
void scale_images(Dataset& dataset, const PhotoForm& form);

}  // namespace cairn::datasets
