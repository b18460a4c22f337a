// Where the nonzero bytes of some rows of a ByteRows stand, as lists that a sparse product walks. Not here: the
// product.
//
// A fifth of an MNIST image is ink, so a product that skips the zero bytes does a fifth of the arithmetic, and on data
// without zeros it costs little more than a dense one. Columns are cut into segments of at most 256, so that a column
// fits a byte and a segment's weights fit the first-level cache.
#pragma once

#include "kernels/eigen/team.h"

namespace cairn::eigen {

inline constexpr int64_t kSegment = 256;  // columns
inline constexpr int64_t kListRows = 64;  // rows that one Nonzeros holds at most

// The nonzero bytes of one row in one segment: bytes[columns[i]] for i < count.
struct NonzeroList {
  const uint8_t* bytes;
  const uint8_t* columns;
  int64_t count;
};

class Nonzeros {
 public:
  // Takes its memory from the calling thread's scratch: one at a time on a thread.
  Nonzeros(const ByteRows& x, int64_t first_column, int64_t end_column);

  int64_t segments() const { return segments_; }
  int64_t segment_columns(int64_t segment) const { return std::min(kSegment, columns_ - segment * kSegment); }
  // Lists for the rows [begin, end), at most kListRows of them.
  void build(int64_t begin, int64_t end);
  const NonzeroList& list(int64_t row, int64_t segment) const { return lists_[(row - begin_) * segments_ + segment]; }

 private:
  const uint8_t* row_bytes(int64_t row) const {
    return x_.bytes + (x_.index ? x_.index[row] : row) * x_.columns + first_column_;
  }

  const ByteRows& x_;
  const int64_t first_column_, columns_, segments_;
  int64_t begin_ = 0;
  NonzeroList* lists_;
  uint8_t* memory_;
};

}  // namespace cairn::eigen
