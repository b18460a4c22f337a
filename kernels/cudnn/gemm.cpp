// gemm through cuBLASLt, bias and ReLU in its epilogue. Not here: the stream and its handles (stream.h).
//
// cuBLASLt counts columns first. A row-major matrix read that way is its transpose, so what is computed is
//   c^T[n,m] = op(b)^T[n,k] * op(a)^T[k,m]
// with b as the left operand, a as the right one, the transposes as they come, and the leading dimensions unchanged.
// The bias of n values then lies along c^T's rows, where the epilogue adds it. What its ReLU makes of nan, cuBLASLt
// does not say: nan or 0.
#include <algorithm>
#include <stdexcept>

#include "kernels/cudnn/primitives.h"

namespace cairn::cudnn {
namespace {

// As much as cuBLAS takes for itself on a 9.0. Only what the chosen algorithm needs is allocated.
constexpr size_t kMostWorkspaceBytes = size_t{32} << 20;

cublasComputeType_t compute_type(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return CUBLAS_COMPUTE_32F;
    case Precision::tf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Precision::bf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
  }
  throw std::runtime_error("cudnn's gemm does not know precision " + std::to_string(static_cast<int>(precision)));
}

// The largest power of two, up to 256, that divides the address: some algorithms load several values at once.
uint32_t alignment(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer) | 256;
  return static_cast<uint32_t>(address & -address);
}

template <class Value>
void set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, const Value& value) {
  check(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value), "describing a gemm");
}

class Preference {
 public:
  Preference() { check(cublasLtMatmulPreferenceCreate(&preference_), "describing a gemm"); }
  ~Preference() { cublasLtMatmulPreferenceDestroy(preference_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;

  template <class Value>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, const Value& value) {
    check(cublasLtMatmulPreferenceSetAttribute(preference_, attribute, &value, sizeof value), "describing a gemm");
  }
  cublasLtMatmulPreference_t get() const { return preference_; }

 private:
  cublasLtMatmulPreference_t preference_ = nullptr;
};

// The stored matrix has `rows` rows of `columns` values, `leading` apart; cuBLASLt sees its transpose.
void describe(cublasLtMatrixLayout_t layout, int64_t rows, int64_t columns, int64_t leading) {
  check(cublasLtMatrixLayoutInit(layout, CUDA_R_32F, columns, rows, leading), "describing a gemm's matrix");
}

GemmPlan make_plan(Stream& stream, const GemmArgs& args) {
  GemmPlan plan{};
  check(cublasLtMatmulDescInit(&plan.operation, compute_type(stream.precision), CUDA_R_32F), "describing a gemm");
  set(&plan.operation, CUBLASLT_MATMUL_DESC_TRANSA, args.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(&plan.operation, CUBLASLT_MATMUL_DESC_TRANSB, args.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  const cublasLtEpilogue_t epilogue = args.bias ? (args.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
                                                : (args.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT);
  set(&plan.operation, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
  if (args.bias) set(&plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.bias);
  describe(&plan.left, args.transpose_b ? args.n : args.k, args.transpose_b ? args.k : args.n, args.ldb);
  describe(&plan.right, args.transpose_a ? args.k : args.m, args.transpose_a ? args.m : args.k, args.lda);
  describe(&plan.result, args.m, args.n, args.ldc);

  Preference preference;
  preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t{kMostWorkspaceBytes});
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(args.b));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(args.a));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(args.c));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(args.c));

  cublasLtMatmulHeuristicResult_t choice{};
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(stream.cublas, &plan.operation, &plan.left, &plan.right, &plan.result,
                                     &plan.result, preference.get(), 1, &choice, &found);
  if (status != CUBLAS_STATUS_NOT_SUPPORTED) check(status, "choosing a gemm algorithm");
  if (found == 0)
    throw std::runtime_error("cuBLASLt has no algorithm for a gemm of m " + std::to_string(args.m) + ", n " +
                             std::to_string(args.n) + ", k " + std::to_string(args.k));
  plan.algorithm = choice.algo;
  plan.workspace_bytes = choice.workspaceSize;
  return plan;
}

const GemmPlan& plan_for(Stream& stream, const GemmArgs& args) {
  const int64_t flags = (args.transpose_a ? 1 : 0) | (args.transpose_b ? 2 : 0) | (args.relu ? 4 : 0) |
                        (args.bias ? 8 : 0) | (args.accumulate ? 16 : 0);
  const GemmKey key = {args.m,
                       args.n,
                       args.k,
                       args.lda,
                       args.ldb,
                       args.ldc,
                       flags,
                       alignment(args.a),
                       alignment(args.b),
                       alignment(args.c),
                       alignment(args.bias)};
  const auto known = stream.gemm_plans.find(key);
  if (known != stream.gemm_plans.end()) return known->second;
  return stream.gemm_plans.emplace(key, make_plan(stream, args)).first->second;
}

// cuBLASLt wants k >= 1. An empty sum is a column of zeros times a row of zeros, so that bias and ReLU still apply.
// The zeros lie behind the part of the workspace that the algorithm may take.
GemmArgs with_one_zero_term(Stream& stream, GemmArgs args) {
  const size_t bytes = static_cast<size_t>(std::max(args.m, args.n)) * sizeof(float);
  void* zeros = static_cast<char*>(stream.workspace(kMostWorkspaceBytes + bytes)) + kMostWorkspaceBytes;
  cuda::check(cudaMemsetAsync(zeros, 0, bytes, stream.handle), "filling GPU memory");
  args.k = 1;
  args.a = args.b = zeros;
  args.transpose_a = 1;  // stored 1 x m
  args.transpose_b = 0;  // stored 1 x n
  args.lda = args.m;
  args.ldb = args.n;
  return args;
}

}  // namespace

void gemm(Stream& stream, const GemmArgs& args) {
  if (args.dtype != DType::f32) throw std::runtime_error("cudnn's gemm computes in f32 only");
  if (args.m == 0 || args.n == 0) return;
  if (args.k == 0) {
    if (!args.accumulate) gemm(stream, with_one_zero_term(stream, args));
    return;
  }

  GemmPlan plan = plan_for(stream, args);  // a copy: the bias pointer is this call's own
  if (args.bias) set(&plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, args.bias);
  const float alpha = 1, beta = args.accumulate ? 1 : 0;
  check(cublasLtMatmul(stream.cublas, &plan.operation, &alpha, args.b, &plan.left, args.a, &plan.right, &beta, args.c,
                       &plan.result, args.c, &plan.result, &plan.algorithm, stream.workspace(plan.workspace_bytes),
                       plan.workspace_bytes, stream.handle),
        "gemm");
}

}  // namespace cairn::cudnn
