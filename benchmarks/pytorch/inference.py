#!/usr/bin/env python3
"""What torchvision's network computes of a batch of drawn images, timed on a CPU whenever a line on standard input asks: for
benchmarks/versus_torchvision.py, which lets it and Cairn take turns. Not here: training steps (turns.py).

The network has drawn weights and is in evaluation mode. Its forms: eager; traced, frozen and optimised for inference by
TorchScript; compiled by torch.compile; each also with the channels last in memory. A first line on standard output says that
the network is there; the first request has the forms made and is answered by which work, and of the others, why not. A request
then is {"form": "traced", "seconds": 0.3}, answered by the median time of a batch over pieces.

Needs torch and torchvision.
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

import torch  # noqa: E402
import torchvision  # noqa: E402

import number  # noqa: E402

FORMS = ("eager", "traced", "compiled")
LAST = "_channels_last"
PIECES = 5  # at least, of a turn
NAMES = {"inception-v3": "inception_v3"}


def make(network, images, name):
    """The form's function of no arguments."""
    if name.endswith(LAST):
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    kind = name.removesuffix(LAST)
    if kind == "traced":
        network = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(network, images)))
    elif kind == "compiled":
        network = torch.compile(network)
    return functools.partial(network, images)


def seconds_of(form, batches):
    begin = time.perf_counter()
    for _ in range(batches):
        form()
    return time.perf_counter() - begin


def turn(form, seconds):
    once = max(seconds_of(form, 1), 1e-7)
    batches = max(1, int(seconds / PIECES / once))
    pieces, end = [], time.perf_counter() + seconds
    while len(pieces) < PIECES or time.perf_counter() < end:
        pieces.append(seconds_of(form, batches) / batches)
    return {"step_seconds": statistics.median(pieces), "pieces": len(pieces), "steps_a_piece": batches}


def main():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch-size", type=number.whole(1), required=True)
    parser.add_argument("--forms", nargs="+", required=True)
    parser.add_argument("--threads", type=number.whole(1, 1024), required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    make_network = getattr(torchvision.models, NAMES.get(arguments.model, arguments.model))
    side = 299 if arguments.model == "inception-v3" else 224
    images = torch.randn(arguments.batch_size, 3, side, side)
    print(json.dumps({"loaded": True}), flush=True)
    if not sys.stdin.readline():
        return
    forms, problems = {}, {}
    with torch.inference_mode():
        for name in arguments.forms:
            problems[name] = None
            try:
                forms[name] = make(make_network(weights=None).eval(), images, name)
                seconds_of(forms[name], 3)
            except Exception as error:  # said in the answer; the others are timed all the same
                problems[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"[:200]
        print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__,
                          "python": platform.python_version(), "threads": torch.get_num_threads(),
                          "capability": torch.backends.cpu.get_cpu_capability(), "batch_size": arguments.batch_size,
                          "forms": problems}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            print(json.dumps(turn(forms[request["form"]], request["seconds"])), flush=True)


if __name__ == "__main__":
    main()
