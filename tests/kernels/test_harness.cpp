// The harness itself: each kind of fault, planted in a copy of `reference`, must be found and named. Not here: any
// real implementation.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "kernels/reference/backend.h"
#include "kernels/runtime/cpu/address_sanitizer.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

// A 3 x 4 scale by 2 with the given fault; the row layout is what scale does not have, so gaps are tested with gemm.
Case scale_case() {
  return {.primitive = "scale", .shape = "planted", .run = [](Call& call) {
            const ScaleArgs args{.dtype = call.real(),
                                 .count = 12,
                                 .x = call.input("x", {3, 4}, reals(12, 1, 1, 2)),
                                 .out = call.output("out", {3, 4}, {.relative = 0x1p-24}),
                                 .factor = 2,
                                 .accumulate = 0};
            return call.invoke(&Backend::scale, args);
          }};
}

float* out_of(const ScaleArgs* args) {
  return static_cast<float*>(args->out);
}
Status correct(Stream* stream, const ScaleArgs* args) {
  return reference::backend().scale(stream, args);
}

std::string fault_of(const Backend& backend, const Case& c) {
  const std::vector<std::string> faults = faults_of({.backend = &backend, .kernels = ""}, c, expected_of(c));
  return faults.empty() ? "" : faults[0];
}

// A copy of `reference` to plant a fault in. Static, because streams stay open to the end of the program.
Backend& fresh_copy() {
  static Backend backend;
  return backend = reference::backend();
}

std::string fault_of_scale(Primitive<ScaleArgs> planted) {
  Backend& backend = fresh_copy();
  backend.scale = planted;
  return fault_of(backend, scale_case());
}

int calls = 0;

}  // namespace

TEST_CASE("harness: a correct implementation has no fault") {
  CHECK(fault_of_scale(correct) == "");
}

TEST_CASE("harness: streams stay open from case to case, and can be closed before the program ends") {
  static int opened, closed;
  opened = closed = 0;
  static Backend backend;
  backend = reference::backend();
  backend.open_stream = [](const StreamOptions* options, Stream** stream) {
    ++opened;
    return reference::backend().open_stream(options, stream);
  };
  backend.close_stream = [](Stream* stream) {
    ++closed;
    reference::backend().close_stream(stream);
  };
  CHECK(fault_of(backend, scale_case()) == "");
  const int before = opened;
  CHECK(before > 0);
  CHECK(fault_of(backend, scale_case()) == "");
  CHECK(opened == before);
  CHECK(closed == 0);
  close_streams();
  CHECK(closed == before);
}

TEST_CASE("harness: a wrong value") {
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    const Status status = correct(stream, args);
    out_of(args)[6] *= 1 + 0x1p-22f;
    return status;
  });
  CHECK(fault.find("reference/cpu: scale planted: on 1 thread: out[1, 2] is ") == 0);
  CHECK(fault.find("(1 of 12 elements are wrong)") != std::string::npos);
}

TEST_CASE("harness: an element left unwritten") {
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    ScaleArgs shorter = *args;
    shorter.count -= 1;
    return correct(stream, &shorter);
  });
  CHECK(fault.find("out[2, 3] is ") != std::string::npos);
  CHECK(fault.find("nan, expected") != std::string::npos);
}

#if !CAIRN_ADDRESS_SANITIZER  // which stops at these by itself
TEST_CASE("harness: a write past the end") {
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    out_of(args)[args->count] = 0;
    return correct(stream, args);
  });
  CHECK(fault == "reference/cpu: scale planted: on 1 thread: wrote 1 bytes past the end of out");
}

TEST_CASE("harness: a write before the beginning") {
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    out_of(args)[-1] = 0;
    return correct(stream, args);
  });
  CHECK(fault == "reference/cpu: scale planted: on 1 thread: wrote 4 bytes before out");
}

TEST_CASE("harness: a read past the end reaches the result as nan") {
  Backend& backend = fresh_copy();
  backend.sum = [](Stream*, const SumArgs* args) {
    float total = 0;
    const auto* x = static_cast<const float*>(args->x);
    for (int64_t i = 0; i <= args->count; ++i) total += x[i];
    *static_cast<float*>(args->out) = total;
    return Status{0};
  };
  const Case c{.primitive = "sum", .shape = "planted", .run = [](Call& call) {
                 const SumArgs args{.dtype = call.real(),
                                    .count = 5,
                                    .x = call.input("x", 5, reals(5, 1)),
                                    .out = call.output("out", 1, {.absolute = 1}),
                                    .factor = 1,
                                    .accumulate = 0};
                 return call.invoke(&Backend::sum, args);
               }};
  CHECK(fault_of(backend, c).find("nan, expected") != std::string::npos);
}
#endif

TEST_CASE("harness: a changed input") {
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    const Status status = correct(stream, args);
    const_cast<float*>(static_cast<const float*>(args->x))[2] = 0;
    return status;
  });
  CHECK(fault == "reference/cpu: scale planted: on 1 thread: changed element 2 of its input x");
}

TEST_CASE("harness: an unwritten gap between rows that is written") {
  Backend& backend = fresh_copy();
  backend.gemm = [](Stream* stream, const GemmArgs* args) {
    const Status status = reference::backend().gemm(stream, args);
    static_cast<float*>(args->c)[args->n] = 0;
    return status;
  };
  const Case c{.primitive = "gemm", .shape = "planted", .run = [](Call& call) {
                 const GemmArgs args{.dtype = call.real(),
                                     .m = 2,
                                     .n = 2,
                                     .k = 1,
                                     .a = call.input("a", {2, 1}, {1, 2}),
                                     .lda = 1,
                                     .transpose_a = 0,
                                     .b = call.input("b", {1, 2}, {3, 4}),
                                     .ldb = 2,
                                     .transpose_b = 0,
                                     .c = call.output("c", {2, 2, 3}, {}),
                                     .ldc = 3,
                                     .bias = nullptr,
                                     .relu = 0,
                                     .accumulate = 0};
                 return call.invoke(&Backend::gemm, args);
               }};
  CHECK(fault_of(backend, c).find("wrote between the rows of c, after row 0") != std::string::npos);
}

TEST_CASE("harness: a result that depends on the run") {
  calls = 0;
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    const Status status = correct(stream, args);
    if (++calls == 3) std::memset(out_of(args), 0, 1);  // the last byte of a mantissa: within any tolerance
    return status;
  });
  CHECK(fault.find("on 2 threads, again: out has not the same bytes as in the first run") != std::string::npos);
}

TEST_CASE("harness: a failure") {
  const std::string fault = fault_of_scale([](Stream* stream, const ScaleArgs* args) {
    ScaleArgs bytes = *args;
    bytes.dtype = DType::u8;
    return correct(stream, &bytes);
  });
  CHECK(fault.find("failed: reference: scale takes f32 or f64 arrays only") != std::string::npos);
}

TEST_CASE("harness: whole numbers and signed ranges") {
  for (double value : integers(1000, 1, -3, 2)) {
    CHECK(value == std::floor(value));
    CHECK(value >= -3);
    CHECK(value <= 2);
  }
}

}  // namespace cairn::test
