// Device code that the tiled rungs from 5 on share: loading tiles four elements at a time, the product of two tiles,
// and writing the result. Not here: the order in which a rung does these things.
//
// A block computes a kM x kN tile of c, kK steps of k at a time, from two tiles in shared memory:
//
//   a_tile[m][k]: kM lines of kK floats (+ 4 of padding)    b_tile[k][n]: kK lines of kN floats (+ 4 of padding)
//
// Thread t stands at y = t % kThreadsY, x = t / kThreadsY, with kThreadsY = kM / kRows, and owns kRows rows of the
// tile, y, y + kThreadsY, ..., and 8 columns in two groups of four: 4 x .. 4 x + 3 and kN / 2 + 4 x .. kN / 2 + 4 x
// + 3. Each step of k takes two float4 reads of b, kRows reads of a (on the GPU one float4 for four steps) and 8 kRows
// multiplications; b's eight values are one register fragment. Of the eight lanes that a float4 read serves at a time,
// those with the same x share b's address and those with the same y share a's; the padding keeps the others in
// different banks.
#pragma once

#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {

template <int kTileM, int kTileN, int kTileK, int kThreadRows>
struct TileShape {
  static constexpr int kM = kTileM, kN = kTileN, kK = kTileK, kRows = kThreadRows;
  static constexpr int kThreadsX = kN / 8, kThreadsY = kM / kRows, kThreads = kThreadsX * kThreadsY;
  static constexpr int kStrideA = kK + 4, kStrideB = kN + 4;  // of a tile's lines, in floats: 16-byte aligned
  // The i-th row of thread row y.
  __device__ static constexpr int row(int y, int i) { return y + i * kThreadsY; }
};

// Elements position .. position + 3 of a line. load4_whole: all four are there, and lines.vectors holds.
__device__ __forceinline__ float4 load4_whole(const FloatLines& lines, int line, int position) {
  return *reinterpret_cast<const float4*>(lines.data + line * lines.stride + position);
}
// By way of int arrays, from which the host compiler makes vector instructions.
__device__ __forceinline__ float4 load4_whole(const ByteLines& lines, int line, int position) {
  const int64_t sample = lines.index ? lines.index[line] : line;
  const uchar4 bytes = *reinterpret_cast<const uchar4*>(lines.bytes + sample * lines.stride + position);
  const int whole[4] = {bytes.x, bytes.y, bytes.z, bytes.w};
  float four[4];
  CAIRN_UNROLL
  for (int j = 0; j < 4; ++j) four[j] = static_cast<float>(whole[j]) * lines.scale + lines.shift;
  return make_float4(four[0], four[1], four[2], four[3]);
}

__device__ __forceinline__ float load1(const FloatLines& lines, int line, int position) {
  return lines.data[line * lines.stride + position];
}
__device__ __forceinline__ float load1(const ByteLines& lines, int line, int position) {
  const int64_t sample = lines.index ? lines.index[line] : line;
  return static_cast<float>(lines.bytes[sample * lines.stride + position]) * lines.scale + lines.shift;
}

// The same with zeros where the matrix ends, and without alignment.
template <class Lines>
__device__ __forceinline__ float4 load4(const Lines& lines, int line, int position) {
  float4 four = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  if (line >= lines.lines) return four;
  if (lines.vectors && position + 3 < lines.length) return load4_whole(lines, line, position);
  if (position < lines.length) four.x = load1(lines, line, position);
  if (position + 1 < lines.length) four.y = load1(lines, line, position + 1);
  if (position + 2 < lines.length) four.z = load1(lines, line, position + 2);
  if (position + 3 < lines.length) four.w = load1(lines, line, position + 3);
  return four;
}

// How kThreads threads share out the groups of four of a tile of kLines x kLength: neighbouring threads take
// neighbouring groups, so that reads are coalesced. Thread t's j-th group is at (line(t, j), position(t)).
template <int kLines, int kLength, int kThreads>
struct Groups {
  static constexpr int kPerLine = kLength / 4, kStep = kThreads / kPerLine, kCount = kLines / kStep;
  static_assert(kThreads % kPerLine == 0 && kLines % kStep == 0);
  __device__ static constexpr int line(int thread, int j) { return thread / kPerLine + j * kStep; }
  __device__ static constexpr int position(int thread) { return thread % kPerLine * 4; }
};

// Loads the tile of lines that begins at (line0, position0) and hands each group to place(line, position, four). Tiles
// inside the matrix, all but those at its edges, take the path without checks.
template <int kLines, int kLength, int kThreads, class Lines, class Place>
__device__ __forceinline__ void load_tile(const Lines& lines, int line0, int position0, int thread,
                                          const Place& place) {
  using Own = Groups<kLines, kLength, kThreads>;
  const int position = Own::position(thread);
  if (lines.vectors && line0 + kLines <= lines.lines && position0 + kLength <= lines.length) {
    for (int line = Own::line(thread, 0); line < kLines; line += Own::kStep)
      place(line, position, load4_whole(lines, line0 + line, position0 + position));
  } else {
    for (int line = Own::line(thread, 0); line < kLines; line += Own::kStep)
      place(line, position, load4(lines, line0 + line, position0 + position));
  }
}

