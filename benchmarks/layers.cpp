#include "benchmarks/layers.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <set>

#include "models/model.h"

namespace cairn::benchmarks {
namespace {

constexpr int64_t kFullBatch = 60000;  // MNIST's training images

int64_t option(const LayerSummary& layer, const std::string& name, int64_t otherwise = 0) {
  for (const auto& [key, value] : layer.options)
    if (key == name) return static_cast<int64_t>(value);
  return otherwise;
}

Shape weight_of(const Module& network, const std::string& layer) {
  for (const NamedTensor& parameter : network.parameters())
    if (parameter.name == layer + ".weight") return parameter.tensor.shape();
  return {};
}

Conv2dShape convolution(int64_t batch, const Shape& in, const Shape& weight, const LayerSummary& layer) {
  const int64_t stride = option(layer, "stride"), padding = option(layer, "padding");
  return {.batch = batch,
          .in_channels = in[0],
          .in_height = in[1],
          .in_width = in[2],
          .out_channels = layer.output[0],
          .out_height = layer.output[1],
          .out_width = layer.output[2],
          .kernel_height = weight[2],
          .kernel_width = weight[3],
          .stride_height = stride,
          .stride_width = stride,
          .pad_height = option(layer, "padding_height", padding),
          .pad_width = option(layer, "padding_width", padding)};
}

void add_network(std::vector<Case>& cases, const ModelInfo& model, const Module& network, int64_t batch) {
  std::vector<LayerSummary> layers;
  network.summarize(model.input, "", layers);
  bool first = true;
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerSummary& layer = layers[i];
    const Shape& in = layer.input;
    const bool relu = i + 1 < layers.size() && layers[i + 1].type == "ReLU";
    const std::string use = fmt::format("{} {}, batch {}", model.name, layer.name, batch);
    if (layer.type == "Conv2d") {
      add_convolution(cases, use, false, convolution(batch, in, weight_of(network, layer.name), layer), first);
      first = false;
    } else if (layer.type == "Linear") {
      add_layer(cases, use, batch, in.count(), layer.output[0], relu, false, first);
      first = false;
    }
  }
}

}  // namespace

std::string case_shape(const Case& one) {
  const std::unique_ptr<Calls> calls = one.calls();
  Place sizes_only(DType::f32, nullptr, nullptr, 0);
  calls->add(sizes_only);
  return calls->shape();
}

std::vector<Case> network_cases() {
  DeviceOptions options;
  options.implementation = "reference";
  options.where = "cpu";
  options.threads = 1;
  const std::shared_ptr<Device> device = Device::open(options);
  std::vector<Case> all;
  for (const ModelInfo& model : known_models()) {
    if (takes_photos(model)) continue;
    Initializer none = Initializer::none();
    const std::shared_ptr<Module> network = model.build(device, none, DType::f32);
    std::set<int64_t> batches;
    for (const Recipe& recipe : model.recipes) batches.insert(recipe.batch_size ? recipe.batch_size : kFullBatch);
    for (const int64_t batch : batches) add_network(all, model, *network, batch);
  }
  std::vector<Case> cases;
  std::map<std::pair<std::string, std::string>, size_t> known;
  for (Case& one : all) {
    const auto [place, is_new] = known.try_emplace({one.primitive, case_shape(one)}, cases.size());
    if (is_new)
      cases.push_back(std::move(one));
    else
      cases[place->second].use += "; " + one.use;
  }
  return cases;
}

}  // namespace cairn::benchmarks
