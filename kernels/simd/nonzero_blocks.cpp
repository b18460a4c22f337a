// Mapping nonzero blocks: compared 32 bytes at a time, without a branch that a stroke's edge could make mispredict.
#include "kernels/simd/nonzero_blocks.h"

namespace cairn::simd {
namespace {

// Rows of a shuffled batch lie anywhere in memory, so they are asked for a few rows before their turn.
constexpr int64_t kAhead = 4;

// Bit i: is a byte of block i nonzero? For `count` <= 64 blocks.
uint64_t nonzero_bits(const uint8_t* from, int64_t count) {
  uint64_t bits = 0;
  int64_t i = 0;
#if defined(__AVX2__)
  if constexpr (kLanes == 8) {
    for (; i + 4 <= count; i += 4) {
      const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i * kLanes));
      const __m256i zero = _mm256_cmpeq_epi64(four, _mm256_setzero_si256());
      bits |= static_cast<uint64_t>(_mm256_movemask_pd(_mm256_castsi256_pd(zero)) ^ 15) << i;
    }
  }
#endif
  for (; i < count; ++i) {
    uint32_t words[kLanes / 4], any = 0;
    std::memcpy(words, from + i * kLanes, sizeof words);
    for (const uint32_t word : words) any |= word;
    bits |= uint64_t{any != 0} << i;
  }
  return bits;
}

// bits[i], bit j <-> bits[j], bit i: swaps the off-diagonal squares of side 32, 16, ... 1.
void transpose_bits(uint64_t (&bits)[64]) {
  uint64_t mask = 0xffffffff;  // the lower half of each square
  for (int side = 32; side; side /= 2, mask ^= mask << side) {
    for (int first = 0; first < 64; first += 2 * side) {
      for (int i = first; i < first + side; ++i) {
        const uint64_t swapped = (bits[i] >> side ^ bits[i + side]) & mask;
        bits[i] ^= swapped << side;
        bits[i + side] ^= swapped;
      }
    }
  }
}

}  // namespace

void NonzeroBlocks::prefetch(int64_t row) const {
  const uint8_t* from = row_bytes(row);
  for (int64_t i = 0; i < x_.columns; i += 64) __builtin_prefetch(from + i);
}

void NonzeroBlocks::map(int64_t row_begin, int64_t row_end, int64_t block_begin, int64_t block_end, bool by_blocks) {
  const int64_t first = block_begin * kLanes, bytes = std::min(block_end * kLanes, x_.columns) - first;
  const int64_t whole = bytes / kLanes, rest = bytes % kLanes;
  row_count_ = row_end - row_begin;
  partial_ = rest ? whole : -1;
  for (int64_t row = 0; row < row_count_; ++row) {
    if (x_.index && row + kAhead < row_count_) prefetch(row_begin + row + kAhead);
    const uint8_t* from = rows_[row] = row_bytes(row_begin + row) + first;
    for (int64_t word = 0; word < kBlockWords; ++word)
      by_row_[row][word] = nonzero_bits(from + word * 64 * kLanes, std::clamp<int64_t>(whole - word * 64, 0, 64));
    if (rest) {
      std::memset(ends_[row], 0, sizeof ends_[row]);
      std::memcpy(ends_[row], from + whole * kLanes, static_cast<size_t>(rest));
    }
  }
  if (!by_blocks) return;
  for (int64_t row_word = 0; row_word < kRowWords; ++row_word) {
    const int64_t rows = std::clamp<int64_t>(row_count_ - row_word * 64, 0, 64);
    for (int64_t word = 0; word < kBlockWords; ++word) {
      uint64_t square[64] = {};
      for (int64_t i = 0; i < rows; ++i) square[i] = by_row_[row_word * 64 + i][word];
      if (rows) transpose_bits(square);
      for (int64_t i = 0; i < 64; ++i) by_block_[word * 64 + i][row_word] = square[i];
    }
  }
}

}  // namespace cairn::simd
