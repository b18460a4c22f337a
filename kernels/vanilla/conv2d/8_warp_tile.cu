// Convolution rung 8, warp tiles: implicit gemm on the machinery of gemm's rung 9 (gemm/warp_tile.h has the picture),
// its tiles filled by four-byte asynchronous copies that look up the elements of x on the way.
//
// Only kM multiplications share an element of patches[term][place], so what it costs to find it is what matters. Its
// address is a sum, and whether a tap misses x is an intersection of bit sets, half of each the place's and half the
// term's:
//
//              place (n, p, q)                      term (c, r, s)
//   address    its first row and column in x   +    (c * height + r) * width + s
//   misses x   rows and columns of taps that   &    row r, column s
//              miss x there, 15 bits each
//
// One half stays in a thread's registers, the other comes from a table in shared memory, a load for two elements; then
// a copy is four instructions: two to add, one to intersect, one to copy. A convolution's thread keeps a place, and the
// table holds terms; a filter gradient's keeps filters and terms, and the table holds places. The table is a ring as
// the tiles are: an entry belongs to a thread, which moves it on by kStages tiles with two carries, without a division.
//
// 2 kM kN kK FLOPs for 4 kK (kM + kN) bytes, most of them from the caches. Where results are few, tiles are small, so
// that every multiprocessor has some, and warps share out k. Calculated from SASS of sm_90, not measured: 71 to 81 % of
// a tile's instructions multiply with kM = 32 and 64, 45 to 68 % in smaller tiles; that and unused parts of tiles leave
// cnn's second layer (batch 64) 68 to 70 % of an H100's peak, lenet-caffe's 33 to 59 %, first layers 12 to 55 %.
#include <algorithm>

#include "kernels/vanilla/conv2d/patch.h"
#include "kernels/vanilla/gemm/split_k.h"
#include "kernels/vanilla/gemm/warp_tile.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// Bits of an intersection: rows of taps from bit 0 on, columns from bit kMostTaps on, and two for what does not exist.
constexpr int kMostTaps = 15;
constexpr unsigned kNoTerm = 1u << 30;   // every place misses it
constexpr unsigned kNoPlace = 1u << 31;  // it is missed by everything

// Whether taps fit in so many bits and the distances below in 32.
bool is_small(const Patches& x, int filters) {
  constexpr int64_t kMost = int64_t{1} << 29, kMostTerms = int64_t{1} << 24;
  return x.taps_h <= kMostTaps && x.taps_w <= kMostTaps && x.terms() <= kMostTerms &&
         (int64_t{x.channels} * x.height + kMostTaps) * x.width <= kMost &&
         int64_t{filters} * x.rows * x.columns <= kMost;
}

// Bytes, unsigned: added to a 64-bit address they take two instructions, where a number of floats takes four.
__device__ __forceinline__ unsigned bytes(int floats) {
  return static_cast<unsigned>(floats) * static_cast<unsigned>(sizeof(float));
}
// Addresses are numbers here: half of one may lie outside of its array, where a pointer must not.
__device__ __forceinline__ uintptr_t address_of(const float* from, int64_t floats) {
  return reinterpret_cast<uintptr_t>(from) + static_cast<uintptr_t>(floats) * sizeof(float);
}
__device__ __forceinline__ const void* beyond(uintptr_t from, unsigned distance) {
  return reinterpret_cast<const void*>(from + distance);
}

// number / size for numbers below 2^31 as a multiplication: factor = 2^(31 + shift) / size, rounded up, where 2^shift
// is the next power of two; what that adds is less than 1 / size of the quotient's unit (Granlund and Montgomery 1994).
struct Divisor {
  unsigned size, factor, shift;
  explicit Divisor(int64_t value) : size(static_cast<unsigned>(value)), shift(0) {
    while (int64_t{1} << shift < value) ++shift;
    factor = static_cast<unsigned>(divide_up(int64_t{1} << (31 + shift), value));
  }
  __device__ __forceinline__ unsigned quotient(unsigned number) const {
    return static_cast<unsigned>(uint64_t{2 * number} * factor >> 32) >> shift;
  }
};
__device__ __forceinline__ Triple split_quickly(int number, const Divisor& middle, const Divisor& inner) {
  const auto whole = static_cast<unsigned>(number);
  const unsigned rest = inner.quotient(whole), outer = middle.quotient(rest);
  return {static_cast<int>(outer), static_cast<int>(rest - outer * middle.size),
          static_cast<int>(whole - rest * inner.size)};
}

