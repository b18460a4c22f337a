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
     "Arithmetic on the nonzero bytes: simd skips zeros, four in five here, so that it can pass the ceiling of a "
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
    {"sigmoid_forward", "3 FLOPs (exp as one) and 8 bytes a value",
     "Instructions: exp is some twenty operations where the count has one, and a division is slow."},
    {"sigmoid_backward", "3 FLOPs and 12 bytes a value", "Memory, once the array is larger than a launch."},
    {"gelu_forward", "4 FLOPs (erf as one) and 8 bytes a value",
     "Instructions: erf is some thirty operations where the count has one."},
    {"gelu_backward", "10 FLOPs (erf and exp as one each) and 12 bytes a value",
     "Instructions: erf and exp are some fifty operations where the count has two."},
    {"dropout", "2 FLOPs and 8 bytes a value; Philox's integers are not counted",
     "Integer multiplications of Philox: ten rounds for every four values."},
    {"conv2d_forward", "2 FLOPs for each output and each weight of its channel; 4 bytes for each of x, weight and y",
     "Arithmetic, where there are channels enough to keep values in registers; a first layer of one channel has 25 "
     "products a sum, and moving x and y costs as much."},
    {"conv2d_backward_data", "as the forward product; 4 bytes for each of dy, weight and dx",
     "Arithmetic, as the forward product; where the kernel is padded, sums over the images' edges are shorter."},
    {"conv2d_backward_filter", "as the forward product; 4 bytes for each of x, dy and dweight",
     "Arithmetic; the sums run over all images, so that threads must share them out and add up what each has."},
    {"conv2d_backward_bias", "1 FLOP and 4 bytes a value, with ReLU 2 and 12", "Memory."},
    {"max_pool_forward", "a comparison for each value of a window but one, 1 for ReLU; 4 bytes a value, 8 a window",
     "Memory for 2 x 2 windows side by side; instructions where windows overlap or are cut at the edges."},
    {"max_pool_backward", "2 FLOPs a window; 12 bytes a window, 4 a value",
     "Memory, most of it the gradient that is written: a value in four of it is not 0."},
    {"average_pool_forward", "a FLOP for each value of a window; 4 bytes a value and a window",
     "Memory for 2 x 2 windows side by side; instructions where windows overlap or are cut at the edges."},
    {"average_pool_backward", "a FLOP for each value of a window and 1 a window; 4 bytes a value and a window",
     "Memory."},
    {"batch_norm_forward", "7 FLOPs (3 in evaluation) and 8 bytes a value, 32 bytes a channel",
     "Memory, if a channel stays in the cache from the mean to the variance to the result; else three readings."},
    {"batch_norm_backward", "9 FLOPs and 12 bytes a value, 20 bytes a channel",
     "Memory, if a channel stays in the cache between the sums and the gradient."},
    {"local_response_norm_forward", "size + 5 FLOPs (the power as one) and 12 bytes a value",
     "Instructions: the power is a logarithm and an exponential, some forty operations where the count has one."},
    {"local_response_norm_backward", "size + 8 FLOPs and 16 bytes a value", "Instructions of the power."},
    {"copy_rows", "8 bytes a value", "Memory."},
    {"softmax_forward", "5 FLOPs (maximum, difference, exp, sum, quotient) and 8 bytes a value",
     "Instructions of exp, some fifteen where the count has one; in rows of 10 also vectors that are not full."},
    {"softmax_backward", "4 FLOPs and 12 bytes a value",
     "Memory in long rows; in rows of 10 vectors that are not full."},
    {"cross_entropy_forward", "5 FLOPs and 8 bytes a value, 4 and 8 a row",
     "Instructions of exp and log, and rows of 10 that do not fill vectors; the mean meets in one place at the end."},
    {"cross_entropy_backward", "2 FLOPs and 8 bytes a value, 4 bytes a row", "Memory, in a batch of 64 the launch."},
    {"squared_error_forward", "3 FLOPs and 8 bytes a value",
     "Memory where sums are independent; in double, as here, also the conversion of both operands."},
    {"squared_error_backward", "2 FLOPs and 12 bytes a value", "Memory, once the array is larger than a launch."},
    {"sum", "1 FLOP and 4 bytes a value",
     "Memory where sums are independent; a fixed order of additions, in double in vanilla, costs instructions."},
    {"broadcast_scalar", "4 bytes a value", "Memory: it only writes, and the cache fetches what it writes to first."},
    {"argmax", "1 FLOP and 4 bytes a value, 4 a row",
     "Instructions: comparing and selecting; memory only where rows are long."},
    {"classification_metrics", "1 FLOP and 4 bytes a value, 1 and 8 a row",
     "Instructions of comparing with the label; one result, so that parts meet at the end."},
    {"select_rows", "8 bytes a row", "The launch."},
    {"gather_rows", "2 FLOPs and 5 bytes a value; of labels 8 bytes and 4 of index",
     "Memory, most of it the floats that are written; of labels the latency of picking them at random."},
    {"augment_images", "2 FLOPs and 5 bytes a value, with sums 3 FLOPs more; draws are not counted",
     "Memory for crops; rows of few pixels by the work at their ends; sums of bytes and squares by instructions."},
    {"embedding_forward", "8 bytes a value, 4 bytes an id", "Memory: rows at random places, most of them cold."},
    {"embedding_backward", "1 FLOP and 4 bytes a value, 4 bytes an id and a number of the table",
     "Memory: the whole table is written, though few of its rows have a gradient."},
    {"gru_forward", "the products' 6 FLOPs a weight and step, 15 a unit and step; every array once",
     "The recurrent products, which wait for one another: small ones, with all their weights read in every step."},
    {"gru_backward", "12 FLOPs a weight and step, 17 a unit and step; timed with the forward pass that it uses up",
     "The recurrent products, as forward; half of the work are products over all steps at once."},
    {"finish_step", "24 bytes", "The launch: there is nothing else."},
    {"increment", "16 bytes", "The launch: there is nothing else."},
    {"uniform", "2 FLOPs and 4 bytes a value; Philox's integers are not counted",
     "Integer multiplications of Philox: ten rounds for every four values."},
    {"normal", "2 FLOPs and 4 bytes a value; Philox and Box-Muller are not counted",
     "Box-Muller in double: a logarithm, a root, a sine and a cosine for every two values, after Philox."},
    {"add_noise", "4 FLOPs and 8 bytes a value; Philox and Box-Muller are not counted",
     "Box-Muller in double, as in normal."},
    {"sgd", "4 FLOPs (momentum) and 20 bytes a parameter",
     "Memory; the six tensors of a small network by fetching them, cold, or by the launch, warm."},
    {"adam", "13 FLOPs and 28 bytes a parameter", "Memory, with a root and a division a parameter close behind."},
    {"clip_gradients", "2 FLOPs and 4 bytes a parameter", "Memory; in double, as here, also the conversions."},
    {"moving_average", "3 FLOPs and 12 bytes a parameter", "Memory."},
    {"sgd_steps", "the products' 6 FLOPs a weight and row (4 in the first layer); the images' bytes, the network once",
     "Waiting within a step: barriers and layers of few rows; the products are a part of it."},
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
