// gemm rung 10, warpgroups: Hopper's own way to multiply. The tensor cores read tiles straight from shared memory, the
// copy engine fetches them there, and threads only say when. Inputs are cut to TF32 (10 bits of mantissa, toward zero)
// or rounded to bf16 (7 bits), sums stay float32. Compute capability 9.0, and only where --precision allows it; on the
// CPU the executor stands in for both engines, slowly. Not yet run on a GPU.
//
// Two blocks, a cluster, share a 256 x 256 tile of c, 128 rows each: half of b's lines is fetched by each block and
// arrives in both. Block: three warpgroups of 128 threads, 128 bytes of k (32 floats or 64 bf16) at a time:
//
//   producer   one thread waits until a place in the ring is free in both blocks and starts two copies into it; its
//              warpgroup gives its registers away
//   consumers  each has 64 rows: it waits until a place is filled, issues four products of 64 x 256 x 32 bytes, 128
//              sums a thread in registers, and frees the place before, in both blocks
//
//   place 0    | copy 0 ........ | multiply 0 | copy 4 ........ |      kStages places of 48 KB; a barrier `filled` (the
//   place 1      | copy 1 ........ | multiply 1 | copy 5 ...           bytes have arrived) and one `free` (all 16
//   place 2        | copy 2 ........ | multiply 2 | copy 6             warps are done) for each; nobody else waits
//
// A cluster takes one tile after another, so that the producer fetches the next while the consumers write the last.
// Tiles are taken in groups of kGroup rows, column by column, so that what blocks at work read lies in the L2 cache.
//
// The tensor cores take both operands along k. A float operand that lies so is fetched as it is (TF32); any other, and
// all for bf16, is first written along k into the workspace, which costs a pass over memory.
// 2 * 256 * 256 FLOPs for 4 * 512 bytes from the L2 a step of k with TF32: 64 FLOPs a byte, and 128 with bf16. (Alone,
// a block would read all of b: 43 and 85, and the L2 would be the limit.) Limited by the tensor cores.
#include <algorithm>

#include "kernels/runtime/simt/warpgroup.h"
#include "kernels/vanilla/gemm/gemm.h"

