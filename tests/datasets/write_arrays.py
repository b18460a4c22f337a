"""Arrays as the numpy of this Python writes them, and beside each what is in it: for test_numpy.cpp."""

import collections
import io
import pickle
import sys

import numpy as np

folder = sys.argv[1]
arrays = {
    "bytes": np.arange(12, dtype=np.uint8).reshape(3, 4),
    "high_bytes": np.arange(250, 256, dtype=np.uint8),
    "empty": np.zeros((0, 4), np.uint8),
    "short": np.array([-1, 300, 7], np.int16),
    "big_endian": np.array([1, -2, 3], ">i4"),
    "long": np.array([2**40, -5]),
    "real": np.array([[0.5, -1.5]]),
    "single": np.float32([1, 2, 3]),
    "columns": np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
    "scalar": np.array(5, np.uint8),
}
objects = np.empty(3, object)
objects[:] = [[1, 2, 70000], [], [-1]]


def describe(array):
    order = "F" if array.flags.fnc else "C"
    return f"{array.dtype.str} {order} {','.join(map(str, array.shape))} {array.tobytes('A').hex()}\n"


for name, array in arrays.items():
    with open(f"{folder}/{name}.txt", "w", encoding="ascii") as text:
        text.write(describe(array))
    np.save(f"{folder}/{name}.npy", array)
    for protocol in range(6):
        with open(f"{folder}/{name}.{protocol}.pickle", "wb") as file:
            pickle.dump({"data": array, "more": collections.OrderedDict(it=array)}, file, protocol)
np.save(f"{folder}/objects.npy", objects)
pixels, labels = np.arange(24, dtype=np.uint8).reshape(2, 12), [1, 1000]
for protocol in range(6):
    with open(f"{folder}/batch.{protocol}", "wb") as file:
        pickle.dump({"data": pixels, "labels": labels, "mean": pixels.mean(axis=0)}, file, protocol)
np.savez(f"{folder}/batch.stored", data=pixels, labels=labels, mean=pixels.mean(axis=0))
np.savez_compressed(f"{folder}/batch.deflated", data=pixels, labels=labels)
