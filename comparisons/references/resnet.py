"""CIFAR's residual networks with batch normalisation (He et al. 2015, section 4.2) as torch.nn: shortcuts without weights, and
names as in akamaster/pytorch_resnet_cifar10. Not here: the other networks (networks.py).
"""
import collections

import torch
from torch.nn import functional


class Block(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(outputs)
        self.padding = (outputs - inputs) // 2  # channels of zeros, on either side

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if self.padding:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.padding, self.padding))
        return torch.relu(y + x)


def build(blocks):
    def layer(inputs, outputs):
        return torch.nn.Sequential(*(Block(inputs if number == 0 else outputs, outputs) for number in range(blocks)))

    return torch.nn.Sequential(collections.OrderedDict(
        conv1=torch.nn.Conv2d(3, 16, 3, padding=1, bias=False), bn1=torch.nn.BatchNorm2d(16), relu=torch.nn.ReLU(),
        layer1=layer(16, 16), layer2=layer(16, 32), layer3=layer(32, 64), pool=torch.nn.AdaptiveAvgPool2d(1),
        flatten=torch.nn.Flatten(), linear=torch.nn.Linear(64, 10)))
