// The seam: what an implementation of Cairn's compute primitives provides, as one struct of function pointers.
// Lives here: plain data types shared by both sides of the seam. Not here: the arguments of the primitives on images
// (image_args.h), any code that computes, and any policy (shape checks, gradients and allocation strategy belong to
// framework/).
//
// An implementation (reference, vanilla, simd, cudnn, or a plugin) fills one Backend. Conventions for every entry:
//   - arrays are dense and row-major unless a leading dimension is given; sizes are in elements;
//   - data pointers are device pointers; pointers documented as "host" are not;
//   - work is ordered on the stream and need not be finished on return; nothing synchronises but what says so;
//   - sizes may be 0: the entry then returns success without touching memory, except that reductions write their
//     neutral element; arguments were validated by the caller, so an entry checks only what is its own limit;
//   - the same arguments give the same bits, on any number of threads;
//   - the return value is 0 on success; otherwise last_error() has one line of text (per calling thread).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/image_args.h"

namespace cairn {

enum class DType : int32_t { f32, f64, u8, i32, i64 };
enum class Where : int32_t { cpu, cuda };
// What a matrix product may round its inputs to; accumulation is always float32 or wider.
enum class Precision : int32_t { fp32, tf32, bf16 };
enum class CopyKind : int32_t { to_device, to_host, on_device };

using Status = int32_t;

struct Stream;  // opaque: an in-order queue of work, with the threads, library handles and kernel choices it uses
struct Graph;   // opaque: a captured sequence of launches

struct StreamOptions {
  int32_t ordinal;      // which GPU; ignored on the CPU
  int32_t threads;      // CPU worker threads, 0 = as many as the process may use; ignored on a GPU
  Precision precision;  // of matrix products
  const char* kernels;  // host: rung choices such as "gemm=3,softmax=1"; "" or null = defaults
  int32_t autotune;     // where an implementation can choose a library's kernel by timing, it does
};

// One rung of a primitive's ladder, as listed by `info` and `bench`.
struct KernelVariant {
  const char* primitive;  // name as in kPrimitives
  int32_t rung;           // the number used in --kernel primitive=rung
  const char* name;
  const char* idea;    // one sentence
  int32_t is_default;  // 1: what runs when nothing is chosen and the shape suits it
};

// ---- matrix products -----------------------------------------------------------------------------------------

// c[m,n] = op(a)[m,k] * op(b)[k,n], then + bias[n], then max(0, .)
struct GemmArgs {
  DType dtype;  // of every array
  int64_t m, n, k;
  const void* a;
  int64_t lda;
  int32_t transpose_a;  // stored k x m when transposed
  const void* b;
  int64_t ldb;
  int32_t transpose_b;  // stored n x k when transposed
  void* c;
  int64_t ldc;
  const void* bias;  // n values or null
  int32_t relu;
  int32_t accumulate;  // c += a * b; never together with bias or relu
};

// A float matrix seen through a resident byte data set:
// x[i,j] = bytes[index[i] * columns + j] * scale + shift   (index null: row i itself)
struct ByteRows {
  const uint8_t* bytes;
  const int32_t* index;
  int64_t rows, columns;
  float scale, shift;
};

// y[rows,n] = x[rows,columns] * weight[n,columns]^T, then + bias[n], then max(0, .)     (f32)
struct ByteLinearForwardArgs {
  ByteRows x;
  int64_t n;
  const float* weight;
  const float* bias;  // or null
  float* y;
  int32_t relu;
};

// dweight[n,columns] (+)= dy[rows,n]^T * x[rows,columns]     (f32)
struct ByteLinearBackwardWeightArgs {
  ByteRows x;
  int64_t n;
  const float* dy;
  float* dweight;
  int32_t accumulate;
};

// ---- elementwise ---------------------------------------------------------------------------------------------

// out[i] = (accumulate ? out[i] : 0) + f(a[i], b[i]); out may be a or b
struct BinaryArgs {
  DType dtype;
  int64_t count;
  const void* a;
  const void* b;
  void* out;
  int32_t accumulate;
};

// out[i] = (accumulate ? out[i] : 0) + factor * x[i]; out may be x
struct ScaleArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* out;
  double factor;
  int32_t accumulate;
};

// y[r,c] = x[r,c] + bias[c], then max(0, .); y may be x
struct BiasForwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  const void* bias;
  void* y;
  int32_t relu;
};

// dbias[c] (+)= sum over r of dy[r,c]
struct BiasBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* dy;
  void* dbias;
  int32_t accumulate;
};

// dz[r,c] = y[r,c] > 0 ? dy[r,c] : 0;   dbias[c] (+)= sum over r of dz[r,c]; dz may be dy
struct BiasReluBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* dy;
  const void* y;  // the output of the ReLU
  void* dz;
  void* dbias;  // or null
  int32_t accumulate;
};

