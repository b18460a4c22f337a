#!/usr/bin/env python3
"""Times Cairn's `simd` implementation against PyTorch on the same CPU, in turns.

Cases on real MNIST, as in benchmarks/pytorch/train_step.py: `linear` and `dnn` at full batch (milliseconds a step), `dnn`
and `mlp` at batch 64 (milliseconds an epoch), SGD without momentum; `lenet-caffe` at batch 100 and `lenet` at batch 64
with momentum, `cnn` at batch 64 with Adam (milliseconds a step). PyTorch runs in the forms that the survey of
train_step.py found best, and convolutional networks as it comes too (`plain`, with the threads and the waiting that
the library chooses); --forms names others. In each round every side runs once, in an order that turns round by
round: Cairn as a fresh process of `train`, PyTorch in a process that is stopped (SIGSTOP, so that threads that wait
actively stand still too) while it is not its turn. Printed are the medians over the rounds, and the median of the
rounds' ratios to the form whose median is lowest; the last line is the same as JSON.

    python3 benchmarks/versus_pytorch.py --train build/cpu/bin/train --python torchenv/bin/python --cases linear_full
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "comparisons/references"))

import machine  # noqa: E402: how Cairn names machines
import number  # noqa: E402

# Flags of `train`, epochs of a turn, and steps that one figure covers. A turn of a convolutional network ends within
# its first epoch: the first step, which allocates and captures, is among those timed.
CASES = {
    "linear_full": (["--model", "linear", "--recipe", "full-batch"], 40, 1),
    "dnn_full": (["--model", "dnn", "--recipe", "full-batch"], 24, 1),
    "dnn_64": (["--model", "dnn", "--recipe", "full-batch", "--batch-size", "64"], 9, 938),
    "mlp_64": (["--model", "mlp", "--momentum", "0"], 1, 938),
    "lenet_caffe_100": (["--model", "lenet-caffe", "--lr", "0.01", "--batch-size", "100", "--steps", "200"], 1, 1),
    "cnn_64": (["--model", "cnn", "--optimizer", "adam", "--lr", "0.0001", "--momentum", "0", "--steps", "50"], 1, 1),
    "lenet_64": (["--model", "lenet", "--lr", "0.01", "--steps", "938"], 1, 1),
}
# PyTorch's candidates: form/threads/batch.
FORMS = {
    "linear_full": ["eager/2/all", "compile/2/all"],
    "dnn_full": ["compile/2/all", "compile_step/2/all"],
    "dnn_64": ["compile_step/2/slice", "compile_step/1/slice"],
    "mlp_64": ["eager/2/slice", "eager/2/gather"],
    "lenet_caffe_100": ["plain/0/gather", "channels_last/2/slice", "compile_channels_last/2/slice"],
    "cnn_64": ["plain/0/gather", "channels_last/2/slice", "compile_channels_last/2/slice"],
    "lenet_64": ["plain/0/gather", "channels_last/2/slice", "compile/2/slice", "compile/1/slice"],
}


def cairn_turn(train, case, threads, data_dir):
    """The median of one run's epochs; the first, which allocates and captures, is left out where there are others."""
    flags, epochs, steps = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "run"
        subprocess.run([train, *flags, "--impl", "simd", "--device", "cpu", "--threads", str(threads), "--epochs",
                        str(epochs), "--eval-every", str(epochs), "--dataset", "mnist", "--quiet", "--out", str(out)]
                       + (["--data-dir", data_dir] if data_dir else []), check=True, stdout=subprocess.DEVNULL)
        lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    done = [0] + [line["steps"] for line in lines]
    times = [line["train_seconds"] * 1e3 * steps / (done[i + 1] - done[i]) for i, line in enumerate(lines)]
    return statistics.median(times[1:] or times)