namespace cairn::CAIRN_VANILLA {
namespace {

using simt::TensorInput;

constexpr int kTileM = 128, kTileN = simt::kProductColumns, kLineBytes = simt::kBoxLineBytes;
constexpr int kStages = 4, kConsumers = kTileM / simt::kProductLines, kThreads = 128 * (1 + kConsumers);
constexpr int kBytesA = kTileM * kLineBytes, kBytesPair = (kTileM + kTileN) * kLineBytes;
constexpr int kBlocks = 2, kClusterM = kBlocks * kTileM, kShareN = kTileN / kBlocks;  // of a cluster
constexpr int kGroup = 8;
constexpr size_t kSharedBytes = kStages * (kBytesPair + 2 * sizeof(simt::TransferBarrier));

// ---- operands along k ------------------------------------------------------------------------------------------

// The upper half of a float, rounded to nearest, ties to even; nan stays nan.
__device__ __forceinline__ uint16_t bf16_of(float value) {
  const unsigned bits = __float_as_uint(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

template <TensorInput input>
struct Packed {
  using Element = float;
  __device__ static __forceinline__ float of(float value) { return value; }
};
template <>
struct Packed<TensorInput::bf16> {
  using Element = uint16_t;
  __device__ static __forceinline__ uint16_t of(float value) { return bf16_of(value); }
};

// out[line][k] for all lines along k, `stride` elements apart, zeros from the matrix's k on. A block moves a square of
// 32 x 32; one that has to be turned goes through shared memory, so that both sides are coalesced.
constexpr int kSquare = 32, kSquareRows = 8;
template <TensorInput input>
__global__ void __launch_bounds__(kSquare* kSquareRows)
    pack_kernel(FloatLines x, bool along_k, typename Packed<input>::Element* out, int64_t stride) {
  CAIRN_SHARED(float[kSquare][kSquare + 1], square);
  const int t = static_cast<int>(threadIdx.x), column = t % kSquare, row = t / kSquare;
  const int lines = along_k ? x.lines : x.length;
  const int line0 = static_cast<int>(blockIdx.x) * kSquare, k0 = static_cast<int>(blockIdx.y) * kSquare;
  for (int i = row; i < kSquare; i += kSquareRows) {
    const int from_line = (along_k ? line0 : k0) + i, position = (along_k ? k0 : line0) + column;
    const bool exists = from_line < x.lines && position < x.length;
    const float value = exists ? x.data[from_line * x.stride + position] : 0.0f;
    if (along_k)
      square[i][column] = value;
    else
      square[column][i] = value;
  }
  __syncthreads();
  for (int i = row; i < kSquare; i += kSquareRows)
    if (line0 + i < lines && k0 + column < stride)
      out[(line0 + i) * stride + k0 + column] = Packed<input>::of(square[i][column]);
}

// ---- the product -----------------------------------------------------------------------------------------------

struct Tiling {
  int rows, columns, count;  // of tiles
  int steps;                 // of 128 bytes along k
  int clusters;
};

// Of this block in a cluster's tile.
struct TilePlace {
  int m0, n0;
};
__device__ __forceinline__ TilePlace place_of(const Tiling& tiling, int tile) {
  const int per_group = kGroup * tiling.columns, first = tile / per_group * kGroup, rest = tile % per_group;
  const int rows = tiling.rows - first < kGroup ? tiling.rows - first : kGroup;
  return {(first + rest % rows) * kClusterM + static_cast<int>(simt::cluster_rank()) * kTileM, rest / rows * kTileN};
}

// A place in the ring, and the parity of the phase that its barriers are in.
struct RingPlace {
  int index = 0;
  unsigned parity = 0;
  __device__ __forceinline__ void advance() {
    if (++index < kStages) return;
    index = 0;
    parity ^= 1;
  }
};

struct Ring {
  unsigned char* places;
  simt::TransferBarrier *filled, *free;
  __device__ __forceinline__ explicit Ring(unsigned char* shared)
      : places(shared),
        filled(reinterpret_cast<simt::TransferBarrier*>(shared + kStages * kBytesPair)),
        free(filled + kStages) {}
  __device__ __forceinline__ unsigned char* a(const RingPlace& at) const { return places + at.index * kBytesPair; }
  __device__ __forceinline__ unsigned char* b(const RingPlace& at) const { return a(at) + kBytesA; }
};

template <TensorInput input>
__device__ __forceinline__ void produce(const Ring& ring, const simt::TensorMap& a, const simt::TensorMap& b,
                                        const Tiling& tiling) {
  constexpr int kPerLine = kLineBytes / simt::bytes_of(input);
  const int share = static_cast<int>(simt::cluster_rank()) * kShareN;
  RingPlace at;
  for (int tile = static_cast<int>(simt::cluster_index()); tile < tiling.count; tile += tiling.clusters) {
    const TilePlace place = place_of(tiling, tile);
    for (int step = 0; step < tiling.steps; ++step) {
      ring.free[at.index].wait(at.parity ^ 1);  // at once, the first time round: no phase has begun before the first
      ring.filled[at.index].expect(kBytesPair);
      simt::copy_box(ring.a(at), a, step * kPerLine, place.m0, ring.filled[at.index]);
      simt::copy_box_to_cluster(ring.b(at) + share * kLineBytes, b, step * kPerLine, place.n0 + share,
                                ring.filled[at.index]);
      at.advance();
    }
  }
}

// Writes a thread's sums (their places are in runtime/simt/warpgroup.h) with what Output asks for on the way. Each
// question is asked once, not for each element; a tile that no edge of c cuts is written two elements at a time, 32
// bytes for four lanes.
__device__ __forceinline__ void store_sums(float (&sums)[simt::kProductSums], const Output& output, int m, int n,
                                           int row0, int column0) {
  const auto at = [](int h, int j) { return 4 * j + 2 * h; };  // of the elements (row0 + 8 h, column0 + 8 j), and + 1
  constexpr int kColumns = kTileN / 8;
  const bool whole = column0 / kTileN * kTileN + kTileN <= n && output.ldc % 2 == 0 &&
                     reinterpret_cast<uintptr_t>(output.c) % sizeof(float2) == 0;
  if (output.bias) {
    CAIRN_UNROLL
    for (int j = 0; j < kColumns; ++j) {
      CAIRN_UNROLL
      for (int i = 0; i < 2; ++i) {
        const int column = column0 + 8 * j + i;
        const float bias = column < n ? output.bias[column] : 0.0f;
        sums[at(0, j) + i] += bias;
        sums[at(1, j) + i] += bias;
      }
    }
  }
  if (output.relu) {
    CAIRN_UNROLL
    for (int i = 0; i < simt::kProductSums; ++i) sums[i] = sums[i] < 0.0f ? 0.0f : sums[i];  // nan stays nan
  }
  for (int h = 0; h < 2; ++h) {
    const int row = row0 + 8 * h;
    if (row >= m) return;
    float* to = output.c + row * output.ldc + column0;
    CAIRN_UNROLL
    for (int j = 0; j < kColumns; ++j) {
      float2 value =
          make_float2(h == 0 ? sums[at(0, j)] : sums[at(1, j)], h == 0 ? sums[at(0, j) + 1] : sums[at(1, j) + 1]);
      if (whole) {
        auto* two = reinterpret_cast<float2*>(to + 8 * j);
        if (output.accumulate) {
          value.x += two->x;
          value.y += two->y;
        }
        *two = value;
      } else {
        const int left = n - column0 - 8 * j;
        if (left > 0) to[8 * j] = output.accumulate ? to[8 * j] + value.x : value.x;
        if (left > 1) to[8 * j + 1] = output.accumulate ? to[8 * j + 1] + value.y : value.y;
      }
    }
  }
}

template <TensorInput input>
__device__ __forceinline__ void consume(const Ring& ring, const Output& output, int m, int n, const Tiling& tiling,
                                        int thread) {
  const int group = thread / 128, warp = thread % 128 / 32, lane = thread % 32;
  float sums[simt::kProductSums];
  RingPlace at;
  for (int tile = static_cast<int>(simt::cluster_index()); tile < tiling.count; tile += tiling.clusters) {
    RingPlace last;
    for (int step = 0; step < tiling.steps; ++step) {
      ring.filled[at.index].wait(at.parity);
      const unsigned char* a = ring.a(at) + group * simt::kProductLines * kLineBytes;
      simt::begin_products();
      CAIRN_UNROLL
      for (int k = 0; k < kLineBytes; k += simt::kProductBytes)
        simt::multiply_warpgroup<input>(sums, a + k, ring.b(at) + k, step > 0 || k > 0);
      simt::commit_products();
      // These products may go on while the next are issued; those before them are done, and their place is free.
      simt::wait_for_products<1>();
      if (step > 0 && lane < kBlocks) ring.free[last.index].arrive_at(static_cast<unsigned>(lane));
      last = at;
      at.advance();
    }
    simt::wait_for_products<0>();
    if (lane < kBlocks) ring.free[last.index].arrive_at(static_cast<unsigned>(lane));

    const TilePlace place = place_of(tiling, tile);
    store_sums(sums, output, m, n, place.m0 + group * simt::kProductLines + warp * 16 + lane / 4,
               place.n0 + lane % 4 * 2);
  }
}

// The registers of three warpgroups: 40 + 2 * 232 of the 512 that 128 threads have between them.
template <TensorInput input>
__global__ void __launch_bounds__(kThreads, 1)
    warpgroup_kernel(const __grid_constant__ simt::TensorMap a, const __grid_constant__ simt::TensorMap b,
                     Output output, int m, int n, Tiling tiling) {
  CAIRN_SHARED_DYNAMIC(unsigned char, shared);
  const Ring ring(shared);
  const int thread = static_cast<int>(threadIdx.x);
  if (thread == 0) {
    for (int i = 0; i < kStages; ++i) {
      ring.filled[i].initialize(1);
      ring.free[i].initialize(kBlocks * kConsumers * 4);  // warps
    }
    simt::fence_barriers();
  }
  simt::cluster_sync();
  if (thread >= kConsumers * 128) {
    simt::keep_registers<40>();
    if (thread == kConsumers * 128) produce<input>(ring, a, b, tiling);
  } else {
    simt::take_registers<232>();
    consume<input>(ring, output, m, n, tiling, thread);
  }
  __syncwarp();          // the producer's warp comes together again, as the barrier wants whole warps
  simt::cluster_sync();  // no block ends while the other may still write to it
}

// ---- the launches ----------------------------------------------------------------------------------------------

// An operand as the copy engine can fetch it: where it lies along k, or is to be written along k.
struct Operand {
  static constexpr int64_t kAlignment = 256, kDepthUnit = 8;
  const FloatLines& x;
  bool along_k;
  int lines, depth;
  bool pack;
  int64_t stride;  // in elements, of what is fetched

  Operand(const FloatLines& matrix, bool lies_along_k, TensorInput input)
      : x(matrix),
        along_k(lies_along_k),
        lines(along_k ? x.lines : x.length),
        depth(along_k ? x.length : x.lines),
        pack(input == TensorInput::bf16 || !along_k || !x.vectors),
        stride(pack ? divide_up(depth, kDepthUnit) * kDepthUnit : x.stride) {}
  size_t packed_bytes(TensorInput input) const {
    const int64_t bytes = pack ? lines * stride * simt::bytes_of(input) : 0;
    return static_cast<size_t>(divide_up(bytes, kAlignment) * kAlignment);
  }
};

template <TensorInput input>
simt::TensorMap prepare(Stream& stream, const Operand& operand, void* packed, int box_lines) {
  using Element = typename Packed<input>::Element;
  if (operand.pack) {
    const int64_t deep = divide_up(operand.stride, kSquare);
    if (deep > 65535) throw std::invalid_argument("vanilla: gemm rung 10 takes sums of at most 2 million terms");
    const dim3 grid(grid_x(divide_up(operand.lines, kSquare)), static_cast<unsigned>(deep));
    simt::launch<pack_kernel<input>>(stream, grid, kSquare * kSquareRows, 0, operand.x, operand.along_k,
                                     static_cast<Element*>(packed), operand.stride);
  }
  return simt::tensor_map({.input = input,
                           .data = operand.pack ? packed : operand.x.data,
                           .lines = operand.lines,
                           .length = operand.pack ? operand.stride : operand.depth,
                           .stride_bytes = operand.stride * simt::bytes_of(input),
                           .box_lines = box_lines});
}

// As many clusters as run at once, so that each takes one tile after another; on the CPU few enough for that.
#if defined(__CUDACC__)
template <TensorInput input>
int clusters_at_once(Stream& stream) {
  return simt::most_clusters<warpgroup_kernel<input>>(stream, kBlocks, kThreads, kSharedBytes);
}
void require_hopper(const Stream& stream) {
  if (stream.compute_capability != 90)
    throw std::invalid_argument("vanilla: gemm rung 10 needs a GPU of compute capability 9.0, this one has " +
                                stream.capability_text() + "; rung 8 runs on it");
}
#else
template <TensorInput input>
int clusters_at_once(Stream&) {
  return 2;
}
void require_hopper(const Stream&) {}
#endif

template <TensorInput input>
void multiply(Stream& stream, const FloatProduct& product) {
  const Operand a(product.a, product.a_along_k, input), b(product.b, product.b_along_k, input);
  const size_t bytes_a = a.packed_bytes(input), bytes_b = b.packed_bytes(input);
  auto* workspace = bytes_a + bytes_b > 0 ? static_cast<unsigned char*>(stream.workspace(bytes_a + bytes_b)) : nullptr;
  const simt::TensorMap map_a = prepare<input>(stream, a, workspace, kTileM);
  const simt::TensorMap map_b = prepare<input>(stream, b, workspace + bytes_a, kShareN);
  const int64_t rows = divide_up(product.m, kClusterM), columns = divide_up(product.n, kTileN);
  if (rows * columns > INT32_MAX / 2) throw std::invalid_argument("vanilla: a product is too large for gemm rung 10");
  const int at_once = clusters_at_once<input>(stream);
  if (at_once == 0) throw std::invalid_argument("vanilla: gemm rung 10 finds no room for its clusters on this GPU");
  const auto count = static_cast<int>(rows * columns);
  const Tiling tiling{static_cast<int>(rows), static_cast<int>(columns), count,
                      static_cast<int>(divide_up(product.k, kLineBytes / simt::bytes_of(input))),
                      std::min(count, at_once)};
  simt::launch_cluster<warpgroup_kernel<input>>(stream, static_cast<unsigned>(tiling.clusters), kBlocks, kThreads,
                                                kSharedBytes, map_a, map_b, product.output, product.m, product.n,
                                                tiling);
}

}  // namespace

int64_t warpgroup_floats(int64_t m, int64_t n, int64_t k) {
  constexpr auto kUnit = static_cast<int64_t>(Operand::kAlignment / sizeof(float));
  const int64_t depth = divide_up(k, Operand::kDepthUnit) * Operand::kDepthUnit;
  return (divide_up(m * depth, kUnit) + divide_up(n * depth, kUnit)) * kUnit;
}

void gemm_warpgroup(Stream& stream, const FloatProduct& product) {
  if (stream.precision == Precision::fp32)
    throw std::invalid_argument(
        "vanilla: gemm rung 10 cuts its inputs to TF32 or bf16: ask for it with --precision tf32 or bf16");
  require_hopper(stream);
  if (product.k == 0) return gemm_vectorised(stream, product);  // a matrix without elements has no map
  if (stream.precision == Precision::tf32)
    multiply<TensorInput::tf32>(stream, product);
  else
    multiply<TensorInput::bf16>(stream, product);
}

}  // namespace cairn::CAIRN_VANILLA