// y = max(0, x); nan stays nan, as in PyTorch; y may be x
struct ReluForwardArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
};

// dx[i] (+)= y[i] > 0 ? dy[i] : 0
struct ReluBackwardArgs {
  DType dtype;
  int64_t count;
  const void* dy;
  const void* y;
  void* dx;
  int32_t accumulate;
};

// y = tanh(x); nan stays nan; y may be x
struct TanhForwardArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
};

// dx[i] (+)= dy[i] * (1 - y[i]^2)
struct TanhBackwardArgs {
  DType dtype;
  int64_t count;
  const void* dy;
  const void* y;  // the output of the forward pass
  void* dx;
  int32_t accumulate;
};

// y[i] = keep(i) ? x[i] / (1 - probability) : 0, with keep(i) = uniform(seed, layer, *step, i) >= probability.
// The backward pass is the same entry on dy: the mask is drawn again, not stored.
struct DropoutArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* y;
  double probability;  // of being dropped, in [0, 1)
  uint64_t seed;
  uint32_t layer;       // tells the dropout layers of a network apart
  const int64_t* step;  // device
  int32_t accumulate;
};

// ---- softmax and loss ----------------------------------------------------------------------------------------

// y[r,:] = softmax(x[r,:])
struct SoftmaxForwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  void* y;
};

// dx[r,c] (+)= y[r,c] * (dy[r,c] - sum over j of dy[r,j] y[r,j])
struct SoftmaxBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* y;
  const void* dy;
  void* dx;
  int32_t accumulate;
};

// row_loss[r] = logsumexp(logits[r,:]) - logits[r,label[r]];  loss = mean of row_loss (0 for no rows)
struct CrossEntropyForwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* logits;
  const int32_t* labels;  // 0 <= label < columns
  void* probabilities;    // rows x columns: softmax(logits), kept for the backward pass
  void* row_loss;         // rows
  void* loss;             // 1
};

// dlogits[r,c] (+)= (probabilities[r,c] - (c == label[r])) * dloss[0] / rows
struct CrossEntropyBackwardArgs {
  DType dtype;
  int64_t rows, columns;
  const void* probabilities;
  const int32_t* labels;
  const void* dloss;  // 1, device
  void* dlogits;
  int32_t accumulate;
};

// ---- reductions and metrics ----------------------------------------------------------------------------------

// out[0] (+)= factor * sum of x     (sum: factor 1, mean: factor 1/count)
struct SumArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* out;
  double factor;
  int32_t accumulate;
};

// out[i] (+)= factor * x[0]     (the gradient of a sum)
struct BroadcastScalarArgs {
  DType dtype;
  int64_t count;
  const void* x;
  void* out;
  double factor;
  int32_t accumulate;
};

// out[r] = the first column that holds the row's maximum; nan counts as above every number, as in PyTorch, so that the
// first nan of a row wins
struct ArgmaxArgs {
  DType dtype;
  int64_t rows, columns;
  const void* x;
  int32_t* out;
};

// *loss_sum += sum of row_loss;   *correct += number of rows whose argmax (as above) is their label
struct ClassificationMetricsArgs {
  DType dtype;
  int64_t rows, columns;
  const void* logits;
  const int32_t* labels;
  const void* row_loss;
  double* loss_sum;  // device
  int64_t* correct;  // device
};

// ---- batches and the step clock ------------------------------------------------------------------------------

// A captured step is replayed unchanged, so what changes from step to step is read from device memory:
// `step` counts optimizer steps since the start of training, and batch number = *step % steps_per_epoch.
// For i in [0, rows): index[i] = order[batch * batch_size + i];   labels[i] = all_labels[index[i]]
struct SelectBatchArgs {
  const int32_t* order;  // the epoch's permutation, at least batch * batch_size + rows values
  const uint8_t* all_labels;
  const int64_t* step;
  int64_t steps_per_epoch;
  int64_t batch_size;
  int64_t rows;     // batch_size, or fewer in a short last batch
  int32_t* index;   // out
  int32_t* labels;  // out
};

// out[i,j] = x[i,j]: gather bytes and normalise
struct GatherBytesArgs {
  DType dtype;  // of out: f32 or f64
  ByteRows x;
  void* out;
};

// history[*step % capacity] = value[0] (converted to float);   then *step += 1
struct FinishStepArgs {
  DType dtype;
  const void* value;
  float* history;
  int64_t capacity;
  int64_t* step;
};

// ---- random numbers ------------------------------------------------------------------------------------------

// Philox 4x32-10 draws (kernels/philox.h): element i comes from the counter (i / 4, stream, 0) under the key seed.
// uniform: low + (high - low) * u with u in [0, 1);  normal: mean `low`, standard deviation `high`, by Box-Muller.
struct RandomArgs {
  DType dtype;
  int64_t count;
  void* out;
  double low, high;
  uint64_t seed;
  uint32_t stream;  // tells the tensors apart
};

