// SGD, Adam, the norm of all gradients and moving averages, each over all parameters in one parallel region: the
// tensors are laid end to end in blocks, and the blocks are shared out.
#include <cmath>

#include "kernels/simd/primitives.h"
#include "kernels/simd/team.h"
#include "kernels/simd/vector.h"

namespace cairn::simd {
namespace {

constexpr int64_t kBlock = 4096;  // elements; a tensor's last block may have fewer

int64_t blocks_of(const OptimizerTensor* tensors, int64_t tensor_count) {
  int64_t blocks = 0;
  for (int64_t t = 0; t < tensor_count; ++t) blocks += ceil_div(tensors[t].count, kBlock);
  return blocks;
}

// The sum of the squares of x[begin, end), always in the same order.
double sum_of_squares(const float* x, int64_t begin, int64_t end) {
  constexpr int kParts = 8;
  double part[kParts] = {};
  int64_t i = begin;
  for (; i + kParts <= end; i += kParts)
    for (int j = 0; j < kParts; ++j) part[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
  for (int j = 0; i < end; ++i, ++j) part[j] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  double total = 0.0;
  for (const double each : part) total += each;
  return total;
}

Vector load_gradient(const OptimizerTensor& tensor, int64_t i, int64_t count, const float* factor) {
  const Vector gradient = load_part(floats(tensor.gradient) + i, count);
  return factor ? gradient * *factor : gradient;
}

// body(tensor, begin, end, block) for parts of every tensor, in parallel; block: the number of the part's first block
// among those of all tensors.
template <class Body>
void for_tensors(Stream& stream, const OptimizerTensor* tensors, int64_t tensor_count, const Body& body) {
  stream.pool.parallel_for(blocks_of(tensors, tensor_count), 4, [&](int64_t begin, int64_t end) {
    int64_t first = 0;  // of tensor t, in blocks
    for (int64_t t = 0; t < tensor_count && first < end; ++t) {
      const int64_t last = first + ceil_div(tensors[t].count, kBlock);
      const int64_t from = std::max(begin, first) - first, to = std::min(end, last) - first;
      if (from < to) body(tensors[t], from * kBlock, std::min(tensors[t].count, to * kBlock), first + from);
      first = last;
    }
  });
}

}  // namespace

void sgd(Stream& stream, const SgdArgs& args) {
  require_f32(args.dtype, "sgd");
  const float rate = args.learning_rates[*args.step % args.learning_rate_count];
  const auto momentum = static_cast<float>(args.momentum);
  const float kept = *args.step == 0 ? 0.0f : momentum;
  for_tensors(stream, args.tensors, args.tensor_count,
              [&](const OptimizerTensor& tensor, int64_t begin, int64_t end, int64_t) {
                const auto decay = static_cast<float>(tensor.weight_decay);
                float* p = floats(tensor.parameter);
                float* v = floats(tensor.state1);
                for (int64_t i = begin; i < end; i += kLanes) {
                  const int64_t count = std::min<int64_t>(kLanes, end - i);
                  const Vector parameter = load_part(p + i, count);
                  Vector change = load_gradient(tensor, i, count, args.gradient_factor) + decay * parameter;
                  if (momentum != 0.0f) {
                    if (kept != 0.0f)
                      change += kept * load_part(v + i, count);  // at step 0 the buffer's contents do not count
                    store_part(v + i, change, count);
                  }
                  store_part(p + i, parameter - rate * change, count);
                }
              });
}

void adam(Stream& stream, const AdamArgs& args) {
  require_f32(args.dtype, "adam");
  const double rate = args.learning_rates[*args.step % args.learning_rate_count];
  const auto t = static_cast<double>(*args.step + 1);
  const double correction1 = 1.0 - std::pow(args.beta1, t), correction2 = 1.0 - std::pow(args.beta2, t);
  const auto beta1 = static_cast<float>(args.beta1), rest1 = static_cast<float>(1.0 - args.beta1);
  const auto beta2 = static_cast<float>(args.beta2), rest2 = static_cast<float>(1.0 - args.beta2);
  const auto step_size = static_cast<float>(rate / correction1);
  const auto inverse_root = static_cast<float>(1.0 / std::sqrt(correction2));
  const auto epsilon = static_cast<float>(args.epsilon);
  for_tensors(stream, args.tensors, args.tensor_count,
              [&](const OptimizerTensor& tensor, int64_t begin, int64_t end, int64_t) {
                const float coupled = args.decoupled ? 0.0f : static_cast<float>(tensor.weight_decay);
                const float shrink = args.decoupled ? static_cast<float>(1.0 - rate * tensor.weight_decay) : 1.0f;
                float* p = floats(tensor.parameter);
                float* m = floats(tensor.state1);
                float* v = floats(tensor.state2);
                for (int64_t i = begin; i < end; i += kLanes) {
                  const int64_t count = std::min<int64_t>(kLanes, end - i);
                  const Vector parameter = load_part(p + i, count);
                  const Vector gradient = load_gradient(tensor, i, count, args.gradient_factor) + coupled * parameter;
                  const Vector mean = beta1 * load_part(m + i, count) + rest1 * gradient;
                  const Vector square = beta2 * load_part(v + i, count) + rest2 * (gradient * gradient);
                  store_part(m + i, mean, count);
                  store_part(v + i, square, count);
                  const Vector root = square_root(square) * inverse_root + epsilon;
                  store_part(p + i, parameter * shrink - step_size * mean / root, count);
                }
              });
}

void clip_gradients(Stream& stream, const ClipGradientsArgs& args) {
  require_f32(args.dtype, "clip_gradients");
  const int64_t blocks = blocks_of(args.tensors, args.tensor_count);
  auto* squares = reinterpret_cast<double*>(scratch(Scratch::partial, 2 * blocks));  // a sum for each block
  for_tensors(stream, args.tensors, args.tensor_count,
              [&](const OptimizerTensor& tensor, int64_t begin, int64_t end, int64_t block) {
                for (; begin < end; begin += kBlock)
                  squares[block++] = sum_of_squares(floats(tensor.gradient), begin, std::min(begin + kBlock, end));
              });
  double total = 0.0;
  for (int64_t i = 0; i < blocks; ++i) total += squares[i];
  const double factor = args.max_norm / (std::sqrt(total) + 1e-6);
  *args.factor = factor > 1.0 ? 1.0f : static_cast<float>(factor);  // nan stays nan
}

void moving_average(Stream& stream, const MovingAverageArgs& args) {
  require_f32(args.dtype, "moving_average");
  const auto t = static_cast<double>(*args.step);
  const double decay = args.ramp ? std::min(args.decay, (1.0 + t) / (10.0 + t)) : args.decay;
  const auto kept = static_cast<float>(decay), rest = static_cast<float>(1.0 - decay);
  for_tensors(stream, args.tensors, args.tensor_count,
              [&](const OptimizerTensor& tensor, int64_t begin, int64_t end, int64_t) {
                const float* __restrict__ parameter = floats(tensor.parameter);
                float* __restrict__ average = floats(tensor.state1);
                for (int64_t i = begin; i < end; ++i) average[i] = kept * average[i] + rest * parameter[i];
              });
}

}  // namespace cairn::simd
