// Calls on sequences, at the sizes of imdb-gru: batches of 64 reviews of 150 words.
#include <algorithm>
#include <limits>

#include "benchmarks/cases.h"
#include "kernels/registry.h"

namespace cairn::benchmarks {
namespace {

struct WordTable {
  const char* use;
  bool large;
  int64_t count, vocabulary, features;
};
constexpr WordTable kTables[] = {
    {"imdb-gru, 64 reviews of 150 words", false, 64 * 150, 30000, 125},
    {"64 Ki words of 300 numbers", true, int64_t{1} << 16, 30000, 300},
};

void add_table(std::vector<Case>& cases, const WordTable& t) {
  cases.push_back(make_case<EmbeddingForwardArgs>(&Backend::embedding_forward, t.use, t.large, [=](Place& place) {
    EmbeddingForwardArgs args{
        .dtype = place.real(), .count = t.count, .vocabulary = t.vocabulary, .features = t.features};
    args.ids = place.typed_input<int32_t>(t.count, integers(1, 0, t.vocabulary - 1));
    args.weight = place.input(t.vocabulary * t.features, reals(2));
    args.out = place.output("out", t.count * t.features, 0);
    return args;
  }));
  cases.push_back(make_case<EmbeddingBackwardArgs>(&Backend::embedding_backward, t.use, t.large, [=](Place& place) {
    EmbeddingBackwardArgs args{
        .dtype = place.real(), .count = t.count, .vocabulary = t.vocabulary, .features = t.features};
    args.ids = place.typed_input<int32_t>(t.count, integers(1, 0, t.vocabulary - 1));
    args.dout = place.input(t.count * t.features, reals(2));
    args.dweight = place.output("dweight", t.vocabulary * t.features, sum_tolerance(100));
    args.padding_index = 0;
    return args;
  }));
}

// Of how many steps the roundings meet in a state.
constexpr double kStateTolerance = 1024 * kUnit;

constexpr GruShape kImdbGru{.batch = 64, .time = 150, .inputs = 125, .hidden = 100};

// Elements of its `reserve`: what whoever wants most wants, as all implementations of a place share the arrays.
int64_t reserve_room() {
  static const int64_t room = [] {
    int64_t most = gru_reserve_count(kImdbGru);
    for (const Backend* backend : known_backends()) {
      if (!backend->gru_reserve || backend->device_count() == 0) continue;
      const OpenStream stream(*backend, 1, "", Precision::fp32);
      int64_t count = 0;
      stream.check(backend->gru_reserve(stream.get(), &kImdbGru, &count), "gru_reserve");
      most = std::max(most, count);
    }
    return most;
  }();
  return room;
}

GruForwardArgs place_gru(Place& place, bool training) {
  const GruShape& s = kImdbGru;
  GruForwardArgs args{.dtype = place.real(), .shape = s};
  args.x = place.input(s.batch * s.time * s.inputs, reals(1));
  args.weight_ih = place.input(3 * s.hidden * s.inputs, reals(2, -0.1, 0.1));
  args.weight_hh = place.input(3 * s.hidden * s.hidden, reals(3, -0.1, 0.1));
  args.bias_ih = place.input(3 * s.hidden, reals(4, -0.1, 0.1));
  args.bias_hh = place.input(3 * s.hidden, reals(5, -0.1, 0.1));
  args.y = place.output("y", s.batch * s.hidden, kStateTolerance);
  args.last_only = 1;
  if (training)
    args.reserve = place.output("reserve", reserve_room(), std::numeric_limits<double>::infinity(), constant(0));
  return args;
}

GruBackwardArgs place_gru_gradients(Place& place, const GruForwardArgs& forward) {
  const GruShape& s = forward.shape;
  GruBackwardArgs args{.dtype = forward.dtype, .shape = s};
  args.x = forward.x;
  args.weight_ih = forward.weight_ih;
  args.weight_hh = forward.weight_hh;
  args.bias_ih = forward.bias_ih;
  args.bias_hh = forward.bias_hh;
  args.dy = place.input(s.batch * s.hidden, reals(6));
  args.last_only = 1;
  args.reserve = forward.reserve;
  const double tolerance = sum_tolerance(s.batch * s.time);
  args.dx = place.output("dx", s.batch * s.time * s.inputs, kStateTolerance);
  args.dweight_ih = place.output("dweight_ih", 3 * s.hidden * s.inputs, tolerance);
  args.dweight_hh = place.output("dweight_hh", 3 * s.hidden * s.hidden, tolerance);
  args.dbias_ih = place.output("dbias_ih", 3 * s.hidden, tolerance);
  args.dbias_hh = place.output("dbias_hh", 3 * s.hidden, tolerance);
  return args;
}

// A backward pass uses up what the forward pass kept, so both are run.
class GruTraining : public Calls {
 public:
  void add(Place& place) override {
    place.set_keeper(&keeper_);
    const GruForwardArgs forward = place_gru(place, true);
    sets_.push_back({forward, place_gru_gradients(place, forward)});
  }
  Status run(const Backend& backend, Stream* stream, size_t first, int64_t count) const override {
    for (size_t set = first % sets_.size(); count > 0; --count, set = (set + 1) % sets_.size()) {
      if (const Status status = backend.gru_forward(stream, &sets_[set].forward); status != 0) return status;
      if (const Status status = backend.gru_backward(stream, &sets_[set].backward); status != 0) return status;
    }
    return 0;
  }
  size_t sets() const override { return sets_.size(); }
  Cost cost() const override {
    const Cost forward = benchmarks::cost(sets_.front().forward), backward = benchmarks::cost(sets_.front().backward);
    return {forward.flops + backward.flops, forward.bytes + backward.bytes};
  }
  std::string shape() const override { return benchmarks::shape_of(sets_.front().backward); }

 private:
  struct Set {
    GruForwardArgs forward;
    GruBackwardArgs backward;
  };
  std::vector<Set> sets_;
  Place::Keeper keeper_;
};

}  // namespace

void add_sequence_cases(std::vector<Case>& cases) {
  for (const WordTable& table : kTables) add_table(cases, table);
  for (const bool training : {true, false})
    cases.push_back(make_case<GruForwardArgs>(&Backend::gru_forward,
                                              std::string("imdb-gru") + (training ? "" : ", evaluation"), false,
                                              [=](Place& place) { return place_gru(place, training); }));
  cases.push_back(
      {"gru_backward", "imdb-gru, with the forward pass", false, true, [] { return std::make_unique<GruTraining>(); }});
}

}  // namespace cairn::benchmarks