// What a launch works out once for all threads: the divisions of places and terms, and how far apart a thread's table
// entries are.
struct Lookup {
  Divisor rows, columns, taps_h, taps_w;
  Triple step;
  Lookup(const Patches& x, int entries, int middle_size, int inner_size)
      : rows(x.rows),
        columns(x.columns),
        taps_h(x.taps_h),
        taps_w(x.taps_w),
        step{entries / inner_size / middle_size, entries / inner_size % middle_size, entries % inner_size} {}
  __device__ __forceinline__ Triple place(int number) const { return split_quickly(number, rows, columns); }
  __device__ __forceinline__ Triple term(int number) const { return split_quickly(number, taps_h, taps_w); }
};

struct TermEntry {
  unsigned distance;  // in bytes, from the pixel that tap (0, 0) of channel 0 looks at
  unsigned needs;     // its row and its column
};
struct alignas(16) TermPair {  // is read at once
  TermEntry terms[2];
};
__device__ __forceinline__ TermEntry entry_of(const Patches& x, const Triple& term) {
  const unsigned taps = 1u << term.middle | 1u << (kMostTaps + term.inner);
  const unsigned row = static_cast<unsigned>(term.outer) * static_cast<unsigned>(x.height) + term.middle;
  const unsigned distance = row * static_cast<unsigned>(x.width) + term.inner;
  return {distance * static_cast<unsigned>(sizeof(float)), term.outer < x.channels ? taps : kNoTerm};
}

struct alignas(16) PlaceEntry {
  uintptr_t x, dy;  // where tap (0, 0) of channel 0 looks at, and the place in the plane of the tile's first filter
  unsigned lacks;   // the rows and columns of taps that miss x
};
// The bits of i in [0, kMostTaps) with first + i outside of [0, size).
__device__ __forceinline__ unsigned missed(int first, int size) {
  const auto below = [](int end) { return (1u << (end < 0 ? 0 : end < kMostTaps ? end : kMostTaps)) - 1; };
  return (below(size - first) & ~below(-first)) ^ below(kMostTaps);
}
__device__ __forceinline__ PlaceEntry entry_of(const Patches& x, const float* dy, int filters, const Triple& place) {
  const int h = x.first_h + place.middle * x.step_h, w = x.first_w + place.inner * x.step_w;
  const unsigned taps = missed(h, x.height) | missed(w, x.width) << kMostTaps | kNoTerm;
  const int64_t plane = static_cast<int64_t>(place.outer) * filters;
  const int64_t row = static_cast<int64_t>(place.outer) * x.channels * x.height + h;
  return {address_of(x.data, row * x.width + w),
          address_of(dy, (plane * x.rows + place.middle) * x.columns + place.inner),
          place.outer < x.batch ? taps : ~0u};
}

// Entry i of the table belongs to thread i and stands for step i of k, then i + kEntries, and so on: tile t's entries
// are those from t % kStages * kK on. While the copies of tile t start, the entries of tile t + 1 move on; those of
// tile t may be in use until the next barrier, and no other's are.
template <class Shape>
struct Table {
  static constexpr int kEntries = Shape::kStages * Shape::kK;
  static_assert(kEntries <= Shape::kThreads);

  static __device__ __forceinline__ int first_of(int tile) {
    return static_cast<int>(static_cast<unsigned>(tile) % Shape::kStages) * Shape::kK;
  }
  // Whether the thread has to move its entry on, along with the copies of a tile.
  static __device__ __forceinline__ bool is_due(int tile, int thread) {
    return tile >= Shape::kStages - 1 && thread / Shape::kK * Shape::kK == first_of(tile + 1);
  }
};