// ---- optimizers ----------------------------------------------------------------------------------------------

struct OptimizerTensor {
  void* parameter;
  const void* gradient;
  void* state1;  // SGD: momentum buffer or null; Adam: first moment
  void* state2;  // Adam: second moment
  int64_t count;
};

// One launch over all tensors, PyTorch's rules:  g += weight_decay * p;  v = momentum * v + g (v = g at step 0);
// p -= lr * v (or lr * g without momentum).  lr = learning_rates[*step % learning_rate_count].
struct SgdArgs {
  DType dtype;
  const OptimizerTensor* tensors;  // host; must stay valid while a captured step refers to it
  int64_t tensor_count;
  const float* learning_rates;  // device
  int64_t learning_rate_count;
  const int64_t* step;  // device: steps done so far
  double momentum, weight_decay;
};

// Kingma & Ba 2015 with PyTorch's placement of epsilon; t = *step + 1.
// Adam: g += weight_decay * p.  AdamW (decoupled, Loshchilov & Hutter 2019): p -= lr * weight_decay * p first.
// m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2;  p -= lr / (1-beta1^t) * m / (sqrt(v / (1-beta2^t)) +
// epsilon)
struct AdamArgs {
  DType dtype;
  const OptimizerTensor* tensors;  // host; as in SgdArgs
  int64_t tensor_count;
  const float* learning_rates;
  int64_t learning_rate_count;
  const int64_t* step;
  double beta1, beta2, epsilon, weight_decay;
  int32_t decoupled;
};

// ---- whole training steps --------------------------------------------------------------------------------------

// One fully connected layer: y = x weight^T + bias.
struct LinearLayer {
  int64_t in, out;
  void* weight;           // out x in
  void* bias;             // out
  void* weight_velocity;  // as the parameters; null where there is no momentum
  void* bias_velocity;
};

// `steps` steps of mini-batch SGD on a stack of linear layers with a ReLU between each two, in one call. With t the
// value of *step before a step and b = t % steps_per_epoch, that step is
//   x        the rows order[b * batch_size ...] of images, as floats: batch_size of them, or what is left of order
//   loss     the mean cross-entropy of the stack's output against the labels of the same rows
//   update   SgdArgs' rule on every weight and bias, with learning_rates[t % learning_rate_count]
//   history[t % history_capacity] = loss;   *step = t + 1
// All of them belong to one epoch, whose permutation `order` is. A kernel for this is limited in sizes: with `probe`
// set nothing runs, and the call fails with the same text where the real one would.
struct SgdStepsArgs {
  DType dtype;                // of parameters and velocities
  const LinearLayer* layers;  // host; layers[i].in is layers[i - 1].out
  int64_t layer_count;
  const uint8_t* images;  // images x layers[0].in
  const uint8_t* labels;  // images: below the last layer's out
  const int32_t* order;
  int64_t order_count;
  float scale, shift;  // x = byte * scale + shift
  int64_t batch_size, steps_per_epoch, steps;
  const float* learning_rates;  // device
  int64_t learning_rate_count;
  float* history;
  int64_t history_capacity;
  int64_t* step;  // device
  double momentum, weight_decay;
  int32_t probe;
};

// ---- the struct ----------------------------------------------------------------------------------------------

template <class Args>
using Primitive = Status (*)(Stream*, const Args*);

constexpr int32_t kBackendVersion = 1;

struct Backend {
  int32_t version;   // kBackendVersion
  const char* name;  // the --impl name
  Where where;
  const char* falls_back;  // name of the implementation whose entries stand in for null ones, or null
  int32_t supports_f64;
  const char* summary;  // one sentence for `info`

  // Device services.
  const char* (*last_error)();
  int32_t (*device_count)();
  Status (*open_stream)(const StreamOptions*, Stream**);
  void (*close_stream)(Stream*);
  Status (*describe)(Stream*, char* text, size_t capacity);  // device, threads or SMs, library versions
  Status (*memory_info)(Stream*, size_t* free_bytes, size_t* total_bytes);
  Status (*allocate)(Stream*, size_t bytes, void** out);  // aligned to 256 bytes
  void (*release)(Stream*, void*);
  Status (*copy)(Stream*, void* to, const void* from, size_t bytes, CopyKind);  // to_host returns when it is done
  Status (*fill_bytes)(Stream*, void*, int32_t byte, size_t bytes);
  Status (*synchronize)(Stream*);
  // Capture: null on the CPU, where the framework keeps the list of calls itself. Captured calls do not run.
  Status (*begin_capture)(Stream*);
  Status (*end_capture)(Stream*, Graph**);
  Status (*replay)(Stream*, Graph*);
  void (*release_graph)(Graph*);
  const KernelVariant* (*variants)(int32_t* count);  // may be null: one rung of everything

