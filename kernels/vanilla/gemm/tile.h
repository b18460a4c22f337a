// Device code that the tiled rungs from 5 on share: loading tiles four elements at a time, the product of two tiles,
// and writing the result. Not here: the order in which a rung does these things.
//
// A block computes a kM x kN tile of c, kK steps of k at a time, from two tiles in shared memory:
//
//   a_tile: as a lies in memory, either [m][k], kM lines of kK floats (+ 4 of padding),
//           or [k][m], kK lines of kM floats (+ 4): the product reads single values of it, and takes them from anywhere
//   b_tile: always [k][n], kK lines of kN floats (+ 8), because the product reads runs along n. A b that was given
//           transposed is turned on the way, in squares of 4 x 4 that a thread turns in its registers.
//
// Thread t stands at y = t % kThreadsY, x = t / kThreadsY, and owns kRows rows of the tile and the kColumns = 16
// columns from 16 x on:
//
//                 b_tile[k][16 x .. 16 x + 15]
//                     bbbbbbbbbbbbbbbb          for each k: 4 float4 reads of b, which are one register fragment, kRows
//      a_tile   a     ################          reads of a, and 16 kRows multiplications
//      [row][k] a     ################
//               a     ################          row(y, i): y + i kThreadsY for [m][k], kRows y + i for [k][m]
//
// On the GPU the lanes of a warp lie along y: they share b's addresses, a broadcast, and read a from different banks
// (that is what the rows' order and the padding are for). On the CPU 4 rows of 16 sums are 8 vector registers, b two
// and a value of a one; the threads that share b's columns follow one another and find them in the L1 cache.
#pragma once

#include <type_traits>

#include "kernels/vanilla/gemm/gemm.h"
#include "kernels/vanilla/gemm/store.h"

namespace cairn::CAIRN_VANILLA {

template <int kTileM, int kTileN, int kTileK, int kThreadRows>
struct TileShape {
  static constexpr int kM = kTileM, kN = kTileN, kK = kTileK, kRows = kThreadRows, kColumns = 16;
  static constexpr int kThreadsX = kN / kColumns, kThreadsY = kM / kRows, kThreads = kThreadsX * kThreadsY;
  // From one line of a tile to the next, in floats: 16-byte aligned.
  static constexpr int kStrideMK = kK + 4, kStrideKM = kM + 4, kStrideB = kN + 8;
  static constexpr int kFloatsA = kM * kStrideMK > kK* kStrideKM ? kM* kStrideMK : kK* kStrideKM;
  static constexpr int kFloatsB = kK * kStrideB;
  static constexpr int kMaxDepth = 4096;  // terms of one float sum (split_k.h)
  // The i-th row of thread row y.
  __device__ static constexpr int row(bool a_along_k, int y, int i) {
    return a_along_k ? y + i * kThreadsY : y * kRows + i;
  }
};

// The fragment of a product's results that a thread holds.
template <class Shape>
using Sums = simt::Fragment<Shape::kColumns>[Shape::kRows];

// Elements position .. position + 3 of a line. `inside`: all four are there, and lines.vectors holds; otherwise zeros
// beyond the end of the matrix.
template <bool inside>
__device__ __forceinline__ simt::Fragment<4> load4(const FloatLines& lines, int line, int position) {
  simt::Fragment<4> four;
  const float* from = lines.data + line * lines.stride + position;
  if (inside || (line < lines.lines && position + 3 < lines.length && lines.vectors))
    four.load(from);
  else
    four.load_first(from, line < lines.lines ? lines.length - position : 0);
  return four;
}
template <bool inside>
__device__ __forceinline__ simt::Fragment<4> load4(const ByteLines& lines, int line, int position) {
  simt::Fragment<4> four;
  if (!inside && line >= lines.lines) {
    four.zero();
    return four;
  }
  const int64_t sample = lines.index ? lines.index[line] : line;
  const uint8_t* from = lines.bytes + sample * lines.stride + position;
  if (inside || (position + 3 < lines.length && lines.vectors)) {
    simt::Fragment<4> bytes;
    bytes.load_bytes(from);
    four.set(lines.shift);
    four.fma(lines.scale, bytes);
  } else {
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i)
      four.put(i, position + i < lines.length ? static_cast<float>(from[i]) * lines.scale + lines.shift : 0.0f);
  }
  return four;
}

