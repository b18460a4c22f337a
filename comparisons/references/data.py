"""Data sets from IDX files, the images a recipe trains on, their order, and how bytes become numbers.

Not here: downloading (`fetch mnist`) and drawing digits (`fetch digits`), which Cairn does.
"""
import dataclasses
import gzip
import hashlib
import math
import pathlib
import struct

import numpy

import philox

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
# Mean and deviation of the training pixels / 255, as they are usually rounded; those of other sets are measured.
PUBLISHED = {"mnist": (0.1307, 0.3081), "fashion-mnist": (0.2860, 0.3530)}


@dataclasses.dataclass
class Data:
    name: str
    images: numpy.ndarray  # of training: count x 784, bytes
    labels: numpy.ndarray
    test_images: numpy.ndarray
    test_labels: numpy.ndarray
    mean: numpy.float32
    std: numpy.float32
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


def load(name, folder):
    images, labels, test_images, test_labels = (read_idx(pathlib.Path(folder), file) for file in FILES)
    labels, test_labels = labels.reshape(-1), test_labels.reshape(-1)
    if name in PUBLISHED:
        mean, std = PUBLISHED[name]
    else:
        counts = numpy.bincount(images.reshape(-1), minlength=256).tolist()
        mean = sum(value * count for value, count in enumerate(counts)) / images.size
        square = sum(value * value * count for value, count in enumerate(counts)) / images.size
        mean, std = mean / 255, math.sqrt(square - mean * mean) / 255
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    return Data(name, images, labels, test_images, test_labels, numpy.float32(mean), numpy.float32(std), digest)


def pixel_scale(data, normalization):
    """A pixel is byte * scale + shift, in float."""
    one, white = numpy.float32(1), numpy.float32(255)
    if normalization == "unit":
        return one / white, numpy.float32(0)
    if normalization == "unit-256":
        return one / numpy.float32(256), numpy.float32(0)
    mean, std = (data.mean, data.std) if normalization == "standard" else map(numpy.float32, PUBLISHED["mnist"])
    return one / (white * std), -mean / std


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
