// Batches out of a resident data set. Not here: the matrix products that read bytes (byte_linear.cu).
#include "kernels/vanilla/primitives.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// One thread a sample: a read of the permutation, a scattered byte, two coalesced writes.
__global__ void select_batch_kernel(const int32_t* order, const uint8_t* all_labels, const int64_t* step,
                                    int64_t steps_per_epoch, int64_t batch_size, int64_t rows, int32_t* index,
                                    int32_t* labels) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i >= rows) return;
  const int64_t batch = *step % steps_per_epoch;
  const int32_t sample = order[batch * batch_size + i];
  index[i] = sample;
  labels[i] = all_labels[sample];
}

// Grid: rows x blocks of 256 columns. The row's address is the same for a whole block and the columns are consecutive,
// so both sides are coalesced: 1 byte read and 4 written for each element.
__global__ void gather_bytes_kernel(ByteRows x, float* out) {
  const int64_t row = blockIdx.x;
  const uint8_t* bytes = x.bytes + (x.index ? x.index[row] : row) * x.columns;
  for (int64_t c = static_cast<int64_t>(blockIdx.y) * kElementBlock + threadIdx.x; c < x.columns;
       c += static_cast<int64_t>(gridDim.y) * kElementBlock)
    out[row * x.columns + c] = static_cast<float>(bytes[c]) * x.scale + x.shift;
}

}  // namespace

void select_batch(Stream& stream, const SelectBatchArgs& args) {
  if (args.rows == 0) return;
  simt::launch<select_batch_kernel>(stream, element_grid(args.rows), kElementBlock, 0, args.order, args.all_labels,
                                    args.step, args.steps_per_epoch, args.batch_size, args.rows, args.index,
                                    args.labels);
}

void gather_bytes(Stream& stream, const GatherBytesArgs& args) {
  require_f32(args.dtype, "gather_bytes");
  if (args.x.rows == 0 || args.x.columns == 0) return;
  const int64_t column_blocks = divide_up(args.x.columns, kElementBlock);
  const dim3 grid(grid_x(args.x.rows), static_cast<unsigned>(column_blocks < 65535 ? column_blocks : 65535));
  simt::launch<gather_bytes_kernel>(stream, grid, kElementBlock, 0, args.x, static_cast<float*>(args.out));
}

}  // namespace cairn::CAIRN_VANILLA