// Of a multiprocessor: 128 registers for each thread, or 168 where it has 64 sums.
template <class Shape>
constexpr int blocks_at_once() {
  return (Shape::kRows * Shape::kColumns > 32 ? 384 : 512) / Shape::kThreads;
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, blocks_at_once<Shape>())
    warp_tile_kernel(Convolution p, Lookup lookup, Divisor tile_columns) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  auto* table = reinterpret_cast<TermPair*>(shared + Shape::kSharedBytes / sizeof(float));
  constexpr int kStep = Shape::kThreads / 8, kLines = (Shape::kM + kStep - 1) / kStep;
  constexpr int kPerThread = Shape::kK * Shape::kN / Shape::kThreads;  // neighbouring terms, of one place
  const Patches& x = p.patches;
  const int thread = static_cast<int>(threadIdx.x), terms = x.terms();
  const unsigned tile_row = tile_columns.quotient(blockIdx.x);
  const int m0 = static_cast<int>(tile_row) * Shape::kM;
  const int n0 = static_cast<int>(blockIdx.x - tile_row * tile_columns.size) * Shape::kN;

  const Triple place = lookup.place(n0 + thread % Shape::kN);
  const PlaceEntry own = entry_of(x, nullptr, 0, place);
  const int line = thread / 8, lines = (p.filters - m0 - line + kStep - 1) / kStep;  // of weights, as in turn_async
  const uintptr_t weight = address_of(p.weight, static_cast<int64_t>(m0 + line) * terms + thread % 8);
  const unsigned line_step = bytes(kStep * terms);
  const int first_term = thread / Shape::kN * kPerThread;
  Triple term = lookup.term(thread);
  if (thread < Table<Shape>::kEntries) table[thread / 2].terms[thread % 2] = entry_of(x, term);
  __syncthreads();

  const WarpPlace<Shape> warp_place(thread);
  WarpSums<Shape> sum;
  multiply_ring<Shape>(sum, shared, (terms + Shape::kK - 1) / Shape::kK, warp_place,
                       [&](float* a_tile, float* b_tile, int t) {
                         const uintptr_t weights = weight + bytes(t * Shape::kK);
                         const int steps = terms - t * Shape::kK - thread % 8;
                         float* to_a = a_tile + thread % 8 * Shape::kStrideA + line;
                         CAIRN_UNROLL
                         for (int i = 0; i < kLines; ++i) {
                           CAIRN_UNROLL
                           for (int k = 0; k < Shape::kK; k += 8)
                             if (Shape::kM % kStep == 0 || line + i * kStep < Shape::kM)
                               simt::copy_async4(to_a + k * Shape::kStrideA + i * kStep,
                                                 beyond(weights + bytes(k), line_step * i), i < lines && k < steps);
                         }
                         const TermPair* pairs = table + (Table<Shape>::first_of(t) + first_term) / 2;
                         float* to = b_tile + first_term * Shape::kStrideB + thread % Shape::kN;
                         constexpr int kAtOnce = kPerThread < 16 ? kPerThread : 16;  // in registers
                         CAIRN_UNROLL
                         for (int first = 0; first < kPerThread; first += kAtOnce) {
                           TermPair entries[kAtOnce / 2];
                           CAIRN_UNROLL
                           for (int i = 0; i < kAtOnce / 2; ++i) entries[i] = pairs[first / 2 + i];
                           CAIRN_UNROLL
                           for (int i = 0; i < kAtOnce; ++i) {
                             const TermEntry& entry = entries[i / 2].terms[i % 2];
                             simt::copy_async4(to + (first + i) * Shape::kStrideB, beyond(own.x, entry.distance),
                                               (entry.needs & own.lacks) == 0);
                           }
                         }
                         if (Table<Shape>::is_due(t, thread)) {
                           advance_term(x, term, lookup.step);
                           table[thread / 2].terms[thread % 2] = entry_of(x, term);
                         }
                       });
  const int rows = place.outer < x.batch ? p.filters - m0 : 0, plane = static_cast<int>(p.output.plane);
  float* y = address(p.output, m0, place);
  add_groups<Shape>(sum, shared, thread, warp_place, [&](int row, int, float value) {
    if (row < rows) store_at(y + static_cast<int64_t>(row) * plane, p.output, m0 + row, value);
  });
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, blocks_at_once<Shape>())
    warp_tile_filter_kernel(FilterGradient p, Lookup lookup, Blocking blocking) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  auto* table = reinterpret_cast<PlaceEntry*>(shared + Shape::kSharedBytes / sizeof(float));
  constexpr int kStep = Shape::kThreads / 8;  // lines that the threads take at once, as in turn_async
  constexpr int kFilters = Shape::kM / kStep, kTerms = Shape::kN / kStep;
  static_assert(Shape::kM % kStep == 0 && Shape::kN % kStep == 0);
  const Patches& x = p.b;
  const BlockPlace at = block_place<Shape>(p, blocking);
  const int thread = static_cast<int>(threadIdx.x), line = thread / 8, plane = x.rows * x.columns;

  const float* dy = p.a.dy ? p.a.dy + static_cast<int64_t>(at.m0) * plane : nullptr;
  TermEntry filters[kFilters], terms[kTerms];  // the thread's lines of both tiles
  CAIRN_UNROLL
  for (int i = 0; i < kFilters; ++i) {
    const int filter = at.m0 + line + i * kStep;
    filters[i] = filter < p.m ? TermEntry{bytes((line + i * kStep) * plane), kNoPlace} : TermEntry{0, kNoTerm};
  }
  CAIRN_UNROLL
  for (int i = 0; i < kTerms; ++i) terms[i] = entry_of(x, lookup.term(at.n0 + line + i * kStep));
  Triple place = lookup.place(at.k_begin + thread);
  if (thread < Table<Shape>::kEntries) table[thread] = entry_of(x, dy, p.m, place);
  __syncthreads();

  const WarpPlace<Shape> warp_place(thread);
  WarpSums<Shape> sum;
  multiply_ring<Shape>(sum, shared, (at.k_end - at.k_begin + Shape::kK - 1) / Shape::kK, warp_place,
                       [&](float* a_tile, float* b_tile, int t) {
                         const PlaceEntry* from = table + Table<Shape>::first_of(t) + thread % 8;
                         PlaceEntry entries[Shape::kK / 8];
                         CAIRN_UNROLL
                         for (int i = 0; i < Shape::kK / 8; ++i)
                           entries[i] = {from[i * 8].x, from[i * 8].dy, from[i * 8].lacks};
                         CAIRN_UNROLL
                         for (int j = 0; j < Shape::kK / 8; ++j) {
                           const PlaceEntry& entry = entries[j];
                           float* to_a = a_tile + (j * 8 + thread % 8) * Shape::kStrideA + line;
                           float* to_b = b_tile + (j * 8 + thread % 8) * Shape::kStrideB + line;
                           CAIRN_UNROLL
                           for (int i = 0; i < kFilters; ++i)
                             simt::copy_async4(to_a + i * kStep, beyond(entry.dy, filters[i].distance),
                                               (filters[i].needs & entry.lacks) == 0);
                           CAIRN_UNROLL
                           for (int i = 0; i < kTerms; ++i)
                             simt::copy_async4(to_b + i * kStep, beyond(entry.x, terms[i].distance),
                                               (terms[i].needs & entry.lacks) == 0);
                         }
                         if (Table<Shape>::is_due(t, thread)) {
                           advance_place(x, place, lookup.step);
                           table[thread] = entry_of(x, dy, p.m, place);
                         }
                       });
  add_groups<Shape>(sum, shared, thread, warp_place, [&](int row, int column, float value) {
    if (at.m0 + row >= p.m || at.n0 + column >= p.n) return;
    Output output = p.output;
    output.c = at.c;
    store(output, at.m0 + row, at.n0 + column, value);
  });
}

