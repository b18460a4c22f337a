"""Cairn's random draws, written anew in numpy: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) keyed by (seed,
stream, step, element), and what is made of it: numbers for weights, orders of images, dropout masks.

Not here: which network starts how (networks.py), which images are held out (data.py).
"""
import numpy

INIT, SHUFFLE, DROPOUT, AUGMENTATION = 1, 2, 3, 4  # the purposes of a stream
TWIN = 255  # training.py's own
EPOCH_SHUFFLE, SPLIT_SHUFFLE = 0, 1
MASK = numpy.uint64(0xFFFFFFFF)
HALF = numpy.uint64(32)


def stream_of(purpose, number):
    return purpose << 24 | (number & 0xFFFFFF)


def blocks(seed, stream, step, groups):
    """The four 32-bit words of each group, as uint64: len(groups) x 4."""
    groups = numpy.asarray(groups, numpy.uint64)
    word0, word1 = groups & MASK, groups >> HALF
    word2 = numpy.full_like(groups, stream & 0xFFFFFFFF)
    word3 = numpy.full_like(groups, step & 0xFFFFFFFF)
    key0, key1 = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF
    for _ in range(10):
        product0 = word0 * numpy.uint64(0xD2511F53)
        product1 = word2 * numpy.uint64(0xCD9E8D57)
        word0, word1, word2, word3 = ((product1 >> HALF) ^ word1 ^ numpy.uint64(key0), product1 & MASK,
                                      (product0 >> HALF) ^ word3 ^ numpy.uint64(key1), product0 & MASK)
        key0 = key0 + 0x9E3779B9 & 0xFFFFFFFF
        key1 = key1 + 0xBB67AE85 & 0xFFFFFFFF
    return numpy.stack([word0, word1, word2, word3], axis=1)


def words(seed, stream, step, count):
    """One word for each of the elements 0 .. count - 1."""
    return blocks(seed, stream, step, numpy.arange((count + 3) // 4)).reshape(-1)[:count]


def unit(draws):
    """24 bits as a multiple of 2^-24 in [0, 1), exact in double."""
    return (draws >> numpy.uint64(8)).astype(numpy.float64) * 2.0 ** -24


def uniform(seed, stream, count, low, high):
    return (low + (high - low) * unit(words(seed, stream, 0, count))).astype(numpy.float32)


def standard_normal(seed, stream, step, count):
    """Box and Muller's transform in double, two values from each two words."""
    pairs = unit(words(seed, stream, step, (count + 3) // 4 * 4)).reshape(-1, 2)
    radius = numpy.sqrt(-2 * numpy.log(1 - pairs[:, 0]))
    angle = 6.283185307179586 * pairs[:, 1]
    return numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], axis=1).reshape(-1)[:count]


def normal(seed, stream, count, deviation):
    return (deviation * standard_normal(seed, stream, 0, count)).astype(numpy.float32)


def truncated_normal(seed, stream, count, deviation):
    """Drawn again, with the next step of the stream, where it lies beyond two deviations."""
    values = standard_normal(seed, stream, 0, count)
    step = 0
    while (numpy.abs(values) > 2).any():
        step += 1
        values = numpy.where(numpy.abs(values) > 2, standard_normal(seed, stream, step, count), values)
    return (deviation * values).astype(numpy.float32)


def permutation(seed, number, step, count):
    """Durstenfeld's shuffle: for i = count - 1 .. 1 swap i with a draw from 0 .. i, bounded as Lemire does it."""
    stream = stream_of(SHUFFLE, number)
    ranges = numpy.arange(1, count + 1, dtype=numpy.uint64)
    products = words(seed, stream, step, count) * ranges
    thresholds = numpy.uint64(1 << 32) % ranges
    chosen = products >> HALF
    for i in numpy.nonzero((products & MASK) < thresholds)[0]:
        attempt, product = 0, int(products[i])
        while product & 0xFFFFFFFF < int(thresholds[i]):
            attempt += 1
            product = int(blocks(seed, stream, step, [int(i) // 4 + (attempt << 32)])[0, i % 4]) * (int(i) + 1)
        chosen[i] = product >> 32
    order = list(range(count))
    other = chosen.tolist()
    for i in range(count - 1, 0, -1):
        j = other[i]
        order[i], order[j] = order[j], order[i]
    return numpy.array(order, numpy.int64)


def dropout_factors(seed, layer, step, shape, probability):
    """0 where a value is dropped, 1 / (1 - probability) where it is kept."""
    draws = unit(words(seed, stream_of(DROPOUT, layer), step, int(numpy.prod(shape)))).astype(numpy.float32)
    return ((draws >= numpy.float32(probability)) / numpy.float32(1 - probability)).astype(numpy.float32).reshape(shape)
