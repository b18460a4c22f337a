// Every kernel that the program has code to launch, and whether it was launched: a test asks for all of them. Not here:
// the launch (host_launch.h).
#pragma once

#include <atomic>

namespace cairn::simt {

// One for each kernel, with its template's arguments, in a list that stands before main begins.
struct ListedKernel {
  explicit ListedKernel(const char* launch_signature) : signature(launch_signature), next(first) { first = this; }

  const char* signature;  // of its launch; kernel_name.h makes a name of it
  std::atomic<bool> launched{false};
  ListedKernel* next;

  inline static ListedKernel* first = nullptr;
};

template <auto kernel>
const char* listed_signature() {
  return __PRETTY_FUNCTION__;
}
template <auto kernel>
inline ListedKernel listed_kernel{listed_signature<kernel>()};

}  // namespace cairn::simt
