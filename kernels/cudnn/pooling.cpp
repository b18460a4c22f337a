// Pools through cuDNN's graph API: average pools, both passes, and max pools whose places nobody asks for, as outside
// training. Not here, so left to vanilla: max pools with places, and their gradient, which is computed from the places
// (cuDNN's is computed from x and y, and searches each window a second time); gradients that are added to what is
// there; windows that reach beyond the padding because sizes were rounded up. Not yet run on a GPU.
#include <algorithm>
#include <bit>

#include "kernels/cudnn/pooling_graph.h"
#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

// cuDNN may give images a dimension of the grid, which has no more blocks than that along y and z.
constexpr int64_t kMostPlanes = 65535;

PoolKey key_of(const PoolCase& c) {
  const auto shape = std::bit_cast<std::array<int64_t, 11>>(c.shape);
  PoolKey key{static_cast<int64_t>(c.kind), c.backward, c.alignments[0], c.alignments[1]};
  std::copy(shape.begin(), shape.end(), key.begin() + 4);
  return key;
}

// The plan for this case, or null where cuDNN has none that gives the same bits at each run.
const Plan* plan_for(Stream& stream, const PoolCase& c) {
  const PoolKey key = key_of(c);
  auto known = stream.pool_plans.find(key);
  if (known == stream.pool_plans.end()) {
    const Target target{.handle = stream.cudnn};
    std::vector<Plan> plans = find_plans(target, pool_graph(target, c), {.workspace_bytes = 0}, 1);
    known = stream.pool_plans.emplace(key, plans.empty() ? nullptr : std::make_shared<Plan>(std::move(plans[0]))).first;
  }
  return known->second.get();
}

// False, and nothing has happened: vanilla's.
bool pool(Stream& stream, DType dtype, PoolCase c, const void* inputs, const void* outputs) {
  const PoolShape& s = c.shape;
  if (dtype != DType::f32 || s.planes == 0 || s.planes > kMostPlanes || s.out_height == 0 || s.out_width == 0 ||
      !has_even_padding(s))
    return false;
  c.alignments[kPoolInputs] = alignment(inputs);
  c.alignments[kPoolOutputs] = alignment(outputs);
  const Plan* plan = plan_for(stream, c);
  if (!plan) return false;
  Arrays arrays;
  arrays.add(kPoolInputs, inputs);
  arrays.add(kPoolOutputs, outputs);
  run(stream.cudnn, *plan, arrays, nullptr);
  return true;
}

Pool average(int32_t count_padding) {
  return count_padding ? Pool::average : Pool::average_without_padding;
}

}  // namespace

bool max_pool_forward(Stream& stream, const MaxPoolForwardArgs& args) {
  if (args.indices || args.relu) return false;
  return pool(stream, args.dtype, {.kind = Pool::max, .shape = args.shape}, args.x, args.y);
}

bool average_pool_forward(Stream& stream, const AveragePoolForwardArgs& args) {
  return pool(stream, args.dtype, {.kind = average(args.count_padding), .shape = args.shape}, args.x, args.y);
}

bool average_pool_backward(Stream& stream, const AveragePoolBackwardArgs& args) {
  if (args.accumulate) return false;
  return pool(stream, args.dtype, {.kind = average(args.count_padding), .backward = true, .shape = args.shape}, args.dx,
              args.dy);
}

}  // namespace cairn::cudnn
