// Costs of the primitives that work on sequences. Not here: how costs are counted (costs.h).
#include "benchmarks/costs.h"

namespace cairn::benchmarks {
namespace {

double gru_steps(const GruShape& s) {
  return static_cast<double>(s.batch) * static_cast<double>(s.time);
}
// Of weights and biases.
double gru_parameters(const GruShape& s, const void* bias_ih, const void* bias_hh) {
  const auto hidden = static_cast<double>(s.hidden);
  return 3 * hidden * (static_cast<double>(s.inputs) + hidden + (bias_ih ? 1 : 0) + (bias_hh ? 1 : 0));
}
std::string gru_shape(const GruShape& s) {
  return matrix_shape(s.batch, s.time) + ", " + std::to_string(s.inputs) + " to " + std::to_string(s.hidden);
}
template <class Args>
std::string table_shape(const Args& args) {
  return std::to_string(args.count) + " of " + matrix_shape(args.vocabulary, args.features);
}

}  // namespace

Cost cost(const EmbeddingForwardArgs& args) {
  const auto count = static_cast<double>(args.count);
  return {0, 2 * count * static_cast<double>(args.features) * element_bytes(args.dtype) + 4 * count};
}

Cost cost(const EmbeddingBackwardArgs& args) {
  const auto count = static_cast<double>(args.count), features = static_cast<double>(args.features);
  const double table = static_cast<double>(args.vocabulary) * features * (args.accumulate ? 2 : 1);
  return {count * features, (count * features + table) * element_bytes(args.dtype) + 4 * count};
}

// A unit's step beside its products: 8 operations of r and z, 3 of n, 4 of the state, and the biases.
Cost cost(const GruForwardArgs& args) {
  const GruShape& s = args.shape;
  const double steps = gru_steps(s), hidden = static_cast<double>(s.hidden), inputs = static_cast<double>(s.inputs);
  const double biases = (args.bias_ih ? 3 : 0) + (args.bias_hh ? 3 : 0);
  const double y = args.last_only ? static_cast<double>(s.batch) * hidden : steps * hidden;
  const double values = steps * inputs + gru_parameters(s, args.bias_ih, args.bias_hh) + y +
                        (args.h0 ? static_cast<double>(s.batch) * hidden : 0) + (args.reserve ? 5 * steps * hidden : 0);
  return {steps * hidden * (6 * (inputs + hidden) + 15 + biases), values * element_bytes(args.dtype)};
}

// A unit's step beside its products: 17 operations of the gates' gradients and the state's, and the biases' sums.
Cost cost(const GruBackwardArgs& args) {
  const GruShape& s = args.shape;
  const double steps = gru_steps(s), hidden = static_cast<double>(s.hidden), inputs = static_cast<double>(s.inputs);
  const double products =
      6 * hidden + (args.dx ? 6 * inputs : 0) + (args.dweight_ih ? 6 * inputs : 0) + (args.dweight_hh ? 6 * hidden : 0);
  const double biases = (args.dbias_ih ? 3 : 0) + (args.dbias_hh ? 3 : 0);
  const double dy = args.last_only ? static_cast<double>(s.batch) * hidden : steps * hidden;
  const double values = steps * inputs * (args.dx ? 2 : 1) + 2 * gru_parameters(s, args.dbias_ih, args.dbias_hh) + dy +
                        5 * steps * hidden;
  return {steps * hidden * (products + 17 + biases), values * element_bytes(args.dtype)};
}

std::string shape_of(const EmbeddingForwardArgs& args) {
  return table_shape(args);
}
std::string shape_of(const EmbeddingBackwardArgs& args) {
  return table_shape(args);
}
std::string shape_of(const GruForwardArgs& args) {
  return gru_shape(args.shape);
}
std::string shape_of(const GruBackwardArgs& args) {
  return gru_shape(args.shape);
}

}  // namespace cairn::benchmarks
