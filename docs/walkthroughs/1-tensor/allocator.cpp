// Walkthrough 1: what the allocator does. Arguments: N takes a tensor of N floats, -K lets go of tensor number K.
#include <cstdio>

#include "framework/tensor.h"
#include "kernels/number.h"

using namespace cairn;

int main(int argc, char** argv) {
  const std::shared_ptr<Device> device = Device::open({.implementation = "reference"});
  std::vector<Tensor> tensors;
  std::printf("%-22s %8s %8s %8s\n", "", "live", "cached", "peak");
  for (int i = 1; i < argc; ++i) {
    long number = 0;
    if (read_number(argv[i], number)) return std::printf("%s is no whole number\n", argv[i]), 2;
    const auto drop = static_cast<size_t>(-number - 1);
    if (number < 0 && drop >= tensors.size()) {
      std::printf("there is no tensor %ld yet\n", -number);
      return 2;
    }
    if (number < 0)
      tensors[drop] = Tensor();
    else
      tensors.push_back(Tensor::empty(device, {number}));
    const std::string text =
        number < 0 ? "let go of tensor " + std::to_string(-number)
                   : "tensor " + std::to_string(tensors.size()) + ": " + std::to_string(number) + " floats";
    const MemoryCounters& memory = device->memory();
    std::printf("%-22s %8zu %8zu %8zu\n", text.c_str(), memory.live, memory.cached, memory.peak);
  }
}