class PyTorch:
    """One form of PyTorch's step in a process of its own, stopped between turns."""

    def __init__(self, python, case, form, data_dir):
        script = pathlib.Path(__file__).parent / "pytorch" / "train_step.py"
        waiting = {} if form.startswith("plain") else {"OMP_WAIT_POLICY": "active", "GOMP_SPINCOUNT": "1000000000"}
        environment = os.environ | waiting
        command = [python, str(script), "--serve", case, *form.split("/")]
        command += ["--data-dir", str(pathlib.Path(data_dir) / "mnist")] if data_dir else []
        self.form = form
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"versus_pytorch.py: PyTorch failed as {self.form}; run benchmarks/pytorch/train_step.py to see why")
        self.process.send_signal(signal.SIGSTOP)
        return json.loads(line)

    def turn(self, seconds):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self.answer()["median_ms"]

    def close(self):
        self.process.kill()
        self.process.wait()


def compare(case, arguments):
    rivals = []
    try:
        for form in arguments.forms or FORMS[case]:
            rivals.append(PyTorch(arguments.python, case, form, arguments.data_dir))
            versions = rivals[-1].answer()  # one after the other: none starts beside a spinning one
        turns = {"cairn": lambda: cairn_turn(arguments.train, case, arguments.threads, arguments.data_dir)}
        turns |= {rival.form: (lambda rival=rival: rival.turn(arguments.seconds)) for rival in rivals}
        times = {name: [] for name in turns}
        for i in range(arguments.rounds):
            for name in list(turns)[::1 if i % 2 == 0 else -1]:
                times[name].append(turns[name]())
    finally:
        for rival in rivals:
            rival.close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    best = min((rival.form for rival in rivals), key=medians.get)
    ratios = {name: [other / own for other, own in zip(times[name], times["cairn"])] for name in medians}
    return versions, {
        "case": case, "unit": "ms an epoch" if CASES[case][2] > 1 else "ms a step", "rounds": arguments.rounds,
        "cairn_threads": arguments.threads, "cairn_ms": round(medians["cairn"], 3), "pytorch_form": best,
        "pytorch_ms": round(medians[best], 3), "ratio": round(statistics.median(ratios[best]), 3),
        "ratios": [round(ratio, 3) for ratio in ratios[best]],
        "ratio_to": {rival.form: round(statistics.median(ratios[rival.form]), 3) for rival in rivals},
        "all_ms": {name: [round(value, 3) for value in values] for name, values in times.items()}}


def form(word):
    """A `type` of argparse: PyTorch's form, threads and batches."""
    if word.count("/") != 2:
        raise argparse.ArgumentTypeError(f"'{word}' is not FORM/THREADS/BATCH, as in compile/2/slice")
    number.THREADS(word.split("/")[1])
    return word


def main():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", default="build/cpu/bin/train", help="Cairn's train")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--data-dir", help="the folder that holds mnist/; default $CAIRN_DATA, else ./data")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--forms", nargs="+", type=form, metavar="FORM/THREADS/BATCH",
                        help="PyTorch's, instead of the best known")
    parser.add_argument("--rounds", type=number.COUNT, default=7)
    parser.add_argument("--threads", type=number.THREADS, default=2, help="of Cairn")
    parser.add_argument("--seconds", type=number.SECONDS, default=0.5,
                        help="of a turn of PyTorch, at least five repeats")
    arguments = parser.parse_args()
    results = []
    for case in arguments.cases:
        versions, result = compare(case, arguments)
        results.append(result)
        print(f"{case}: cairn {result['cairn_ms']:.2f}, PyTorch {result['pytorch_ms']:.2f} {result['unit']} "
              f"({result['pytorch_form']}), ratio {result['ratio']:.2f} over {result['rounds']} rounds; to each form: "
              + ", ".join(f"{form} {ratio:.2f}" for form, ratio in result["ratio_to"].items()), flush=True)
    folder, name, cores = machine.this_machine()
    print(json.dumps({"machine": folder, "cpu": name, "cores": cores, **versions, "results": results}))


if __name__ == "__main__":
    main()
