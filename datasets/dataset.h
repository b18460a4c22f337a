// What a data set is to the rest of Cairn: splits of named columns of host bytes, or of texts, and a few facts. Not
// here: which data sets there are (registry.h), which one is taken (choose.h), file formats (idx.h, cifar.h), the
// order of batches (order.h), sets that do not fit into memory (stream.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/bytes.h"
#include "datasets/texts.h"
#include "framework/error.h"
#include "framework/shape.h"
#include "framework/token_encoding.h"

namespace cairn::datasets {

class BatchSource;
class WordIndex;

// The data set is not on this machine and could not be fetched; a caller may fall back on a generated one. Damaged
// files are a plain DataError: nothing falls back from those.
struct MissingDataError : DataError {
  using DataError::DataError;
};

// One thing that is known of each example of a split, dense: count rows of row_shape, one after the other, in memory or
// to be had from a source.
//   image   u8, channels x height x width, 0 = background
//   tokens  i32, the numbers of a text's words as a network sees them, length of the encoding
//   label   i32, a single number from 0 to Dataset::classes - 1
struct Column {
  std::string name;
  DType dtype = DType::u8;
  Shape row_shape;
  Bytes bytes;
  std::shared_ptr<BatchSource> source = {};  // in place of bytes: the rows stay in files (stream.h)

  size_t row_bytes() const { return bytes_of(row_shape, dtype); }
};

struct Split {
  int64_t count = 0;
  std::vector<Column> columns;
  std::optional<Texts> texts = {};  // a text for each example, until encode_texts makes a column of them

  bool has(const std::string& name) const;
  // UsageError: there is none; says which there are.
  const Column& column(const std::string& name) const;
};

struct Dataset {
  std::string name;
  std::string source;  // the folder it was read from, or how it was generated
  Split train, test;
  int classes = 0;
  std::vector<std::string> class_names;
  std::vector<float> mean, std;                 // for each channel of the images, of the training pixels / 255
  std::shared_ptr<const WordIndex> words = {};  // of texts: what their ranks stand for, where that is known
};

// For each channel, of a data set's training pixels / 255.
struct PixelStatistics {
  std::vector<float> mean, std;
};

inline constexpr const char* kImage = "image";
inline constexpr const char* kTokens = "tokens";
inline constexpr const char* kLabel = "label";

// Columns that most callers want, as what they are. UsageError: the split has no such column, or has it in files.
std::span<const uint8_t> images(const Split& split);
Shape image_shape(const Split& split);  // channels, height, width
std::span<const int32_t> labels(const Split& split);

// A split of images, with labels unless these are empty. ShapeError: not the bytes of a whole number of images, or
// another number of labels.
Split image_split(const Shape& image, Bytes pixels, std::span<const int32_t> labels = {});
// The same with images that stay where they are.
Split streamed_split(const Shape& image, std::shared_ptr<BatchSource> source, std::span<const int32_t> labels);

// A split of texts, with labels unless these are empty. ShapeError as above.
Split text_split(Texts texts, std::span<const int32_t> labels = {});
// Makes the column `tokens` of the split's texts, which are given up.
void encode_texts(Split& split, const TokenEncoding& encoding);

// These rows of a column, in memory or in files; `into` has room for them.
void read_rows(const Column& column, std::span<const int32_t> rows, std::byte* into);

// As files hold labels. UsageError: a label that no byte holds.
Bytes byte_labels(const Split& split);
// To be hashed: as files hold them, or in four bytes each, the lowest first, where one does not hold them all.
Bytes label_bytes(const Split& split);
std::vector<int32_t> widen_labels(std::span<const uint8_t> labels);

// Measured, exactly but for the last rounding.
PixelStatistics measure_pixels(const Split& split);

}  // namespace cairn::datasets