  // Primitives: from here to the end of the struct there is nothing else (kPrimitives relies on it).
  Primitive<GemmArgs> gemm;
  Primitive<ByteLinearForwardArgs> byte_linear_forward;
  Primitive<ByteLinearBackwardWeightArgs> byte_linear_backward_weight;
  Primitive<BinaryArgs> add;
  Primitive<BinaryArgs> multiply;
  Primitive<ScaleArgs> scale;
  Primitive<BiasForwardArgs> bias_forward;
  Primitive<BiasBackwardArgs> bias_backward;
  Primitive<BiasReluBackwardArgs> bias_relu_backward;
  Primitive<ReluForwardArgs> relu_forward;
  Primitive<ReluBackwardArgs> relu_backward;
  Primitive<TanhForwardArgs> tanh_forward;
  Primitive<TanhBackwardArgs> tanh_backward;
  Primitive<DropoutArgs> dropout;
  Primitive<Conv2dForwardArgs> conv2d_forward;
  Primitive<Conv2dBackwardDataArgs> conv2d_backward_data;
  Primitive<Conv2dBackwardFilterArgs> conv2d_backward_filter;
  Primitive<Conv2dBackwardBiasArgs> conv2d_backward_bias;
  Primitive<MaxPoolForwardArgs> max_pool_forward;
  Primitive<MaxPoolBackwardArgs> max_pool_backward;
  Primitive<AveragePoolForwardArgs> average_pool_forward;
  Primitive<AveragePoolBackwardArgs> average_pool_backward;
  Primitive<BatchNormForwardArgs> batch_norm_forward;
  Primitive<BatchNormBackwardArgs> batch_norm_backward;
  Primitive<LocalResponseNormForwardArgs> local_response_norm_forward;
  Primitive<LocalResponseNormBackwardArgs> local_response_norm_backward;
  Primitive<CopyRowsArgs> copy_rows;
  Primitive<SoftmaxForwardArgs> softmax_forward;
  Primitive<SoftmaxBackwardArgs> softmax_backward;
  Primitive<CrossEntropyForwardArgs> cross_entropy_forward;
  Primitive<CrossEntropyBackwardArgs> cross_entropy_backward;
  Primitive<SquaredErrorForwardArgs> squared_error_forward;
  Primitive<SquaredErrorBackwardArgs> squared_error_backward;
  Primitive<SumArgs> sum;
  Primitive<BroadcastScalarArgs> broadcast_scalar;
  Primitive<ArgmaxArgs> argmax;
  Primitive<ClassificationMetricsArgs> classification_metrics;
  Primitive<SelectBatchArgs> select_batch;
  Primitive<GatherBytesArgs> gather_bytes;
  Primitive<FinishStepArgs> finish_step;
  Primitive<RandomArgs> uniform;
  Primitive<RandomArgs> normal;
  Primitive<AddNoiseArgs> add_noise;
  Primitive<SgdArgs> sgd;
  Primitive<AdamArgs> adam;
  Primitive<SgdStepsArgs> sgd_steps;
};

// The primitives by name, in the struct's order: for error texts, `info`, fallback and tests.
inline constexpr const char* kPrimitives[] = {
    "gemm",
    "byte_linear_forward",
    "byte_linear_backward_weight",
    "add",
    "multiply",
    "scale",
    "bias_forward",
    "bias_backward",
    "bias_relu_backward",
    "relu_forward",
    "relu_backward",
    "tanh_forward",
    "tanh_backward",
    "dropout",
    "conv2d_forward",
    "conv2d_backward_data",
    "conv2d_backward_filter",
    "conv2d_backward_bias",
    "max_pool_forward",
    "max_pool_backward",
    "average_pool_forward",
    "average_pool_backward",
    "batch_norm_forward",
    "batch_norm_backward",
    "local_response_norm_forward",
    "local_response_norm_backward",
    "copy_rows",
    "softmax_forward",
    "softmax_backward",
    "cross_entropy_forward",
    "cross_entropy_backward",
    "squared_error_forward",
    "squared_error_backward",
    "sum",
    "broadcast_scalar",
    "argmax",
    "classification_metrics",
    "select_batch",
    "gather_bytes",
    "finish_step",
    "uniform",
    "normal",
    "add_noise",
    "sgd",
    "adam",
    "sgd_steps",
};
inline constexpr size_t kPrimitiveCount = sizeof(kPrimitives) / sizeof(kPrimitives[0]);
inline constexpr size_t kFirstPrimitiveOffset = offsetof(Backend, gemm);
static_assert(kFirstPrimitiveOffset + kPrimitiveCount * sizeof(void*) == sizeof(Backend),
              "kPrimitives and the primitives of Backend list the same entries in the same order");

}  // namespace cairn
