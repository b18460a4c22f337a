#!/usr/bin/env python3
"""Times PyTorch's training step on the CPU in its best form, as the figure that Cairn's own is compared with.

Cases on real MNIST: `linear` (784-10) and `dnn` (784-32-32-10) on the full batch of 60000, `dnn` and `mlp`
(784-1024-10) at batch 64, and the convolutional `lenet-caffe` at batch 100, `cnn` and `lenet` at batch 64. A step is
forward + mean cross-entropy + backward + SGD (`cnn`: Adam; the other convolutional ones with momentum). The data lies
in memory as tensors, normalised once, and no DataLoader is in the clock. Tried are all combinations of form (eager,
scripted, compiled with a fused update, compiled as one step; for convolutional networks also with channels last in
memory), threads, and for small batches how the batch is made (gather of random rows, slice of consecutive ones);
OpenMP threads wait actively. The form `plain` is an eager step with the optimizer's defaults; asked for alone and with
0 threads (the library's choice), it waits as the library does by default: PyTorch as it comes. The result is one JSON
object on stdout; progress goes to stderr.

    python3 train_step.py --data-dir data/mnist --threads 1 2

--data-dir (default $CAIRN_DATA/mnist, $CAIRN_DATA or data/mnist) holds train-images-idx3-ubyte.gz and
train-labels-idx1-ubyte.gz. Needs numpy and torch; the compiled forms also need g++.
"""
import argparse
import gzip
import json
import os
import pathlib
import platform
import statistics
import sys
import time

if "plain" not in sys.argv:  # read when torch loads its OpenMP library
    os.environ.setdefault("OMP_WAIT_POLICY", "active")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000000000")

import numpy  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "comparisons/references"))

import machine  # noqa: E402: how Cairn names machines
import number  # noqa: E402



def dense(*sizes):
    layers = []
    for i in range(len(sizes) - 1):
        layers += [torch.nn.Linear(sizes[i], sizes[i + 1]), torch.nn.ReLU()]
    return layers[:-1]


def convolution(inputs, outputs, padding=0, relu=True):
    return ([torch.nn.Conv2d(inputs, outputs, 5, padding=padding)] + ([torch.nn.ReLU()] if relu else [])
            + [torch.nn.MaxPool2d(2)])


def lenet_caffe():
    return convolution(1, 20, relu=False) + convolution(20, 50, relu=False) + [torch.nn.Flatten()] + dense(800, 500, 10)


def cnn():
    return (convolution(1, 32, 2) + convolution(32, 64, 2)
            + [torch.nn.Flatten(), torch.nn.Linear(3136, 1024), torch.nn.ReLU(), torch.nn.Dropout(0.5),
               torch.nn.Linear(1024, 10)])


def lenet():
    return convolution(1, 6, 2) + convolution(6, 16) + [torch.nn.Flatten()] + dense(400, 120, 84, 10)


def sgd(momentum=0.0, rate=0.1):
    return lambda parameters, **options: torch.optim.SGD(parameters, lr=rate, momentum=momentum, **options)


def adam(parameters, **options):
    return torch.optim.Adam(parameters, lr=1e-4, **options)


# Layers, batch (0: all images), optimizer.
CASES = {
    "linear_full": (lambda: dense(784, 10), 0, sgd()),
    "dnn_full": (lambda: dense(784, 32, 32, 10), 0, sgd()),
    "dnn_64": (lambda: dense(784, 32, 32, 10), 64, sgd()),
    "mlp_64": (lambda: dense(784, 1024, 10), 64, sgd()),
    "lenet_caffe_100": (lenet_caffe, 100, sgd(0.9, 0.01)),
    "cnn_64": (cnn, 64, adam),
    "lenet_64": (lenet, 64, sgd(0.9, 0.01)),
}
CONVOLUTIONAL = {"lenet_caffe_100", "cnn_64", "lenet_64"}
FORMS = ["plain", "eager", "script", "compile", "compile_step"]
CONVOLUTIONAL_FORMS = ["plain", "eager", "channels_last", "compile", "compile_channels_last"]
LEARNING_RATE = 0.1  # of compile_step, which has no optimizer


def find_data(argument):
    root = os.environ.get("CAIRN_DATA", "data")
    for folder in [argument] if argument else [f"{root}/mnist", root, "data/mnist"]:
        if (pathlib.Path(folder) / "train-images-idx3-ubyte.gz").exists():
            return pathlib.Path(folder)
    sys.exit("train_step.py: no train-images-idx3-ubyte.gz found; name its folder with --data-dir")


def load(folder):
    def read(name, offset):
        with gzip.open(folder / name) as file:
            return numpy.frombuffer(file.read(), numpy.uint8, offset=offset).copy()

    images = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = read("train-labels-idx1-ubyte.gz", 8)
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(labels).long()


class Network(torch.nn.Module):
    """The layers and the loss, so that one call can be scripted or compiled."""

    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, images, labels):
        return functional.cross_entropy(self.layers(images), labels)


