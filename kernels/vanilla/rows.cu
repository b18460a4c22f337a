// Rows of a resident data set on their way into a step: which ones, and their values. Not here: the matrix products
// that read bytes themselves (gemm/), pictures that are changed on the way (augment.cu).
#include <type_traits>

#include "kernels/vanilla/row_grid.h"

namespace cairn::CAIRN_VANILLA {
namespace {

// One thread a row: both sides are coalesced.
__global__ void select_rows_kernel(const int32_t* order, const int64_t* step, int64_t steps_per_epoch,
                                   int64_t batch_size, int64_t rows, int32_t* index) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kElementBlock + threadIdx.x;
  if (i < rows) index[i] = order[*step % steps_per_epoch * batch_size + i];
}

// A RowGrid over planes, 256 labels or 1 row of pixels a block, and channels. The row's address and the channel's
// factors are the same for all threads of a line, and its pixels are consecutive: 1 byte read and 4 written for each,
// coalesced.
template <class From, class To>
__global__ void gather_rows_kernel(int64_t rows, int64_t channels, int64_t plane, const From* x, const int32_t* index,
                                   const float* scale, const float* shift, To* out) {
  const int64_t row = grid_row();
  if (row >= rows) return;
  const int64_t source = index ? index[row] : row;
  for (int64_t c = blockIdx.z; c < channels; c += gridDim.z) {
    const From* from = x + (source * channels + c) * plane;
    To* to = out + (row * channels + c) * plane;
    const float factor = scale ? scale[c] : 1.0f, offset = scale ? shift[c] : 0.0f;
    for (int64_t p = grid_column(); p < plane; p += grid_columns())
      to[p] = scale ? static_cast<To>(static_cast<float>(from[p]) * factor + offset) : static_cast<To>(from[p]);
  }
}

template <class From, class To>
void gather(Stream& stream, const GatherRowsArgs& args) {
  const RowGrid by(args.rows, args.plane, args.channels);
  simt::launch<gather_rows_kernel<From, To>>(stream, by.grid, by.block, 0, args.rows, args.channels, args.plane,
                                             static_cast<const From*>(args.x), args.index, args.scale, args.shift,
                                             static_cast<To*>(args.out));
}

template <class From>
void gather_from(Stream& stream, const GatherRowsArgs& args) {
  if constexpr (std::is_integral_v<From>)
    if (args.to == DType::i32 && !args.scale) return gather<From, int32_t>(stream, args);
  require_f32(args.to, "gather_rows");
  gather<From, float>(stream, args);
}

}  // namespace

void select_rows(Stream& stream, const SelectRowsArgs& args) {
  if (args.rows == 0) return;
  simt::launch<select_rows_kernel>(stream, element_grid(args.rows), kElementBlock, 0, args.order, args.step,
                                   args.steps_per_epoch, args.batch_size, args.rows, args.index);
}

void gather_rows(Stream& stream, const GatherRowsArgs& args) {
  if (args.rows == 0 || args.channels == 0 || args.plane == 0) return;
  if (args.from == DType::u8) return gather_from<uint8_t>(stream, args);
  if (args.from == DType::i32) return gather_from<int32_t>(stream, args);
  require_f32(args.from, "gather_rows");
  gather_from<float>(stream, args);
}

}  // namespace cairn::CAIRN_VANILLA
