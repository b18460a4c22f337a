// A network in torch::nn, built from a description and trained with torch::optim: the live twin of `compare --live`.
// Not here: the torch implementation of Cairn's primitives (plugin.cpp), with which this shares the library only.
#include <ATen/Parallel.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/index_select.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/modules/pooling.h>
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

#include "kernels/philox.h"
#include "kernels/torch/primitives.h"
#include "kernels/twin.h"

namespace cairn::torch {
namespace {

namespace nn = ::torch::nn;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// What the dropout layers of a twin draw from, and how long they have taken.
struct Draws {
  uint64_t seed = 0;
  int64_t step = 0;
  double seconds = 0;
};

// PyTorch's dropout with Cairn's mask.
struct MaskedDropoutImpl : nn::Module {
  MaskedDropoutImpl(double probability, uint32_t stream, std::shared_ptr<Draws> draws)
      : probability(probability), stream(stream), draws(std::move(draws)) {}
  at::Tensor forward(const at::Tensor& x) {
    const auto begin = Clock::now();
    const at::Tensor mask = keep_mask(x.numel(), draws->seed, stream, static_cast<uint32_t>(draws->step), probability)
                                .view_as(x)
                                .to(x.scalar_type());
    draws->seconds += seconds_since(begin);
    return x.mul(mask).div(1 - probability);
  }
  double probability;
  uint32_t stream;
  std::shared_ptr<Draws> draws;
};

struct GlobalAveragePoolImpl : nn::Module {
  at::Tensor forward(const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}).flatten(1); }
};

// One layer's description with its options by name.
class Description {
 public:
  Description(const TwinLayer& layer, const std::map<std::string, const TwinTensor*>& tensors)
      : name(layer.name), type(layer.type), tensors_(tensors) {
    for (int64_t i = 0; i < layer.option_count; ++i) options_[layer.options[i].name] = layer.options[i].value;
  }
  double number(const char* option) const {
    const auto found = options_.find(option);
    if (found == options_.end()) throw std::invalid_argument(type + " " + name + " has no option " + option);
    return found->second;
  }
  int64_t whole(const char* option) const { return static_cast<int64_t>(number(option)); }
  bool flag(const char* option) const { return number(option) != 0; }
  bool has(const char* tensor) const { return tensors_.count(name + "." + tensor) != 0; }
  int64_t size(const char* tensor, int64_t axis) const {
    const auto found = tensors_.find(name + "." + tensor);
    if (found == tensors_.end()) throw std::invalid_argument(type + " " + name + " has no tensor " + tensor);
    return found->second->sizes[axis];
  }

  std::string name, type;

 private:
  const std::map<std::string, const TwinTensor*>& tensors_;
  std::map<std::string, double> options_;
};

