"""PyTorch's side of test_pytorch_weights.cpp.

usage: pytorch_networks.py MODEL...    for each: loads MODEL/model.safetensors strictly, saves a state_dict of its own as
MODEL/pytorch.safetensors and pytorch.pth, and writes the bytes of both in state_dict's order and the logits of MODEL/images.safetensors.
"""
import collections
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "comparisons/references"))

import networks  # noqa: E402

BATCH_NORM = collections.OrderedDict(
    conv1=nn.Conv2d(1, 8, 3, padding=1, bias=False), bn1=nn.BatchNorm2d(8), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
    flatten=nn.Flatten(), fc1=nn.Linear(8 * 14 * 14, 10))


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
        network = nn.Sequential(BATCH_NORM) if name == "batch-norm" else networks.build(name)
        network.train()(images)  # moves a batch norm's statistics
        save_file(network.state_dict(), folder / "pytorch.safetensors")
        torch.save(network.state_dict(), folder / "pytorch.pth")
        write(network, images, folder, "pytorch")
        network.load_state_dict(load_file(folder / "model.safetensors"), strict=True)
        write(network, images, folder, "loaded")


main(sys.argv[1:])
