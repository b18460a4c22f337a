#include "kernels/eigen/nonzeros.h"

#include <array>
#include <bit>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace cairn::eigen {
namespace {

// Entry m: the numbers of the bits set in m, rising, one a byte from the low end.
constexpr std::array<uint64_t, 256> kBitNumbers = [] {
  std::array<uint64_t, 256> table{};
  for (unsigned mask = 0; mask < 256; ++mask)
    for (uint64_t bit = 0, place = 0; bit < 8; ++bit)
      if (mask >> bit & 1) table[mask] |= bit << 8 * place++;
  return table;
}();

constexpr uint64_t kOnes = 0x0101010101010101;

// One bit for each of 16 bytes: is it nonzero?
uint32_t nonzero_bits(const uint8_t* from) {
#if defined(__SSE2__)
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return ~static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_setzero_si128()))) & 0xffff;
#else
  uint32_t bits = 0;
  for (int half = 0; half < 2; ++half) {
    uint64_t word;
    std::memcpy(&word, from + 8 * half, sizeof word);
    const uint64_t high = (((word & 0x7f * kOnes) + 0x7f * kOnes) | word) >> 7 & kOnes;
    bits |= static_cast<uint32_t>(high * 0x0102040810204080 >> 56) << 8 * half;  // little-endian: byte i becomes bit i
  }
  return bits;
#endif
}

// Rows of a shuffled batch lie anywhere in memory, so they are asked for a few rows before their turn.
constexpr int64_t kAhead = 4;
void prefetch(const uint8_t* from, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(from + i);
}

// Appends the columns of 16 bytes' nonzeros at `to`: always sixteen bytes' worth of stores, without a branch. Returns
// the list's new end.
uint8_t* append(uint32_t bits, int64_t column, uint8_t* to) {
  for (int half = 0; half < 2; ++half) {
    const uint32_t mask = bits >> 8 * half & 0xff;
    const uint64_t columns = kBitNumbers[mask] + static_cast<uint64_t>(column + 8 * half) * kOnes;
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
  auto* memory = reinterpret_cast<uint8_t*>(scratch(Scratch::lists, ceil_div(lists + columns, sizeof(float))));
  lists_ = reinterpret_cast<NonzeroList*>(memory);
  memory_ = memory + lists;
}

void Nonzeros::build(int64_t begin, int64_t end) {
  begin_ = begin;
  NonzeroList* list = lists_;
  uint8_t* to = memory_;
  for (int64_t row = begin; row < end; ++row) {
    if (row + kAhead < end) prefetch(row_bytes(row + kAhead), columns_);
    const uint8_t* from = row_bytes(row);
    for (int64_t segment = 0; segment < segments_; ++segment, from += kSegment) {
      const int64_t count = segment_columns(segment);
      uint8_t* const start = to;
      int64_t column = 0;
      for (; column + 16 <= count; column += 16) to = append(nonzero_bits(from + column), column, to);
      if (column < count) {
        uint8_t rest[16] = {};
        std::memcpy(rest, from + column, static_cast<size_t>(count - column));
        to = append(nonzero_bits(rest), column, to);
      }
      *list++ = {from, start, to - start};
    }
  }
}

}  // namespace cairn::eigen
