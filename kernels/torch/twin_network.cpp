#include "kernels/torch/twin_network.h"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/zeros.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/modules/pooling.h>
#include <torch/nn/modules/rnn.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "kernels/torch/primitives.h"

namespace cairn::torch {
namespace {

namespace nn = ::torch::nn;

// torch::nn allows no dot in a layer's name.
std::string flat(std::string name) {
  std::replace(name.begin(), name.end(), '.', '/');
  return name;
}

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

// One layer's description with its options by name.
class Description {
 public:
  Description(const TwinLayer& layer, const std::map<std::string, const TwinTensor*>& tensors)
      : name(layer.name), type(layer.type), tensors_(tensors) {
    for (int64_t i = 0; i < layer.option_count; ++i) {
      const TwinOption& option = layer.options[i];
      options_[option.name] = option.value;
      if (std::string(option.name) != "relu" && std::string(option.name) != "weight")
        parts_.push_back(static_cast<int64_t>(option.value));
    }
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

  // Of the height and of the width, which one number says where they are equal.
  ::torch::ExpandingArray<2> sides(const std::string& option) const {
    if (options_.count(option)) return whole(option.c_str());
    return {whole((option + "_height").c_str()), whole((option + "_width").c_str())};
  }

  // Its options that are not `relu` or `weight`, in the description's order: how many lines each part of a block has.
  std::vector<int64_t> parts() const { return parts_; }

  std::string name, type;

 private:
  const std::map<std::string, const TwinTensor*>& tensors_;
  std::map<std::string, double> options_;
  std::vector<int64_t> parts_;
};

// Reads the description line by line. Where a block begins, its parts are the lines that follow.
class Builder {
 public:
  Builder(const TwinNetwork& description, const std::map<std::string, const TwinTensor*>& given,
          const std::shared_ptr<Draws>& draws)
      : description_(description), given_(given), draws_(draws) {}

  std::shared_ptr<Network> build() {
    network_->run = chain(description_.layer_count);
    return network_;
  }

 private:
  // The next `lines` lines, one after the other.
  Forward chain(int64_t lines) {
    std::vector<Forward> layers;
    const int64_t end = next_ + lines;
    if (end > description_.layer_count) throw std::invalid_argument("a block has more lines than the description");
    while (next_ < end) layers.push_back(layer());
    return [layers](const at::Tensor& x) {
      at::Tensor value = x;
      for (const Forward& each : layers) value = each(value);
      return value;
    };
  }

  Forward layer() {
    const Description own(description_.layers[next_++], given_);
    if (own.type != "Residual" && own.type != "Concat" && own.type != "Dense" && own.type != "AuxiliaryHead")
      return leaf(own);
    std::vector<Forward> parts;
    for (const int64_t lines : own.parts()) parts.push_back(chain(lines));
    if (own.type == "Concat")
      return [parts](const at::Tensor& x) {
        std::vector<at::Tensor> values;
        for (const Forward& each : parts) values.push_back(each(x));
        return at::cat(values, 1);
      };
    if (own.type == "Dense") return [parts](const at::Tensor& x) { return at::cat({x, parts[0](x)}, 1); };
    if (own.type == "AuxiliaryHead")
      return [parts, weight = own.number("weight"), network = network_.get()](const at::Tensor& x) {
        network->auxiliary.emplace_back(parts[0](x), weight);
        return x;
      };
    return [parts, relu = own.flag("relu")](const at::Tensor& x) {
      const at::Tensor sum = parts[0](x) + (parts.size() > 1 ? parts[1](x) : x);
      return relu ? sum.relu() : sum;
    };
  }

  Forward leaf(const Description& layer);
  Forward gru(const Description& layer);

