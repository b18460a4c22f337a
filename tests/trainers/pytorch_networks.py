"""PyTorch's side of test_pytorch_weights.cpp.

usage: pytorch_networks.py MODEL...    for each: loads MODEL/model.safetensors strictly, saves a state_dict of its own as
MODEL/pytorch.safetensors, and writes the bytes of both in state_dict's order and the logits of MODEL/images.safetensors.
"""
import collections
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn

CAFFE = "conv 20 5, {0}pool, conv {1} 5, {0}pool, fc 500, relu, fc 10"
LARGE = "conv 20 {0}, pool, conv 50 {1}, pool, conv 70 {1}, pool, fc 500, relu, fc 10"
DROPOUT = "relu, dropout, "

# conv: channels, kernel, then stride, padding and bias as 0 or 1, where they are not 1, 0 and 1; fc: outputs.
NETWORKS = {
    "linear": "fc 10",
    "dnn": "fc 32, relu, fc 32, relu, fc 10",
    "mlp": "fc 1024, relu, fc 10",
    "mlp-dropout": f"fc 1024, {DROPOUT}fc 10",
    "mlp-wide": f"fc 2048, {DROPOUT}fc 10",
    "mlp-deep": f"fc 1024, {DROPOUT}fc 512, {DROPOUT}fc 512, {DROPOUT}fc 10",
    "lenet": "conv 6 5 1 2, relu, pool, conv 16 5, relu, pool, fc 120, relu, fc 84, relu, fc 10",
    "lenet-playground": "conv 6 5 1 2, relu, pool, conv 16 5, relu, pool, fc 120, fc 84, fc 10",
    "lenet-caffe": CAFFE.format("", 50),
    "lenet-caffe2": CAFFE.format("", 100),
    "relunet": CAFFE.format("relu, ", 50),
    "cnn": f"conv 32 5 1 2, relu, pool, conv 64 5 1 2, relu, pool, fc 1024, {DROPOUT}fc 10",
    "simplecnn": "conv 8 3 1 1, relu, conv 16 3 1 1, relu, conv 32 3 2 1, relu, conv 64 3 2 1, relu, conv 128 7, relu, "
    "fc 10",
    "simplenet": "conv 20 5, pool, fc 10",
    "largenet": LARGE.format(3, 3),
    "largenet-1x1": LARGE.format(5, 1),
    "cifar-lenet": "conv 6 5 1 2, relu, pool, dropout, conv 16 5, relu, pool, dropout, fc 120, relu, dropout, fc 84, relu, "
    "dropout, fc 10",
    "batch-norm": "conv 8 3 1 1 0, bn, relu, pool, fc 10",
}


def build(description, images):
    """The network, its layers named by kind and number: conv1, relu1, ..."""
    layers, counts = collections.OrderedDict(), collections.Counter()
    sample = torch.zeros_like(images)
    for kind, *numbers in (layer.split() for layer in description.split(", ")):
        if kind == "fc" and sample.dim() > 2:
            layers["flatten"] = nn.Flatten()
            sample = layers["flatten"](sample)
        width = sample.shape[1]
        if kind == "conv":
            channels, kernel, stride, padding, bias = [int(n) for n in numbers] + [1, 0, 1][len(numbers) - 2 :]
            layer = nn.Conv2d(width, channels, kernel, stride, padding, bias=bool(bias))
        else:
            layer = {
                "bn": lambda: nn.BatchNorm2d(width),
                "relu": nn.ReLU,
                "pool": lambda: nn.MaxPool2d(2),
                "dropout": nn.Dropout,
                "fc": lambda: nn.Linear(width, int(numbers[0])),
            }[kind]()
        counts[kind] += 1
        layers[f"{kind}{counts[kind]}"] = layer
        with torch.no_grad():
            sample = layer.eval()(sample)
    return nn.Sequential(layers)


def write(network, images, folder, name):
    with torch.no_grad():
        save_file({"logits": network.eval()(images)}, folder / f"{name}_logits.safetensors")
    tensors = network.state_dict().values()
    (folder / f"{name}.bytes").write_bytes(b"".join(tensor.numpy().tobytes() for tensor in tensors))


def main(names):
    torch.manual_seed(3)
    for name in names:
        folder = pathlib.Path(name)
        images = load_file(folder / "images.safetensors")["images"]
        network = build(NETWORKS[name], images)
        network.train()(images)  # moves a batch norm's statistics
        save_file(network.state_dict(), folder / "pytorch.safetensors")
        write(network, images, folder, "pytorch")
        network.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
        write(network, images, folder, "loaded")


main(sys.argv[1:])
