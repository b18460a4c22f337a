"""Cairn's networks as torch.nn, with Cairn's initial weights and dropout masks. Parameters have the same names.

A network is a list of layers: ("conv", outputs, kernel[, stride, padding]), ("linear", outputs), ("relu",), ("pool"[, window,
stride, padding, ceil]), ("maxpool",) and ("avgpool",) over the whole plane, ("norm", size, alpha, beta, k), ("dropout", probability),
("residual", body, shortcut), the shortcut being None or a list, and ("concat", branch, branch, ...). Not here: what they are trained
with (recipes.py), residual networks with batch normalisation (resnet.py).
"""
import collections
import itertools
import math

import numpy
import torch

import philox
import resnet
import texts

RELU, POOL, HALF, QUARTER, FIFTH = ("relu",), ("pool",), ("dropout", 0.5), ("dropout", 0.25), ("dropout", 0.2)
NEXT, AROUND = ("pool", 3, 2, 1), ("pool", 3, 1, 1)
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


def same(outputs, kernel=3, stride=1):
    return ("conv", outputs, kernel, stride, kernel // 2)


def small_vgg(*widths):
    layers = [layer for width in widths for layer in (same(width), RELU, same(width), RELU, POOL, HALF)]
    return layers + [("linear", 512), RELU, HALF, ("linear", 10)]


def plain():
    layers = [same(16)]
    for width in (16, 32, 64):
        for number in range(6):
            layers += [same(width, 3, 2 if width > 16 and number == 0 else 1), RELU]
    return layers + [("avgpool",), ("linear", 10)]


def shortcuts():
    layers = [same(16)]
    for width in (16, 32, 64):
        for number in range(3):
            halves = width > 16 and number == 0
            layers.append(("residual", [same(width, 3, 2 if halves else 1), RELU, same(width)],
                           [same(width, 1, 2)] if halves else None))
    return layers + [("maxpool",), ("linear", 10)]


def branch(outputs, kernel=3):
    return [same(outputs, kernel), RELU]


def narrowed(one, before_three, three, before_five, five, pooled):
    return ("concat", branch(one, 1), branch(before_three, 1) + branch(three), branch(before_five, 1) + branch(five, 5),
            [AROUND] + branch(pooled, 1))


def tutorial(classes):
    norm, halved = ("norm", 9, 0.001, 0.75, 1), ("pool", 3, 2, 0, True)
    return [same(64, 5), RELU, halved, norm, same(64, 5), RELU, norm, halved, ("linear", 384), RELU, ("linear", 192), RELU,
            ("linear", classes)]


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
    "cifar-fcn": [("linear", 4000), RELU, HALF, ("linear", 10)],
    "cifar-alexnet": [("conv", 6, 7, 1, 3), RELU, POOL, FIFTH, ("conv", 16, 5, 1, 2), RELU, POOL, FIFTH]
    + [same(32), RELU] * 3 + [POOL, ("linear", 120), RELU, FIFTH, ("linear", 84), RELU, FIFTH, ("linear", 10)],
    "cifar-vgg1": small_vgg(16),
    "cifar-vgg2": small_vgg(16, 32),
    "cifar-vgg3": small_vgg(16, 32, 64),
    "cifar-plain": plain(),
    "cifar-resnet": shortcuts(),
    "cifar-inception": [same(16), RELU, NEXT, ("concat", branch(32, 1), branch(32), branch(32, 5), [AROUND]), NEXT,
                        ("concat", branch(64, 1), branch(64), branch(64, 5), [AROUND]), NEXT]
    + [("linear", 256), RELU, HALF, ("linear", 10)],
    "cifar-inception2": [same(16), RELU, NEXT, ("concat", branch(32, 1), branch(32), branch(16, 5), [AROUND]), NEXT,
                         narrowed(64, 64, 128, 16, 32, 64), NEXT, narrowed(128, 128, 256, 32, 32, 128), NEXT]
    + [("linear", 256), RELU, HALF, ("linear", 10)],
    "cifar-vgg": [layer for width in (50, 100) for layer in (same(width), RELU, same(width), POOL, RELU, QUARTER)]
    + [("linear", 512), RELU, HALF, ("linear", 10)],
    "cifar-tutorial": tutorial(10),
    "imagenet-tutorial": tutorial(1000),
}
BLOCKS = {"resnet20": 3, "resnet56": 9}  # of each of three widths
INPUTS = {"cifar-tutorial": (3, 24, 24), "imagenet-tutorial": (3, 24, 24)}  # where augmentation crops the data's images


def shape_of(model):
    """Of the data's images, or texts.SHAPE."""
    if model in texts.MODELS:
        return texts.SHAPE
    return CIFAR_SHAPE if model.startswith(("cifar", "imagenet", "resnet")) else MNIST_SHAPE


def input_shape(model):
    """Of what the network sees, after augmentation; or texts.SHAPE."""
    return INPUTS.get(model, shape_of(model))


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


class Residual(torch.nn.Sequential):
    """max(0, body + shortcut): the body's layers are this module's own, the last but for a shortcut that is not None."""

    def __init__(self, body, shortcut):
        super().__init__(body)
        self.body = list(self)
        self.shortcut = shortcut

    def forward(self, x):
        y = x
        for layer in self.body:
            y = layer(y)
        return torch.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class Concat(torch.nn.Sequential):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)


