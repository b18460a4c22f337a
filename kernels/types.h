// The plain types that both sides of the seam share. Not here: the arguments of primitives (*_args.h), the struct of
// entries (backend.h).
#pragma once

#include <cstdint>

namespace cairn {

enum class DType : int32_t { f32, f64, u8, i32, i64 };
enum class Where : int32_t { cpu, cuda };
// What a matrix product may round its inputs to; accumulation is always float32 or wider.
enum class Precision : int32_t { fp32, tf32, bf16 };
enum class CopyKind : int32_t { to_device, to_host, on_device };

using Status = int32_t;

struct Stream;  // opaque: an in-order queue of work, with the threads, library handles and kernel choices it uses
struct Graph;   // opaque: a captured sequence of launches

}  // namespace cairn
