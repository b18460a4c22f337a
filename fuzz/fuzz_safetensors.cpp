// Safetensors: header and data.
#include "framework/safetensors.h"
#include "fuzz/fuzz.h"

void cairn::fuzz::run(std::span<const uint8_t> input) {
  SafetensorsMetadata metadata;
  parse_safetensors(std::as_bytes(input), "file", &metadata);
}
