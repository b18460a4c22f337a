"""Texts: IMDB's reviews from Keras's file, phrases as `fetch phrases` writes them, their encoding as rows of equal
length, and the network that reads them.

Not here: training (training.py).
"""
import dataclasses
import hashlib
import math
import pathlib

import numpy
import torch

SHAPE = ("words",)  # in place of an image's
VOCABULARY, FEATURES, HIDDEN = 30000, 125, 100
MODELS = {"imdb-gru": {}, "imdb-gru-start": {"learn_start": True}, "imdb-gru-knet": {"output_bias": False}}


@dataclasses.dataclass
class Texts:
    begins: numpy.ndarray  # of each text in ranks, and the end of the last
    ranks: numpy.ndarray   # by frequency, from 1; 0: in no index

    def __len__(self):
        return len(self.begins) - 1


def gather(rows):
    begins = numpy.cumsum([0] + [len(row) for row in rows], dtype=numpy.int64)
    return Texts(begins, numpy.concatenate([numpy.asarray(row, numpy.int32) for row in rows]))


def read_phrases(path, ranks):
    lines = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return gather([[ranks[word] for word in words.split()] for _, words in lines]), numpy.array([int(label) for label, _ in lines])


def load(folder):
    """Training texts and labels, test texts and labels, and the SHA-256 of the training ones."""
    folder = pathlib.Path(folder)
    if (folder / "imdb.npz").exists():
        with numpy.load(folder / "imdb.npz", allow_pickle=True) as file:
            parts = [(gather(file[f"x_{split}"]), file[f"y_{split}"]) for split in ("train", "test")]
    else:
        words = (folder / "words.txt").read_text("utf-8").splitlines()
        ranks = {word: rank for rank, word in enumerate(words, 1)}
        parts = [read_phrases(folder / f"{split}.tsv", ranks) for split in ("train", "test")]
    (train, labels), (test, test_labels) = parts
    labels, test_labels = labels.astype(numpy.uint8), test_labels.astype(numpy.uint8)
    content = train.ranks.astype("<i4").tobytes() + train.begins.astype("<i8").tobytes() + labels.tobytes()
    return train, labels, test, test_labels, hashlib.sha256(content).hexdigest()


def encode(texts, text):
    """Rows of text["length"] numbers."""
    top, vocabulary, length = text["top_specials"], text["vocabulary"], text["length"]
    padding, start, unknown = (vocabulary - 1, vocabulary - 2, vocabulary - 3) if top else (0, 1, 2)
    known, shift = (vocabulary - 3, -1) if top else (vocabulary - 4, 3)
    numbers = numpy.where((texts.ranks >= 1) & (texts.ranks <= known), texts.ranks + shift, unknown)
    rows = numpy.full((len(texts), length), padding, numpy.int32)
    for row, begin, end in zip(rows, texts.begins[:-1], texts.begins[1:]):
        words = numpy.concatenate([[start] * text["start_token"], numbers[begin:end]])
        words = words[-length:] if text["keep_last"] else words[:length]
        if len(words):
            place = slice(length - len(words), length) if text["pad_front"] else slice(0, len(words))
            row[place] = words
    return rows


class Network(torch.nn.Module):
    def __init__(self, learn_start=False, output_bias=True):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, FEATURES)
        self.gru = torch.nn.GRU(FEATURES, HIDDEN, batch_first=True)
        if learn_start:
            self.gru.h0 = torch.nn.Parameter(torch.zeros(1, HIDDEN))
        self.fc = torch.nn.Linear(HIDDEN, 2, bias=output_bias)

    def forward(self, words):
        start = getattr(self.gru, "h0", None)
        if start is not None:
            start = start.unsqueeze(1).expand(-1, len(words), -1).contiguous()
        states, _ = self.gru(self.embedding(words.long()), start)
        return self.fc(states[:, -1])


def bound_of(name, init):
    """b of U(+-b) for the parameters whose start is not that of other layers; 0: N(0, 1); None: as others, or no draw."""
    if name == "embedding.weight" and init["weight"] == "pytorch":
        return 0
    return 1 / math.sqrt(HIDDEN) if name.startswith("gru.") else None
