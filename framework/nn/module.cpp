#include "framework/nn/module.h"

#include <algorithm>

#include "framework/error.h"
#include "framework/file.h"
#include "framework/safetensors.h"

namespace cairn {

void Module::register_parameter(const std::string& name, const Tensor& parameter) {
  own_parameters_.push_back({name, parameter});
  own_parameters_.back().tensor.set_requires_grad(true);
}

void Module::forget_parameter(const std::string& name) {
  std::erase_if(own_parameters_, [&](const NamedTensor& each) { return each.name == name; });
}

void Module::register_buffer(const std::string& name, const Tensor& buffer) {
  own_buffers_.push_back({name, buffer});
}

void Module::register_module(const std::string& name, const std::shared_ptr<Module>& module) {
  children_.emplace_back(name, module);
}

void Module::collect(const std::string& prefix, bool buffers, std::vector<NamedTensor>& out) const {
  if (buffers || !frozen_)
    for (const NamedTensor& parameter : own_parameters_) out.push_back({prefix + parameter.name, parameter.tensor});
  if (buffers)
    for (const NamedTensor& buffer : own_buffers_) out.push_back({prefix + buffer.name, buffer.tensor});
  for (const auto& [name, child] : children_) child->collect(name.empty() ? prefix : prefix + name + ".", buffers, out);
}

std::vector<NamedTensor> Module::parameters() const {
  std::vector<NamedTensor> all;
  collect("", false, all);
  return all;
}

std::vector<NamedTensor> Module::state() const {
  std::vector<NamedTensor> all;
  collect("", true, all);
  return all;
}

int64_t Module::parameter_count() const {
  int64_t count = 0;
  for (const NamedTensor& parameter : parameters()) count += parameter.tensor.count();
  return count;
}

void Module::fold() {
  eval();
  folded_ = true;
  for (const auto& [name, child] : children_) child->fold();
  fold_modules();
}

void Module::train(bool on) {
  if (on && folded_) throw Error("a folded network computes, and cannot be trained");
  training_ = on && !evaluates_only_;
  for (const auto& [name, child] : children_) child->train(on);
}

void Module::freeze(bool statistics) {
  frozen_ = true;
  evaluates_only_ = statistics;
  if (statistics) training_ = false;
  for (NamedTensor& parameter : own_parameters_) parameter.tensor.set_requires_grad(false);
  for (const auto& [name, child] : children_) child->freeze(statistics);
}

void Module::set_dropout_source(const DropoutSource& source) {
  uint32_t next_layer = 0;
  visit_dropout(source, next_layer);
}

void Module::visit_dropout(const DropoutSource& source, uint32_t& next_layer) {
  accept_dropout_source(source, next_layer);
  for (const auto& [name, child] : children_) child->visit_dropout(source, next_layer);
}

std::vector<AuxiliaryLogits> Module::take_auxiliary() {
  std::vector<AuxiliaryLogits> all;
  visit_auxiliary(all);
  return all;
}

void Module::visit_auxiliary(std::vector<AuxiliaryLogits>& all) {
  give_auxiliary(all);
  for (const auto& [name, child] : children_) child->visit_auxiliary(all);
}

std::string name_below(const std::string& parent, const std::string& child) {
  return parent.empty() || child.empty() ? parent + child : parent + "." + child;
}

namespace {

const HostTensor* find(const std::vector<HostTensor>& values, const std::string& name) {
  const auto found = std::ranges::find(values, name, &HostTensor::name);
  return found == values.end() ? nullptr : &*found;
}

// How often a batch norm was trained, which changes nothing: weights from before PyTorch 0.4 lack it.
bool may_lack(const std::string& name) {
  return name.ends_with("num_batches_tracked");
}

}  // namespace

void check_fit(const std::vector<NamedTensor>& into, const std::vector<HostTensor>& values, const std::string& where) {
  constexpr int kShown = 8;
  std::string faults;
  int count = 0;
  const auto fault = [&](const std::string& text) {
    if (++count <= kShown) faults += (faults.empty() ? "" : "; ") + text;
  };
  for (const auto& [name, tensor] : into) {
    const HostTensor* value = find(values, name);
    if (!value && may_lack(name)) continue;
    if (!value)
      fault(name + " is missing");
    else if (value->shape != tensor.shape() || value->dtype != tensor.dtype())
      fault(name + " is " + name_of(value->dtype) + value->shape.text() + " there and " + name_of(tensor.dtype()) +
            tensor.shape().text() + " here");
  }
  for (const HostTensor& value : values)
    if (std::ranges::find(into, value.name, &NamedTensor::name) == into.end())
      fault(in_quotes(value.name) + " is unknown here");
  if (count > kShown) faults += "; and " + std::to_string(count - kShown) + " more";
  if (!faults.empty()) throw DataError(where + " does not fit: " + faults);
}

void load_tensors(const std::vector<NamedTensor>& into, const std::vector<HostTensor>& values,
                  const std::string& where) {
  check_fit(into, values, where);
  for (const auto& [name, tensor] : into) {
    const HostTensor* value = find(values, name);
    if (!value || value->bytes.empty()) continue;
    tensor.device()->copy_to_device(tensor.data(), value->bytes.data(), value->bytes.size());
  }
}

std::vector<HostTensor> to_host(const std::vector<NamedTensor>& tensors, const std::string& prefix) {
  std::vector<HostTensor> values;
  for (const auto& [name, tensor] : tensors) {
    HostTensor value{prefix + name, tensor.dtype(), tensor.shape(), {}};
    value.bytes.resize(static_cast<size_t>(tensor.count()) * size_of(tensor.dtype()));
    if (!value.bytes.empty()) tensor.device()->copy_to_host(value.bytes.data(), tensor.data(), value.bytes.size());
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace cairn
