// Row by row: bias, softmax and cross-entropy, argmax; and the sums.
#include "benchmarks/cases.h"

namespace cairn::benchmarks {
namespace {

// exp and log of the implementations are good to a few units in the last place.
constexpr double kExponential = 64 * kUnit;

struct Matrix {
  const char* use;
  bool large;
  int64_t rows, columns;
};
constexpr Matrix kHidden[] = {
    {"dnn hidden layer", false, 64, 32},
    {"mlp hidden layer", false, 64, 1024},
    {"large batch", true, 16384, 256},
};
constexpr Matrix kOutputs[] = {
    {"10 classes, batch 64", false, 64, 10},
    {"10 classes, full batch", true, 60000, 10},
    {"1000 classes", true, 4096, 1000},
};

}  // namespace

void add_bias_cases(std::vector<Case>& cases) {
  for (const auto& [use, large, rows, columns] : kHidden) {
    const int64_t r = rows, c = columns;
    cases.push_back(make_case<BiasForwardArgs>(&Backend::bias_forward, use, large, [=](Place& place) {
      BiasForwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.x = place.input(r * c, reals(1));
      args.bias = place.input(c, reals(2));
      args.y = place.output("y", r * c, kRounding);
      args.relu = 1;
      return args;
    }));
    cases.push_back(make_case<BiasBackwardArgs>(&Backend::bias_backward, use, large, [=](Place& place) {
      BiasBackwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.dy = place.input(r * c, reals(1));
      args.dbias = place.output("dbias", c, sum_tolerance(r));
      return args;
    }));
    cases.push_back(make_case<BiasReluBackwardArgs>(&Backend::bias_relu_backward, use, large, [=](Place& place) {
      BiasReluBackwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.dy = place.input(r * c, reals(1));
      args.y = place.input(r * c, reals(2));
      args.dz = place.output("dz", r * c, 0);
      args.dbias = place.output("dbias", c, sum_tolerance(r));
      return args;
    }));
  }
}

void add_softmax_cases(std::vector<Case>& cases) {
  for (const auto& [use, large, rows, columns] : kOutputs) {
    const int64_t r = rows, c = columns;
    cases.push_back(make_case<SoftmaxForwardArgs>(&Backend::softmax_forward, use, large, [=](Place& place) {
      SoftmaxForwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.x = place.input(r * c, reals(1, -4, 4));
      args.y = place.output("y", r * c, kExponential);
      return args;
    }));
    cases.push_back(make_case<SoftmaxBackwardArgs>(&Backend::softmax_backward, use, large, [=](Place& place) {
      SoftmaxBackwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.y = place.input(r * c, reals(1, 0, 1));
      args.dy = place.input(r * c, reals(2));
      args.dx = place.output("dx", r * c, sum_tolerance(c));
      return args;
    }));
    cases.push_back(make_case<CrossEntropyForwardArgs>(&Backend::cross_entropy_forward, use, large, [=](Place& place) {
      CrossEntropyForwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.logits = place.input(r * c, reals(1, -4, 4));
      args.labels = place.typed_input<int32_t>(r, integers(2, 0, c - 1));
      args.probabilities = place.output("probabilities", r * c, kExponential);
      args.row_loss = place.output("row_loss", r, kExponential);
      args.loss = place.output("loss", 1, kExponential);
      return args;
    }));
    cases.push_back(
        make_case<CrossEntropyBackwardArgs>(&Backend::cross_entropy_backward, use, large, [=](Place& place) {
          CrossEntropyBackwardArgs args{.dtype = place.real(), .rows = r, .columns = c};
          args.probabilities = place.input(r * c, reals(1, 0, 1));
          args.labels = place.typed_input<int32_t>(r, integers(2, 0, c - 1));
          args.dloss = place.input(1, constant(1));
          args.dlogits = place.output("dlogits", r * c, kRounding);
          return args;
        }));
    cases.push_back(make_case<ArgmaxArgs>(&Backend::argmax, use, large, [=](Place& place) {
      ArgmaxArgs args{.dtype = place.real(), .rows = r, .columns = c};
      args.x = place.input(r * c, reals(1));
      args.out = place.typed_output<int32_t>("out", r, 0);
      return args;
    }));
    cases.push_back(
        make_case<ClassificationMetricsArgs>(&Backend::classification_metrics, use, large, [=](Place& place) {
          ClassificationMetricsArgs args{.dtype = place.real(), .rows = r, .columns = c};
          args.logits = place.input(r * c, reals(1));
          args.labels = place.typed_input<int32_t>(r, integers(2, 0, c - 1));
          args.row_loss = place.input(r, reals(3, 0, 4));
          args.loss_sum = place.typed_output<double>("loss_sum", 1, 4 * kUnit, constant(0));
          args.correct = place.typed_output<int64_t>("correct", 1, 0, constant(0));
          args.in_top = place.typed_output<int64_t>("in_top", 1, 0, constant(0));
          args.top = 5;
          return args;
        }));
  }
}

void add_reduction_cases(std::vector<Case>& cases) {
  for (const int64_t count : {int64_t{64}, int64_t{64} * 1024, int64_t{1} << 22}) {
    const bool large = count > 64 * 1024;
    const char* use = large ? "4 Mi values" : count == 64 ? "a batch's losses" : "mlp, 64 x 1024 activations";
    cases.push_back(make_case<SumArgs>(&Backend::sum, use, large, [=](Place& place) {
      SumArgs args{.dtype = place.real(), .count = count};
      args.x = place.input(count, reals(1));
      args.out = place.output("out", 1, sum_tolerance(count) / 4);
      args.factor = 1;
      return args;
    }));
  }
}

}  // namespace cairn::benchmarks
