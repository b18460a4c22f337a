// Device code of the warp-tiled products (gemm rung 9 and the convolutions built like it): a ring of tiles that are
// filled asynchronously, and the product of two tiles as warps share it out. Not here: where the elements of a tile
// come from (the rungs), the cutting of a product into blocks (split_k.h).
//
// Three levels, each of which reads what the level above it has brought nearer:
//
//   block    kM x kN of c      tiles of kK steps of k in shared memory, both [k][line], so that either operand's reads
//                              run along its lines; kStages of them in a ring
//   warp     kWarpM x kWarpN   an own part of the block's, so that its reads of shared memory are few and without bank
//                              conflicts: a warp reads kWarpM + kWarpN floats for kWarpM kWarpN products
//   thread   kRows x kColumns  in registers; lane l stands at y = l / 4, x = l % 4
//
// The picture of a warp's 64 x 32, with 8 x 8 a thread:
//
//        b  0      8     16     24             row i of thread y:  i / 4 * 32 + 4 y + i % 4, so that the eight y read
//      a   x=0    x=1    x=2    x=3            eight neighbouring groups of four, 128 bytes, all banks once;
//   0 y=0 ######                               columns of thread x: 8 x .. 8 x + 7, four neighbouring addresses.
//   4 y=1 ######  e.g. y = 1, x = 0:
//     ... rows 4-7 and 36-39, columns 0-7      For each k a thread reads kRows + 8 floats and multiplies 8 kRows times;
//  32 y=0 ######                               what it needs of k + 1 is read while k is multiplied.
//  36 y=1 ######
//
// A low tile has its lanes in fewer rows, kLanesM of them instead of 8, and 4 columns a thread, so that the lanes of a
// row still read neighbouring groups. A small tile does not have enough warps to hide its waiting: kWarpsK groups of
// them share out the steps of k, and their sums are added at the end (add_groups).
//
// The ring: while tile t is multiplied, tiles t + 1 .. t + kStages - 1 are on their way (cp.async: no registers, no
// waiting), and one barrier a tile says both that tile t has arrived and that tile t - 1 is free.
#pragma once

#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {

template <int kTileM, int kTileN, int kTileK, int kOfWarpM, int kOfWarpN, int kOfStages, int kGroups = 1,
          int kRowsOfLanes = 8>
struct WarpTileShape {
  static constexpr int kM = kTileM, kN = kTileN, kK = kTileK, kWarpM = kOfWarpM, kWarpN = kOfWarpN;
  static constexpr int kStages = kOfStages;
  static constexpr int kWarpsM = kM / kWarpM, kWarpsN = kN / kWarpN, kWarpsK = kGroups;
  static constexpr int kThreads = 32 * kWarpsM * kWarpsN * kWarpsK, kSteps = kK / kWarpsK;
  static constexpr int kLanesM = kRowsOfLanes, kLanesN = 32 / kLanesM;
  static constexpr int kRows = kWarpM / kLanesM, kColumns = kWarpN / kLanesN;
  static_assert(kM % kWarpM == 0 && kN % kWarpN == 0 && kRows % 4 == 0 && kColumns == (kLanesN == 4 ? 8 : 4));
  static_assert(kK % 8 == 0 && kK % (2 * kWarpsK) == 0);
  // From one line of a tile to the next: a multiple of four, for 16-byte reads, and of four banks only, so that eight
  // steps of k of four lines lie in 32 different banks (see turn_async).
  static constexpr int kStrideA = kM + 4, kStrideB = kN + 4;
  static constexpr int kFloatsA = kK * kStrideA, kFloatsB = kK * kStrideB;
  static constexpr size_t kSharedBytes = sizeof(float) * kStages * (kFloatsA + kFloatsB);
  static constexpr int kMaxDepth = 4096;  // terms of one float sum (split_k.h)
};

template <class Shape>
using WarpSums = simt::Fragment<Shape::kColumns>[Shape::kRows];

// Where a thread's results are in the block's tile.
template <class Shape>
struct WarpPlace {
  int row0, column0;  // of the thread's first element
  int group;          // of warps, which multiplies steps group * kSteps .. of each tile
  __device__ __forceinline__ explicit WarpPlace(int thread) {
    constexpr int kWarps = Shape::kWarpsM * Shape::kWarpsN;
    const int warp = Shape::kWarpsK > 1 ? thread / 32 % kWarps : thread / 32, lane = thread % 32;
    group = Shape::kWarpsK > 1 ? thread / 32 / kWarps : 0;
    row0 = warp / Shape::kWarpsN * Shape::kWarpM + lane / Shape::kLanesN * 4;
    column0 = warp % Shape::kWarpsN * Shape::kWarpN + lane % Shape::kLanesN * Shape::kColumns;
  }
  __device__ __forceinline__ int row(int i) const { return row0 + i / 4 * (4 * Shape::kLanesM) + i % 4; }
};

// What a thread reads of both tiles for one step of k.
template <class Shape>
struct WarpOperands {
  simt::Fragment<4> a[Shape::kRows / 4];
  simt::Fragment<Shape::kColumns> b;

