// Batch normalisation and local response normalisation as differentiable ops. Not here: the layers that own weights and
// running statistics (nn/image_layers.h).
#pragma once

#include "framework/tensor.h"

namespace cairn {

// y = (x - mean) / sqrt(variance + epsilon) * weight + bias, per channel (Ioffe & Szegedy 2015).
// x: N x C x H x W;  the others: C. training: with x's own mean and biased variance, and running = (1 - momentum)
// running + momentum * x's (unbiased variance), written in place, with gradients on or off; otherwise with the running
// ones. Errors: ShapeError.
Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_variance, bool training, double momentum = 0.1, double epsilon = 1e-5);

// y = x * (k + alpha / size * sum of x^2 over `size` neighbouring channels)^-beta (Krizhevsky et al. 2012; where the
// original multiplies the plain sum, alpha is `size` times its). x: N x C x H x W. Errors: ShapeError.
Tensor local_response_norm(const Tensor& x, int64_t size, double alpha = 1e-4, double beta = 0.75, double k = 1);

}  // namespace cairn
