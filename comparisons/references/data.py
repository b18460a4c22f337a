"""Data sets from IDX files and from CIFAR's binary ones, the images a recipe trains on, their order, and how bytes become
numbers.

Not here: downloading (`fetch mnist`) and drawing digits (`fetch digits`), which Cairn does; augmentation (augment.py).
"""
import dataclasses
import gzip
import hashlib
import math
import pathlib
import struct

import numpy
import torch

import philox
import texts

CIFAR = ([f"data_batch_{number}.bin" for number in range(1, 6)], ["test_batch.bin"])
CIFAR_SHAPE = (3, 32, 32)
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# Mean and deviation of the training pixels / 255, as they are usually rounded; those of other sets are measured.
PUBLISHED = {"mnist": ((0.1307,), (0.3081,)), "fashion-mnist": ((0.2860,), (0.3530,)),
             "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
             "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))}


@dataclasses.dataclass
class Data:
    name: str
    shape: tuple  # of an image: channels, height, width; or texts.SHAPE
    images: numpy.ndarray  # of training: count x pixels, bytes; or texts.Texts
    labels: numpy.ndarray
    test_images: numpy.ndarray
    test_labels: numpy.ndarray
    mean: numpy.ndarray  # for each channel, float32
    std: numpy.ndarray
    sha256: str  # of the training images and then labels


def read_idx(folder, name):
    plain, packed = folder / name, folder / (name + ".gz")
    if not plain.exists() and not packed.exists():
        raise SystemExit(f"record.py: {folder} holds no {name}; `fetch` puts it there")
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    dimensions = content[3]
    sizes = struct.unpack_from(f">{dimensions}I", content, 4)
    if content[:3] != b"\0\0\x08" or len(content) != 4 + 4 * dimensions + math.prod(sizes):
        raise SystemExit(f"record.py: {folder / name} is not an IDX file of bytes, or not all of it")
    return numpy.frombuffer(content, numpy.uint8, offset=4 + 4 * dimensions).reshape(sizes[0], -1)


def read_cifar(folder, names):
    """Images and labels: a byte for the label and 3 x 32 x 32 for the image."""
    size = 1 + math.prod(CIFAR_SHAPE)
    parts = []
    for name in names:
        content = numpy.fromfile(folder / name, numpy.uint8)
        if len(content) == 0 or len(content) % size:
            raise SystemExit(f"record.py: {folder / name} is not a whole number of CIFAR's images")
        parts.append(content.reshape(-1, size))
    rows = numpy.concatenate(parts)
    return rows[:, 1:].copy(), rows[:, 0].copy()


def measure(images, channels):
    """Mean and deviation of each channel's pixels / 255, from exact sums."""
    means, deviations = [], []
    for channel in numpy.split(images, channels, axis=1):
        counts = numpy.bincount(channel.reshape(-1), minlength=256).tolist()
        mean = sum(value * count for value, count in enumerate(counts)) / channel.size
        square = sum(value * value * count for value, count in enumerate(counts)) / channel.size
        means.append(mean / 255)
        deviations.append(math.sqrt(square - mean * mean) / 255)
    return means, deviations


def load(name, folder):
    folder = pathlib.Path(folder)
    if name in ("imdb", "phrases"):
        train, labels, test, test_labels, digest = texts.load(folder)
        return Data(name, texts.SHAPE, train, labels, test, test_labels, numpy.float32([0]), numpy.float32([1]), digest)
    if (folder / CIFAR[1][0]).exists():
        (images, labels), (test_images, test_labels) = (read_cifar(folder, names) for names in CIFAR)
        shape = CIFAR_SHAPE
    else:
        images, labels, test_images, test_labels = (read_idx(folder, file) for file in FILES)
        labels, test_labels = labels.reshape(-1), test_labels.reshape(-1)
        side = math.isqrt(images.shape[1])
        shape = (1, side, side)
    mean, std = PUBLISHED[name] if name in PUBLISHED else measure(images, shape[0])
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    return Data(name, shape, images, labels, test_images, test_labels, numpy.float32(mean), numpy.float32(std), digest)


def pixel_scale(data, normalization):
    """A pixel is byte * scale + shift, in float: arrays of one value, or of one for each channel."""
    one, white = numpy.float32(1), numpy.float32(255)
    if normalization == "unit":
        return numpy.float32([one / white]), numpy.float32([0])
    if normalization == "unit-256":
        return numpy.float32([one / numpy.float32(256)]), numpy.float32([0])
    if normalization == "centred":
        return numpy.float32([one / numpy.float32(127.5)]), numpy.float32([-1])
    mean, std = (data.mean, data.std) if normalization == "standard" else map(numpy.float32, PUBLISHED[normalization])
    return one / (white * std), -mean / std


def scaled(images, shape, scale, shift, device, dtype=torch.float32):
    """N x C x H x W of bytes as tensors."""
    scale, shift = (torch.from_numpy(each).to(device, dtype).view(-1, 1, 1) for each in (scale, shift))
    return images.to(device).view(-1, *shape).to(dtype).mul_(scale).add_(shift)


def plain(values):
    """As JSON has it: a number, or a list where the channels have several."""
    return float(values[0]) if len(values) == 1 else [float(value) for value in values]


def training_subset(data, validation_count, seed):
    """Images and labels without those held out: of a random order, the last ones."""
    if validation_count == 0:
        return data.images, data.labels
    chosen = philox.permutation(seed, philox.SPLIT_SHUFFLE, 0, len(data.labels))[:-validation_count]
    return data.images[chosen], data.labels[chosen]


def epoch_order(count, seed, epoch, shuffled):
    return philox.permutation(seed, philox.EPOCH_SHUFFLE, epoch, count) if shuffled else numpy.arange(count)


def batches(order, batch_size, drop_last):
    """The epoch's batches of indices; batch size 0 takes all images as they are stored."""
    if batch_size == 0:
        return [numpy.arange(len(order))]
    end = len(order) // batch_size * batch_size if drop_last else len(order)
    return [order[begin:begin + batch_size] for begin in range(0, end, batch_size)]
