// Where the nonzero bytes of some rows of a ByteRows stand: bit maps of blocks that a product with few outputs walks.
// Not here: the product; single bytes (nonzeros.h).
//
// A row is cut into blocks of as many bytes as a vector has lanes. Of MNIST's blocks of 8 two fifths hold ink; a
// product that skips the others does that part of the arithmetic, and its vectors lie along the columns, so that ten
// outputs cost ten multiply-adds a block and not two vectors of eight a byte. One bit for each row and block says which
// to take, kept by rows for the forward product and by blocks for the gradient. On data without zeros that costs an
// instruction or two a block.
#pragma once

#include <bit>

#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace cairn::simd {

constexpr int64_t blocks_of(int64_t columns) {
  return ceil_div(columns, kLanes);
}

// The values of one block. The compilers take a generic conversion of bytes apart lane by lane, so the wide ones are
// spelt out.
inline Vector widen(const uint8_t* from) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vector>(
      _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))));
#elif defined(__AVX2__)
  return reinterpret_cast<Vector>(
      _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)))));
#else
  uint8_t __attribute__((vector_size(kLanes))) bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(__builtin_convertvector(bytes, IntVector), Vector);
#endif
}

class NonzeroBlocks {
 public:
  static constexpr int64_t kRows = 256, kBlocks = 128;  // mapped at a time, at most

  explicit NonzeroBlocks(const ByteRows& x) : x_(x) {}

  // Maps the rows [row_begin, row_end) in the blocks [block_begin, block_end). From here on rows and blocks are counted
  // from those. by_blocks: for_rows will be called.
  void map(int64_t row_begin, int64_t row_end, int64_t block_begin, int64_t block_end, bool by_blocks);
  // Asks for a row that will be mapped later, counted from 0.
  void prefetch(int64_t row) const;

  // body(block, values) for every block of a row that may hold a nonzero byte; past the last column the values are 0.
  template <class Body>
  void for_blocks(int64_t row, const Body& body) const {
    for (int64_t word = 0; word < kBlockWords; ++word) {
      for (uint64_t bits = by_row_[row][word]; bits; bits &= bits - 1) {
        const int64_t block = word * 64 + std::countr_zero(bits);
        body(block, widen(rows_[row] + block * kLanes));
      }
    }
    if (partial_ >= 0) body(partial_, widen(ends_[row]));
  }

  // body(row, values) for every row in which a block may hold a nonzero byte.
  template <class Body>
  void for_rows(int64_t block, const Body& body) const {
    if (block == partial_) {
      for (int64_t row = 0; row < row_count_; ++row) body(row, widen(ends_[row]));
      return;
    }
    for (int64_t word = 0; word < kRowWords; ++word) {
      for (uint64_t bits = by_block_[block][word]; bits; bits &= bits - 1) {
        const int64_t row = word * 64 + std::countr_zero(bits);
        body(row, widen(rows_[row] + block * kLanes));
      }
    }
  }

 private:
  static constexpr int64_t kRowWords = kRows / 64, kBlockWords = kBlocks / 64;

  const uint8_t* row_bytes(int64_t row) const { return x_.bytes + (x_.index ? x_.index[row] : row) * x_.columns; }

  const ByteRows& x_;
  int64_t row_count_ = 0;
  int64_t partial_ = -1;                 // the block that the last column cuts short, if it is mapped
  const uint8_t* rows_[kRows];           // from the first mapped block on
  alignas(16) uint8_t ends_[kRows][16];  // the cut block's bytes, filled up with 0
  uint64_t by_row_[kRows][kBlockWords];
  uint64_t by_block_[kBlocks][kRowWords];
};

}  // namespace cairn::simd
