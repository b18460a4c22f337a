#!/usr/bin/env python3
"""Times what Cairn's networks for photos compute of a batch against torchvision's on the same CPU, in turns.

    python3 benchmarks/versus_torchvision.py --bench build/cpu/bin/bench --python torchenv/bin/python --models resnet50

Cairn's side is `bench inference --turns`, PyTorch's is benchmarks/pytorch/inference.py: the same network and batch, drawn weights
and images. PyTorch's runs in every form that there is, its threads waiting actively. In each round every side and form has one
turn, in an order that turns round by round; a process is stopped while it has none. Printed are the medians over the rounds, the
form whose median is lowest, and the median of the rounds' ratios to it and to each form; the last line is the same as JSON.
Compiled forms take minutes to make.

Exit code: 0 all were timed; 1 some were not, and a line on stderr says why; 2 bad usage.
"""
import argparse
import contextlib
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import versus_pytorch as versus  # noqa: E402
from pytorch import sides  # noqa: E402
import number  # noqa: E402

MODELS = ("alexnet", "densenet121", "inception-v3", "resnet18", "resnet50", "resnet101", "vgg16")
FORMS = ("eager", "eager_channels_last", "traced", "traced_channels_last", "compiled", "compiled_channels_last")


def compare(model, batch_size, arguments, folder):
    """Raises Failed and OutOfTime."""
    own_command = [arguments.bench, "inference", "--turns", "--model", model, "--batch-size", batch_size, "--impl",
                   arguments.impl, "--device", "cpu", "--threads", arguments.threads, "--repeats", versus.REPEATS]
    rival_command = [arguments.python, ROOT / "benchmarks/pytorch/inference.py", "--model", model, "--batch-size", batch_size,
                     "--threads", arguments.threads, "--forms", *arguments.forms]
    with contextlib.ExitStack() as stack:
        def side(name, command, environment):
            made = sides.Side(command, folder / f"{model}-{batch_size}-{name}.log", environment, stopped=True)
            stack.callback(made.close)
            return made

        own = side("cairn", own_command, dict(os.environ))
        greeting = versus.started(own)
        rival = side("pytorch", rival_command, os.environ | versus.WAITING)
        answer = versus.started(rival, json.dumps({"begin": True}))
        missing = {form: reason for form, reason in answer["forms"].items() if reason}
        forms = [form for form in answer["forms"] if form not in missing]
        if not forms:
            raise sides.Failed("PyTorch: no form works: " + versus.in_words(missing))
        turns = {versus.OWN: lambda: versus.turn(own, str(arguments.seconds), arguments.seconds)}
        for form in forms:
            request = json.dumps({"form": form, "seconds": arguments.seconds})
            turns[form] = lambda request=request: versus.turn(rival, request, arguments.seconds)
        times = sides.take_turns(turns, arguments.rounds)
    return {fact: answer.get(fact) for fact in (*versus.FACTS, "torchvision")}, {
        "model": model, "batch_size": batch_size, "unit": "ms a batch", "impl": greeting["impl"], "rounds": arguments.rounds,
        "seconds": arguments.seconds, "cairn_threads": arguments.threads, "pytorch_threads": answer.get("threads"),
        "missing": missing, **versus.compared(times)}


def line_of(result):
    text = (f"{result['model']}, batch {result['batch_size']}: cairn {result['cairn_ms']:.4g}, PyTorch {result['pytorch_ms']:.4g} ms "
            f"a batch ({result['pytorch_form']}), ratio {result['ratio']:.2f} over {result['rounds']} rounds; to each form: "
            + ", ".join(f"{form} {ratio:.2f}" for form, ratio in result["ratio_to"].items()))
    return text + ("; not timed: " + versus.in_words(result["missing"]) if result["missing"] else "")


def parse():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/cpu/bin/bench", help="Cairn's bench")
    parser.add_argument("--python", default=sys.executable, help="a Python that has torch and torchvision")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--batch-sizes", nargs="+", type=number.whole(1), default=[1, 32])
    parser.add_argument("--impl", default="simd", help="Cairn's implementation")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS), help="PyTorch's; default all")
    parser.add_argument("--threads", type=number.whole(1, 1024), default=len(os.sched_getaffinity(0)), help="of each side")
    parser.add_argument("--rounds", type=number.COUNT, default=5)
    parser.add_argument("--seconds", type=number.SECONDS, default=1, help="of a turn")
    parser.add_argument("--json", metavar="FILE", help="write the last line there, too")
    arguments = parser.parse_args()
    versus.check_programs(parser, arguments)
    return arguments


def main():
    arguments = parse()
    cases = [(model, batch_size) for model in arguments.models for batch_size in arguments.batch_sizes]
    return versus.compare_all(cases, lambda case, folder: compare(*case, arguments, folder), line_of, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
