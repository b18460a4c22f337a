// Rows of a table by number, and the table's gradient. Not here: rows of a data set (rows.cu).
//
// The gradient's sums run in the order of positions, whichever thread came first where: positions are counted by id and
// laid side by side, those of one id are put in order, and then one thread a value adds them. What is atomic are
// integers only.
//
//   ids      3 1 3 1 3           offsets   0 0 2 2 5      (of id v: from offsets[v] to offsets[v + 1])
//   places   3 1 | 4 0 2         as they came
//   ordered  1 3 | 0 2 4
#include <cmath>

#include "kernels/vanilla/elementwise.h"
#include "kernels/vanilla/row_grid.h"

namespace cairn::CAIRN_VANILLA {
namespace {

__global__ void embedding_forward_kernel(int64_t count, int64_t vocabulary, int64_t features, const int32_t* ids,
                                         const float* weight, float* out) {
  const int64_t i = grid_row();
  if (i >= count) return;
  const int64_t id = ids[i];
  const bool known = id >= 0 && id < vocabulary;
  for (int64_t f = grid_column(); f < features; f += grid_columns())
    out[i * features + f] = known ? weight[id * features + f] : NAN;
}

// What the counts and places are in: all of it in the workspace.
struct Places {
  int32_t* offsets;  // vocabulary + 1
  int32_t* taken;    // vocabulary: how many of an id's places have been given out
  int32_t* places;   // count
  int32_t* ordered;  // count
};

__device__ __forceinline__ bool adds(int32_t id, int64_t vocabulary, int64_t padding_index) {
  return id >= 0 && id < vocabulary && id != padding_index;
}

__global__ void clear_counts_kernel(int64_t vocabulary, Places to) {
  const int64_t i = element_index();
  if (i <= vocabulary) to.offsets[i] = 0;
  if (i < vocabulary) to.taken[i] = 0;
}

// offsets[id + 1] = how often id occurs
__global__ void count_ids_kernel(int64_t count, int64_t vocabulary, int64_t padding_index, const int32_t* ids,
                                 Places to) {
  const int64_t i = element_index();
  if (i < count && adds(ids[i], vocabulary, padding_index)) atomicAdd(to.offsets + ids[i] + 1, 1);
}

constexpr unsigned kScanThreads = 256;

// One block: offsets become sums of all before them. A thread adds up a piece, one of them the pieces' sums.
__global__ void __launch_bounds__(kScanThreads) sum_counts_kernel(int64_t vocabulary, Places to) {
  CAIRN_SHARED(int32_t[kScanThreads], before);
  const int64_t piece = (vocabulary + kScanThreads - 1) / kScanThreads;
  const int64_t begin = threadIdx.x * piece, end = begin + piece < vocabulary ? begin + piece : vocabulary;
  int32_t sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += to.offsets[i + 1];
  before[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    int32_t total = 0;
    for (unsigned i = 0; i < kScanThreads; ++i) {
      const int32_t own = before[i];
      before[i] = total;
      total += own;
    }
  }
  __syncthreads();
  sum = before[threadIdx.x];
  for (int64_t i = begin; i < end; ++i) to.offsets[i + 1] = sum += to.offsets[i + 1];
}

__global__ void place_kernel(int64_t count, int64_t vocabulary, int64_t padding_index, const int32_t* ids, Places to) {
  const int64_t i = element_index();
  if (i >= count || !adds(ids[i], vocabulary, padding_index)) return;
  to.places[to.offsets[ids[i]] + atomicAdd(to.taken + ids[i], 1)] = static_cast<int32_t>(i);
}

// A place's rank is how many of its id's come before it: as many comparisons as the id has places, all at once.
__global__ void order_kernel(int64_t vocabulary, const int32_t* ids, Places to) {
  const int64_t i = element_index();
  if (i >= to.offsets[vocabulary]) return;
  const int32_t place = to.places[i], begin = to.offsets[ids[place]], end = to.offsets[ids[place] + 1];
  int32_t rank = begin;
  for (int32_t other = begin; other < end; ++other) rank += to.places[other] < place;
  to.ordered[rank] = place;
}

__global__ void embedding_backward_kernel(int64_t vocabulary, int64_t features, Places from, const float* dout,
                                          float* dweight, bool accumulate) {
  const int64_t id = grid_row();
  if (id >= vocabulary) return;
  const int32_t begin = from.offsets[id], end = from.offsets[id + 1];
  for (int64_t f = grid_column(); f < features; f += grid_columns()) {
    float sum = 0.0f;
    for (int32_t i = begin; i < end; ++i) sum += dout[from.ordered[i] * features + f];
    store(dweight + id * features + f, sum, accumulate);
  }
}

}  // namespace

void embedding_forward(Stream& stream, const EmbeddingForwardArgs& args) {
  require_f32(args.dtype, "embedding_forward");
  if (args.count == 0 || args.features == 0) return;
  const RowGrid rows(args.count, args.features);
  simt::launch<embedding_forward_kernel>(stream, rows.grid, rows.block, 0, args.count, args.vocabulary, args.features,
                                         args.ids, static_cast<const float*>(args.weight),
                                         static_cast<float*>(args.out));
}

void embedding_backward(Stream& stream, const EmbeddingBackwardArgs& args) {
  require_f32(args.dtype, "embedding_backward");
  const int64_t count = args.count, vocabulary = args.vocabulary, padding = args.padding_index;
  if (vocabulary == 0 || args.features == 0) return;
  if (count > INT32_MAX || vocabulary >= INT32_MAX)
    throw std::invalid_argument("vanilla: embedding_backward takes at most 2^31 - 1 ids, and as many rows");
  auto* ints = static_cast<int32_t*>(stream.workspace(static_cast<size_t>(2 * (vocabulary + count) + 1) * 4));
  const Places places{ints, ints + vocabulary + 1, ints + 2 * vocabulary + 1, ints + 2 * vocabulary + 1 + count};
  simt::launch<clear_counts_kernel>(stream, element_grid(vocabulary + 1), kElementBlock, 0, vocabulary, places);
  if (count > 0) {
    const unsigned grid = element_grid(count);
    simt::launch<count_ids_kernel>(stream, grid, kElementBlock, 0, count, vocabulary, padding, args.ids, places);
    simt::launch<sum_counts_kernel>(stream, 1, kScanThreads, 0, vocabulary, places);
    simt::launch<place_kernel>(stream, grid, kElementBlock, 0, count, vocabulary, padding, args.ids, places);
    simt::launch<order_kernel>(stream, grid, kElementBlock, 0, vocabulary, args.ids, places);
  }
  const RowGrid rows(vocabulary, args.features);
  simt::launch<embedding_backward_kernel>(stream, rows.grid, rows.block, 0, vocabulary, args.features, places,
                                          static_cast<const float*>(args.dout), static_cast<float*>(args.dweight),
                                          args.accumulate != 0);
}

}  // namespace cairn::CAIRN_VANILLA
