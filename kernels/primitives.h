// The one list of primitives: family, name, arguments. The struct of entries, their names, the implementations'
// declarations and the checks on all of them come from it. A family is a file's name, the same in every implementation:
// where max_pool_backward is, is reference/pooling.cpp or vanilla/pooling.cu. Not here: the arguments' meaning
// (*_args.h).
#pragma once

#include "kernels/data_args.h"
#include "kernels/elementwise_args.h"
#include "kernels/image_args.h"
#include "kernels/loss_args.h"
#include "kernels/matrix_args.h"
#include "kernels/optimizer_args.h"
#include "kernels/sequence_args.h"

// clang-format off
#define CAIRN_PRIMITIVES(PRIMITIVE)                                                                                   \
  PRIMITIVE(gemm, gemm, GemmArgs)                                                                                     \
  PRIMITIVE(byte_linear, byte_linear_forward, ByteLinearForwardArgs)                                                  \
  PRIMITIVE(byte_linear, byte_linear_backward_weight, ByteLinearBackwardWeightArgs)                                   \
  PRIMITIVE(elementwise, add, BinaryArgs)                                                                             \
  PRIMITIVE(elementwise, multiply, BinaryArgs)                                                                        \
  PRIMITIVE(elementwise, scale, ScaleArgs)                                                                            \
  PRIMITIVE(elementwise, copy_rows, CopyRowsArgs)                                                                     \
  PRIMITIVE(elementwise, broadcast_scalar, BroadcastScalarArgs)                                                       \
  PRIMITIVE(bias, bias_forward, BiasForwardArgs)                                                                      \
  PRIMITIVE(bias, bias_backward, BiasBackwardArgs)                                                                    \
  PRIMITIVE(bias, bias_relu_backward, BiasReluBackwardArgs)                                                           \
  PRIMITIVE(activations, relu_forward, ReluForwardArgs)                                                               \
  PRIMITIVE(activations, relu_backward, ReluBackwardArgs)                                                             \
  PRIMITIVE(activations, tanh_forward, TanhForwardArgs)                                                               \
  PRIMITIVE(activations, tanh_backward, TanhBackwardArgs)                                                             \
  PRIMITIVE(activations, sigmoid_forward, SigmoidForwardArgs)                                                         \
  PRIMITIVE(activations, sigmoid_backward, SigmoidBackwardArgs)                                                       \
  PRIMITIVE(activations, gelu_forward, GeluForwardArgs)                                                               \
  PRIMITIVE(activations, gelu_backward, GeluBackwardArgs)                                                             \
  PRIMITIVE(random, dropout, DropoutArgs)                                                                             \
  PRIMITIVE(random, uniform, RandomArgs)                                                                              \
  PRIMITIVE(random, normal, RandomArgs)                                                                               \
  PRIMITIVE(random, add_noise, AddNoiseArgs)                                                                          \
  PRIMITIVE(conv2d, conv2d_forward, Conv2dForwardArgs)                                                                \
  PRIMITIVE(conv2d, conv2d_backward_data, Conv2dBackwardDataArgs)                                                     \
  PRIMITIVE(conv2d, conv2d_backward_filter, Conv2dBackwardFilterArgs)                                                 \
  PRIMITIVE(conv2d, conv2d_backward_bias, Conv2dBackwardBiasArgs)                                                     \
  PRIMITIVE(pooling, max_pool_forward, MaxPoolForwardArgs)                                                            \
  PRIMITIVE(pooling, max_pool_backward, MaxPoolBackwardArgs)                                                          \
  PRIMITIVE(pooling, average_pool_forward, AveragePoolForwardArgs)                                                    \
  PRIMITIVE(pooling, average_pool_backward, AveragePoolBackwardArgs)                                                  \
  PRIMITIVE(normalisation, batch_norm_forward, BatchNormForwardArgs)                                                  \
  PRIMITIVE(normalisation, batch_norm_backward, BatchNormBackwardArgs)                                                \
  PRIMITIVE(normalisation, local_response_norm_forward, LocalResponseNormForwardArgs)                                 \
  PRIMITIVE(normalisation, local_response_norm_backward, LocalResponseNormBackwardArgs)                               \
  PRIMITIVE(softmax, softmax_forward, SoftmaxForwardArgs)                                                             \
  PRIMITIVE(softmax, softmax_backward, SoftmaxBackwardArgs)                                                           \
  PRIMITIVE(losses, cross_entropy_forward, CrossEntropyForwardArgs)                                                   \
  PRIMITIVE(losses, cross_entropy_backward, CrossEntropyBackwardArgs)                                                 \
  PRIMITIVE(losses, squared_error_forward, SquaredErrorForwardArgs)                                                   \
  PRIMITIVE(losses, squared_error_backward, SquaredErrorBackwardArgs)                                                 \
  PRIMITIVE(reductions, sum, SumArgs)                                                                                 \
  PRIMITIVE(reductions, argmax, ArgmaxArgs)                                                                           \
  PRIMITIVE(reductions, classification_metrics, ClassificationMetricsArgs)                                            \
  PRIMITIVE(rows, select_rows, SelectRowsArgs)                                                                        \
  PRIMITIVE(rows, gather_rows, GatherRowsArgs)                                                                        \
  PRIMITIVE(augment, augment_images, AugmentImagesArgs)                                                               \
  PRIMITIVE(embedding, embedding_forward, EmbeddingForwardArgs)                                                       \
  PRIMITIVE(embedding, embedding_backward, EmbeddingBackwardArgs)                                                     \
  PRIMITIVE(gru, gru_forward, GruForwardArgs)                                                                         \
  PRIMITIVE(gru, gru_backward, GruBackwardArgs)                                                                       \
  PRIMITIVE(clock, finish_step, FinishStepArgs)                                                                       \
  PRIMITIVE(clock, increment, IncrementArgs)                                                                          \
  PRIMITIVE(optimizers, sgd, SgdArgs)                                                                                 \
  PRIMITIVE(optimizers, adam, AdamArgs)                                                                               \
  PRIMITIVE(optimizers, clip_gradients, ClipGradientsArgs)                                                            \
  PRIMITIVE(optimizers, moving_average, MovingAverageArgs)                                                            \
  PRIMITIVE(sgd_steps, sgd_steps, SgdStepsArgs)
// clang-format on
