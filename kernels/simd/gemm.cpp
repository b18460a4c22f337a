// The matrix product, after Goto & van de Geijn ("Anatomy of high-performance matrix multiplication", TOMS 2008) and
// BLIS: a register tile, panels of b packed for it, rows of a read in place or packed.
//
//        b: panels of kTileColumns
//           |  |  |  |
//   a: rows +--+--+--+
//           |  |##|  |  <- c, one tile: kTileRows x 2 vectors of sums (register_tile.h)
//
// k is cut every kBlockDepth, so that a panel of b (16 KiB) and the rows of a stay in the first-level cache; c is read
// and added to from the second block on, and bias and ReLU are applied when the last one is stored. While a block of b
// is used, the next one is fetched.
// Work is shared out by rows or by panels. An element of c is summed in the same order either way, because edges too
// are computed as full tiles, of which only the valid part is stored.
#include "kernels/simd/gemm_few_rows.h"
#include "kernels/simd/gemm_sparse.h"
#include "kernels/simd/packing.h"
#include "kernels/simd/primitives.h"
#include "kernels/simd/register_tile.h"

namespace cairn::simd {
namespace {

constexpr int kTileRows = 6 * kRowFactor;
constexpr int kTileColumns = 2 * kLanes;
constexpr int64_t kBlockDepth = 256;
constexpr int64_t kBlockFloats = 32768;  // of b, packed at a time: 128 KiB, a quarter of a second-level cache
constexpr int64_t kMostPanels = 64;
constexpr int64_t kMostShared = 1 << 20;  // floats of a that are packed at once, for all panels

using TileRows = RowsInPlace<kTileRows>;
using TilePanel = Panel<2>;

// op(x)[i][j] = data[i * row_stride + j * column_stride]; one of the strides is 1.
struct Matrix {
  const float* data;
  int64_t row_stride, column_stride;
  bool pack;                     // copy before use; otherwise read in place where the layout allows
  const float* tiles = nullptr;  // all tiles packed, those of a block of the depth in a row; or null
  int64_t tiles_rows = 0;        // of all of them

  // The given rows from p on. A tile short of rows repeats its last one.
  TileRows tile(int64_t row, int64_t rows, int64_t p, int64_t depth, float* buffer) const {
    TileRows result;
    if (tiles) {
      for (int64_t r = 0; r < kTileRows; ++r) result.rows[r] = tiles + p * tiles_rows + row * depth + r;
      result.stride = kTileRows;
      return result;
    }
    for (int64_t r = 0; r < kTileRows; ++r)
      result.rows[r] = data + (row + std::min(r, rows - 1)) * row_stride + p * column_stride;
    result.stride = column_stride;
    if (!pack) return result;
    if (row_stride == 1 && rows == kTileRows) {
      for (int64_t q = 0; q < depth; ++q)
        for (int64_t r = 0; r < kTileRows; ++r) buffer[q * kTileRows + r] = result.rows[0][q * column_stride + r];
    } else {
      for (int64_t r = 0; r < kTileRows; ++r)
        for (int64_t q = 0; q < depth; ++q) buffer[q * kTileRows + r] = result.rows[r][q * column_stride];
    }
    for (int64_t r = 0; r < kTileRows; ++r) result.rows[r] = buffer + r;
    result.stride = kTileRows;
    return result;
  }