class Stack:
    """Writes layers one after the other, with their names, keeping account of shapes. masks: makes a dropout layer of its
    probability."""

    def __init__(self, shape, masks):
        self.shape, self.masks = shape, masks  # C x H x W, or a width
        self.layers, self.counts = collections.OrderedDict(), collections.Counter()

    def add(self, kind, layer):
        self.counts[kind] += 1
        self.layers[kind + str(self.counts[kind])] = layer

    def windowed(self, outputs, kernel, stride, padding, ceil=False):
        self.shape = (outputs, *(-((kernel - side - 2 * padding) // stride) + 1 if ceil
                                 else (side + 2 * padding - kernel) // stride + 1 for side in self.shape[1:]))

    def conv(self, outputs, kernel, stride=1, padding=0):
        self.add("conv", torch.nn.Conv2d(self.shape[0], outputs, kernel, stride=stride, padding=padding))
        self.windowed(outputs, kernel, stride, padding)

    def pool(self, window=2, stride=None, padding=0, ceil=False):
        self.add("pool", torch.nn.MaxPool2d(window, stride, padding, ceil_mode=ceil))
        self.windowed(self.shape[0], window, stride or window, padding, ceil)

    def plane(self, pool):
        self.add("pool", torch.nn.Sequential(pool, torch.nn.Flatten()))
        self.shape = self.shape[:1]

    def linear(self, outputs):
        if len(self.shape) > 1:
            self.layers["flatten"] = torch.nn.Flatten()
        self.add("fc", torch.nn.Linear(math.prod(self.shape), outputs))
        self.shape = (outputs,)

    def part(self, layers):
        """Of a block: its layers by name, and the shape of its result."""
        own = Stack(self.shape, self.masks)
        own.write(layers)
        return own.layers, own.shape

    def residual(self, body, shortcut):
        layers, shape = self.part(body)
        beside = None if shortcut is None else torch.nn.Sequential(self.part(shortcut)[0])
        self.add("block", Residual(layers, beside))
        self.shape = shape

    def concat(self, *branches):
        parts = [self.part(branch) for branch in branches]
        self.add("inception", Concat(collections.OrderedDict(
            (f"branch{number}", torch.nn.Sequential(layers)) for number, (layers, _) in enumerate(parts, 1))))
        self.shape = (sum(shape[0] for _, shape in parts), *parts[0][1][1:])

    def write(self, layers):
        own = {"conv": self.conv, "pool": self.pool, "linear": self.linear, "residual": self.residual,
               "concat": self.concat, "maxpool": lambda: self.plane(torch.nn.AdaptiveMaxPool2d(1)),
               "avgpool": lambda: self.plane(torch.nn.AdaptiveAvgPool2d(1)),
               "relu": lambda: self.add("relu", torch.nn.ReLU()),
               "norm": lambda *values: self.add("norm", torch.nn.LocalResponseNorm(*values)),
               "dropout": lambda probability: self.add("dropout", self.masks(probability))}
        for kind, *values in layers:
            own[kind](*values)


def build(model, clock=None):
    """The network. With a clock it has Cairn's dropout, without one PyTorch's own."""
    if model in BLOCKS:
        return resnet.build(BLOCKS[model])
    if model in texts.MODELS:
        return texts.Network(**texts.MODELS[model])
    numbers = itertools.count()
    stack = Stack(input_shape(model),
                  lambda probability: Dropout(next(numbers), probability, clock) if clock else torch.nn.Dropout(probability))
    stack.write(MODELS[model])
    return torch.nn.Sequential(stack.layers)


def bound_of(init, shape):
    """b of a rule U(+-b)."""
    fan_in, rule = math.prod(shape[1:]), init["weight"]
    fan_out = shape[0] * math.prod(shape[2:])
    if rule == "pytorch":
        return 1 / math.sqrt(fan_in)
    if rule == "glorot-uniform":
        return math.sqrt(6 / (fan_in + fan_out))
    if rule == "xavier-uniform":
        return math.sqrt(2 * init["weight_value"] / (fan_in + fan_out))
    if rule == "caffe-xavier":
        return math.sqrt(3 / fan_in)
    if rule == "cudnn-training":
        return math.sqrt(3 / (fan_in if len(shape) == 4 else math.prod(shape)))
    return 0


def initialise(network, init, seed):
    """Cairn's initial weights: the n-th parameter takes its draws from the n-th stream; those of batch normalisation,
    and a recurrent layer's learnt start, which are no draws, take none."""
    bound = fan_in = 0
    layers = iter(init.get("layers", []))
    normalised = {name for name, module in network.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    drawn = [each for each in network.named_parameters() if each[0].rpartition(".")[0] not in normalised and each[0] != "gru.h0"]
    for number, (name, parameter) in enumerate(drawn):
        shape, count = tuple(parameter.shape), parameter.numel()
        stream = philox.stream_of(philox.INIT, number)
        own = texts.bound_of(name, init) if isinstance(network, texts.Network) else None
        if own is not None:
            values = philox.uniform(seed, stream, count, -own, own) if own else philox.normal(seed, stream, count, 1)
        elif name.endswith(".weight"):
            weight_value, bias_value = next(layers, (init["weight_value"], init["bias_value"]))
            rule, fan_in = init["weight"], math.prod(shape[1:])
            bound = bound_of(init, shape)
            if rule == "he-normal":
                values = philox.normal(seed, stream, count, math.sqrt(2 / fan_in))
            elif rule == "truncated-normal":
                values = philox.truncated_normal(seed, stream, count, weight_value)
            elif rule == "unit-uniform":
                values = philox.uniform(seed, stream, count, 0, 1)
            else:
                values = philox.uniform(seed, stream, count, -bound, bound)
        elif init["bias"] == "constant":
            values = numpy.full(count, bias_value, numpy.float32)
        else:
            width = bound if init["bias"] == "weight" else 1 / math.sqrt(fan_in)
            values = philox.uniform(seed, stream, count, -width, width)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values.reshape(shape)))