// How kThreads threads share out the groups of four of a tile of kLines x kLength: neighbouring threads take
// neighbouring groups of a line, so that reads are coalesced. Thread t's j-th group is at (line(t, j), position(t)).
template <int kLines, int kLength, int kThreads>
struct Groups {
  static constexpr int kPerLine = kLength / 4, kStep = kThreads / kPerLine, kCount = (kLines + kStep - 1) / kStep;
  static_assert(kThreads % kPerLine == 0);
  __device__ static constexpr int line(int thread, int j) { return thread / kPerLine + j * kStep; }
  __device__ static constexpr int position(int thread) { return thread % kPerLine * 4; }
};

// A tile in shared memory as it is filled from an operand: lines of `length` floats of the operand's own, `stride`
// apart in the tile (where it is turned: the tile's lines are), by a block of `threads`.
struct TileForm {
  int lines, length, stride, threads;
};

// What of the matrix goes there: what begins at (line0, position0), the first line_end lines and position_end positions
// (a multiple of four) of it.
struct TilePart {
  int line0, position0, line_end, position_end;
};

template <class Lines>
__device__ __forceinline__ bool is_inside(const Lines& lines, const TilePart& part) {
  return lines.vectors && part.line0 + part.line_end <= lines.lines &&
         part.position0 + part.position_end <= lines.length;
}

// tile[line][position] = the part. Tiles inside the matrix, all but those at its edges, take the path without checks.
template <TileForm form, bool inside, class Lines>
__device__ void copy_straight(float* tile, const Lines& lines, TilePart part, int thread) {
  using Own = Groups<form.lines, form.length, form.threads>;
  const int position = Own::position(thread);
  if (position >= part.position_end) return;
  for (int line = Own::line(thread, 0); line < part.line_end; line += Own::kStep)
    load4<inside>(lines, part.line0 + line, part.position0 + position).store(tile + line * form.stride + position);
}
template <TileForm form, class Lines>
__device__ __forceinline__ void load_straight(float* tile, const Lines& lines, TilePart part, int thread) {
  if (is_inside(lines, part))
    copy_straight<form, true>(tile, lines, part, thread);
  else
    copy_straight<form, false>(tile, lines, part, thread);
}

// tile[position][line] = the part, which has all of the form's lines: four groups of four make a square.
template <TileForm form, bool inside, class Lines>
__device__ void copy_turned(float* tile, const Lines& lines, TilePart part, int thread) {
  using Own = Groups<form.lines / 4, form.length, form.threads>;
  const int position = Own::position(thread);
  if (position >= part.position_end) return;
  for (int line = Own::line(thread, 0) * 4; line < form.lines; line += Own::kStep * 4) {
    simt::Fragment<4> square[4];
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i) square[i] = load4<inside>(lines, part.line0 + line + i, part.position0 + position);
    simt::transpose(square);
    CAIRN_UNROLL
    for (int i = 0; i < 4; ++i) square[i].store(tile + (position + i) * form.stride + line);
  }
}
template <TileForm form, class Lines>
__device__ __forceinline__ void load_turned(float* tile, const Lines& lines, TilePart part, int thread) {
  if (is_inside(lines, part))
    copy_turned<form, true>(tile, lines, part, thread);
  else
    copy_turned<form, false>(tile, lines, part, thread);
}

// How the operands of a product lie; known at compile time where one is bytes: byte_linear_forward has its data set as
// a and takes b transposed, byte_linear_backward_weight has it as b and takes a transposed.
template <class A, class B>
__device__ __forceinline__ bool a_along_k(const Product<A, B>& p) {
  return std::is_same_v<A, ByteLines> || (!std::is_same_v<B, ByteLines> && p.a_along_k);
}
template <class A, class B>
__device__ __forceinline__ bool b_along_k(const Product<A, B>& p) {
  return std::is_same_v<A, ByteLines> || (!std::is_same_v<B, ByteLines> && p.b_along_k);
}