void append(nn::Sequential& network, const Description& layer, const std::shared_ptr<Draws>& draws) {
  // The name as a temporary: of anything else push_back makes a nameless layer.
  const auto add = [&](const auto& module) { network->push_back(std::string(layer.name), module); };
  const auto is = [&](const char* type) { return layer.type == type; };
  if (is("Linear")) {
    const nn::LinearOptions options(layer.size("weight", 1), layer.size("weight", 0));
    add(nn::Linear(options));
  } else if (is("Conv2d")) {
    auto options = nn::Conv2dOptions(layer.size("weight", 1), layer.size("weight", 0), layer.size("weight", 2));
    options.stride(layer.whole("stride")).padding(layer.whole("padding")).bias(layer.has("bias"));
    add(nn::Conv2d(options));
  } else if (is("ReLU")) {
    add(nn::ReLU());
  } else if (is("Tanh")) {
    add(nn::Tanh());
  } else if (is("GELU")) {
    add(nn::GELU());
  } else if (is("Flatten")) {
    add(nn::Flatten());
  } else if (is("Dropout")) {
    const auto stream = static_cast<uint32_t>(layer.number("stream"));
    add(std::make_shared<MaskedDropoutImpl>(layer.number("probability"), stream, draws));
  } else if (is("MaxPool2d")) {
    auto options = nn::MaxPool2dOptions(layer.whole("window")).stride(layer.whole("stride"));
    options.padding(layer.whole("padding")).ceil_mode(layer.flag("ceil"));
    add(nn::MaxPool2d(options));
  } else if (is("AvgPool2d")) {
    auto options = nn::AvgPool2dOptions(layer.whole("window")).stride(layer.whole("stride"));
    options.padding(layer.whole("padding")).ceil_mode(layer.flag("ceil"));
    add(nn::AvgPool2d(options.count_include_pad(layer.flag("count_padding"))));
  } else if (is("GlobalAvgPool2d")) {
    add(std::make_shared<GlobalAveragePoolImpl>());
  } else if (is("BatchNorm2d")) {
    auto options = nn::BatchNorm2dOptions(layer.size("weight", 0)).momentum(layer.number("momentum"));
    add(nn::BatchNorm2d(options.eps(layer.number("epsilon"))));
  } else if (is("LocalResponseNorm")) {
    auto options = nn::LocalResponseNormOptions(layer.whole("size")).alpha(layer.number("alpha"));
    add(nn::LocalResponseNorm(options.beta(layer.number("beta")).k(layer.number("k"))));
  } else {
    throw std::invalid_argument("layer " + layer.name + " is of the type " + layer.type +
                                ", which the twin does not know");
  }
}

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
    const auto bytes = [](const uint8_t* data, at::IntArrayRef sizes) {
      return at::from_blob(const_cast<uint8_t*>(data), sizes, at::TensorOptions().dtype(at::kByte));
    };
    images = bytes(description.images, {count, description.channels, description.height, description.width})
                 .to(at::kFloat)
                 .mul_(description.scale)
                 .add_(description.shift);
    labels = bytes(description.labels, {count}).to(at::kLong);
    draws->seed = description.seed;

    std::map<std::string, const TwinTensor*> given;
    for (int64_t i = 0; i < description.tensor_count; ++i) given[description.tensors[i].name] = &description.tensors[i];
    for (int64_t i = 0; i < description.layer_count; ++i)
      torch::append(network, torch::Description(description.layers[i], given), draws);

    for (const auto& item : network->named_parameters()) tensors[item.key()] = item.value();
    for (const auto& item : network->named_buffers()) tensors[item.key()] = item.value();
    for (const auto& [name, tensor] : given) {
      const auto found = tensors.find(name);
      const at::IntArrayRef sizes(tensor->sizes, static_cast<size_t>(tensor->rank));
      if (found == tensors.end() || found->second.sizes() != sizes)
        throw std::invalid_argument("the twin has no tensor " + name + " of that shape");
      found->second.detach().copy_(at::from_blob(const_cast<float*>(tensor->values), sizes));
    }
    optimizer = torch::optimizer_of(description, network->parameters());
  }

  float step(const int32_t* index, int64_t rows, double rate) {
    at::Tensor x = images, wanted = labels;
    if (index) {
      const at::Tensor batch = at::from_blob(const_cast<int32_t*>(index), {rows}, at::TensorOptions().dtype(at::kInt));
      x = at::index_select(images, 0, batch);
      wanted = at::index_select(labels, 0, batch);
    }
    optimizer->zero_grad();
    const at::Tensor loss = at::cross_entropy_loss(network->forward(x), wanted);
    loss.backward();
    for (auto& group : optimizer->param_groups()) group.options().set_lr(rate);
    optimizer->step();
    return loss.item<float>();
  }

  int32_t threads;
  at::Tensor images, labels;
  std::shared_ptr<torch::Draws> draws = std::make_shared<torch::Draws>();
  ::torch::nn::Sequential network;
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
      .layout = seam_layout(),
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