  const TwinNetwork& description_;
  const std::map<std::string, const TwinTensor*>& given_;
  std::shared_ptr<Draws> draws_;
  std::shared_ptr<Network> network_ = std::make_shared<Network>();
  int64_t next_ = 0;
};

// From zeros, or from one learnt state for every sequence.
Forward Builder::gru(const Description& layer) {
  const int64_t hidden = layer.size("weight_hh_l0", 1);
  nn::GRU unit(nn::GRUOptions(layer.size("weight_ih_l0", 1), hidden).batch_first(true));
  network_->register_module(flat(layer.name), unit);
  at::Tensor start;
  if (layer.has("h0")) start = unit->register_parameter("h0", at::zeros({1, hidden}));
  return [unit, start, hidden, all_steps = layer.flag("all_steps")](const at::Tensor& x) mutable {
    at::Tensor begin;
    if (start.defined()) begin = start.unsqueeze(1).expand({1, x.size(0), hidden}).contiguous();
    const at::Tensor states = std::get<0>(unit->forward(x, begin));
    return all_steps ? states : states.select(1, -1);
  };
}

Forward Builder::leaf(const Description& layer) {
  const auto add = [&](const auto& module) -> Forward {
    network_->register_module(flat(layer.name), module);
    return [own = std::decay_t<decltype(module)>(module)](const at::Tensor& x) mutable { return own->forward(x); };
  };
  const auto is = [&](const char* type) { return layer.type == type; };
  if (is("Linear")) {
    nn::LinearOptions options(layer.size("weight", 1), layer.size("weight", 0));
    return add(nn::Linear(options.bias(layer.has("bias"))));
  } else if (is("Conv2d")) {
    const ::torch::ExpandingArray<2> kernel({layer.size("weight", 2), layer.size("weight", 3)});
    auto options = nn::Conv2dOptions(layer.size("weight", 1), layer.size("weight", 0), kernel);
    options.stride(layer.whole("stride")).padding(layer.sides("padding")).bias(layer.has("bias"));
    return add(nn::Conv2d(options));
  } else if (is("Embedding")) {
    return add(nn::Embedding(nn::EmbeddingOptions(layer.size("weight", 0), layer.size("weight", 1))));
  } else if (is("Gru")) {
    return gru(layer);
  } else if (is("ReLU")) {
    return add(nn::ReLU());
  } else if (is("Tanh")) {
    return add(nn::Tanh());
  } else if (is("Sigmoid")) {
    return add(nn::Sigmoid());
  } else if (is("GELU")) {
    return add(nn::GELU());
  } else if (is("Flatten")) {
    return add(nn::Flatten());
  } else if (is("Dropout")) {
    const auto stream = static_cast<uint32_t>(layer.number("stream"));
    return add(std::make_shared<MaskedDropoutImpl>(layer.number("probability"), stream, draws_));
  } else if (is("MaxPool2d")) {
    auto options = nn::MaxPool2dOptions(layer.whole("window")).stride(layer.whole("stride"));
    options.padding(layer.whole("padding")).ceil_mode(layer.flag("ceil"));
    return add(nn::MaxPool2d(options));
  } else if (is("AvgPool2d")) {
    auto options = nn::AvgPool2dOptions(layer.whole("window")).stride(layer.whole("stride"));
    options.padding(layer.whole("padding")).ceil_mode(layer.flag("ceil"));
    return add(nn::AvgPool2d(options.count_include_pad(layer.flag("count_padding"))));
  } else if (is("GlobalAvgPool2d")) {
    return [](const at::Tensor& x) { return at::adaptive_avg_pool2d(x, {1, 1}).flatten(1); };
  } else if (is("GlobalMaxPool2d")) {
    return [](const at::Tensor& x) { return at::amax(x, {2, 3}); };
  } else if (is("PaddedShortcut")) {
    const int64_t padding = layer.whole("padding");
    return [padding](const at::Tensor& x) {
      const at::Tensor kept = x.slice(2, 0, x.size(2), 2).slice(3, 0, x.size(3), 2);
      return at::constant_pad_nd(kept, {0, 0, 0, 0, padding, padding});
    };
  } else if (is("BatchNorm2d")) {
    auto options = nn::BatchNorm2dOptions(layer.size("weight", 0)).momentum(layer.number("momentum"));
    return add(nn::BatchNorm2d(options.eps(layer.number("epsilon"))));
  } else if (is("LocalResponseNorm")) {
    auto options = nn::LocalResponseNormOptions(layer.whole("size")).alpha(layer.number("alpha"));
    return add(nn::LocalResponseNorm(options.beta(layer.number("beta")).k(layer.number("k"))));
  }
  throw std::invalid_argument("layer " + layer.name + " is of the type " + layer.type +
                              ", which the twin does not know");
}

}  // namespace

std::map<std::string, at::Tensor> Network::state() const {
  std::map<std::string, at::Tensor> tensors;
  const auto add = [&](const auto& items) {
    for (const auto& item : items) {
      std::string name = item.key();
      std::replace(name.begin(), name.end(), '/', '.');
      tensors[name] = item.value();
    }
  };
  add(named_parameters());
  add(named_buffers());
  return tensors;
}

std::shared_ptr<Network> build_network(const TwinNetwork& description,
                                       const std::map<std::string, const TwinTensor*>& given,
                                       const std::shared_ptr<Draws>& draws) {
  return Builder(description, given, draws).build();
}

}  // namespace cairn::torch