  // Rows p .. p + depth of the given columns. A panel short of columns is filled up with zeros.
  TilePanel panel(int64_t p, int64_t depth, int64_t column, int64_t columns, float* buffer) const {
    const float* from = data + p * row_stride + column * column_stride;
    if (column_stride != 1) {
      pack_turned(from, column_stride, depth, columns, buffer, kTileColumns);
      if (columns <= kLanes)
        for (int64_t q = 0; q < depth; ++q) store(buffer + q * kTileColumns + kLanes, Vector{});
    } else if (pack || columns < kTileColumns) {
      for (int64_t q = 0; q < depth; ++q)
        for (int64_t j = 0; j < kTileColumns; ++j)
          buffer[q * kTileColumns + j] = j < columns ? from[q * row_stride + j] : 0.0f;
    } else {
      return {from, row_stride};
    }
    return {buffer, kTileColumns};
  }
};

// What becomes of the product.
struct Output {
  float* c;
  int64_t ldc;
  const float* bias;  // or null
  bool relu, accumulate;
};

// The valid part of a tile.
struct Place {
  int64_t row, column, rows, columns;
};

// Sums one tile over `depth` steps and stores its valid part.
// add: c holds the sum so far; finish: apply bias and ReLU.
void multiply_tile(const TileRows& a, const TilePanel& b, int64_t depth, const Output& output, const Place& place,
                   bool add, bool finish) {
  Vector sums[kTileRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) sums[r][0] = sums[r][1] = Vector{};
  multiply_add(sums, a, b, depth);
  float* c = output.c + place.row * output.ldc + place.column;
  const float* bias = finish && output.bias ? output.bias + place.column : nullptr;
  const bool rectify = finish && output.relu;
  if (place.rows == kTileRows && place.columns == kTileColumns) {
#pragma GCC unroll 16
    for (int r = 0; r < kTileRows; ++r) {
      for (int half = 0; half < 2; ++half) {
        float* to = c + r * output.ldc + half * kLanes;
        Vector value = sums[r][half];
        if (add) value += load(to);
        if (bias) value += load(bias + half * kLanes);
        store(to, rectify ? relu(value) : value);
      }
    }
    return;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kTileRows; ++r) {
    if (r >= place.rows) return;
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const int64_t first = half * kLanes, count = std::min<int64_t>(kLanes, place.columns - first);
      if (count <= 0) break;
      float* to = c + r * output.ldc + first;
      Vector value = sums[r][half];
      if (add) value += load_part(to, count);
      if (bias) value += load_part(bias + first, count);
      store_part(to, rectify ? relu(value) : value, count);
    }
  }
}

// c[m,n] = a[m,k] * b[k,n]
struct Product {
  int64_t m, n, k;
  Matrix a, b;
  Output output;

  int64_t panels() const { return ceil_div(n, kTileColumns); }
  int64_t tiles() const { return ceil_div(m, kTileRows); }

  // On the calling thread.
  void run() const { run_part(0, panels(), 0, tiles()); }

  // On the pool: by panels when there are enough of them, else by rows.
  void run(cpu::ThreadPool& pool) const {
    constexpr int64_t kSmall = 1 << 18;  // multiply-adds that one thread does in about the time two take to meet
    if (m * n * std::max<int64_t>(k, 1) < kSmall) return run();
    if (panels() >= 2 * pool.size() && n >= m / 4) {
      Product shared = *this;
      if (a.pack && m * k <= kMostShared) shared.share_tiles(pool);
      return pool.parallel_for(panels(), 1,
                               [&](int64_t begin, int64_t end) { shared.run_part(begin, end, 0, tiles()); });
    }
    const auto by_rows = [&](int64_t begin, int64_t end) { run_part(0, panels(), begin, end); };
    if (tiles() >= 256)
      pool.share_out(tiles(), 16, by_rows);
    else
      pool.parallel_for(tiles(), 1, by_rows);
  }

  // Packs a once for all panels.
  void share_tiles(cpu::ThreadPool& pool) {
    const int64_t rows = tiles() * kTileRows;
    float* packed = scratch(Scratch::row_block, rows * k);
    pool.parallel_for(tiles(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t tile = begin; tile < end; ++tile)
        for (int64_t p = 0; p < k; p += kBlockDepth) {
          const int64_t row = tile * kTileRows, depth = std::min(kBlockDepth, k - p);
          a.tile(row, std::min<int64_t>(kTileRows, m - row), p, depth, packed + p * rows + row * depth);
        }
    });
    a.tiles = packed;
    a.tiles_rows = rows;
  }

