// A pickle: all that can be asked of its values, and what it is as an array and as a batch of images of 1 x 2 pixels.
#include "datasets/pixel_batch.h"
#include "framework/error.h"
#include "fuzz/fuzz.h"

namespace {

using namespace cairn;

// Of any array at most so many places are looked at: each is reached in as many ways as the pickle likes.
constexpr size_t kMostVisits = 2000;

template <class Function>
void attempt(Function&& function) {
  try {
    function();
  } catch (const DataError&) {
  }
}

void ask(const PickleValue& value, size_t& visits) {
  if (++visits > kMostVisits) return;
  attempt([&] { value.characters("it"); });
  attempt([&] { value.find("data", "it"); });
  attempt([&] { datasets::numpy_array(value, "it"); });
  attempt([&] { datasets::integers(value, "it"); });
  if (value.is(PickleKind::call))
    for (const PickleValue& part : {value.callee("it"), value.arguments("it"), value.state("it")}) ask(part, visits);
  if (value.is(PickleKind::list) || value.is(PickleKind::tuple) || value.is(PickleKind::outside))
    for (size_t i = 0; i < value.size("it"); ++i) ask(value.element(i, "it"), visits);
}

}  // namespace

void cairn::fuzz::run(std::span<const uint8_t> input) {
  datasets::Bytes file(input.begin(), input.end());
  const Pickle pickle(std::as_bytes(std::span(file)), "file");
  size_t visits = 0;
  attempt([&] { ask(pickle.root(), visits); });
  const datasets::PixelBatch batch(std::move(file), {.image = Shape{1, 1, 2}}, "file");
  if (batch.pixels().size() != 2 * batch.labels().size()) __builtin_trap();
}
