// Reading and writing tensors in the safetensors format (https://github.com/huggingface/safetensors): eight bytes of
// header length, a JSON header, the data. Everything here is on the host. Not here: which tensors a model has
// (nn/module.h).
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "framework/file.h"
#include "framework/shape.h"

namespace cairn {

struct HostTensor {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::vector<std::byte> bytes;  // little-endian, row-major: size_of(dtype) * shape.count()
};

// Free text that travels with the tensors: the header's __metadata__.
using SafetensorsMetadata = std::map<std::string, std::string>;

// The tensors in the order of their data. Errors: DataError, naming the file and what is wrong with it.
std::vector<HostTensor> read_safetensors(const std::filesystem::path& path, SafetensorsMetadata* metadata = nullptr,
                                         Pipes pipes = Pipes::refuse);

// The same from memory; `name` stands for the file in error texts.
std::vector<HostTensor> parse_safetensors(std::span<const std::byte> file, const std::string& name,
                                          SafetensorsMetadata* metadata = nullptr);

// Writes all or nothing (write_file_atomically). Wide elements come first, so that each is aligned to its size;
// otherwise the order is kept. Errors: IoError; DataError for tensors that cannot be in one file: names that are equal,
// reserved or not UTF-8, bytes that do not match dtype and shape.
void write_safetensors(const std::filesystem::path& path, const std::vector<HostTensor>& tensors,
                       const SafetensorsMetadata& metadata = {});

}  // namespace cairn
