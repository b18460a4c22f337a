// The matrix product behind gemm and the byte primitives, after Goto & van de Geijn ("Anatomy of high-performance matrix
// multiplication", TOMS 2008) and BLIS: a register tile, panels of b packed for it, rows of a read in place or packed.
// Not here: which operands there are (operands.h) and the entries themselves (gemm.cpp, byte_linear.cpp).
//
//        b: panels of kTileColumns           the tile: kTileRows x 2 vectors of sums in registers; each step of k loads
//           |  |  |  |                       two vectors of b and broadcasts kTileRows values of a
//   a: rows +--+--+--+
//           |  |##|  |  <- c, one tile       AVX2: 6 x 16, 12 of 16 registers; AVX-512: 12 x 32, 24 of 32
//
// k is cut every kBlockDepth, so that a panel of b (16 KiB) and the rows of a stay in the first-level cache; c is read
// and added to from the second block on, and bias and ReLU are applied when the last one is stored.
// Work is shared out by rows or by panels. An element of c is summed in the same order either way, because edges too
// are computed as full tiles, of which only the valid part is stored.
#pragma once

#include "kernels/cpu/stream.h"
#include "kernels/eigen/team.h"
#include "kernels/eigen/vector.h"

namespace cairn::eigen {

inline constexpr int kTileRows = kVectorBytes == 64 ? 12 : 6;
inline constexpr int kTileColumns = 2 * kLanes;
inline constexpr int64_t kBlockDepth = 256;
inline constexpr int64_t kBlockColumns = 256;  // of b, packed at a time: 256 KiB, half of a second-level cache

// Where a tile's rows of a lie: element p of row r is rows[r][p * stride].
struct TileRows {
  const float* rows[kTileRows];
  int64_t stride;
};

// A panel of b: element (p, j) is data[p * stride + j].
struct Panel {
  const float* data;
  int64_t stride;
};

// What becomes of the product.
struct Output {
  float* c;
  int64_t ldc;
  const float* bias;  // or null
  bool relu, accumulate;
};

// Sums one tile over `depth` steps and stores its valid rows x columns part at (row, column) of the output.
// add: c holds the sum so far; finish: apply bias and ReLU.
void multiply_tile(const TileRows& a, const Panel& b, int64_t depth, const Output& output, int64_t row, int64_t column,
                   int64_t rows, int64_t columns, bool add, bool finish);

// c[m,n] = a[m,k] * b[k,n] with operands of any kind:
//   a.tile(i, rows, p, depth, buffer): the rows i .. i + rows of a from p on, read in place or prepared in `buffer`
//                                      (kTileRows x kBlockDepth floats); missing rows may be anything readable
//   b.panel(p, depth, j, columns, buffer): likewise, in a buffer of depth x kTileColumns; missing columns likewise
template <class A, class B>
class Product {
 public:
  Product(int64_t m, int64_t n, int64_t k, const A& a, const B& b, const Output& output)
      : m_(m), n_(n), k_(k), a_(a), b_(b), output_(output) {}

  // On the calling thread.
  void run() const { run_panels(0, panels(), 0, tiles()); }

  // On the pool: by panels when there are enough of them, else by rows.
  void run(cpu::ThreadPool& pool) const {
    constexpr int64_t kSmall = 1 << 18;  // multiply-adds that one thread does in about the time two take to meet
    const int64_t threads = pool.size();
    if (threads == 1 || m_ * n_ * std::max<int64_t>(k_, 1) < kSmall) return run();
    if (panels() >= 2 * threads && panels() * kTileColumns >= m_ / 4)
      return pool.parallel_for(panels(), 1, [&](int64_t begin, int64_t end) { run_panels(begin, end, 0, tiles()); });
    pool.parallel_for(tiles(), 1, [&](int64_t begin, int64_t end) { run_panels(0, panels(), begin, end); });
  }

 private:
  int64_t panels() const { return ceil_div(n_, kTileColumns); }
  int64_t tiles() const { return ceil_div(m_, kTileRows); }

  void run_panels(int64_t panel_begin, int64_t panel_end, int64_t tile_begin, int64_t tile_end) const {
    constexpr int64_t kBlockPanels = kBlockColumns / kTileColumns;
    float* packed_a = scratch(Scratch::packed_a, kTileRows * kBlockDepth);
    float* packed_b = scratch(Scratch::packed_b, kBlockColumns * kBlockDepth);
    Panel panels[kBlockPanels];
    for (int64_t first = panel_begin; first < panel_end; first += kBlockPanels) {
      const int64_t count = std::min(kBlockPanels, panel_end - first);
      int64_t p = 0;
      do {
        const int64_t depth = std::min(kBlockDepth, k_ - p);
        for (int64_t i = 0; i < count; ++i) {
          const int64_t column = (first + i) * kTileColumns;
          panels[i] = b_.panel(p, depth, column, std::min<int64_t>(kTileColumns, n_ - column),
                               packed_b + i * kTileColumns * depth);
        }
        for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
          const int64_t row = tile * kTileRows, rows = std::min<int64_t>(kTileRows, m_ - row);
          const TileRows a = a_.tile(row, rows, p, depth, packed_a);
          for (int64_t i = 0; i < count; ++i) {
            const int64_t column = (first + i) * kTileColumns;
            multiply_tile(a, panels[i], depth, output_, row, column, rows,
                          std::min<int64_t>(kTileColumns, n_ - column), output_.accumulate || p > 0, p + depth == k_);
          }
        }
        p += depth;
      } while (p < k_);
    }
  }

  int64_t m_, n_, k_;
  A a_;
  B b_;
  Output output_;
};

}  // namespace cairn::eigen
