// Listing nonzero bytes: 16 compared at a time, and per 8 one table look-up and one store, with no branch that a
// stroke's edge could make mispredict.
#include "kernels/simd/nonzeros.h"

#include <array>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace cairn::simd {
namespace {

using Columns __attribute__((vector_size(16))) = uint16_t;

// Entry m: the numbers of the bits set in m, rising.
struct BitNumbers {
  alignas(16) uint16_t of[256][8];
};
constexpr BitNumbers kBitNumbers = [] {
  BitNumbers table{};
  for (unsigned mask = 0; mask < 256; ++mask)
    for (uint16_t bit = 0, place = 0; bit < 8; ++bit)
      if (mask >> bit & 1) table.of[mask][place++] = bit;
  return table;
}();

// One bit for each of 16 columns: is either byte nonzero?
uint32_t nonzero_bits(const uint8_t* a, const uint8_t* b) {
#if defined(__SSE2__)
  const __m128i block = _mm_or_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a)),
                                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(b)));
  return ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_setzero_si128()))) & 0xffff;
#else
  uint32_t bits = 0;
  for (int half = 0; half < 2; ++half) {
    uint64_t word, other;
    std::memcpy(&word, a + 8 * half, sizeof word);
    std::memcpy(&other, b + 8 * half, sizeof other);
    word |= other;
    constexpr uint64_t kOnes = 0x0101010101010101;
    const uint64_t high = (((word & 0x7f * kOnes) + 0x7f * kOnes) | word) >> 7 & kOnes;
    bits |= static_cast<uint32_t>(high * 0x0102040810204080 >> 56) << 8 * half;  // little-endian: byte i becomes bit i
  }
  return bits;
#endif
}

// Rows of a shuffled batch lie anywhere in memory, so they are asked for a few rows before their turn.
constexpr int64_t kAhead = 4;

// Appends the columns of 16 bytes' nonzeros at `to`: always sixteen columns' worth of stores, without a branch. Returns
// the list's new end.
uint16_t* append(uint32_t bits, int64_t column, uint16_t* to) {
  for (int half = 0; half < 2; ++half) {
    const uint32_t mask = bits >> 8 * half & 0xff;
    Columns columns;
    std::memcpy(&columns, kBitNumbers.of[mask], sizeof columns);
    columns += static_cast<uint16_t>(column + 8 * half);
    std::memcpy(to, &columns, sizeof columns);
    to += std::popcount(mask);
  }
  return to;
}

}  // namespace

Nonzeros::Nonzeros(const ByteRows& x, int64_t first_column, int64_t end_column)
    : x_(x), first_column_(first_column), columns_(end_column - first_column), segments_(ceil_div(columns_, kSegment)) {
  const auto lists = kListRows * segments_ * static_cast<int64_t>(sizeof(NonzeroList));
  const int64_t columns = kListRows * columns_ + 16;
  auto* memory = reinterpret_cast<uint8_t*>(
      scratch(Scratch::lists, ceil_div(lists + columns * static_cast<int64_t>(sizeof(uint16_t)), sizeof(float))));
  lists_ = reinterpret_cast<NonzeroList*>(memory);
  memory_ = reinterpret_cast<uint16_t*>(memory + lists);
}

void Nonzeros::prefetch(int64_t row) const {
  for (int64_t next = row; next < std::min(x_.rows, row + 2); ++next)
    for (int64_t i = 0; i < columns_; i += 64) __builtin_prefetch(row_bytes(next) + i);
}

void Nonzeros::build(int64_t begin, int64_t end) {
  begin_ = begin;
  NonzeroList* list = lists_;
  uint16_t* to = memory_;
  for (int64_t row = begin; row < end; row += 2) {
    if (x_.index && row + kAhead < end) prefetch(row + kAhead);
    const uint8_t* a = row_bytes(row);
    const uint8_t* b = row_bytes(std::min(row + 1, end - 1));
    for (int64_t segment = 0; segment < segments_; ++segment, a += kSegment, b += kSegment) {
      const int64_t count = segment_columns(segment);
      uint16_t* const start = to;
      int64_t column = 0;
      for (; column + 16 <= count; column += 16) to = append(nonzero_bits(a + column, b + column), column, to);
      if (column < count) {
        uint8_t rest[2][16] = {};
        std::memcpy(rest[0], a + column, static_cast<size_t>(count - column));
        std::memcpy(rest[1], b + column, static_cast<size_t>(count - column));
        to = append(nonzero_bits(rest[0], rest[1]), column, to);
      }
      *list++ = {{a, b}, start, to - start};
    }
  }
}

}  // namespace cairn::simd
