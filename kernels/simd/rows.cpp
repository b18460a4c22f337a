// Choosing a batch's rows and bringing their values. Not here: the products that read bytes themselves
// (byte_linear.cpp), pictures that are changed on the way (augment.cpp).
#include <type_traits>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"

namespace cairn::simd {
namespace {

template <class From, class To>
void gather(Stream& stream, const GatherRowsArgs& args) {
  const int64_t columns = args.channels * args.plane;
  stream.pool.parallel_for(args.rows, ceil_div(kGrain, columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const From* __restrict__ from = static_cast<const From*>(args.x) + (args.index ? args.index[row] : row) * columns;
      To* __restrict__ to = static_cast<To*>(args.out) + row * columns;
      if (!args.scale) {
        for (int64_t i = 0; i < columns; ++i) to[i] = static_cast<To>(from[i]);
        continue;
      }
      for (int64_t c = 0; c < args.channels; ++c, from += args.plane, to += args.plane) {
        const float scale = args.scale[c], shift = args.shift[c];
        for (int64_t p = 0; p < args.plane; ++p) to[p] = static_cast<To>(static_cast<float>(from[p]) * scale + shift);
      }
    }
  });
}

template <class From>
void gather_from(Stream& stream, const GatherRowsArgs& args) {
  if constexpr (std::is_integral_v<From>)
    if (args.to == DType::i32 && !args.scale) return gather<From, int32_t>(stream, args);
  require_f32(args.to, "gather_rows");
  gather<From, float>(stream, args);
}

}  // namespace

void select_rows(Stream&, const SelectRowsArgs& args) {
  if (args.rows == 0) return;
  const int64_t batch = *args.step % args.steps_per_epoch;
  std::copy_n(args.order + batch * args.batch_size, args.rows, args.index);
}

void gather_rows(Stream& stream, const GatherRowsArgs& args) {
  if (args.rows == 0 || args.channels == 0 || args.plane == 0) return;
  if (args.from == DType::u8) return gather_from<uint8_t>(stream, args);
  if (args.from == DType::i32) return gather_from<int32_t>(stream, args);
  require_f32(args.from, "gather_rows");
  gather_from<float>(stream, args);
}

}  // namespace cairn::simd
