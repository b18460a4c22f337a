"""Cairn's augmentation of images, written down a second time in numpy: a window of the padded image, mirrored, brighter, of
other contrast, standardised. Cairn's kernels/augment.h has the same draws.

Not here: which images a step takes (data.py).
"""
import math

import numpy

import philox

NONE = {"crop": 0, "pad": 0, "flip": False, "brightness": 0, "contrast": 0, "standardise": False}


def any_of(settings):
    return any(settings.get(name, value) != value for name, value in NONE.items())


class Draws:
    """What is drawn for images of these numbers in an epoch."""

    def __init__(self, seed, epoch, numbers, rows, columns):
        stream = philox.stream_of(philox.AUGMENTATION, 0)
        numbers = numpy.asarray(numbers, numpy.uint64)
        first = philox.blocks(seed, stream, epoch, numbers * numpy.uint64(2))
        second = philox.blocks(seed, stream, epoch, numbers * numpy.uint64(2) + numpy.uint64(1))
        self.top = (first[:, 0] * numpy.uint64(rows) >> philox.HALF).astype(numpy.int64)
        self.left = (first[:, 1] * numpy.uint64(columns) >> philox.HALF).astype(numpy.int64)
        self.mirrored = first[:, 2] >> numpy.uint64(31) != 0
        self.brightness = philox.unit(first[:, 3])  # in [0, 1)
        self.contrast = philox.unit(second[:, 0])


def augment(images, shape, settings, scale, shift, seed=0, epoch=0, numbers=None):
    """images: N x pixels, bytes, to N x C x H x W in double. numbers: of the images in their split; None: nothing is
    drawn, as in evaluation."""
    settings = {**NONE, **settings}
    channels, height, width = shape
    pad, side = settings["pad"], settings["crop"]
    out_height, out_width = (side, side) if side else (height, width)
    rows, columns = height + 2 * pad - out_height + 1, width + 2 * pad - out_width + 1
    padded = numpy.zeros((len(images), channels, height + 2 * pad, width + 2 * pad), numpy.uint8)
    padded[:, :, pad:pad + height, pad:pad + width] = images.reshape(-1, *shape)
    drawn = None if numbers is None else Draws(seed, epoch, numbers, rows, columns)
    result = numpy.empty((len(images), channels, out_height, out_width))
    for i, image in enumerate(padded):
        top, left = ((rows - 1) // 2, (columns - 1) // 2) if drawn is None else (drawn.top[i], drawn.left[i])
        window = image[:, top:top + out_height, left:left + out_width]
        if drawn is not None and settings["flip"] and drawn.mirrored[i]:
            window = window[:, :, ::-1]
        values = window.astype(numpy.float64)
        if drawn is not None and settings["brightness"]:
            values += settings["brightness"] * (2 * drawn.brightness[i] - 1)
        if drawn is not None and settings["contrast"]:
            factor = 1 + settings["contrast"] * (2 * drawn.contrast[i] - 1)
            means = values.mean(axis=(1, 2), keepdims=True)
            values = (values - means) * factor + means
        if settings["standardise"]:
            values = (values - values.mean()) / max(values.std(), 1 / math.sqrt(values.size))
        else:
            values = values * scale.reshape(-1, 1, 1) + shift.reshape(-1, 1, 1)
        result[i] = values
    return result
