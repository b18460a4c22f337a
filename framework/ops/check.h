// The checks that open every op, and their texts: op, rule, what was expected, what came. Not here: the ops.
#pragma once

#include <string>

#include "framework/error.h"
#include "framework/tensor.h"

namespace cairn::check {

// "f32[64, 784] on vanilla on cpu"
inline std::string describe(const Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  return name_of(tensor.dtype()) + tensor.shape().text() + " on " + tensor.device()->label();
}

[[noreturn]] inline void fail(const char* op, const std::string& rule, const std::string& came) {
  throw ShapeError(std::string(op) + ": " + rule + "; got " + came);
}

inline void defined(const char* op, const char* name, const Tensor& tensor) {
  if (!tensor.defined()) fail(op, std::string(name) + " must be a tensor", "none");
}

inline void floating(const char* op, const char* name, const Tensor& tensor) {
  defined(op, name, tensor);
  if (tensor.dtype() != DType::f32 && tensor.dtype() != DType::f64)
    fail(op, std::string(name) + " must be f32 or f64", describe(tensor));
  if (!tensor.device()->supports(tensor.dtype()))
    fail(op, tensor.device()->label() + " computes in f32 only (--impl reference has f64)", describe(tensor));
}

// The same of an operand whose values the op reads: rows of a byte data set get theirs here.
inline void values(const char* op, const char* name, const Tensor& tensor) {
  floating(op, name, tensor);
  tensor.gather();
}

inline void rank(const char* op, const char* name, const Tensor& tensor, int expected, const char* layout) {
  if (tensor.shape().rank() != expected)
    fail(op, std::string(name) + " must have the layout " + layout, describe(tensor));
}

// Same device and same dtype.
inline void together(const char* op, const char* name_a, const Tensor& a, const char* name_b, const Tensor& b) {
  if (a.device() != b.device() || a.dtype() != b.dtype())
    fail(op, std::string(name_a) + " and " + name_b + " must have one dtype and live on one device",
         describe(a) + " and " + describe(b));
}

inline void same_shape(const char* op, const char* name_a, const Tensor& a, const char* name_b, const Tensor& b) {
  together(op, name_a, a, name_b, b);
  if (a.shape() != b.shape())
    fail(op, std::string(name_a) + " and " + name_b + " must have one shape", describe(a) + " and " + describe(b));
}

// Class labels for a rows x columns matrix of scores.
inline void labels(const char* op, const Tensor& scores, const Tensor& labels) {
  defined(op, "labels", labels);
  if (labels.dtype() != DType::i32 || labels.shape().rank() != 1 || labels.shape()[0] != scores.shape()[0] ||
      labels.device() != scores.device())
    fail(op, "labels must be i32 with one value per row of logits (N x classes)",
         describe(labels) + " for " + describe(scores));
}

}  // namespace cairn::check
