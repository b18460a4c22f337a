// sgd_steps: stacks of one to four layers, odd sizes, partial batches, momentum and weight decay, over several steps
// and calls; and what a kernel has no room for. Not here: its use in training (tests/trainers).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "tests/kernels/harness.h"

namespace cairn::test {
namespace {

struct Training {
  std::vector<int64_t> widths;  // of the input, and of every layer's output
  int64_t batch_size, images, steps_per_epoch;
  std::vector<int64_t> calls;  // steps in each
  int64_t first_step = 0;
  double momentum = 0, weight_decay = 0;
  int64_t offset = 0;
};

std::string text_of(const Training& training) {
  std::string text;
  for (int64_t width : training.widths) text.append(text.empty() ? "" : "-").append(std::to_string(width));
  text += " " + shape_text({{"batch", training.batch_size},
                            {"images", training.images},
                            {"calls", static_cast<int64_t>(training.calls.size())},
                            {"first", training.first_step}});
  return text + (training.momentum != 0 ? " momentum" : "") + (training.weight_decay != 0 ? " weight_decay" : "");
}

// The sums of each step round some sqrt(terms) times, and pass that on to the next.
const Tolerance kClose{.absolute = 2e-5, .relative = 2e-5};

Status run(Call& call, const Training& training) {
  std::vector<LinearLayer> layers;
  uint32_t stream = 300;
  const bool has_velocity = training.momentum != 0;
  const double before = training.first_step == 0 ? kNan : 0.01;  // step 0 must not use it
  for (size_t l = 1; l < training.widths.size(); ++l) {
    const int64_t in = training.widths[l - 1], out = training.widths[l];
    LinearLayer layer{in, out, nullptr, nullptr, nullptr, nullptr};
    const double bound = 1.5 / std::sqrt(static_cast<double>(in));
    layer.weight = call.output("weight", in * out, kClose, reals(in * out, ++stream, -bound, bound));
    layer.bias = call.output("bias", out, kClose, reals(out, ++stream, -bound, bound));
    if (has_velocity) {
      layer.weight_velocity =
          call.output("weight velocity", in * out, kClose, Values(static_cast<size_t>(in * out), before));
      layer.bias_velocity = call.output("bias velocity", out, kClose, Values(static_cast<size_t>(out), before));
    }
    layers.push_back(layer);
  }
  const int64_t images = training.images, classes = training.widths.back();
  Values order;  // a permutation where 7 does not divide the images, and an order as good where it does
  for (int64_t i = 0; i < images; ++i) order.push_back(static_cast<double>((i * 7 + 3) % images));
  constexpr int64_t kCapacity = 8;
  SgdStepsArgs args{.dtype = call.real(), .layers = layers.data()};
  args.layer_count = static_cast<int64_t>(layers.size());
  args.images = call.typed_input<uint8_t>("images", integers(images * training.widths[0], 290, 0, 255));
  args.labels = call.typed_input<int32_t>("labels", integers(images, 291, 0, static_cast<int>(classes) - 1));
  args.order = call.typed_input<int32_t>("order", order);
  args.order_count = images;
  args.scale = 1.0f / 128;
  args.shift = -1;
  args.batch_size = training.batch_size;
  args.steps_per_epoch = training.steps_per_epoch;
  args.learning_rates = call.typed_input<float>("learning_rates", {0.125, 0.0625, 0.03125});
  args.learning_rate_count = 3;
  args.history = call.typed_output<float>("history", kCapacity, kClose);
  args.history_capacity = kCapacity;
  args.step = call.typed_output<int64_t>("step", 1, {}, {static_cast<double>(training.first_step)});
  args.momentum = training.momentum;
  args.weight_decay = training.weight_decay;
  for (const int64_t steps : training.calls) {
    args.steps = steps;
    if (const Status status = call.invoke(&Backend::sgd_steps, args); status != 0) return status;
  }
  return 0;
}

Case case_of(const Training& training, DType real) {
  return {.primitive = "sgd_steps",
          .shape = text_of(training),
          .real = real,
          .offset = training.offset,
          .run = [training](Call& call) { return run(call, training); }};
}

std::vector<Training> trainings() {
  std::vector<Training> all = {
      {{12, 4}, 4, 8, 2, {2}},
      {{1, 1, 2}, 1, 5, 5, {5}},
      {{13, 5, 3}, 5, 16, 4, {4}, 0, 0.9, 0},                // the last batch has one row
      {{30, 10}, 63, 100, 2, {1, 1}, 4, 0.9, 0.01, 1},       // in a third epoch; unaligned
      {{22, 9, 7, 5}, 64, 96, 2, {2}, 0, 0, 0.01},           // the last batch is half a batch
      {{37, 33, 6, 17, 10}, 17, 80, 5, {0, 2, 3}, 5, 0.9}};  // four layers; calls that go on where others ended
  if (small_sweep()) return all;
  all.push_back({{66, 32, 32, 10}, 64, 200, 4, {3, 1}, 0, 0.9, 1e-4});
  all.push_back({{784, 10}, 20, 45, 3, {3}, 3, 0.9, 0});
  all.push_back({{100, 16, 10}, 1, 9, 9, {9}});
  all.push_back({{9, 3, 2}, 256, 300, 2, {2}, 0, 0.5, 0});
  return all;
}

// Whether it can take several blocks.
bool has_clusters(const Subject& subject) {
  return device_of_subject_has(subject, "compute capability 9.0 or newer: ");
}

// The text with which the stack is refused, or "".
std::string refusal(const Subject& subject, const std::vector<int64_t>& widths, int64_t batch_size) {
  std::vector<LinearLayer> layers;
  for (size_t l = 1; l < widths.size(); ++l)
    layers.push_back({widths[l - 1], widths[l], nullptr, nullptr, nullptr, nullptr});
  SgdStepsArgs args{.dtype = DType::f32, .layers = layers.data()};
  args.layer_count = static_cast<int64_t>(layers.size());
  args.batch_size = batch_size;
  args.steps = 1;
  args.probe = 1;
  const StreamOptions options{.ordinal = 0, .threads = 1, .kernels = subject.kernels.c_str()};
  Stream* stream = nullptr;
  REQUIRE(subject.backend->open_stream(&options, &stream) == 0);
  const std::string text = subject.backend->sgd_steps(stream, &args) == 0 ? "" : subject.backend->last_error();
  subject.backend->close_stream(stream);
  return text;
}

}  // namespace

TEST_CASE("sgd_steps: stacks, batches and rules") {
  for (DType real : kReals)
    for (const Training& training : trainings()) check(case_of(training, real));
}

TEST_CASE("sgd_steps: 784-32-32-10, where there is room for it") {
  const Case cases[] = {case_of({{784, 32, 32, 10}, 64, 160, 3, {3}}, DType::f32),
                        case_of({{784, 32, 32, 10}, 48, 120, 3, {3}, 0, 0.9, 0}, DType::f32)};
  for (const Case& c : cases) {
    std::vector<Values> expected;
    for (const Subject& subject : subjects("sgd_steps")) {
      if (subject.kernels == "sgd_steps=2") continue;  // one block has none
      if (!has_clusters(subject)) {
        MESSAGE(subject.name(), " has no room for ", c.shape, ": it needs thread-block clusters");
        continue;
      }
      if (expected.empty()) expected = expected_of(c);
      for (const std::string& fault : faults_of(subject, c, expected)) FAIL_CHECK(fault);
      if (small_sweep()) break;
    }
  }
}

TEST_CASE("sgd_steps: what there is no room for can be asked before") {
  for (const Subject& subject : subjects("sgd_steps")) {
    INFO(subject.name());
    if (std::strcmp(subject.backend->name, "vanilla") != 0) {
      CHECK(refusal(subject, {784, 4096, 10}, 64) == "");
      continue;
    }
    CHECK(refusal(subject, {784, 10}, 16) == "");
    CHECK(refusal(subject, {9, 8, 7, 6, 5, 4}, 16) == "vanilla: sgd_steps takes stacks of 1 to 4 linear layers, not 5");
    CHECK(refusal(subject, {784, 10}, 257) == "vanilla: sgd_steps takes batches of 1 to 256 rows, not 257");
    const std::string text = refusal(subject, {784, 4096, 10}, 64);
    CHECK_MESSAGE(text.find("vanilla: sgd_steps keeps a network in shared memory: 784-4096-10 with batches of 64 "
                            "takes ") == 0,
                  text);
    CHECK_MESSAGE(text.find("no batch fits, only a smaller network") != std::string::npos, text);
    if (subject.kernels != "sgd_steps=2" && has_clusters(subject)) continue;
    const std::string one = refusal(subject, {784, 32, 32, 10}, 64);
    CHECK_MESSAGE(
        one.find(" KB in each of 1 block, which this device has no room for; batches of up to ") != std::string::npos,
        one);
    const bool says_why = one.find("needs thread-block clusters, compute capability 9.0") != std::string::npos;
    CHECK_MESSAGE(says_why == (subject.kernels != "sgd_steps=2"), one);
  }
}

TEST_CASE("sgd_steps: a GPU without clusters refuses a cluster by name") {
  for (const Backend* backend : implementations()) {
    const Subject subject{.backend = backend, .kernels = "sgd_steps=4"};
    if (std::strcmp(backend->name, "vanilla") != 0 || has_clusters(subject)) continue;
    const std::string text = refusal(subject, {784, 10}, 16);
    CHECK_MESSAGE(text.find("vanilla: sgd_steps=4: more than one block needs thread-block clusters, compute "
                            "capability 9.0: this GPU has ") == 0,
                  text);
  }
}

}  // namespace cairn::test
