// Whole training steps in one launch: forward, loss, backward and update of a small stack of linear layers, as many
// steps as the caller has batches. Not here: where things lie in shared memory (plan.h), the parts of a step (layers.h,
// update.h).
//
// A step of 784-32-32-10 on 64 rows is 10 million floating-point operations: nothing for a GPU, but 17 launches, each
// of which starts cold. Here one cluster of blocks keeps the network in its shared memory and never leaves. The first
// layer has nearly all of the work, and its inputs (the sum's index k) are what the blocks divide:
//
//                  k: block 0   block 1   block 2   block 3        every block also has
//                 +---------+---------+---------+---------+          - the small tensors: all biases and the weights
//   images    64  |  x      |         |         |         |            of the other layers
//                 +---------+---------+---------+---------+          - a record of each row: outputs and deltas
//   weights 32    |  W, v   |         |         |         |            of all layers
//                 +---------+---------+---------+---------+
//
//   A  Each block multiplies its slice: partial sums of the first layer for all rows. Block b owns the rows b, b +
//      blocks, ...: it is sent the partial sums of those.                                            cluster_sync
//   B  Each block adds up the partial sums of its rows in the order of the blocks, takes the rows through the other
//      layers, the loss and back to the first layer's delta, and sends the rows' records to all.     cluster_sync
//   C  Each block updates its slice of the weights: dW = delta^T x, over all rows. The small tensors' groups of four
//      are dealt out to the blocks, which send the new values to all; the next step's first cluster_sync ends that.
//
// Nothing is added in an order that time decides, so the bits are the same at every run (but not for every number of
// blocks). While a step runs, the bytes of the next one are already on their way to registers, and the numbers of the
// images of the one after it.
//
// Cost of a step with r rows, first layer k -> h: 4 r k h FLOPs, divided by the blocks, of which A takes 32
// multiply-adds for 6 reads of 16 bytes and C 16 for 2; r k bytes from global memory; r h floats and blocks * r records
// between the blocks. What is left is waiting: two cluster_syncs, and 2 * layers + 1 barriers for the few rows of B.
#include <string>
#include <utility>

#include "kernels/vanilla/sgd_steps/layers.h"
#include "kernels/vanilla/sgd_steps/update.h"

