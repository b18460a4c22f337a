// What is timed: for every primitive, calls at the networks' sizes and one large one. Not here: running them
// (kernels.h).
#pragma once

#include <memory>

#include "benchmarks/costs.h"
#include "benchmarks/place.h"

namespace cairn::benchmarks {

// The same call on one set of arrays or more.
class Calls {
 public:
  virtual ~Calls() = default;
  // Places one more set.
  virtual void add(Place& place) = 0;
  // Makes `count` calls, beginning with set `first` and going round; returns the first failure.
  virtual Status run(const Backend& backend, Stream* stream, size_t first, int64_t count) const = 0;
  virtual size_t sets() const = 0;
  virtual Cost cost() const = 0;
  virtual std::string shape() const = 0;
};

struct Case {
  const char* primitive;
  std::string use;   // where such a call comes from
  bool large;        // beyond the networks' own sizes
  bool real_oracle;  // the oracle computes in double; otherwise the primitive knows only float
  std::function<std::unique_ptr<Calls>()> calls;
};

// All of them, those of a primitive together, in the order of kPrimitives.
std::vector<Case> all_cases();

// The families, one file each.
void add_gemm_cases(std::vector<Case>& cases);
void add_byte_linear_cases(std::vector<Case>& cases);
void add_elementwise_cases(std::vector<Case>& cases);
void add_image_cases(std::vector<Case>& cases);
void add_bias_cases(std::vector<Case>& cases);
void add_softmax_cases(std::vector<Case>& cases);
void add_reduction_cases(std::vector<Case>& cases);
void add_row_cases(std::vector<Case>& cases);
void add_augment_cases(std::vector<Case>& cases);
void add_sequence_cases(std::vector<Case>& cases);
void add_clock_cases(std::vector<Case>& cases);
void add_optimizer_cases(std::vector<Case>& cases);

// Parts of them, for calls that are listed elsewhere (layers.h).
struct ProductForm {
  bool transpose_a, transpose_b, bias, relu;
};
void add_product(std::vector<Case>& cases, const std::string& use, bool large, int64_t m, int64_t n, int64_t k,
                 ProductForm form);
// The three products of one layer's training step, as framework/ops/linear.cpp asks for them; first: without the
// gradient of what it reads.
void add_layer(std::vector<Case>& cases, const std::string& layer, int64_t rows, int64_t in, int64_t out, bool relu,
               bool large, bool first = false);
// A convolution's three directions, likewise.
void add_convolution(std::vector<Case>& cases, const std::string& layer, bool large, const Conv2dShape& shape,
                     bool first);

// place: places the arrays of one call and returns its arguments.
template <class Args>
class CallsOf : public Calls {
 public:
  CallsOf(Primitive<Args> Backend::*entry, std::function<Args(Place&)> place)
      : entry_(entry), place_(std::move(place)) {}

  void add(Place& place) override {
    place.set_keeper(&keeper_);
    sets_.push_back(place_(place));
  }
  Status run(const Backend& backend, Stream* stream, size_t first, int64_t count) const override {
    const Primitive<Args> entry = backend.*entry_;
    for (size_t set = first % sets_.size(); count > 0; --count) {
      if (const Status status = entry(stream, &sets_[set]); status != 0) return status;
      if (++set == sets_.size()) set = 0;
    }
    return 0;
  }
  size_t sets() const override { return sets_.size(); }
  Cost cost() const override { return benchmarks::cost(sets_.front()); }
  std::string shape() const override { return shape_of(sets_.front()); }

 private:
  Primitive<Args> Backend::*entry_;
  std::function<Args(Place&)> place_;
  std::vector<Args> sets_;
  Place::Keeper keeper_;
};

template <class Args>
Case make_case(Primitive<Args> Backend::*entry, std::string use, bool large, std::function<Args(Place&)> place) {
  const bool real_oracle = requires(Args args) {
    args.dtype;
  }
  || requires(Args args) {
    args.to;
  };
  return {name_of(entry), std::move(use), large, real_oracle,
          [entry, place = std::move(place)] { return std::make_unique<CallsOf<Args>>(entry, place); }};
}

}  // namespace cairn::benchmarks
