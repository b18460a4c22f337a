// Picking a batch out of a resident data set. Not here: the byte matrix products (byte_linear.cpp).
#include "kernels/reference/byte_rows.h"
#include "kernels/reference/primitives.h"

namespace cairn::reference {

void select_batch(Stream&, const SelectBatchArgs& args) {
  for (int64_t i = 0; i < args.rows; ++i) {
    const int64_t batch = *args.step % args.steps_per_epoch;
    args.index[i] = args.order[batch * args.batch_size + i];
    args.labels[i] = args.all_labels[args.index[i]];
  }
}

void gather_bytes(Stream&, const GatherBytesArgs& args) {
  with_type(args.dtype, "gather_bytes", [&]<class T>(Type<T>) {
    T* out = static_cast<T*>(args.out);
    for (int64_t r = 0; r < args.x.rows; ++r)
      for (int64_t c = 0; c < args.x.columns; ++c)
        out[r * args.x.columns + c] = static_cast<T>(byte_value(args.x, r, c));
  });
}

}  // namespace cairn::reference