namespace cairn::CAIRN_VANILLA {
namespace {

using namespace steps;

// A counter that starts at value % period.
struct Cycle {
  int64_t now, period;
  __device__ __forceinline__ Cycle(int64_t value, int64_t period_) : now(value % period_), period(period_) {}
  __device__ __forceinline__ void advance() { now = now + 1 == period ? 0 : now + 1; }
};

template <int kBlocks>
__global__ void __launch_bounds__(kThreads, 1)
    sgd_steps_kernel(const __grid_constant__ StepsPlan plan, const __grid_constant__ StepsData data) {
  CAIRN_SHARED_DYNAMIC(float, shared);
  const Block<kBlocks> block(plan, data, shared);
  for (int i = static_cast<int>(threadIdx.x); i < plan.floats; i += kThreads) shared[i] = 0.0f;
  __syncthreads();
  for_each_element(block, true, [&](int at, int velocity_at, const float* value, const float* velocity) {
    shared[at] = *value;
    if (plan.has_velocity && velocity_at >= 0) shared[velocity_at] = *velocity;
  });

  const int64_t begin = *data.step;
  Cycle batch(begin, data.steps_per_epoch), rate(begin, data.learning_rate_count),
      history(begin, data.history_capacity);
  // Where the batch of a step of this launch begins in order, and how many rows it has: none after the last.
  int64_t first_row = batch.now * plan.rows;
  const auto rows_from = [&](int64_t row, int64_t step) {
    const int64_t left = step < data.steps ? data.order_count - row : 0;
    return static_cast<int>(left < plan.rows ? left : plan.rows);
  };
  int rows = rows_from(first_row, 0), next_rows = rows_from(first_row + plan.rows, 1);
  for (int row = static_cast<int>(threadIdx.x); row < rows; row += kThreads)
    block.image()[row] = data.order[first_row + row];
  __syncthreads();
  NextBatch next;
  fetch(block, rows, first_row + plan.rows, next_rows, next);
  place(block, rows, next_rows, next);
  simt::cluster_sync();  // every block is there and ready

  for (int64_t step = 0; step < data.steps; ++step) {
    const int later_rows = rows_from(first_row + 2 * plan.rows, step + 2);
    fetch(block, next_rows, first_row + 2 * plan.rows, later_rows, next);
    const Rule rule{data.learning_rates[rate.now], data.momentum, data.weight_decay, begin + step == 0};

    multiply_slice(block, rows);
    simt::cluster_sync();

    const int own = block.own_rows(rows);
    add_partial_sums(block, own);
    __syncthreads();
    for (int l = 1; l < plan.layers; ++l) {
      forward_layer(block, own, l);
      __syncthreads();
    }
    cross_entropy(block, own, rows);
    __syncthreads();
    for (int l = plan.layers - 1; l > 0; --l) {
      backward_layer(block, own, l);
      __syncthreads();
    }
    send_records(block, own);
    simt::cluster_sync();

    update_all(block, rows, rule, data.history + history.now);
    __syncthreads();
    place(block, next_rows, later_rows, next);
    __syncthreads();
    first_row += plan.rows;
    rows = next_rows;
    next_rows = later_rows;
    rate.advance();
    history.advance();
  }

  simt::cluster_sync();  // a block stays while others may still send to it
  for_each_element(block, false, [&](int at, int velocity_at, float* value, float* velocity) {
    *value = shared[at];
    if (plan.has_velocity) *velocity = shared[velocity_at];
  });
  if (block.rank == 0 && threadIdx.x == 0) *data.step = begin + data.steps;
}

// ---- which cluster -------------------------------------------------------------------------------------------------

constexpr KernelVariant rung(int number, const char* name, const char* idea) {
  return {"sgd_steps", number, name, idea, number == 1};
}

// What a rung needs stands first (kernels/rungs.h); on the CPU the executor acts clusters.
#if defined(__CUDACC__)
#define CAIRN_CLUSTERS "compute capability 9.0 or newer: "
#else
#define CAIRN_CLUSTERS ""
#endif
constexpr KernelVariant kRungs[] = {
    rung(1, "cluster",
         kOnGpu ? "whole steps in one launch, by the largest cluster of blocks that the GPU has room for"
                : "whole steps in one launch, by the smallest cluster of blocks that has room for them"),
    rung(2, "cluster_of_1", "whole steps in one launch of one block: any GPU, small networks"),
    rung(3, "cluster_of_2", CAIRN_CLUSTERS "whole steps in one launch of two blocks"),
    rung(4, "cluster_of_4", CAIRN_CLUSTERS "whole steps in one launch of four blocks"),
    rung(5, "cluster_of_8", CAIRN_CLUSTERS "whole steps in one launch of eight blocks, the most that every sm_90 runs"),
    rung(6, "cluster_of_16", CAIRN_CLUSTERS "whole steps in one launch of sixteen blocks"),
};
constexpr int kLastRung = static_cast<int>(std::size(kRungs));
constexpr const char* kNeedsClusters = "more than one block needs thread-block clusters, compute capability 9.0: ";

std::string stack_text(const SgdStepsArgs& args) {
  std::string text = std::to_string(args.layers[0].in);
  for (int64_t l = 0; l < args.layer_count; ++l) text.append("-").append(std::to_string(args.layers[l].out));
  return text;
}

// What no cluster can take.
void check_sizes(const SgdStepsArgs& args) {
  require_f32(args.dtype, "sgd_steps");
  const auto refuse = [](const std::string& text) { throw std::invalid_argument("vanilla: sgd_steps takes " + text); };
  if (args.layer_count < 1 || args.layer_count > kMostLayers)
    refuse("stacks of 1 to " + std::to_string(kMostLayers) + " linear layers, not " + std::to_string(args.layer_count));
  if (args.batch_size < 1 || args.batch_size > kMostRows)
    refuse("batches of 1 to " + std::to_string(kMostRows) + " rows, not " + std::to_string(args.batch_size));
  for (int64_t l = 0; l < args.layer_count; ++l)
    if (args.layers[l].in < 1 || args.layers[l].out < 1 || args.layers[l].in * args.layers[l].out > kMostWidth * 4 ||
        (l > 0 && args.layers[l].in != args.layers[l - 1].out))
      refuse("layers that fit each other, of at most 4194304 weights each, not " + stack_text(args));
}

template <int kBlocks>
bool has_room(Stream& stream, const StepsPlan& plan) {
  return plan.bytes() <= size_t{227} * 1024 &&
         simt::most_clusters<sgd_steps_kernel<kBlocks>>(stream, kBlocks, kThreads, plan.bytes()) > 0;
}

template <int kBlocks>
void run(Stream& stream, const SgdStepsArgs& args, const StepsPlan& plan) {
  const bool words = args.layers[0].in % 4 == 0 && reinterpret_cast<uintptr_t>(args.images) % 4 == 0;
  const StepsData data{args.images,
                       args.labels,
                       args.order,
                       args.order_count,
                       args.steps_per_epoch,
                       args.steps,
                       args.learning_rates,
                       args.learning_rate_count,
                       args.history,
                       args.history_capacity,
                       args.step,
                       args.scale,
                       args.shift,
                       static_cast<float>(args.momentum),
                       static_cast<float>(args.weight_decay),
                       words};
  simt::launch_cluster<sgd_steps_kernel<kBlocks>>(stream, 1, kBlocks, kThreads, plan.bytes(), plan, data);
}

// Calls body(std::integral_constant<int, blocks>) for a number of blocks.
template <class Body>
auto with_blocks(int blocks, const Body& body) {
  switch (blocks) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 2:
      return body(std::integral_constant<int, 2>());
    case 4:
      return body(std::integral_constant<int, 4>());
    case 8:
      return body(std::integral_constant<int, 8>());
    default:
      return body(std::integral_constant<int, 16>());
  }
}

bool has_room(Stream& stream, const SgdStepsArgs& args, int blocks, int64_t rows) {
  return with_blocks(blocks, [&](auto count) {
    return has_room<count.value>(stream, make_plan(args, count.value, static_cast<int>(rows)));
  });
}

// Why no cluster of several blocks runs here, or "".
std::string missing_clusters(Stream& stream) {
  if (simt::has_clusters<sgd_steps_kernel<2>>(stream)) return "";
#if defined(__CUDACC__)
  if (stream.compute_capability < 90) return "this GPU has " + stream.capability_text();
#endif
  return "this build's code for this GPU is older, build with -DCMAKE_CUDA_ARCHITECTURES=native";
}

[[noreturn]] void refuse_size(Stream& stream, const SgdStepsArgs& args, int blocks, const std::string& missing) {
  int64_t fitting = args.batch_size;
  while (fitting > 0 && !has_room(stream, args, blocks, fitting)) --fitting;
  const StepsPlan plan = make_plan(args, blocks, static_cast<int>(args.batch_size));
  throw std::invalid_argument(
      "vanilla: sgd_steps keeps a network in shared memory: " + stack_text(args) + " with batches of " +
      std::to_string(args.batch_size) + " takes " + std::to_string((plan.bytes() + 1023) / 1024) + " KB in each of " +
      std::to_string(blocks) + (blocks == 1 ? " block" : " blocks") + ", which this device has no room for; " +
      (fitting > 0 ? std::string("batches of up to ") + std::to_string(fitting) + " fit"
                   : "no batch fits, only a smaller network") +
      (missing.empty() ? "" : std::string("; ") + kNeedsClusters + missing));
}

// The number of blocks that the rung asks for, or that fits best; throws where nothing does.
int choose_blocks(Stream& stream, const SgdStepsArgs& args) {
  const int chosen = stream.rungs.get("sgd_steps", 1);
  if (chosen < 1 || chosen > kLastRung)
    throw std::invalid_argument("vanilla: the rungs of sgd_steps are 1 to " + std::to_string(kLastRung) + ", not " +
                                std::to_string(chosen));
  const std::string missing = missing_clusters(stream);
  if (chosen > 1) {
    const int blocks = 1 << (chosen - 2);
    if (blocks > 1 && !missing.empty())
      throw std::invalid_argument("vanilla: sgd_steps=" + std::to_string(chosen) + ": " + kNeedsClusters + missing);
    if (!has_room(stream, args, blocks, args.batch_size)) refuse_size(stream, args, blocks, "");
    return blocks;
  }
  constexpr int kGpuOrder[] = {16, 8, 4, 2, 1}, kCpuOrder[] = {1, 2, 4, 8, 16};
  for (const int blocks : kOnGpu ? kGpuOrder : kCpuOrder)
    if (has_room(stream, args, blocks, args.batch_size)) return blocks;
  refuse_size(stream, args, missing.empty() ? 16 : 1, missing);
}

}  // namespace

std::span<const KernelVariant> sgd_steps_rungs() {
  return kRungs;
}

void sgd_steps(Stream& stream, const SgdStepsArgs& args) {
  check_sizes(args);
  const int blocks = choose_blocks(stream, args);
  if (args.probe || args.steps <= 0) return;
  with_blocks(blocks, [&](auto count) {
    run<count.value>(stream, args, make_plan(args, count.value, static_cast<int>(args.batch_size)));
  });
}

}  // namespace cairn::CAIRN_VANILLA