  __device__ __forceinline__ void load(const float* a_tile, const float* b_tile, int k, const WarpPlace<Shape>& place) {
    CAIRN_UNROLL
    for (int q = 0; q < Shape::kRows / 4; ++q) a[q].load(a_tile + k * Shape::kStrideA + place.row(4 * q));
    b.load(b_tile + k * Shape::kStrideB + place.column0);
  }
  __device__ __forceinline__ void multiply_into(WarpSums<Shape>& sum) const {
    CAIRN_UNROLL
    for (int i = 0; i < Shape::kRows; ++i) sum[i].fma(a[i / 4].get(i % 4), b);
  }
};

// sum += the product of two tiles, all steps of the thread's group.
template <class Shape>
__device__ __forceinline__ void multiply_warp_tiles(WarpSums<Shape>& sum, const float* a_tile, const float* b_tile,
                                                    const WarpPlace<Shape>& place) {
  a_tile += place.group * Shape::kSteps * Shape::kStrideA;
  b_tile += place.group * Shape::kSteps * Shape::kStrideB;
  WarpOperands<Shape> even, odd;
  even.load(a_tile, b_tile, 0, place);
  CAIRN_UNROLL
  for (int k = 0; k < Shape::kSteps; k += 2) {
    odd.load(a_tile, b_tile, k + 1, place);
    even.multiply_into(sum);
    if (k + 2 < Shape::kSteps) even.load(a_tile, b_tile, k + 2, place);
    odd.multiply_into(sum);
  }
}

// Starts the copies of a tile whose elements have to be turned: element(line, k) is where the matrix has it, which need
// not exist if there(line, k) is false. Eight threads take eight steps of k, which are neighbours in memory, of four
// lines: whole sectors are read, and the 32 words go to different banks.
template <int kLines, int kK, int kStride, int kThreads, class Element, class There>
__device__ __forceinline__ void turn_async(float* tile, int thread, const Element& element, const There& there) {
  constexpr int kStep = kThreads / 8;  // lines that the threads take at once
  static_assert(kLines % kStep == 0 && kK % 8 == 0);
  CAIRN_UNROLL
  for (int line0 = 0; line0 < kLines; line0 += kStep) {
    CAIRN_UNROLL
    for (int k0 = 0; k0 < kK; k0 += 8) {
      const int line = line0 + thread / 8, k = k0 + thread % 8;
      simt::copy_async4(tile + k * kStride + line, element(line, k), there(line, k));
    }
  }
}

// sum = the products of `tiles` pairs of tiles. start(a_tile, b_tile, t) starts the copies of pair t; it is called by
// all threads of the block, with t rising from 0. shared: kSharedBytes.
template <class Shape, class Start>
__device__ __forceinline__ void multiply_ring(WarpSums<Shape>& sum, float* shared, int tiles,
                                              const WarpPlace<Shape>& place, const Start& start) {
  constexpr int kPair = Shape::kFloatsA + Shape::kFloatsB;
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i) sum[i].zero();
  for (int t = 0; t < Shape::kStages - 1; ++t) {
    if (t < tiles) start(shared + t * kPair, shared + t * kPair + Shape::kFloatsA, t);
    simt::copy_async_commit();
  }
  int filled = 0, free = Shape::kStages - 1;  // places in the ring
  for (int t = 0; t < tiles; ++t) {
    simt::copy_async_wait<Shape::kStages - 2>();
    __syncthreads();
    const int next = t + Shape::kStages - 1;
    if (next < tiles) start(shared + free * kPair, shared + free * kPair + Shape::kFloatsA, next);
    simt::copy_async_commit();  // of nothing, at the end: so that the wait counts right
    const float* a_tile = shared + filled * kPair;
    multiply_warp_tiles<Shape>(sum, a_tile, a_tile + Shape::kFloatsA, place);
    free = filled;
    filled = filled + 1 == Shape::kStages ? 0 : filled + 1;
  }
}

// Calls store(row, column, value) for each element of the block's tile, the groups' sums added in order; neighbouring
// threads get neighbouring columns, and a thread always the same one. shared: the ring, which is done with.
template <class Shape, class Store>
__device__ __forceinline__ void add_groups(const WarpSums<Shape>& sum, float* shared, int thread,
                                           const WarpPlace<Shape>& place, const Store& store) {
  constexpr int kStride = Shape::kStrideB, kGroup = Shape::kM * kStride, kRowStep = Shape::kThreads / Shape::kN;
  static_assert(Shape::kThreads % Shape::kN == 0 && Shape::kM % kRowStep == 0);
  static_assert(sizeof(float) * Shape::kWarpsK * kGroup <= Shape::kSharedBytes);
  __syncthreads();  // everyone has multiplied the last tiles
  CAIRN_UNROLL
  for (int i = 0; i < Shape::kRows; ++i)
    sum[i].store(shared + place.group * kGroup + place.row(i) * kStride + place.column0);
  __syncthreads();
  const int column = thread % Shape::kN;
  for (int row = thread / Shape::kN; row < Shape::kM; row += kRowStep) {
    const float* from = shared + row * kStride + column;
    float value = from[0];
    CAIRN_UNROLL
    for (int group = 1; group < Shape::kWarpsK; ++group) value += from[group * kGroup];
    store(row, column, value);
  }
}

}  // namespace cairn::CAIRN_VANILLA
