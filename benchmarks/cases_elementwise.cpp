// One value in, one value out: sums, products, ReLU, dropout, a scalar spread out, random numbers.
#include "benchmarks/cases.h"

namespace cairn::benchmarks {
namespace {

struct Size {
  const char* use;
  bool large;
  int64_t count;
};
// The hidden activations of a batch of 64, and arrays beyond the last-level cache.
constexpr Size kSizes[] = {
    {"dnn, 64 x 32 activations", false, 64 * 32},
    {"mlp, 64 x 1024 activations", false, 64 * 1024},
    {"4 Mi values", true, int64_t{1} << 22},
};

Case binary(Primitive<BinaryArgs> Backend::*entry, const Size& size) {
  return make_case<BinaryArgs>(entry, size.use, size.large, [count = size.count](Place& place) {
    BinaryArgs args{.dtype = place.real(), .count = count};
    args.a = place.input(count, reals(1));
    args.b = place.input(count, reals(2));
    args.out = place.output("out", count, kRounding);
    return args;
  });
}

Case random(Primitive<RandomArgs> Backend::*entry, const char* use, bool large, int64_t count) {
  return make_case<RandomArgs>(entry, use, large, [count](Place& place) {
    RandomArgs args{.dtype = place.real(), .count = count};
    args.out = place.output("out", count, 8 * kUnit);
    args.high = 1;
    args.seed = 1;
    return args;
  });
}

void add_activation_cases(std::vector<Case>& cases, const Size& size) {
  const int64_t count = size.count;
  cases.push_back(make_case<ReluForwardArgs>(&Backend::relu_forward, size.use, size.large, [=](Place& place) {
    ReluForwardArgs args{.dtype = place.real(), .count = count};
    args.x = place.input(count, reals(1));
    args.y = place.output("y", count, 0);
    return args;
  }));
  cases.push_back(make_case<ReluBackwardArgs>(&Backend::relu_backward, size.use, size.large, [=](Place& place) {
    ReluBackwardArgs args{.dtype = place.real(), .count = count};
    args.dy = place.input(count, reals(1));
    args.y = place.input(count, reals(2));
    args.dx = place.output("dx", count, 0);
    return args;
  }));
  cases.push_back(make_case<TanhForwardArgs>(&Backend::tanh_forward, size.use, size.large, [=](Place& place) {
    TanhForwardArgs args{.dtype = place.real(), .count = count};
    args.x = place.input(count, reals(1, -4, 4));
    args.y = place.output("y", count, 16 * kUnit);
    return args;
  }));
  cases.push_back(make_case<TanhBackwardArgs>(&Backend::tanh_backward, size.use, size.large, [=](Place& place) {
    TanhBackwardArgs args{.dtype = place.real(), .count = count};
    args.dy = place.input(count, reals(1));
    args.y = place.input(count, reals(2));
    args.dx = place.output("dx", count, kRounding);
    return args;
  }));
  cases.push_back(make_case<SigmoidForwardArgs>(&Backend::sigmoid_forward, size.use, size.large, [=](Place& place) {
    SigmoidForwardArgs args{.dtype = place.real(), .count = count};
    args.x = place.input(count, reals(1, -4, 4));
    args.y = place.output("y", count, 16 * kUnit);
    return args;
  }));
  cases.push_back(make_case<SigmoidBackwardArgs>(&Backend::sigmoid_backward, size.use, size.large, [=](Place& place) {
    SigmoidBackwardArgs args{.dtype = place.real(), .count = count};
    args.dy = place.input(count, reals(1));
    args.y = place.input(count, reals(2, 0, 1));
    args.dx = place.output("dx", count, kRounding);
    return args;
  }));
  cases.push_back(make_case<GeluForwardArgs>(&Backend::gelu_forward, size.use, size.large, [=](Place& place) {
    GeluForwardArgs args{.dtype = place.real(), .count = count};
    args.x = place.input(count, reals(1, -4, 4));
    args.y = place.output("y", count, 8 * kRounding);
    return args;
  }));
  cases.push_back(make_case<GeluBackwardArgs>(&Backend::gelu_backward, size.use, size.large, [=](Place& place) {
    GeluBackwardArgs args{.dtype = place.real(), .count = count};
    args.dy = place.input(count, reals(1));
    args.x = place.input(count, reals(2, -4, 4));
    args.dx = place.output("dx", count, 4 * kRounding);
    return args;
  }));
}

}  // namespace

void add_elementwise_cases(std::vector<Case>& cases) {
  for (const Size& size : kSizes) {
    const int64_t count = size.count;
    cases.push_back(binary(&Backend::add, size));
    cases.push_back(binary(&Backend::multiply, size));
    cases.push_back(make_case<ScaleArgs>(&Backend::scale, size.use, size.large, [=](Place& place) {
      ScaleArgs args{.dtype = place.real(), .count = count};
      args.x = place.input(count, reals(1));
      args.out = place.output("out", count, kRounding);
      args.factor = 0.75;
      return args;
    }));
    add_activation_cases(cases, size);
    cases.push_back(make_case<DropoutArgs>(&Backend::dropout, size.use, size.large, [=](Place& place) {
      DropoutArgs args{.dtype = place.real(), .count = count};
      args.x = place.input(count, reals(1));
      args.y = place.output("y", count, kRounding);
      args.probability = 0.5;
      args.seed = 1;
      args.step = place.typed_input<int64_t>(1, constant(3));
      return args;
    }));
    cases.push_back(make_case<BroadcastScalarArgs>(&Backend::broadcast_scalar, size.use, size.large, [=](Place& place) {
      BroadcastScalarArgs args{.dtype = place.real(), .count = count};
      args.x = place.input(1, reals(1));
      args.out = place.output("out", count, kRounding);
      args.factor = 0.5;
      return args;
    }));
  }
  cases.push_back(random(&Backend::uniform, "dnn fc1 weights", false, 32 * 784));
  cases.push_back(random(&Backend::uniform, "4 Mi values", true, int64_t{1} << 22));
  cases.push_back(random(&Backend::normal, "dnn fc1 weights", false, 32 * 784));
  cases.push_back(random(&Backend::normal, "4 Mi values", true, int64_t{1} << 22));
}

}  // namespace cairn::benchmarks
