#include "kernels/cudnn/plan.h"

#include <utility>

namespace cairn::cudnn {
namespace {

// Whether the engine computes what was asked for: the same bits at each run, each product in float (or TF32, where the
// precision allows rounding its factors), and sums of products, not the transforms of Winograd or Fourier, whose
// rounding errors are larger and of another kind. CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS may mean half precision,
// whose range is not float's. That its ReLU keeps nan is promised by a note, too; the operation's own attribute is
// marked as deprecated.
bool may_run(const Descriptor& configuration, const Limits& limits) {
  const std::vector<Descriptor> engine =
      configuration.descriptors(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  bool keeps_nan = false;
  for (const cudnnBackendNumericalNote_t note : engine.at(0).notes(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE)) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
        if (limits.precision == Precision::fp32) return false;
        break;
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        if (!limits.any_order) return false;
        break;
      case CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP:
        keeps_nan = true;
        break;
      default:
        return false;
    }
  }
  return keeps_nan || !limits.keeps_nan;
}

}  // namespace

Descriptor operation_graph(const Target& target, std::span<const Descriptor* const> operations) {
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (target.handle) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, target.handle);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations).finalize();
  return graph;
}

std::vector<Plan> find_plans(const Target& target, const Descriptor& graph, const Limits& limits, size_t most) {
  std::vector<Plan> plans;
  // A is the quick heuristic, B the more thorough one; FALLBACK lists what works rather than what is fast.
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
    Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph).set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    if (target.description) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *target.description);
    if (!heuristic.try_finalize()) continue;
    for (Descriptor& configuration :
         heuristic.descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
      if (plans.size() == most) return plans;
      if (!may_run(configuration, limits)) continue;
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
      if (target.handle) plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
      if (target.description) plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, *target.description);
      if (!plan.try_finalize()) continue;
      const int64_t bytes = plan.number(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
      if (bytes <= limits.workspace_bytes) plans.push_back({std::move(configuration), std::move(plan), bytes});
    }
  }
  return plans;
}

void run(cudnnHandle_t handle, const Plan& plan, const Arrays& arrays, void* workspace) {
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, std::span<const int64_t>(arrays.identities))
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::span<void* const>(arrays.pointers))
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace)
      .finalize();
  check(cudnnBackendExecute(handle, plan.plan.get(), pack.get()), "cudnnBackendExecute");
}

}  // namespace cairn::cudnn