// tile[line][position]: an operand whose lines are the tile's lines.
template <int kStride>
__device__ __forceinline__ void store_straight(float* tile, int line, int position, float4 four) {
  *reinterpret_cast<float4*>(tile + line * kStride + position) = four;
}

// tile[position][line]: an operand whose lines are the tile's columns; the four values go to four lines of the tile.
template <int kStride>
__device__ __forceinline__ void store_turned(float* tile, int line, int position, float4 four) {
  float* to = tile + position * kStride + line;
  to[0] = four.x;
  to[kStride] = four.y;
  to[2 * kStride] = four.z;
  to[3 * kStride] = four.w;
}

// Both tiles of one step: a_tile[m][k] from (m0, k0) and b_tile[k][n] from (k0, n0).
template <class Shape, class A, class B>
__device__ __forceinline__ void load_tiles(const Product<A, B>& p, float* a_tile, float* b_tile, int m0, int n0, int k0,
                                           int thread) {
  const auto a_straight = [&](int line, int at, float4 four) {
    store_straight<Shape::kStrideA>(a_tile, line, at, four);
  };
  const auto a_turned = [&](int line, int at, float4 four) { store_turned<Shape::kStrideA>(a_tile, line, at, four); };
  const auto b_straight = [&](int line, int at, float4 four) {
    store_straight<Shape::kStrideB>(b_tile, line, at, four);
  };
  const auto b_turned = [&](int line, int at, float4 four) { store_turned<Shape::kStrideB>(b_tile, line, at, four); };
  if (p.a_along_k)
    load_tile<Shape::kM, Shape::kK, Shape::kThreads>(p.a, m0, k0, thread, a_straight);
  else
    load_tile<Shape::kK, Shape::kM, Shape::kThreads>(p.a, k0, m0, thread, a_turned);
  if (p.b_along_k)
    load_tile<Shape::kN, Shape::kK, Shape::kThreads>(p.b, n0, k0, thread, b_turned);
  else
    load_tile<Shape::kK, Shape::kN, Shape::kThreads>(p.b, k0, n0, thread, b_straight);
}

// sum[i] += a_tile[row(y, i)][k] * b_tile[k][this thread's eight columns] for k < depth (rounded up to four;
// beyond the end of k the tiles hold zeros), eight rows at a time: eight rows of sums, a row of b and a value of a are
// what fits into the CPU's 16 vector registers, and on the GPU more rows at a time would save little.
template <class Shape>
__device__ __forceinline__ void multiply_tiles(simt::Fragment<8> (&sum)[Shape::kRows], const float* a_tile,
                                               const float* b_tile, int depth, int x, int y) {
  constexpr int kPart = Shape::kRows < 8 ? Shape::kRows : 8;
  constexpr int kUnrolled = 4;  // more would outgrow the GPU's instruction cache
  CAIRN_UNROLL
  for (int first = 0; first < Shape::kRows; first += kPart) {
    simt::Fragment<8> part[kPart];
    CAIRN_UNROLL
    for (int i = 0; i < kPart; ++i) part[i] = sum[first + i];
    for (int k0 = 0; k0 < Shape::kK && k0 < depth; k0 += kUnrolled) {
      CAIRN_UNROLL
      for (int k = k0; k < k0 + kUnrolled; ++k) {
        simt::Fragment<8> b;
        const float* b_line = b_tile + k * Shape::kStrideB + x * 4;
        b.load2x4(b_line, b_line + Shape::kN / 2);
        CAIRN_UNROLL
        for (int i = 0; i < kPart; ++i) part[i].fma(a_tile[Shape::row(y, first + i) * Shape::kStrideA + k], b);
      }
    }
    CAIRN_UNROLL
    for (int i = 0; i < kPart; ++i) sum[first + i] = part[i];
  }
}

// Writes the thread's kRows x 8 sums, with what Output asks for on the way. `vectors`: c's groups of four lie on
// 16-byte boundaries.
template <class Shape>
__device__ __forceinline__ void store_tile(const simt::Fragment<8> (&sum)[Shape::kRows], const Output& output,
                                           bool vectors, int m, int n, int m0, int n0, int x, int y) {
  const int column[2] = {n0 + x * 4, n0 + Shape::kN / 2 + x * 4};
  simt::Fragment<8> bias;
  if (output.bias) {
    CAIRN_UNROLL
    for (int j = 0; j < 8; ++j) {
      const int at = column[j / 4] + j % 4;
      bias.put(j, at < n ? output.bias[at] : 0.0f);
    }
  }
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) {
    const int row = m0 + Shape::row(y, i);
    if (row >= m) continue;
    simt::Fragment<8> value = sum[i];
    if (output.bias) value.add(bias);
    if (output.relu) value.relu();
    CAIRN_UNROLL
    for (int half = 0; half < 2; ++half) {
      float* c = output.c + row * output.ldc + column[half];
      if (vectors && !output.accumulate && column[half] + 3 < n) {
        value.store4(half * 4, c);
      } else {
        CAIRN_UNROLL
        for (int j = 0; j < 4; ++j)
          if (column[half] + j < n) c[j] = value.get(half * 4 + j) + (output.accumulate ? c[j] : 0.0f);
      }
    }
  }
}

}  // namespace cairn::CAIRN_VANILLA
