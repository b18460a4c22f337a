// Whoever adds a primitive is told here that its benchmark is missing.
#include <doctest/doctest.h>

#include <cstring>

#include "benchmarks/cases.h"
#include "benchmarks/kernels.h"
#include "benchmarks/timed_backend.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {

TEST_CASE("every primitive has a case at the networks' sizes and a note on what limits it") {
  const std::vector<Case> cases = all_cases();
  for (const char* primitive : kPrimitives) {
    int small = 0;
    for (const Case& one : cases) small += std::strcmp(one.primitive, primitive) == 0 && !one.large;
    CHECK_MESSAGE(small > 0, "benchmarks/cases_*.cpp has no case for ", primitive);
    CHECK_MESSAGE(find_note(primitive) != nullptr, "benchmarks/notes.cpp says nothing on ", primitive);
  }
  CHECK(primitive_notes().size() == kPrimitiveCount);
}

TEST_CASE("a timed table has every entry that its implementation has") {
  for (const Backend* backend : compiled_backends()) {
    const Backend table = timed(*backend);
    for (size_t i = 0; i < kPrimitiveCount; ++i) {
      const auto entry_of = [&](const Backend& from) {
        void* entry;
        std::memcpy(&entry, reinterpret_cast<const char*>(&from) + kFirstPrimitiveOffset + i * sizeof(void*),
                    sizeof entry);
        return entry;
      };
      CHECK_MESSAGE((!entry_of(*backend) || entry_of(table)), "benchmarks/timed_backend.cpp lacks ", kPrimitives[i]);
      CHECK_MESSAGE((!entry_of(table) || entry_of(table) != entry_of(*backend)), kPrimitives[i], " is not timed");
    }
  }
}

TEST_CASE("every rung of every ladder is timed") {
  for (const Backend* backend : compiled_backends()) {
    if (backend->device_count() == 0 || !backend->variants) continue;
    int32_t count = 0;
    const KernelVariant* variants = backend->variants(&count);
    for (int32_t i = 0; i < count; ++i) {
      if (!device_runs(*backend, variants[i])) continue;
      bool found = false;
      for (const Subject& subject : subjects_of(variants[i].primitive, {}))
        found = found || (subject.backend == backend && subject.rung == variants[i].rung);
      CHECK_MESSAGE(found, variants[i].primitive, "=", variants[i].rung);
    }
  }
}

TEST_CASE("costs are counted as stated") {
  GemmArgs args{.dtype = DType::f32, .m = 2, .n = 3, .k = 5};
  CHECK(cost(args).flops == 60);
  CHECK(cost(args).bytes == 4 * (10 + 15 + 6));
  args.relu = 1;
  args.accumulate = 1;
  CHECK(cost(args).flops == 66);
  CHECK(cost(args).bytes == 4 * (10 + 15 + 12));
  args.transpose_b = 1;
  CHECK(shape_of(args) == "2 x 3 x 5 a b^T");
  const OptimizerTensor tensors[] = {{.count = 10}, {.count = 5}};
  const AdamArgs adam{.dtype = DType::f32, .tensors = tensors, .tensor_count = 2};
  CHECK(cost(adam).bytes == 15 * 28);
  CHECK(shape_of(adam) == "15 in 2");

  Conv2dForwardArgs conv{.dtype = DType::f32};
  conv.shape = {.batch = 2,
                .in_channels = 3,
                .in_height = 5,
                .in_width = 5,
                .out_channels = 4,
                .out_height = 3,
                .out_width = 3,
                .kernel_height = 3,
                .kernel_width = 3,
                .stride_height = 1,
                .stride_width = 1};
  CHECK(cost(conv).flops == 2 * 72 * 27);
  CHECK(cost(conv).bytes == 4 * (150 + 108 + 72));
  CHECK(shape_of(conv) == "2 x 3 x 5 x 5, 4 of 3 x 3");
  int32_t index = 0;
  MaxPoolForwardArgs pool{.dtype = DType::f32, .indices = &index};
  pool.shape = {.planes = 6,
                .in_height = 4,
                .in_width = 4,
                .out_height = 2,
                .out_width = 2,
                .window_height = 2,
                .window_width = 2,
                .stride_height = 2,
                .stride_width = 2};
  CHECK(cost(pool).flops == 24 * 3);
  CHECK(cost(pool).bytes == 4 * (96 + 24 + 24));
  CHECK(shape_of(pool) == "6 x 4 x 4, 2 x 2 / 2");
}

}  // namespace cairn::benchmarks
