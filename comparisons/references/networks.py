"""Cairn's networks as torch.nn, with Cairn's initial weights and dropout masks. Parameters have the same names.

A network is a list of layers: ("conv", outputs, kernel[, stride, padding]), ("linear", outputs), ("relu",),
("pool",) and ("dropout", probability). Not here: what they are trained with (recipes.py).
"""
import collections
import math

import numpy
import torch

import philox

RELU, POOL, HALF, FIFTH = ("relu",), ("pool",), ("dropout", 0.5), ("dropout", 0.2)
MNIST_SHAPE, CIFAR_SHAPE = (1, 28, 28), (3, 32, 32)


def dense(*widths, dropout=False):
    layers = []
    for width in widths:
        layers += [("linear", width), RELU] + ([HALF] if dropout else [])
    return layers + [("linear", 10)]


def caffe_lenet(channels, relu=False):
    between = [RELU] if relu else []
    return ([("conv", 20, 5)] + between + [POOL, ("conv", channels, 5)] + between
            + [POOL, ("linear", 500), RELU, ("linear", 10)])


def lenet5(between):
    return [("conv", 6, 5, 1, 2), RELU, POOL, ("conv", 16, 5), RELU, POOL, ("linear", 120)] + between + [
        ("linear", 84)] + between + [("linear", 10)]


def largenet(*convolutions):
    layers = []
    for outputs, kernel in convolutions:
        layers += [("conv", outputs, kernel), POOL]
    return layers + [("linear", 500), RELU, ("linear", 10)]


MODELS = {
    "linear": dense(),
    "dnn": dense(32, 32),
    "mlp": dense(1024),
    "mlp-dropout": dense(1024, dropout=True),
    "mlp-wide": dense(2048, dropout=True),
    "mlp-deep": dense(1024, 512, 512, dropout=True),
    "lenet": lenet5([RELU]),
    "lenet-playground": lenet5([]),
    "lenet-caffe": caffe_lenet(50),
    "lenet-caffe2": caffe_lenet(100),
    "relunet": caffe_lenet(50, relu=True),
    "cnn": [("conv", 32, 5, 1, 2), RELU, POOL, ("conv", 64, 5, 1, 2), RELU, POOL, ("linear", 1024), RELU, HALF,
            ("linear", 10)],
    "simplecnn": [("conv", 8, 3, 1, 1), RELU, ("conv", 16, 3, 1, 1), RELU, ("conv", 32, 3, 2, 1), RELU,
                  ("conv", 64, 3, 2, 1), RELU, ("conv", 128, 7), RELU, ("linear", 10)],
    "simplenet": [("conv", 20, 5), POOL, ("linear", 10)],
    "largenet": largenet((20, 3), (50, 3), (70, 3)),
    "largenet-1x1": largenet((20, 5), (50, 1), (70, 1)),
    "cifar-lenet": [("conv", 6, 5, 1, 2), RELU, POOL, FIFTH, ("conv", 16, 5), RELU, POOL, FIFTH, ("linear", 120), RELU,
                    FIFTH, ("linear", 84), RELU, FIFTH, ("linear", 10)],
}
SHAPES = {"cifar-lenet": CIFAR_SHAPE}  # of an image; the others' is MNIST's


def shape_of(model):
    return SHAPES.get(model, MNIST_SHAPE)


class Dropout(torch.nn.Module):
    """Dropout with Cairn's mask of this layer and step."""

    def __init__(self, layer, probability, clock):
        super().__init__()
        self.layer, self.probability, self.clock = layer, probability, clock

    def forward(self, x):
        if not self.training:
            return x
        clock = self.clock
        factors = philox.dropout_factors(clock.seed, self.layer, clock.step, tuple(x.shape), self.probability)
        if clock.reversed:
            factors = factors[::-1].copy()
        return x * torch.from_numpy(factors).to(x.device, x.dtype)


class Clock:
    """What dropout draws from: the run's seed and the number of steps done. reversed: the last image comes first."""

    def __init__(self, seed):
        self.seed, self.step, self.reversed = seed, 0, False


def build(model, clock=None):
    """The network as a Sequential. With a clock it has Cairn's dropout, without one PyTorch's own."""
    channels, side, _ = shape_of(model)
    flat = None
    layers, counts = collections.OrderedDict(), collections.Counter()

    def add(kind, layer):
        counts[kind] += 1
        layers[kind + str(counts[kind])] = layer

    for kind, *values in MODELS[model]:
        if kind == "conv":
            outputs, kernel, stride, padding = (values + [1, 0])[:4] if len(values) == 2 else values
            add("conv", torch.nn.Conv2d(channels, outputs, kernel, stride=stride, padding=padding))
            channels, side = outputs, (side + 2 * padding - kernel) // stride + 1
        elif kind == "pool":
            add("pool", torch.nn.MaxPool2d(2))
            side //= 2
        elif kind == "linear":
            if flat is None:
                layers["flatten"], flat = torch.nn.Flatten(), channels * side * side
            add("fc", torch.nn.Linear(flat, values[0]))
            flat = values[0]
        elif kind == "relu":
            add("relu", torch.nn.ReLU())
        else:
            add("dropout", Dropout(counts["dropout"], values[0], clock) if clock else torch.nn.Dropout(values[0]))
    return torch.nn.Sequential(layers)


def bound_of(rule, shape):
    """b of a rule U(+-b)."""
    fan_in = math.prod(shape[1:])
    if rule == "pytorch":
        return 1 / math.sqrt(fan_in)
    if rule == "caffe-xavier":
        return math.sqrt(3 / fan_in)
    if rule == "cudnn-training":
        return math.sqrt(3 / (fan_in if len(shape) == 4 else math.prod(shape)))
    return 0


def initialise(network, init, seed):
    """Cairn's initial weights: the n-th parameter takes its draws from the n-th stream."""
    bound = fan_in = 0
    for number, (name, parameter) in enumerate(network.named_parameters()):
        shape, count = tuple(parameter.shape), parameter.numel()
        stream = philox.stream_of(philox.INIT, number)
        if name.endswith(".weight"):
            rule, fan_in = init["weight"], math.prod(shape[1:])
            bound = bound_of(rule, shape)
            if rule == "he-normal":
                values = philox.normal(seed, stream, count, math.sqrt(2 / fan_in))
            elif rule == "truncated-normal":
                values = philox.truncated_normal(seed, stream, count, init["weight_value"])
            elif rule == "unit-uniform":
                values = philox.uniform(seed, stream, count, 0, 1)
            else:
                values = philox.uniform(seed, stream, count, -bound, bound)
        elif init["bias"] == "constant":
            values = numpy.full(count, init["bias_value"], numpy.float32)
        else:
            width = bound if init["bias"] == "weight" else 1 / math.sqrt(fan_in)
            values = philox.uniform(seed, stream, count, -width, width)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values.reshape(shape)))
