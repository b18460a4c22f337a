// The live twin of `compare --live`: a network in torch::nn, trained with torch::optim. Not here: how it is built from
// a description (twin_network.h), the torch implementation of Cairn's primitives (plugin.cpp).
#include <ATen/Parallel.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <torch/version.h>

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "kernels/torch/twin_network.h"

namespace cairn::torch {
namespace {

std::unique_ptr<::torch::optim::Optimizer> optimizer_of(const TwinNetwork& network,
                                                        const std::vector<at::Tensor>& parameters) {
  namespace optim = ::torch::optim;
  constexpr double kRate = 1;  // each step sets its own
  if (network.optimizer == TwinOptimizer::adam)
    return std::make_unique<optim::Adam>(parameters, optim::AdamOptions(kRate).weight_decay(network.weight_decay));
  if (network.optimizer == TwinOptimizer::adamw)
    return std::make_unique<optim::AdamW>(parameters, optim::AdamWOptions(kRate).weight_decay(network.weight_decay));
  auto options = optim::SGDOptions(kRate).momentum(network.momentum).weight_decay(network.weight_decay);
  return std::make_unique<optim::SGD>(parameters, options);
}

thread_local std::string last_error_text;

// Runs body; what it throws becomes the last error's one line, and `otherwise` the result.
template <class Result, class Body>
Result guarded(Result otherwise, const Body& body) {
  try {
    return body();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    last_error_text = "LibTorch: " + text.substr(0, text.find('\n'));
    return otherwise;
  }
}

}  // namespace
}  // namespace cairn::torch

namespace cairn {

struct Twin {
  explicit Twin(const TwinNetwork& description) : threads(description.threads) {
    const int64_t count = description.count;
    const auto given_as = [](auto* data, at::IntArrayRef sizes, at::ScalarType type) {
      return at::from_blob(const_cast<void*>(static_cast<const void*>(data)), sizes, at::TensorOptions().dtype(type));
    };
    if (description.images)
      samples =
          given_as(description.images, {count, description.channels, description.height, description.width}, at::kByte)
              .to(at::kFloat)
              .mul_(for_channels(description.scale, description))
              .add_(for_channels(description.shift, description));
    else
      samples = given_as(description.tokens, {count, description.length}, at::kInt).to(at::kLong);
    labels = given_as(description.labels, {count}, at::kInt).to(at::kLong);
    draws->seed = description.seed;

    std::map<std::string, const TwinTensor*> given;
    for (int64_t i = 0; i < description.tensor_count; ++i) given[description.tensors[i].name] = &description.tensors[i];
    network = torch::build_network(description, given, draws);
    tensors = network->state();
    for (const auto& [name, tensor] : given) {
      const auto found = tensors.find(name);
      const at::IntArrayRef sizes(tensor->sizes, static_cast<size_t>(tensor->rank));
      if (found == tensors.end() || found->second.sizes() != sizes)
        throw std::invalid_argument("the twin has no tensor " + name + " of that shape");
      found->second.detach().copy_(at::from_blob(const_cast<float*>(tensor->values), sizes));
    }
    for (const auto& [name, tensor] : tensors)
      if (tensor.requires_grad() && !given.count(name))
        throw std::invalid_argument("the twin has a tensor " + name + ", which it was not given");
    optimizer = torch::optimizer_of(description, network->parameters());
  }

  // One value, or one for each channel.
  static at::Tensor for_channels(const float* values, const TwinNetwork& description) {
    return at::from_blob(const_cast<float*>(values), {description.scale_count, 1, 1}).clone();
  }

  float step(const int32_t* index, int64_t rows, double rate) {
    at::Tensor x = samples, wanted = labels;
    if (index) {
      const at::Tensor batch = at::from_blob(const_cast<int32_t*>(index), {rows}, at::TensorOptions().dtype(at::kInt));
      x = at::index_select(samples, 0, batch);
      wanted = at::index_select(labels, 0, batch);
    }
    optimizer->zero_grad();
    at::Tensor loss = at::cross_entropy_loss(network->forward(x), wanted);
    for (const auto& [logits, weight] : network->auxiliary)
      loss = loss + weight * at::cross_entropy_loss(logits, wanted);
    loss.backward();
    for (auto& group : optimizer->param_groups()) group.options().set_lr(rate);
    optimizer->step();
    return loss.item<float>();
  }

  int32_t threads;
  at::Tensor samples, labels;
  std::shared_ptr<torch::Draws> draws = std::make_shared<torch::Draws>();
  std::shared_ptr<torch::Network> network;
  std::map<std::string, at::Tensor> tensors;
  std::unique_ptr<::torch::optim::Optimizer> optimizer;
};

namespace {

Twin* create(const TwinNetwork* network) {
  return torch::guarded<Twin*>(nullptr, [&] { return new Twin(*network); });
}

double train(Twin* twin, int64_t first, int64_t steps, const int32_t* index, int64_t rows, const double* rates,
             float* losses) {
  return torch::guarded(-1.0, [&] {
    at::set_num_threads(twin->threads);
    twin->network->train();
    twin->draws->seconds = 0;
    const auto begin = torch::Clock::now();
    for (int64_t s = 0; s < steps; ++s) {
      twin->draws->step = first + s;
      losses[s] = twin->step(index ? index + s * rows : nullptr, rows, rates[s]);
    }
    return torch::seconds_since(begin) - twin->draws->seconds;
  });
}

int32_t read(Twin* twin, const char* name, float* values, int64_t count) {
  return torch::guarded(1, [&] {
    const auto found = twin->tensors.find(name);
    if (found == twin->tensors.end() || found->second.numel() != count)
      throw std::invalid_argument(std::string("the twin has no tensor ") + name + " of that size");
    const at::Tensor dense = found->second.detach().to(at::kFloat).contiguous();
    std::memcpy(values, dense.data_ptr(), static_cast<size_t>(count) * sizeof(float));
    return 0;
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const TwinFunctions* cairn_twin_plugin() {
  static const TwinFunctions functions{
      .layout = twin_layout(),
      .library = "LibTorch " TORCH_VERSION,
      .last_error = [] { return torch::last_error_text.c_str(); },
      .create = create,
      .train = train,
      .read = read,
      .destroy = [](Twin* twin) { delete twin; },
  };
  return &functions;
}

}  // namespace cairn
