// Rows of a table by number, and the table's gradient. Not here: rows of a data set (rows.cpp).
#include <limits>
#include <vector>

#include "kernels/reference/primitives.h"

namespace cairn::reference {

void embedding_forward(Stream&, const EmbeddingForwardArgs& args) {
  with_type(args.dtype, "embedding_forward", [&]<class T>(Type<T>) {
    const T* weight = static_cast<const T*>(args.weight);
    T* out = static_cast<T*>(args.out);
    for (int64_t i = 0; i < args.count; ++i) {
      const int64_t id = args.ids[i];
      const bool known = id >= 0 && id < args.vocabulary;
      for (int64_t f = 0; f < args.features; ++f)
        *out++ = known ? weight[id * args.features + f] : std::numeric_limits<T>::quiet_NaN();
    }
  });
}

void embedding_backward(Stream&, const EmbeddingBackwardArgs& args) {
  with_type(args.dtype, "embedding_backward", [&]<class T>(Type<T>) {
    const T* dout = static_cast<const T*>(args.dout);
    T* dweight = static_cast<T*>(args.dweight);
    std::vector<double> sums(static_cast<size_t>(args.vocabulary * args.features));
    for (int64_t i = 0; i < args.count; ++i) {
      const int64_t id = args.ids[i];
      if (id < 0 || id >= args.vocabulary || id == args.padding_index) continue;
      for (int64_t f = 0; f < args.features; ++f)
        sums[static_cast<size_t>(id * args.features + f)] += dout[i * args.features + f];
    }
    for (size_t i = 0; i < sums.size(); ++i) store(dweight[i], sums[i], args.accumulate);
  });
}

}  // namespace cairn::reference
