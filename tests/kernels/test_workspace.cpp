// What kernels do with the workspace of their stream: an operand that lies there is left alone by the product that
// reads it, and nobody computes with what nobody wrote. Not here: right results elsewhere (test_conv2d.cpp).
#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cstring>

#include "kernels/runtime/cpu/stream.h"
#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

Conv2dShape square(int64_t batch, int64_t in_channels, int64_t in, int64_t out_channels, int64_t kernel) {
  const int64_t out = in - kernel + 1;
  return {.batch = batch,
          .in_channels = in_channels,
          .in_height = in,
          .in_width = in,
          .out_channels = out_channels,
          .out_height = out,
          .out_width = out,
          .kernel_height = kernel,
          .kernel_width = kernel,
          .stride_height = 1,
          .stride_width = 1,
          .pad_height = 0,
          .pad_width = 0};
}
int64_t x_count(const Conv2dShape& s) {
  return s.batch * s.in_channels * s.in_height * s.in_width;
}
int64_t y_count(const Conv2dShape& s) {
  return s.batch * s.out_channels * s.out_height * s.out_width;
}
int64_t weight_count(const Conv2dShape& s) {
  return s.out_channels * s.in_channels * s.kernel_height * s.kernel_width;
}

Status forward(Call& call, const Conv2dShape& s) {
  const Conv2dForwardArgs args{.dtype = call.real(),
                               .shape = s,
                               .x = call.input("x", x_count(s), integers(x_count(s), 1)),
                               .weight = call.input("weight", weight_count(s), integers(weight_count(s), 2)),
                               .bias = nullptr,
                               .y = call.output("y", y_count(s), {})};
  return call.invoke(&Backend::conv2d_forward, args);
}
Status backward_data(Call& call, const Conv2dShape& s) {
  const Conv2dBackwardDataArgs args{.dtype = call.real(),
                                    .shape = s,
                                    .dy = call.input("dy", y_count(s), integers(y_count(s), 3)),
                                    .weight = call.input("weight", weight_count(s), integers(weight_count(s), 2)),
                                    .dx = call.output("dx", x_count(s), {})};
  return call.invoke(&Backend::conv2d_backward_data, args);
}
Status backward_filter(Call& call, const Conv2dShape& s) {
  const Conv2dBackwardFilterArgs args{.dtype = call.real(),
                                      .shape = s,
                                      .x = call.input("x", x_count(s), integers(x_count(s), 1)),
                                      .dy = call.input("dy", y_count(s), integers(y_count(s), 3)),
                                      .dweight = call.output("dweight", weight_count(s), {})};
  return call.invoke(&Backend::conv2d_backward_filter, args);
}

struct Kind {
  const char* primitive;
  Status (*run)(Call&, const Conv2dShape&);
};
constexpr Kind kKinds[] = {
    {"conv2d_forward", forward}, {"conv2d_backward_data", backward_data}, {"conv2d_backward_filter", backward_filter}};

}  // namespace

// Whole numbers, which TF32 holds and sums exactly. dy, written along k, takes more than the 8 MiB that usual products
// have, and lies where the patches of x would be.
TEST_CASE("workspace: im2col leaves as much room as gemm rung 10 takes") {
  if (small_sweep()) return;
  const Case one{.primitive = "conv2d_backward_filter",
                 .shape = "256 filters of 2 x 2 at 91 x 91 places",
                 .run = [](Call& call) { return backward_filter(call, square(1, 1, 92, 256, 2)); }};
  std::vector<Values> expected;
  for (Subject subject : subjects(one.primitive)) {
    if (subject.kernels != "conv2d_backward_filter=3" || !device_of_subject_has(subject, "compute capability 9.0: "))
      continue;
    subject.kernels += ",gemm=10";
    subject.precision = Precision::tf32;
    if (expected.empty()) expected = expected_of(one);
    const std::vector<std::string> faults = faults_of(subject, one, expected);
    CHECK_MESSAGE(faults.empty(), (faults.empty() ? "" : faults.front()));
  }
}

// The workspace holds signalling nans when the call begins: arithmetic on one sets a flag of the processor, also where
// the result is dropped.
TEST_CASE("workspace: convolutions compute with nothing that they have not written") {
  constexpr size_t kFloats = size_t{5} << 20;
  constexpr uint32_t kSignalling = 0x7fa00000;
  for (const Kind& kind : kKinds)
    for (const Subject& subject : subjects(kind.primitive)) {
      if (subject.backend->where != Where::cpu || std::strcmp(subject.backend->name, "vanilla") != 0) continue;
      INFO(subject.name());
      const StreamOptions options{
          .ordinal = 0, .threads = 1, .precision = subject.precision, .kernels = subject.kernels.c_str()};
      Stream* stream = nullptr;
      REQUIRE(subject.backend->open_stream(&options, &stream) == 0);
      auto* words = static_cast<uint32_t*>(cpu::unwrap(stream).workspace(kFloats * sizeof(float)));
      {
        Call call(*subject.backend, stream, DType::f32, 0);
        std::fill(words, words + kFloats, kSignalling);
        std::feclearexcept(FE_ALL_EXCEPT);
        CHECK(kind.run(call, square(3, 2, 9, 5, 3)) == 0);
        CHECK_FALSE(std::fetestexcept(FE_INVALID));
        const auto* after = static_cast<uint32_t*>(cpu::unwrap(stream).workspace(1));
        CHECK((after == words));  // it had not to grow
        std::vector<std::string> faults;
        call.finish(faults);
        CHECK(faults.empty());
      }
      subject.backend->close_stream(stream);
    }
}

}  // namespace cairn::test
