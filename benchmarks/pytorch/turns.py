#!/usr/bin/env python3
"""PyTorch's training step of one network, timed whenever a line on standard input asks: for benchmarks/gpu and
benchmarks/versus_pytorch.py, which let it and Cairn take turns.

The networks, their settings and the step are those of comparisons/references (networks.py, recipes.py, timing.py): eager,
compiled by torch.compile, on a GPU captured as a CUDA graph, on a CPU with channels last in memory and as one compiled
graph, in strict fp32, cuDNN timing its algorithms, the data resident on the device. A first line on standard output says
that all is loaded; the first request, whatever it holds, has the forms made and is answered by which work here and, of
the others, why not: so that several of these programs may start together and yet tune their algorithms on an idle
machine. A request then is {"form": "eager", "seconds": 0.3}, answered by the median time of a step over pieces; with
"steps" and "limit" it is {"form": "eager", "steps": 20000, "limit": 30}, answered by the seconds that so many steps, or
as many as fit, took.
Without --data-dir (a folder of MNIST's IDX files), and for networks of other images, they are random bytes, texts random
words: a step takes no notice.

Needs numpy and torch.
"""
import argparse
import functools
import json
import pathlib
import platform
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "comparisons/references"))

import numpy  # noqa: E402
import torch  # noqa: E402

import data as datasets  # noqa: E402
import networks  # noqa: E402
import number  # noqa: E402
import recipes  # noqa: E402
import step_forms  # noqa: E402
import timing  # noqa: E402

EXAMPLES = 60000
SEED = 1
PIECES = 5  # at least, of a turn
MOST_STEPS = 200  # a piece, as Cairn's own


def resident(arguments, settings):
    """Images as floats, or texts as numbers of words; labels, and where they come from."""
    shape = networks.input_shape(arguments.model)
    scale, shift = numpy.float32([1 / 255]), numpy.float32([0])
    if arguments.data_dir and shape == networks.MNIST_SHAPE:
        data = datasets.load("mnist", arguments.data_dir)
        scale, shift = datasets.pixel_scale(data, settings["normalization"])
        images, labels, source = data.images, data.labels, "mnist"
    else:
        images, labels = timing.random_examples(arguments.model, settings, EXAMPLES, SEED)
        source = "random words" if "text" in settings else "random bytes"
    images = torch.from_numpy(images.copy())
    if "text" in settings:
        images = images.to(arguments.device)
    else:
        images = datasets.scaled(images, shape, scale, shift, arguments.device)
    return images, torch.from_numpy(labels.astype(numpy.int64)).to(arguments.device), source


@functools.lru_cache(maxsize=1)  # of two forms
def channels_last(images):
    return images.contiguous(memory_format=torch.channels_last)


class Form:
    """One form of the step, ready: warmed up, compiled, captured."""

    def __init__(self, name, arguments, settings, images, labels):
        self.name, self.device = name, arguments.device
        self.step = timing.Step(arguments.model, settings, SEED, arguments.device, name, arguments.without, arguments.fused)
        if name.endswith("channels_last"):
            images = channels_last(images)
        self.images, self.labels = images, labels
        self.batch = settings["batch_size"] or len(labels)
        self.batches = timing.resident_batches(images, labels, settings, arguments.device)
        if name == "graph":
            first = next(self.batches)
            self.step.capture(*(tensor if self.batch == len(labels) else tensor.clone() for tensor in first))
            self.order = iter(())
        self.run(3)

    def once(self):
        if self.name != "graph":
            self.step(*next(self.batches))
        elif self.batch == len(self.labels):
            self.step.graph.replay()
        else:  # gathered straight to where the graph reads
            index = next(self.order, None)
            if index is None:
                order = torch.randperm(len(self.labels), device=self.device)
                self.order = iter(order[:len(order) // self.batch * self.batch].split(self.batch))
                index = next(self.order)
            torch.index_select(self.images, 0, index, out=self.step.images)
            torch.index_select(self.labels, 0, index, out=self.step.labels)
            self.step.graph.replay()

    def run(self, steps):
        """Seconds for so many steps."""
        timing.synchronise(self.device)
        begin = time.perf_counter()
        for _ in range(steps):
            self.once()
        timing.synchronise(self.device)
        return time.perf_counter() - begin

    def turn(self, seconds):
        self.run(2)
        once = max(self.run(2) / 2, 1e-7)
        steps = max(1, min(MOST_STEPS, int(seconds / PIECES / once)))
        pieces, end = [], time.perf_counter() + seconds
        while len(pieces) < PIECES or time.perf_counter() < end:
            pieces.append(self.run(steps) / steps)
        return {"step_seconds": statistics.median(pieces), "pieces": len(pieces), "steps_a_piece": steps}

    def train(self, steps, limit):
        done, begin = 0, time.perf_counter()
        while done < steps and time.perf_counter() - begin < limit:
            piece = min(MOST_STEPS, steps - done)
            self.run(piece)
            done += piece
        return {"seconds": time.perf_counter() - begin, "steps": done}


def make_forms(arguments, settings, images, labels):
    forms, problems = {}, {}
    for name in arguments.forms:
        problems[name] = None
        try:
            if name == "graph" and torch.device(arguments.device).type != "cuda":
                raise RuntimeError("CUDA graphs need a GPU")
            forms[name] = Form(name, arguments, settings, images, labels)
        except Exception as error:  # said in the first line; the others are timed all the same
            problems[name] = timing.why_not(error)
    return forms, problems


def main():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=list(recipes.RECIPES), required=True)
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--data-dir")
    parser.add_argument("--forms", nargs="+", choices=step_forms.ALL, help="default those that there are on the device")
    parser.add_argument("--batch-size", type=number.whole(0), help="0: all; default the recipe's")
    parser.add_argument("--threads", type=number.THREADS, default=0, help="of the CPU; 0: PyTorch's choice")
    parser.add_argument("--without", nargs="+", choices=recipes.LEFT_OUT, default=(), help="of the recipe")
    parser.add_argument("--fused", action="store_true", help="the update of all tensors in one call")
    arguments = parser.parse_args()
    if arguments.recipe not in recipes.RECIPES[arguments.model]:
        parser.error(f"{arguments.model} has no recipe '{arguments.recipe}': choose from "
                     + ", ".join(recipes.RECIPES[arguments.model]))
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    settings = {**recipes.RECIPES[arguments.model][arguments.recipe], "validation_count": 0}
    if arguments.batch_size is not None:
        settings["batch_size"] = arguments.batch_size
    on_gpu = torch.device(arguments.device).type == "cuda"
    arguments.forms = arguments.forms or (step_forms.USUAL if on_gpu else timing.cpu_forms(arguments.model, settings))
    images, labels, source = resident(arguments, settings)
    print(json.dumps({"loaded": True}), flush=True)
    if not sys.stdin.readline():
        return
    forms, problems = make_forms(arguments, settings, images, labels)
    cudnn = torch.backends.cudnn.version() if on_gpu else None
    print(json.dumps({"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": cudnn, "data": source,
                      "capability": None if on_gpu else torch.backends.cpu.get_cpu_capability(), "threads": torch.get_num_threads(),
                      "python": platform.python_version(), "batch_size": settings["batch_size"] or len(labels),
                      "forms": problems}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        form = forms[request["form"]]
        answer = form.train(request["steps"], request["limit"]) if "steps" in request else form.turn(request["seconds"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
