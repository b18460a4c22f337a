// Tensors out of a file that torch.save wrote: a .pth or .pt. Since PyTorch 1.6 it is a zip archive of a pickle and the
// numbers of each storage; before, pickles one after the other and then the numbers. Nothing of it is run
// (framework/pickle.h). Not here: safetensors (framework/safetensors.h); which tensors a network has.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/bytes.h"
#include "framework/safetensors.h"

namespace cairn::datasets {

// Whether the file begins as such a file does.
bool is_torch_file(std::span<const uint8_t> file);

// The tensors of a state dict, in its order. What was saved is that dict, or a dict of a checkpoint that holds one
// beside an optimizer's state or settings: under "state_dict", "model_state_dict", "model" or "net". Numbers of 16 bits
// and doubles become floats, truth values bytes; other integers stay. Of a name the beginnings "module." and
// "_orig_mod." are left out, with which PyTorch marks networks that are spread over GPUs or compiled; what
// torchvision's DenseNets called denselayer1.norm.1 and denselayer1.conv.2 until 2018 becomes norm1 and conv2.
// DataError, in one line: no such file; nothing in it that is a state dict, or two; a tensor of another type, of more
// than four dimensions, or with more values than its storage; names that are equal; a damaged archive.
std::vector<HostTensor> read_torch_file(std::span<const uint8_t> file, const std::string& name);

}  // namespace cairn::datasets