  void run_part(int64_t panel_begin, int64_t panel_end, int64_t tile_begin, int64_t tile_end) const {
    const int64_t most_depth = std::min(kBlockDepth, std::max<int64_t>(k, 1));
    const int64_t most_panels = std::clamp<int64_t>(kBlockFloats / (most_depth * kTileColumns), 1, kMostPanels);
    float* packed_a = scratch(Scratch::packed_a, kTileRows * most_depth);
    float* packed_b = scratch(Scratch::packed_b, most_panels * kTileColumns * most_depth);
    TilePanel block[kMostPanels];
    for (int64_t first = panel_begin; first < panel_end; first += most_panels) {
      const int64_t count = std::min(most_panels, panel_end - first);
      int64_t p = 0;
      do {
        const int64_t depth = std::min(kBlockDepth, k - p);
        for (int64_t i = 0; i < count; ++i) {
          const int64_t column = (first + i) * kTileColumns;
          block[i] = b.panel(p, depth, column, std::min<int64_t>(kTileColumns, n - column),
                             packed_b + i * kTileColumns * depth);
        }
        Prefetch next = block_after(first, count, p + depth, panel_end, (tile_end - tile_begin) * count);
        for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
          Place place{tile * kTileRows, 0, std::min<int64_t>(kTileRows, m - tile * kTileRows), 0};
          const TileRows rows = a.tile(place.row, place.rows, p, depth, packed_a);
          for (int64_t i = 0; i < count; ++i) {
            place.column = (first + i) * kTileColumns;
            place.columns = std::min<int64_t>(kTileColumns, n - place.column);
            next.advance();
            multiply_tile(rows, block[i], depth, output, place, output.accumulate || p > 0, p + depth == k);
          }
        }
        p += depth;
      } while (p < k);
    }
  }

  // The block of b from p on, or where k is done the first of the next panels.
  Prefetch block_after(int64_t first, int64_t count, int64_t p, int64_t panel_end, int64_t calls) const {
    if (p >= k) {
      p = 0;
      first += count;
      count = std::min(count, panel_end - first);
      if (count <= 0) return {};
    }
    const int64_t column = first * kTileColumns, columns = std::min(count * kTileColumns, n - column);
    const int64_t depth = std::min(kBlockDepth, k - p);
    const float* from = b.data + p * b.row_stride + column * b.column_stride;
    return b.column_stride == 1 ? Prefetch(from, columns, b.row_stride, depth, calls)
                                : Prefetch(from, depth, b.column_stride, columns, calls);
  }
};

// k is long and c small, as in the weight gradient of a narrow layer over a full batch: chunks of k, added in order.
void multiply_by_depth(Stream& stream, const Product& product, int64_t chunk) {
  const Output& output = product.output;
  const int64_t chunks = ceil_div(product.k, chunk), size = product.m * product.n;
  float* partial = scratch(Scratch::partial, chunks * size);
  stream.pool.share_out(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Product part = product;
      part.k = std::min(chunk, product.k - i * chunk);
      part.a.data += i * chunk * product.a.column_stride;
      part.b.data += i * chunk * product.b.row_stride;
      part.output = {partial + i * size, product.n, nullptr, false, false};
      part.run();
    }
  });
  for (int64_t i = 1; i < chunks; ++i)
    for (int64_t j = 0; j < size; ++j) partial[j] += partial[i * size + j];
  for (int64_t r = 0; r < product.m; ++r) {
    float* c = output.c + r * output.ldc;
    for (int64_t j = 0; j < product.n; ++j) {
      float value = partial[r * product.n + j];
      if (output.accumulate) value += c[j];
      if (output.bias) value += output.bias[j];
      c[j] = output.relu ? relu(value) : value;
    }
  }
}

Matrix matrix(const void* data, int64_t stride, int32_t transposed, bool pack) {
  return transposed ? Matrix{floats(data), 1, stride, pack} : Matrix{floats(data), stride, 1, pack};
}

}  // namespace

void gemm(Stream& stream, const GemmArgs& args) {
  require_f32(args.dtype, "gemm");
  if (args.m == 0 || args.n == 0) return;
  if (has_few_rows(args)) return gemm_few_rows(stream, args);
  if (is_sparse(args)) return gemm_sparse(stream, args);
  // Packing pays where an operand is read often; a transposed b is always packed.
  const bool pack_a = args.n > 4 * kTileColumns, pack_b = args.m > 16 * kTileRows;
  const Product product{args.m,
                        args.n,
                        args.k,
                        matrix(args.a, args.lda, args.transpose_a, pack_a),
                        matrix(args.b, args.ldb, args.transpose_b, pack_b),
                        {floats(args.c), args.ldc, floats(args.bias), args.relu != 0, args.accumulate != 0}};
  constexpr int64_t kChunk = 2048, kMostChunks = 64;
  if (args.k >= 2 * kChunk && args.m * args.n <= 128 * 128)
    return multiply_by_depth(stream, product, std::max(kChunk, ceil_div(args.k, kMostChunks)));
  product.run(stream.pool);
}

}  // namespace cairn::simd
