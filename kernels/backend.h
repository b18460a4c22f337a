// The seam: what an implementation of Cairn's compute primitives provides, as one struct of function pointers.
// Lives here: that struct, and the conventions of its entries. Not here: which primitives there are (primitives.h),
// their arguments (*_args.h), any code that computes, and any policy (shape checks, gradients and allocation strategy
// belong to framework/).
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

#include "kernels/primitives.h"

namespace cairn {

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

// ---- the struct -------------------------------------------------------------------------------------------------

template <class Args>
using Primitive = Status (*)(Stream*, const Args*);

constexpr int32_t kBackendVersion = 5;

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
  // Elements of a gated recurrent unit's `reserve`. May be null: gru_reserve_count's (sequence_args.h).
  Status (*gru_reserve)(Stream*, const GruShape*, int64_t* count);

  // A convolution's weights in the order in which conv2d_forward reads them, for one shape but for its batch:
  // Conv2dForwardArgs::prepared, of so many floats; 0 where it reads them as they are. prepared null: only the count is
  // asked for. May be null: 0.
  Status (*prepare_conv2d)(Stream*, const Conv2dShape*, const void* weight, void* prepared, int64_t* count);

  // Primitives: from here to the end of the struct there is nothing else.
#define CAIRN_PRIMITIVE(family, name, Args) Primitive<Args> name;
  CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
};

// The primitives by name, in the struct's order: for error texts, `info`, fallback and tests.
inline constexpr const char* kPrimitives[] = {
#define CAIRN_PRIMITIVE(family, name, Args) #name,
    CAIRN_PRIMITIVES(CAIRN_PRIMITIVE)
#undef CAIRN_PRIMITIVE
};
inline constexpr size_t kPrimitiveCount = sizeof(kPrimitives) / sizeof(kPrimitives[0]);
inline constexpr size_t kFirstPrimitiveOffset = sizeof(Backend) - kPrimitiveCount * sizeof(void*);

}  // namespace cairn
