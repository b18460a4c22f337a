// What a training step does besides its network: picking the batch, gathering bytes, keeping the loss, updating the
// parameters.
#include "benchmarks/cases.h"

namespace cairn::benchmarks {
namespace {

struct Network {
  const char* use;
  bool large;
  std::vector<int64_t> tensors;  // sizes of its parameters
};

const std::vector<Network>& networks() {
  static const std::vector<Network> list = {
      {"dnn", false, {784 * 32, 32, 32 * 32, 32, 32 * 10, 10}},
      {"mlp", false, {784 * 1024, 1024, 1024 * 10, 10}},
      {"8 Mi parameters", true, {int64_t{1} << 22, int64_t{1} << 22}},
  };
  return list;
}

constexpr double kUpdate = 64 * kUnit;  // a few roundings, a square root and a division

SgdStepsArgs steps_args(Place& place, const std::vector<int64_t>& widths, int64_t rows) {
  constexpr int64_t kSteps = 16;
  const double tolerance = 256 * kUnit;  // what sixteen steps make of the roundings of their sums
  std::vector<LinearLayer> layers;
  uint32_t seed = 10;
  for (size_t l = 1; l < widths.size(); ++l) {
    const int64_t in = widths[l - 1], out = widths[l];
    LinearLayer layer{in, out, nullptr, nullptr, nullptr, nullptr};
    layer.weight = place.output("weight", in * out, tolerance, reals(++seed, -0.05, 0.05));
    layer.bias = place.output("bias", out, tolerance, reals(++seed, -0.05, 0.05));
    layers.push_back(layer);
  }
  const int64_t images = rows * kSteps;
  SgdStepsArgs args{.dtype = place.real()};
  args.layer_count = static_cast<int64_t>(layers.size());
  args.layers = place.keep(std::move(layers));
  args.images = place.typed_input<uint8_t>(images * widths[0], pixels(1));
  args.labels = place.typed_input<int32_t>(images, integers(2, 0, static_cast<int>(widths.back()) - 1));
  args.order = place.typed_input<int32_t>(images, integers(3, 0, static_cast<int>(images) - 1));
  args.order_count = images;
  args.scale = 1.0f / 255;
  args.batch_size = rows;
  args.steps_per_epoch = args.steps = kSteps;
  args.learning_rates = place.typed_input<float>(4, reals(4, 0.001, 0.01));
  args.learning_rate_count = 4;
  args.history = place.typed_output<float>("history", kSteps, tolerance);
  args.history_capacity = kSteps;
  args.step = place.typed_output<int64_t>("step", 1, 0, constant(0));
  return args;
}

template <class Args>
Args table_args(Place& place, const Network& network, int states) {
  std::vector<OptimizerTensor> tensors;
  uint32_t seed = 10;
  for (const int64_t count : network.tensors) {
    OptimizerTensor tensor{.count = count};
    tensor.parameter = place.output("parameter", count, kUpdate, reals(++seed));
    tensor.gradient = place.input(count, reals(++seed));
    if (states > 0) tensor.state1 = place.output("state1", count, kUpdate, reals(++seed));
    if (states > 1) tensor.state2 = place.output("state2", count, kUpdate, reals(++seed, 0.5, 1));
    tensors.push_back(tensor);
  }
  Args args{.dtype = place.real()};
  args.tensor_count = static_cast<int64_t>(tensors.size());
  args.tensors = place.keep(std::move(tensors));
  return args;
}

template <class Args>
Args optimizer_args(Place& place, const Network& network, int states) {
  Args args = table_args<Args>(place, network, states);
  args.learning_rates = place.typed_input<float>(4, reals(1, 0.001, 0.01));
  args.learning_rate_count = 4;
  args.step = place.typed_input<int64_t>(1, constant(7));
  return args;
}

}  // namespace

void add_row_cases(std::vector<Case>& cases) {
  for (const int64_t rows : {int64_t{64}, int64_t{60000}}) {
    const char* use = rows == 64 ? "batch 64" : "full batch";
    cases.push_back(make_case<SelectRowsArgs>(&Backend::select_rows, use, rows != 64, [=](Place& place) {
      SelectRowsArgs args{};
      args.order = place.typed_input<int32_t>(2 * rows, integers(1, 0, 2 * rows - 1));
      args.step = place.typed_input<int64_t>(1, constant(1));
      args.steps_per_epoch = 2;
      args.batch_size = args.rows = rows;
      args.index = place.typed_output<int32_t>("index", rows, 0);
      return args;
    }));
  }
  const auto add_images = [&](const char* use, bool large, int64_t rows, int64_t channels, int64_t plane) {
    cases.push_back(make_case<GatherRowsArgs>(&Backend::gather_rows, use, large, [=](Place& place) {
      GatherRowsArgs args{.from = DType::u8, .to = place.real(), .rows = rows, .channels = channels, .plane = plane};
      args.x = place.typed_input<uint8_t>(rows * channels * plane, pixels(1));
      args.index = place.typed_input<int32_t>(rows, integers(2, 0, rows - 1));
      args.scale = place.typed_input<float>(channels, constant(1.0 / 255));
      args.shift = place.typed_input<float>(channels, constant(-0.25));
      args.out = place.output("out", rows * channels * plane, 4 * kUnit);
      return args;
    }));
  };
  add_images("batch 64 of MNIST", false, 64, 1, 784);
  add_images("batch 128 of CIFAR-10", false, 128, 3, 1024);
  add_images("large batch of MNIST", true, 8192, 1, 784);
  cases.push_back(make_case<GatherRowsArgs>(&Backend::gather_rows, "labels of a batch", false, [](Place& place) {
    GatherRowsArgs args{.from = DType::i32, .to = DType::i32, .rows = 64, .channels = 1, .plane = 1};
    args.x = place.typed_input<int32_t>(60000, integers(1, 0, 9));
    args.index = place.typed_input<int32_t>(64, integers(2, 0, 59999));
    args.out = place.typed_output<int32_t>("out", 64, 0);
    return args;
  }));
}

void add_augment_cases(std::vector<Case>& cases) {
  const auto add = [&](const char* use, bool large, int64_t rows, int64_t side, int64_t crop, int64_t pad, bool sums) {
    cases.push_back(make_case<AugmentImagesArgs>(&Backend::augment_images, use, large, [=](Place& place) {
      AugmentImagesArgs args{.dtype = place.real(), .rows = rows, .channels = 3};
      args.in_height = args.in_width = side;
      args.out_height = args.out_width = crop;
      args.images = place.typed_input<uint8_t>(rows * 3 * side * side, pixels(1));
      args.index = place.typed_input<int32_t>(rows, integers(2, 0, static_cast<int>(rows) - 1));
      args.scale = place.typed_input<float>(3, constant(1.0 / 255));
      args.shift = place.typed_input<float>(3, constant(-0.25));
      args.scale_count = 3;
      args.pad = pad;
      args.random = args.flip = 1;
      args.brightness = sums ? 63.0f : 0.0f;
      args.contrast_low = sums ? 0.2f : 1.0f;
      args.contrast_high = sums ? 1.8f : 1.0f;
      args.standardise = sums;
      args.seed = 1;
      args.step = place.typed_input<int64_t>(1, constant(7));
      args.steps_per_epoch = 5;
      args.out = place.output("out", rows * 3 * crop * crop, 64 * kUnit);  // of bytes that are few and bright
      return args;
    }));
  };
  add("CIFAR-10, padded, cropped, flipped", false, 128, 32, 32, 4, false);
  add("CIFAR-10, cropped, contrast, standardised", false, 128, 32, 24, 0, true);
  add("large batch, padded, cropped, flipped", true, 4096, 32, 32, 4, false);
}

void add_clock_cases(std::vector<Case>& cases) {
  cases.push_back(make_case<FinishStepArgs>(&Backend::finish_step, "every step", false, [](Place& place) {
    FinishStepArgs args{.dtype = place.real()};
    args.value = place.input(1, reals(1));
    args.history = place.typed_output<float>("history", 16, 0, constant(0));
    args.capacity = 16;
    args.step = place.typed_output<int64_t>("step", 1, 0, constant(5));
    return args;
  }));
  cases.push_back(make_case<IncrementArgs>(&Backend::increment, "every batch norm", false, [](Place& place) {
    return IncrementArgs{.value = place.typed_output<int64_t>("value", 1, 0, constant(5))};
  }));
}

void add_optimizer_cases(std::vector<Case>& cases) {
  // Sizes that one block has room for too; `bench step` times whole networks.
  cases.push_back(make_case<SgdStepsArgs>(&Backend::sgd_steps, "16 steps of linear, batch 32", false, [](Place& place) {
    return steps_args(place, {784, 10}, 32);
  }));
  cases.push_back(make_case<SgdStepsArgs>(&Backend::sgd_steps, "16 steps of dnn on a quarter of its inputs", false,
                                          [](Place& place) {
                                            return steps_args(place, {196, 32, 32, 10}, 64);
                                          }));
  for (const Network& network : networks()) {
    cases.push_back(make_case<SgdArgs>(&Backend::sgd, network.use, network.large, [&network](Place& place) {
      SgdArgs args = optimizer_args<SgdArgs>(place, network, 1);
      args.momentum = 0.9;
      return args;
    }));
    cases.push_back(make_case<AdamArgs>(&Backend::adam, network.use, network.large, [&network](Place& place) {
      AdamArgs args = optimizer_args<AdamArgs>(place, network, 2);
      args.beta1 = 0.9;
      args.beta2 = 0.999;
      args.epsilon = 1e-8;
      return args;
    }));
    cases.push_back(
        make_case<ClipGradientsArgs>(&Backend::clip_gradients, network.use, network.large, [&network](Place& place) {
          ClipGradientsArgs args = table_args<ClipGradientsArgs>(place, network, 0);
          args.max_norm = 1;
          args.factor = place.typed_output<float>("factor", 1, kUpdate);
          return args;
        }));
    cases.push_back(
        make_case<MovingAverageArgs>(&Backend::moving_average, network.use, network.large, [&network](Place& place) {
          MovingAverageArgs args = table_args<MovingAverageArgs>(place, network, 1);
          args.step = place.typed_input<int64_t>(1, constant(7));
          args.decay = 0.999;
          return args;
        }));
  }
}

}  // namespace cairn::benchmarks
