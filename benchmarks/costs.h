// What a call has to do at least: floating-point operations, bytes, and its shape as text, from its arguments alone;
// and for every primitive, how that is counted and what limits it. Not here: measured ceilings (ceilings.h).
//
// An addition, multiplication, comparison, division or elementary function (exp, log, sqrt) is one operation, so a
// multiply-add is two; integer arithmetic is not counted. Bytes are those of every array once: read, written, or both
// where it is accumulated into. What an implementation moves or computes beyond that is its own affair and shows as a
// lower percentage.
#pragma once

#include <span>
#include <string>

#include "kernels/backend.h"

namespace cairn::benchmarks {

struct Cost {
  double flops = 0, bytes = 0;
};

double element_bytes(DType dtype);
// `count` elements: operations each, arrays that are read or written each.
Cost each(DType dtype, double count, double operations, double arrays);

// Of each primitive's arguments; of whole batches for sgd_steps.
#define CAIRN_PRIMITIVE(family, name, Args) Cost cost(const Args& args);
CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE

std::string shape_of(const GemmArgs& args);  // m x n x k, and which operand is stored transposed
std::string shape_of(const ByteLinearForwardArgs& args);
std::string shape_of(const ByteLinearBackwardWeightArgs& args);
std::string shape_of(const Conv2dForwardArgs& args);  // images, then the kernels over them
std::string shape_of(const Conv2dBackwardDataArgs& args);
std::string shape_of(const Conv2dBackwardFilterArgs& args);
std::string shape_of(const MaxPoolForwardArgs& args);  // planes, then window and stride
std::string shape_of(const MaxPoolBackwardArgs& args);
std::string shape_of(const AveragePoolForwardArgs& args);
std::string shape_of(const AveragePoolBackwardArgs& args);
std::string shape_of(const LocalResponseNormForwardArgs& args);
std::string shape_of(const LocalResponseNormBackwardArgs& args);
std::string shape_of(const SelectRowsArgs& args);
std::string shape_of(const GatherRowsArgs& args);        // rows, channels if more than one, plane
std::string shape_of(const AugmentImagesArgs& args);     // rows, channels, pictures, windows
std::string shape_of(const EmbeddingForwardArgs& args);  // ids, then the table
std::string shape_of(const EmbeddingBackwardArgs& args);
std::string shape_of(const GruForwardArgs& args);  // batch x time, inputs to hidden units
std::string shape_of(const GruBackwardArgs& args);
std::string shape_of(const FinishStepArgs& args);
std::string shape_of(const IncrementArgs& args);
std::string shape_of(const SgdArgs& args);
std::string shape_of(const AdamArgs& args);
std::string shape_of(const ClipGradientsArgs& args);
std::string shape_of(const MovingAverageArgs& args);
std::string shape_of(const SgdStepsArgs& args);  // rows, then the widths
std::string matrix_shape(int64_t rows, int64_t columns);
template <class Args>
std::string shape_of(const Args& args) {
  if constexpr (requires { args.columns; })
    return matrix_shape(args.rows, args.columns);
  else if constexpr (requires { args.plane; })
    return matrix_shape(args.batch, args.channels) + " x " + std::to_string(args.plane);
  else
    return std::to_string(args.count);
}

struct PrimitiveNote {
  const char* primitive;
  const char* count;  // FLOPs and bytes, f32
  const char* limit;  // what limits it, in a sentence
};
std::span<const PrimitiveNote> primitive_notes();
// Null for a primitive without one.
const PrimitiveNote* find_note(const std::string& primitive);

// The name in kPrimitives of an entry such as &Backend::gemm.
template <class Args>
const char* name_of(Primitive<Args> Backend::*entry) {
  static const Backend backend{};
  const auto offset = reinterpret_cast<const char*>(&(backend.*entry)) - reinterpret_cast<const char*>(&backend);
  return kPrimitives[(static_cast<size_t>(offset) - kFirstPrimitiveOffset) / sizeof(void*)];
}

}  // namespace cairn::benchmarks