// The instructions (of 32 threads, in 32nds) that m x n results cost a multiprocessor that computes its share of them
// in such tiles: multiplying and reading from SASS, 9 for 8; all else depends on how often a tile ends.
template <class Shape>
int64_t cost(int64_t m, int64_t n, int64_t k, int64_t processors) {
  const int64_t tiles = divide_up(m, Shape::kM) * divide_up(n, Shape::kN);
  constexpr int64_t kStep = Shape::kM * Shape::kN * 9 / 8 + 310 + 7600 / Shape::kK;
  return divide_up(tiles, processors) * divide_up(k, Shape::kK) * Shape::kK * kStep;
}
// Calls launch with the cheapest of the shapes.
template <class... Shapes, class Launch>
void with_cheapest(int64_t m, int64_t n, int64_t k, int64_t processors, const Launch& launch) {
  const int64_t least = std::min({cost<Shapes>(m, n, k, processors)...});
  bool launched = false;
  const auto try_shape = [&]<class Shape>(Shape) {
    if (launched || cost<Shape>(m, n, k, processors) > least) return;
    launched = true;
    launch(Shape{});
  };
  (try_shape(Shapes{}), ...);
}

// kM, kN, kK, of a warp, stages, groups of warps, rows of lanes. The deep ones waste less where sums are long.
using Tile64x128 = WarpTileShape<64, 128, 16, 64, 32, 4>;
using Tile64x64 = WarpTileShape<64, 64, 32, 64, 32, 3, 2>;
using Tile32x64 = WarpTileShape<32, 64, 32, 32, 32, 3, 2>;
using Deep32x64 = WarpTileShape<32, 64, 64, 32, 32, 2, 2>;
using Tile32x32 = WarpTileShape<32, 32, 32, 32, 32, 3, 4>;
using Deep32x32 = WarpTileShape<32, 32, 64, 32, 32, 2, 4>;
using Tile16x64 = WarpTileShape<16, 64, 32, 16, 32, 3, 2, 4>;
using Deep16x64 = WarpTileShape<16, 64, 64, 16, 32, 2, 2, 4>;
using Tile16x32 = WarpTileShape<16, 32, 32, 16, 32, 3, 4, 4>;
using Tile8x64 = WarpTileShape<8, 64, 32, 8, 64, 4, 4, 2>;
using Deep8x64 = WarpTileShape<8, 64, 64, 8, 64, 2, 4, 2>;

}  // namespace

