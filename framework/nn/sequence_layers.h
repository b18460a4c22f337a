// Layers for sequences, with PyTorch's names and layouts. Not here: the formulas (kernels/sequence_args.h).
#pragma once

#include "framework/nn/init.h"
#include "framework/nn/module.h"

namespace cairn {

// i32 of any shape to that shape x features.   weight: vocabulary x features
class Embedding : public Module {
 public:
  Embedding(const std::shared_ptr<Device>& device, int64_t vocabulary, int64_t features, Initializer& initializer,
            DType dtype = DType::f32);
  Tensor forward(const Tensor& ids) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

  Tensor weight;
};

struct GruOptions {
  bool all_steps = false;    // N x time x hidden is returned, not the last step's N x hidden
  bool learn_start = false;  // the state before the first step is a parameter, h0, the same for every sequence
};

// One layer of gated recurrent units over N x time x inputs.
// weight_ih_l0: 3 hidden x inputs;  weight_hh_l0: 3 hidden x hidden;  bias_ih_l0, bias_hh_l0: 3 hidden;  h0: 1 x hidden
class Gru : public Module {
 public:
  Gru(const std::shared_ptr<Device>& device, int64_t inputs, int64_t hidden, Initializer& initializer,
      const GruOptions& options = {}, DType dtype = DType::f32);
  Tensor forward(const Tensor& x) override;
  Shape summarize(const Shape& sample, const std::string& name, std::vector<LayerSummary>& layers) const override;

  Tensor weight_ih, weight_hh, bias_ih, bias_hh, h0;

 private:
  GruOptions options_;
};

}  // namespace cairn
