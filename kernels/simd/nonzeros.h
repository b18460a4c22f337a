// Where the nonzero bytes of some rows of a ByteRows stand, as lists that a sparse product walks. Not here: the
// product.
//
// A fifth of an MNIST image is ink, so a product that skips the zero bytes does a fifth of the arithmetic, and on data
// without zeros it costs little more than a dense one. Two neighbouring rows share a list of the columns in which
// either is nonzero: that halves the work of listing and of fetching weights, for few needless products. Columns are
// cut into segments, so that a segment's weights stay in the first-level cache.
#pragma once

#include "kernels/simd/team.h"

namespace cairn::simd {

inline constexpr int64_t kSegment = 208;  // columns: 32 outputs of them are 26 KiB
inline constexpr int64_t kListRows = 64;  // rows that one Nonzeros holds at most

// The columns[i], i < count, of one segment in which one of two rows is nonzero. An odd last row stands in both places.
struct NonzeroList {
  const uint8_t* bytes[2];
  const uint16_t* columns;
  int64_t count;
};

class Nonzeros {
 public:
  // Takes its memory from the calling thread's scratch: one at a time on a thread.
  Nonzeros(const ByteRows& x, int64_t first_column, int64_t end_column);

  int64_t segments() const { return segments_; }
  int64_t segment_columns(int64_t segment) const { return std::min(kSegment, columns_ - segment * kSegment); }
  // Lists for the rows [begin, end), at most kListRows of them; begin is even.
  void build(int64_t begin, int64_t end);
  // Asks for the bytes of the rows `row` and row + 1, of which lists will be built.
  void prefetch(int64_t row) const;
  // For the rows `row` (even) and row + 1.
  const NonzeroList& list(int64_t row, int64_t segment) const {
    return lists_[(row - begin_) / 2 * segments_ + segment];
  }

 private:
  const uint8_t* row_bytes(int64_t row) const {
    return x_.bytes + (x_.index ? x_.index[row] : row) * x_.columns + first_column_;
  }

  const ByteRows& x_;
  const int64_t first_column_, columns_, segments_;
  int64_t begin_ = 0;
  NonzeroList* lists_;
  uint16_t* memory_;
};

}  // namespace cairn::simd
