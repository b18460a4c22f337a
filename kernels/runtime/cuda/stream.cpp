// The CUDA stream: its memory, its copies and its capture. Not here: the entries of the seam (services.cpp).
#include "kernels/runtime/cuda/stream.h"

#include <cstring>
#include <stdexcept>

namespace cairn::cuda {

void fail(cudaError_t error, const char* what) {
  cudaGetLastError();
  std::string text = std::string(what) + ": " + cudaGetErrorName(error) + ": " + cudaGetErrorString(error);
  if (error == cudaErrorNoKernelImageForDevice)
    text += " (this build has no code for this GPU: build with -DCMAKE_CUDA_ARCHITECTURES=native on its machine)";
  throw std::runtime_error(text);
}

// Asynchronous copies to shared memory and tensor cores that take TF32: cmake/CairnCuda.cmake builds for nothing older.
constexpr int32_t kLeastCapability = 80;

// CUDA numbers its versions 1000 * major + 10 * minor.
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Stream::Stream(const StreamOptions& options)
    : ordinal(options.ordinal), precision(options.precision), rungs(options.kernels) {
  int count = 0;
  const cudaError_t counted = cudaGetDeviceCount(&count);
  int driver = 0, runtime = 0;
  if (counted == cudaErrorInsufficientDriver && cudaDriverGetVersion(&driver) == cudaSuccess &&
      cudaRuntimeGetVersion(&runtime) == cudaSuccess) {
    cudaGetLastError();
    throw std::runtime_error(driver == 0 ? "no CUDA device was found: no NVIDIA driver is installed"
                                         : "no CUDA device was found: the driver knows CUDA " + version_text(driver) +
                                               ", this build needs " + version_text(runtime));
  }
  check(counted, "no CUDA device was found");
  if (count == 0) throw std::runtime_error("no CUDA device was found: the driver lists none");
  if (ordinal < 0 || ordinal >= count)
    throw std::runtime_error("there is no CUDA device " + std::to_string(ordinal) + ": this machine has " +
                             std::to_string(count) + ", counted from 0");
  activate();
  int major = 0, minor = 0;
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal), "asking for compute capability");
  check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, ordinal), "asking for compute capability");
  compute_capability = major * 10 + minor;
  if (compute_capability < kLeastCapability)
    throw std::runtime_error("CUDA device " + std::to_string(ordinal) + " has compute capability " + capability_text() +
                             ", and Cairn's kernels need 8.0 or newer: use --device cpu, or another GPU");
  check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, ordinal), "counting multiprocessors");
  // Non-blocking: the legacy default stream, should any library use it, does not order itself against this one.
  check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking), "creating a CUDA stream");
}

// A destructor does not throw, and there is no one left to tell: results are ignored. At the end of the process the
// runtime may be gone already, and what it held with it.
Stream::~Stream() {
  if (cudaSetDevice(ordinal) != cudaSuccess) return;
  cudaStreamSynchronize(handle);
  for (void* pointer : released_while_capturing_) cudaFree(pointer);
  for (void* pointer : workspaces_) cudaFree(pointer);
  for (const Staging& staging : staging_) {
    if (staging.copied) cudaEventDestroy(staging.copied);
    if (staging.pinned) cudaFreeHost(staging.pinned);
  }
  cudaStreamDestroy(handle);
}

std::string Stream::description() const {
  cudaDeviceProp properties;
  int driver = 0, runtime = 0;
  check(cudaGetDeviceProperties(&properties, ordinal), "asking for the GPU's properties");
  check(cudaDriverGetVersion(&driver), "asking for the driver's version");
  check(cudaRuntimeGetVersion(&runtime), "asking for the CUDA runtime's version");
  return std::string(properties.name) + ", " + std::to_string(multiprocessors) + " SMs, compute capability " +
         capability_text() + ", driver " + version_text(driver) + ", CUDA runtime " + version_text(runtime);
}

std::string Stream::capability_text() const {
  return std::to_string(compute_capability / 10) + "." + std::to_string(compute_capability % 10);
}

void* Stream::workspace(size_t bytes) {
  if (bytes > workspace_bytes_) {
    forbid_while_capturing("a kernel's workspace had to grow");
    workspaces_.reserve(workspaces_.size() + 1);
    workspaces_.push_back(allocate(bytes));
    workspace_bytes_ = bytes;
  }
  return workspaces_.empty() ? nullptr : workspaces_.back();
}

void* Stream::allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  void* pointer = nullptr;
  const cudaError_t error = cudaMalloc(&pointer, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "asking for free GPU memory");
    throw std::runtime_error("out of GPU memory: " + std::to_string(bytes) + " bytes were asked for, " +
                             std::to_string(free) + " of " + std::to_string(total) + " are free");
  }
  check(error, "allocating GPU memory");
  return pointer;
}

// Freeing would break a capture under way, so that waits for its end.
void Stream::release(void* pointer) {
  if (!pointer) return;
  if (capturing_)
    released_while_capturing_.push_back(pointer);
  else
    cudaFree(pointer);
}

void Stream::copy(void* to, const void* from, size_t bytes, CopyKind kind) {
  if (bytes == 0) return;
  if (kind == CopyKind::on_device) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, handle), "copying on the GPU");
    return;
  }
  // A captured copy would read or write the host's memory at each replay.
  forbid_while_capturing("memory was copied between host and device");
  if (kind == CopyKind::to_device) {
    copy_to_device(static_cast<char*>(to), static_cast<const char*>(from), bytes);
    return;
  }
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, handle), "copying to the host");
  synchronize();
}

void Stream::copy_to_device(char* to, const char* from, size_t bytes) {
  for (size_t done = 0; done < bytes; done += kStagingBytes) {
    const size_t part = bytes - done < kStagingBytes ? bytes - done : kStagingBytes;
    Staging& staging = staging_[next_staging_];
    next_staging_ = 1 - next_staging_;
    if (!staging.pinned) check(cudaMallocHost(&staging.pinned, kStagingBytes), "allocating pinned host memory");
    if (!staging.copied)
      check(cudaEventCreateWithFlags(&staging.copied, cudaEventDisableTiming), "creating a CUDA event");
    check(cudaEventSynchronize(staging.copied), "waiting for a copy to the GPU");
    std::memcpy(staging.pinned, from + done, part);
    check(cudaMemcpyAsync(to + done, staging.pinned, part, cudaMemcpyHostToDevice, handle), "copying to the GPU");
    check(cudaEventRecord(staging.copied, handle), "recording a CUDA event");
  }
}

void Stream::synchronize() {
  check(cudaStreamSynchronize(handle), "waiting for the GPU");
}

// Relaxed mode: the framework allocates the buffers of a captured step while it is captured.
void Stream::begin_capture() {
  forbid_while_capturing("another capture was begun");
  check(cudaStreamBeginCapture(handle, cudaStreamCaptureModeRelaxed), "beginning to capture a step");
  capturing_ = true;
}

cudaGraphExec_t Stream::end_capture() {
  capturing_ = false;
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(handle, &graph);
  for (void* pointer : released_while_capturing_) cudaFree(pointer);
  released_while_capturing_.clear();
  check(ended, "ending the capture of a step");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t made = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(made, "making a CUDA graph of the captured step");
  return executable;
}

void Stream::forbid_while_capturing(const char* what) const {
  if (capturing_)
    throw std::runtime_error(std::string(what) + " while a step was being captured: run the same step once before");
}

}  // namespace cairn::cuda