// Both tiles of one step, `depth` (a multiple of four) of its kK steps of k: a from (m0, k0) and b from (k0, n0).
template <class Shape, class A, class B>
__device__ __forceinline__ void load_tiles(const Product<A, B>& p, float* a_tile, float* b_tile, int m0, int n0, int k0,
                                           int depth, int thread) {
  constexpr int kM = Shape::kM, kN = Shape::kN, kK = Shape::kK, kThreads = Shape::kThreads;
  if (a_along_k(p))
    load_straight<TileForm{kM, kK, Shape::kStrideMK, kThreads}>(a_tile, p.a, {m0, k0, kM, depth}, thread);
  else
    load_straight<TileForm{kK, kM, Shape::kStrideKM, kThreads}>(a_tile, p.a, {k0, m0, depth, kM}, thread);
  if (b_along_k(p))
    load_turned<TileForm{kN, kK, Shape::kStrideB, kThreads}>(b_tile, p.b, {n0, k0, kN, depth}, thread);
  else
    load_straight<TileForm{kK, kN, Shape::kStrideB, kThreads}>(b_tile, p.b, {k0, n0, depth, kN}, thread);
}

// sum[i] += a_tile[row(y, i)][k] * b_tile[k][this thread's columns] for k < depth, four rows at a time: more would not
// fit into the CPU's 16 vector registers, and on the GPU it would save little.
template <class Shape, bool a_along_k>
__device__ __forceinline__ void multiply_part(Sums<Shape>& sum, const float* a_tile, const float* b_tile, int depth,
                                              int x, int y) {
  constexpr int kPart = 4, kUnrolled = 4;  // more steps would outgrow the GPU's instruction cache
  constexpr int kRowStride = a_along_k ? Shape::kStrideMK : 1, kStride = a_along_k ? 1 : Shape::kStrideKM;
  CAIRN_UNROLL
  for (int first = 0; first < Shape::kRows; first += kPart) {
    simt::Fragment<Shape::kColumns> part[kPart];
    CAIRN_UNROLL
    for (int i = 0; i < kPart; ++i) part[i] = sum[first + i];
    for (int k0 = 0; k0 < depth; k0 += kUnrolled) {
      CAIRN_UNROLL
      for (int k = k0; k < k0 + kUnrolled; ++k) {
        simt::Fragment<Shape::kColumns> b;
        b.load(b_tile + k * Shape::kStrideB + x * Shape::kColumns);
        CAIRN_UNROLL
        for (int i = 0; i < kPart; ++i)
          part[i].fma(a_tile[Shape::row(a_along_k, y, first + i) * kRowStride + k * kStride], b);
      }
    }
    CAIRN_UNROLL
    for (int i = 0; i < kPart; ++i) sum[first + i] = part[i];
  }
}
template <class Shape>
__device__ __forceinline__ void multiply_tiles(Sums<Shape>& sum, bool a_along_k, const float* a_tile,
                                               const float* b_tile, int depth, int x, int y) {
  if (a_along_k)
    multiply_part<Shape, true>(sum, a_tile, b_tile, depth, x, y);
  else
    multiply_part<Shape, false>(sum, a_tile, b_tile, depth, x, y);
}

// Where a thread's results lie: in c, m x n, in the tile from (m0, n0) on, those of thread (x, y) of the block.
struct ResultPlace {
  int m, n, m0, n0, x, y;
  bool a_along_k;
};

// A thread whose results all lie outside c only helps to load.
template <class Shape>
__device__ __forceinline__ bool has_results(const ResultPlace& at) {
  return at.m0 + Shape::row(at.a_along_k, at.y, 0) < at.m && at.n0 + at.x * Shape::kColumns < at.n;
}

// Writes the thread's sums; see store_run.
template <class Shape>
__device__ __forceinline__ void store_tile(const Sums<Shape>& sum, const Output& output, float* c, bool vectors,
                                           const ResultPlace& at) {
  const int column = at.n0 + at.x * Shape::kColumns;
  const auto bias = load_bias<Shape::kColumns>(output, column, at.n);
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) {
    const int row = at.m0 + Shape::row(at.a_along_k, at.y, i);
    if (row < at.m) store_run(sum[i], bias, output, c, vectors, row, column, at.n);
  }
}

}  // namespace cairn::CAIRN_VANILLA
