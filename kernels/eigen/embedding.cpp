// Rows of a table by number, and the table's gradient.
#include <limits>

#include "kernels/eigen/primitives.h"

namespace cairn::eigen {

void embedding_forward(Stream& stream, const EmbeddingForwardArgs& args) {
  require_f32(args.dtype, "embedding_forward");
  for_each_piece(stream, Pieces(args.count, args.features), [&](int64_t, int64_t begin, int64_t count) {
    for (int64_t i = begin; i < begin + count; ++i) {
      Array to = part(args.out, i * args.features, args.features);
      const int64_t id = args.ids[i];
      if (id >= 0 && id < args.vocabulary)
        to = part(args.weight, id * args.features, args.features);
      else
        to = std::numeric_limits<float>::quiet_NaN();
    }
  });
}

// A thread has columns of the table, so that each number is summed in the order of positions.
void embedding_backward(Stream& stream, const EmbeddingBackwardArgs& args) {
  require_f32(args.dtype, "embedding_backward");
  constexpr int64_t kColumns = 16;  // a line of the cache
  const Rows table = rows_of(args.dweight, 0, args.vocabulary, args.features);
  const ConstRows dout = rows_of(args.dout, 0, args.count, args.features);
  stream.pool.parallel_for(args.features, kColumns, [&](int64_t begin, int64_t end) {
    auto columns = Rows(table).middleCols(begin, end - begin);
    if (!args.accumulate) columns = 0.0f;
    for (int64_t i = 0; i < args.count; ++i) {
      const int64_t id = args.ids[i];
      if (id < 0 || id >= args.vocabulary || id == args.padding_index) continue;
      columns.row(id) += dout.row(i).segment(begin, end - begin);
    }
  });
}

}  // namespace cairn::eigen
