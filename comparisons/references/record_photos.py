#!/usr/bin/env python3
"""Records what torchvision's networks for photos make of Cairn's weights and drawn images, for a test to be compared with.

    python3 comparisons/references/record_photos.py --out comparisons/references/photos

Each network starts from Cairn's draws (networks.initialise). Recorded are logits of two images in evaluation mode, at some places
of each, and the losses of ten steps of plain SGD on one batch of four, in training mode: batch statistics, Cairn's dropout masks;
and how far PyTorch leaves those losses with the channels last in memory, which is rounding alone.
Images are normal draws. `resnet50-v1` is torchvision's ResNet-50 with the strides moved to the first convolution of a block. The loss of
`inception-v3` is the logits' and AUXILIARY times that of its auxiliary head's.

Needs numpy, torch and torchvision.
"""
import argparse
import itertools
import json
import math
import pathlib
import sys
import time

import numpy
import torch
import torchvision
from torch.nn import functional

import networks
import number
import philox

MODELS = ("alexnet", "densenet121", "inception-v3", "resnet18", "resnet50", "resnet50-v1", "resnet101", "vgg16")
SEED, IMAGES_STREAM = 1, 99  # of a purpose of its own: no parameter draws from it
SHOWN, BATCH, STEPS = 2, 4, 10
# So low that rounding stays rounding: logits are large at the start.
RATES = {"alexnet": 1e-3, "densenet121": 2e-5, "inception-v3": 1e-8, "resnet18": 1e-4, "resnet50": 1e-7, "resnet50-v1": 1e-7,
         "resnet101": 1e-8, "vgg16": 1e-7}
AUXILIARY = 0.4  # as PyTorch's tutorial on finetuning torchvision's models has it
PLACES = 50  # of an image's logits
HE = {"weight": "he-normal", "bias": "constant", "weight_value": 0, "bias_value": 0}
PYTORCH = {"weight": "pytorch", "bias": "pytorch", "weight_value": 0, "bias_value": 0}


def move_strides(network):
    """To where He et al. have them."""
    for layer in (network.layer2, network.layer3, network.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    return network


def own_dropout(network, clock):
    """Puts Cairn's masks where torchvision's layers have their own."""
    numbers = itertools.count()
    for module in network.modules():
        for name, child in module.named_children():
            if isinstance(child, torch.nn.Dropout):
                setattr(module, name, networks.Dropout(next(numbers), child.p, clock))


def build(model, clock):
    if model == "inception-v3":
        network = torchvision.models.inception_v3(weights=None, init_weights=False)
    else:
        network = getattr(torchvision.models, model.removesuffix("-v1"))(weights=None)
    if model == "resnet50-v1":
        move_strides(network)
    own_dropout(network, clock)
    networks.initialise(network, PYTORCH if model == "alexnet" else HE, SEED)
    return network


def loss_of(outputs, labels):
    if not isinstance(outputs, tuple):
        return functional.cross_entropy(outputs, labels)
    logits, auxiliary = outputs
    return functional.cross_entropy(logits, labels) + AUXILIARY * functional.cross_entropy(auxiliary, labels)


def losses_of(model, network, clock, images):
    labels = torch.arange(BATCH) * 250
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATES[model])
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(network(images), labels)
        loss.backward()
        optimizer.step()
        clock.step += 1
        losses.append(loss.item())
    return losses


def record(model):
    clock = networks.Clock(SEED)
    network = build(model, clock)
    side = 299 if model == "inception-v3" else 224
    shape = (BATCH, 3, side, side)
    images = torch.from_numpy(philox.normal(SEED, IMAGES_STREAM, math.prod(shape), 1).reshape(shape))
    network.eval()
    with torch.no_grad():
        logits = network(images[:SHOWN])
    losses = losses_of(model, network, clock, images)
    clock = networks.Clock(SEED)
    last = torch.channels_last
    others = losses_of(model, build(model, clock).to(memory_format=last), clock, images.contiguous(memory_format=last))
    places = [2654435761 * (k + 1) % logits.shape[1] for k in range(PLACES)]
    return {"torch": torch.__version__, "torchvision": torchvision.__version__, "seed": SEED, "images_stream": IMAGES_STREAM,
            "batch_size": BATCH, "learning_rate": RATES[model],
            "logits": [[float(numpy.float32(row[place])) for place in places] for row in logits.numpy()],
            "norms": [float(row.double().norm()) for row in logits], "losses": losses,
            "own_deviation": max(abs(other - loss) / loss for other, loss in zip(others, losses))}


def main():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=pathlib.Path(__file__).resolve().parent / "photos", type=pathlib.Path)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--threads", type=number.THREADS, default=0, help="default PyTorch's choice")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(exist_ok=True)
    for model in arguments.models:
        begin = time.perf_counter()
        text = "{" + ",\n ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record(model).items()) + "}"
        (arguments.out / f"{model}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{model}: {time.perf_counter() - begin:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
