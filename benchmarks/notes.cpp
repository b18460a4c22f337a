// How each primitive's work is counted and what limits it, by hand, beside what the tables compute. Not here: the
// counts themselves (costs.cpp).
#include "benchmarks/costs.h"

namespace cairn::benchmarks {
namespace {

constexpr PrimitiveNote kNotes[] = {
    {"gemm", "2mnk FLOPs, 1 more a result for each of bias and ReLU; 4(mk + kn + mn) bytes",
     "The large ones by arithmetic, as far as the tile keeps operands in registers; the networks' narrow ones by "
     "packing, "
     "edges and, cold, by fetching their operands once."},
    {"byte_linear_forward",
     "2 rows n columns FLOPs, zero bytes counted like others; rows x columns bytes, the rest 4 each",
     "Arithmetic on the nonzero bytes: eigen skips zeros, four in five here, so that it can pass the ceiling of a "
     "dense "
     "product; vanilla multiplies them all, as a gemm whose tiles convert on the way."},
    {"byte_linear_backward_weight", "2 n columns rows FLOPs; rows x columns bytes, the rest 4 each",
     "As the forward product; at batch 64 also by writing the gradient, which is larger than what it is computed "
     "from."},
    {"add", "1 FLOP and 12 bytes a value", "Memory, once the array is larger than a launch."},
    {"multiply", "1 FLOP and 12 bytes a value", "Memory, once the array is larger than a launch."},
    {"scale", "1 FLOP and 8 bytes a value", "Memory, once the array is larger than a launch."},
    {"bias_forward", "2 FLOPs (bias, ReLU) and 8 bytes a value", "Memory; linear layers fuse it into their product."},
    {"bias_backward", "1 FLOP and 4 bytes a value",
     "Memory; narrow matrices by the columns' sums meeting at the end, which no thread can do alone."},
    {"bias_relu_backward", "2 FLOPs (mask, sum) and 12 bytes a value", "Memory: one pass makes both gradients."},
    {"relu_forward", "1 FLOP and 8 bytes a value", "Memory, once the array is larger than a launch."},
    {"relu_backward", "1 FLOP and 12 bytes a value", "Memory, once the array is larger than a launch."},
    {"tanh_forward", "1 FLOP (tanh as one) and 8 bytes a value",
     "Instructions: tanh is some twenty operations where the count has one."},
    {"tanh_backward", "3 FLOPs and 12 bytes a value", "Memory, once the array is larger than a launch."},
    {"dropout", "2 FLOPs and 8 bytes a value; Philox's integers are not counted",
     "Integer multiplications of Philox: ten rounds for every four values."},
    {"softmax_forward", "5 FLOPs (maximum, difference, exp, sum, quotient) and 8 bytes a value",
     "Instructions of exp, some fifteen where the count has one; in rows of 10 also vectors that are not full."},
    {"softmax_backward", "4 FLOPs and 12 bytes a value",
     "Memory in long rows; in rows of 10 vectors that are not full."},
    {"cross_entropy_forward", "5 FLOPs and 8 bytes a value, 4 and 8 a row",
     "Instructions of exp and log, and rows of 10 that do not fill vectors; the mean meets in one place at the end."},
    {"cross_entropy_backward", "2 FLOPs and 8 bytes a value, 4 bytes a row", "Memory, in a batch of 64 the launch."},
    {"sum", "1 FLOP and 4 bytes a value",
     "Memory where sums are independent; a fixed order of additions, in double in vanilla, costs instructions."},
    {"broadcast_scalar", "4 bytes a value", "Memory: it only writes, and the cache fetches what it writes to first."},
    {"argmax", "1 FLOP and 4 bytes a value, 4 a row",
     "Instructions: comparing and selecting; memory only where rows are long."},
    {"classification_metrics", "1 FLOP and 4 bytes a value, 1 and 8 a row",
     "Instructions of the argmax within; one result, so that parts meet at the end."},
    {"select_batch", "13 bytes a row", "The launch, and the latency of picking labels at random."},
    {"gather_bytes", "2 FLOPs and 5 bytes a value", "Memory, most of it the floats that are written."},
    {"finish_step", "24 bytes", "The launch: there is nothing else."},
    {"uniform", "2 FLOPs and 4 bytes a value; Philox's integers are not counted",
     "Integer multiplications of Philox: ten rounds for every four values."},
    {"normal", "2 FLOPs and 4 bytes a value; Philox and Box-Muller are not counted",
     "Box-Muller in double: a logarithm, a root, a sine and a cosine for every two values, after Philox."},
    {"sgd", "4 FLOPs (momentum) and 20 bytes a parameter",
     "Memory; the six tensors of a small network by fetching them, cold, or by the launch, warm."},
    {"adam", "13 FLOPs and 28 bytes a parameter", "Memory, with a root and a division a parameter close behind."},
};

}  // namespace

std::span<const PrimitiveNote> primitive_notes() {
  return kNotes;
}

const PrimitiveNote* find_note(const std::string& primitive) {
  for (const PrimitiveNote& note : kNotes)
    if (primitive == note.primitive) return &note;
  return nullptr;
}

}  // namespace cairn::benchmarks
