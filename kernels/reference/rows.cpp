// Rows of a data set on their way into a step: which ones, and their values. Not here: the products that read bytes
// themselves (gemm.cpp), pictures that are changed on the way (augment.cpp).
#include "kernels/reference/primitives.h"

namespace cairn::reference {
namespace {

template <class From, class To>
void gather(const GatherRowsArgs& args) {
  const From* x = static_cast<const From*>(args.x);
  To* out = static_cast<To*>(args.out);
  for (int64_t r = 0; r < args.rows; ++r) {
    const int64_t row = args.index ? args.index[r] : r;
    for (int64_t c = 0; c < args.channels; ++c) {
      for (int64_t p = 0; p < args.plane; ++p) {
        const From value = x[(row * args.channels + c) * args.plane + p];
        *out++ = static_cast<To>(args.scale ? static_cast<double>(value) * args.scale[c] + args.shift[c] : value);
      }
    }
  }
}

template <class From>
void gather_from(const GatherRowsArgs& args) {
  if constexpr (std::is_integral_v<From>)
    if (args.to == DType::i32 && !args.scale) return gather<From, int32_t>(args);
  with_type(args.to, "gather_rows, except of labels that stay whole numbers,",
            [&]<class To>(Type<To>) { gather<From, To>(args); });
}

}  // namespace

void select_rows(Stream&, const SelectRowsArgs& args) {
  const int64_t batch = args.rows > 0 ? *args.step % args.steps_per_epoch : 0;
  for (int64_t i = 0; i < args.rows; ++i) args.index[i] = args.order[batch * args.batch_size + i];
}

void gather_rows(Stream&, const GatherRowsArgs& args) {
  if (args.from == DType::u8) return gather_from<uint8_t>(args);
  if (args.from == DType::i32) return gather_from<int32_t>(args);
  if (args.from == DType::f32) return gather_from<float>(args);
  throw std::invalid_argument("reference: gather_rows reads u8, i32 or f32 arrays only");
}

}  // namespace cairn::reference