def make_step(case, form):
    """A function of (images, labels) that trains one step and returns the loss."""
    torch.manual_seed(0)
    layers, _, optimizer_of = CASES[case]
    network = Network(layers())
    if form == "compile_step":
        return compiled_step(network)
    if form.endswith("channels_last"):
        network = network.to(memory_format=torch.channels_last)
    loss_of = network
    if form == "script":
        loss_of = torch.jit.script(network)
    elif form.startswith("compile"):
        loss_of = torch.compile(network)
    plain = form.startswith("plain")
    optimizer = optimizer_of(network.parameters(), **({} if plain else {"fused": True}))

    def step(images, labels):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(images, labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def compiled_step(network):
    """Forward, backward and update as one compiled graph."""
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    gradients_and_loss = torch.func.grad_and_value(
        lambda values, images, labels: torch.func.functional_call(network, values, (images, labels)))

    @torch.compile
    def step(images, labels):
        gradients, loss = gradients_and_loss(parameters, images, labels)
        for name, value in parameters.items():
            value.sub_(gradients[name], alpha=LEARNING_RATE)
        return loss

    return step


class Timing:
    """One combination, warmed up: measure() gives milliseconds a step at full batch and of convolutional networks,
    an epoch of 938 steps at batch 64.

    processor_ms is the processor time of all threads, waiting included: with one thread, what the step costs on a
    machine that others use too.
    """

    def __init__(self, case, form, batch_source, data):
        self.batch = CASES[case][1]
        self.images, self.labels = data
        steps = -(-len(self.labels) // self.batch) if self.batch else 1  # that one figure covers
        self.count = 100 if self.batch else 1  # steps a repeat
        if case in CONVOLUTIONAL:
            self.images = self.images.view(-1, 1, 28, 28)
            if form.endswith("channels_last"):
                self.images = self.images.contiguous(memory_format=torch.channels_last)
            steps, self.count = 1, 5
        self.scale = steps / self.count * 1e3
        self.batch_source = batch_source
        self.step = make_step(case, form)
        self.order = torch.randperm(len(self.labels))
        self.done = 0  # repeats
        for _ in range(2):
            self.repeat()

    def repeat(self):
        images, labels, batch = self.images, self.labels, self.batch
        for i in range(self.done * self.count, (self.done + 1) * self.count):
            if not batch:
                loss = self.step(images, labels)
                continue
            begin = i * batch % (len(labels) - batch)
            if self.batch_source == "gather":
                index = self.order[begin:begin + batch]
                loss = self.step(images[index], labels[index])
            else:
                loss = self.step(images[begin:begin + batch], labels[begin:begin + batch])
        self.done += 1
        return loss.item()

    def measure(self, seconds):
        times, processor = [], []
        end = time.perf_counter() + seconds
        while len(times) < 5 or (time.perf_counter() < end and len(times) < 200):
            begin, processor_begin = time.perf_counter(), time.process_time()
            loss = self.repeat()
            times.append((time.perf_counter() - begin) * self.scale)
            processor.append((time.process_time() - processor_begin) * self.scale)
        return {"median_ms": round(statistics.median(times), 3), "min_ms": round(min(times), 3),
                "processor_ms": round(statistics.median(processor), 3), "repeats": len(times), "loss": loss}


def serve(case, form, threads, batch_source, data):
    """For benchmarks/versus_pytorch.py: a line with a number of seconds on stdin is answered by a measurement on stdout."""
    if threads:
        torch.set_num_threads(threads)
    timing = Timing(case, form, batch_source, data)
    print(json.dumps(versions()), flush=True)
    for line in sys.stdin:
        print(json.dumps(timing.measure(float(line))), flush=True)


def versions():
    return {"torch": torch.__version__, "numpy": numpy.__version__, "python": platform.python_version(),
            "capability": torch.backends.cpu.get_cpu_capability()}


def main():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--forms", nargs="+", choices=sorted({*FORMS, *CONVOLUTIONAL_FORMS}), help="default: all")
    parser.add_argument("--threads", nargs="+", type=number.THREADS, default=[1, 2], help="0 = the library's")
    parser.add_argument("--seconds", type=number.SECONDS, default=2.0, help="time spent on each combination")
    parser.add_argument("--serve", nargs=4, metavar=("CASE", "FORM", "THREADS", "BATCH"),
                        help="answer benchmarks/versus_pytorch.py, for one combination")
    arguments = parser.parse_args()
    if arguments.serve:
        try:
            arguments.serve[2] = number.THREADS(arguments.serve[2])
        except argparse.ArgumentTypeError as problem:
            parser.error(f"argument --serve: THREADS: {problem}")
    data = load(find_data(arguments.data_dir))
    if arguments.serve:
        return serve(*arguments.serve, data)

    results = []
    for case in arguments.cases:
        for form in arguments.forms or (CONVOLUTIONAL_FORMS if case in CONVOLUTIONAL else FORMS):
            for threads in arguments.threads:
                if threads:
                    torch.set_num_threads(threads)
                torch.compiler.reset()
                for source in ["gather", "slice"] if CASES[case][1] else ["all"]:
                    entry = {"case": case, "form": form, "threads": threads, "batch": source}
                    try:
                        entry |= Timing(case, form, source, data).measure(arguments.seconds)
                    except Exception as error:  # a form that this installation cannot run is reported, not fatal
                        entry["error"] = str(error).strip().splitlines()[0]
                    results.append(entry)
                    print(entry, file=sys.stderr, flush=True)

    best = {}
    for case in arguments.cases:
        timed = [entry for entry in results if entry["case"] == case and "median_ms" in entry]
        if timed:
            best[case] = min(timed, key=lambda entry: entry["median_ms"])
    print(json.dumps({
        **versions(), "machine": machine.this_machine()[0],
        "unit": "ms per step (full batch, convolutional), ms per epoch of 938 steps (dnn_64, mlp_64)",
        "best": best, "all": results}))


if __name__ == "__main__":
    main()