void convolve_warp_tile(Stream& stream, const Convolution& problem) {
  const Patches& x = problem.patches;
  if (!is_small(x, problem.filters)) return convolve_register_tile(stream, problem);
  constexpr int64_t kProcessors = kOnGpu ? 132 : 1;  // of an H100
  with_cheapest<Tile64x128, Tile64x64, Tile32x64, Deep32x64, Tile32x32, Deep32x32, Tile16x64, Deep16x64, Tile8x64,
                Deep8x64>(problem.filters, x.places(), std::max(x.terms(), 1), kProcessors, [&]<class Shape>(Shape) {
    constexpr int kEntries = Table<Shape>::kEntries;
    const int64_t tile_columns = divide_up(x.places(), Shape::kN);
    simt::launch<warp_tile_kernel<Shape>>(stream, grid_x(divide_up(problem.filters, Shape::kM) * tile_columns),
                                          Shape::kThreads, Shape::kSharedBytes + kEntries * sizeof(TermEntry), problem,
                                          Lookup(x, kEntries, x.taps_h, x.taps_w), Divisor(tile_columns));
  });
}

void filter_gradient_warp_tile(Stream& stream, const FilterGradient& problem) {
  const Patches& x = problem.b;
  if (!is_small(x, problem.m)) return filter_gradient_register_tile(stream, problem);
  with_cheapest<Tile64x64, Tile32x64, Tile32x32, Tile16x32>(
      problem.m, problem.n, problem.k, 1, [&]<class Shape>(Shape) {
        constexpr int kEntries = Table<Shape>::kEntries;
        launch_tiles<Shape>(stream, problem, [&](const FilterGradient& part, const Blocking& blocking, dim3 grid) {
          simt::launch<warp_tile_filter_kernel<Shape>>(stream, grid, Shape::kThreads,
                                                       Shape::kSharedBytes + kEntries * sizeof(PlaceEntry), part,
                                                       Lookup(x, kEntries, x.rows, x.columns), blocking);
        });
      });
}

}  // namespace cairn::CAIRN_VANILLA
