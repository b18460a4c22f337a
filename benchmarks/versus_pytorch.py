#!/usr/bin/env python3
"""Times a training step of Cairn's networks against PyTorch's on the same CPU, in turns.

    python3 benchmarks/versus_pytorch.py --bench build/cpu/bin/bench --python torchenv/bin/python --models cnn imdb-gru

Cairn's side is `bench step --turns`, PyTorch's is benchmarks/pytorch/turns.py: the same network, recipe and batch, the data
in memory. PyTorch's step runs in every form that the network has, its update in one call for all tensors, its threads
waiting actively; --plain takes it as it comes. In each round every side and form has one turn, in an order that turns
round by round; a process is stopped (SIGSTOP) while it has none. Printed are the medians over the rounds, the form
whose median is lowest, and the median of the rounds' ratios to it and to each form; the last line is the same as JSON.

A network's recipe is its first of which PyTorch's step does all. Another may be named; what it augments, PyTorch's step
gets as it is: Cairn's does more then, and the output says so. A form that does not work is named with the reason. Compiled
forms take up to minutes to make.

Exit code: 0 all were timed; 1 some were not, and a line on stderr says why; 2 bad usage.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile
import time

from pytorch import sides

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "comparisons/references"))

import machine  # noqa: E402: how Cairn names machines
import number  # noqa: E402
import recipes  # noqa: E402
import step_forms  # noqa: E402

OWN = "cairn"
MAY_LACK = ("augmentation",)  # of a recipe, in PyTorch's step: it can only make Cairn's figure worse
REPEATS = 5  # pieces of a turn, at least
START_SECONDS = 3600  # until all forms are made
TURN_SECONDS = 600  # more than asked for, until a turn must have ended
WAITING = {"OMP_WAIT_POLICY": "active", "GOMP_SPINCOUNT": "1000000000"}
FACTS = ("torch", "python", "capability")
BUSY = 1.0  # a load average: threads that wait actively lose most where others run


def recipe_of(model, arguments):
    return arguments.recipe or recipes.timed_recipe(model) or "default"


def own_command(model, arguments):
    command = [arguments.bench, "step", "--turns", "--model", model, "--recipe", recipe_of(model, arguments), "--impl",
               arguments.impl, "--device", "cpu", "--threads", arguments.threads, "--repeats", REPEATS]
    for flag, value in (("--batch-size", arguments.batch_size), ("--dataset", arguments.dataset),
                        ("--data-dir", arguments.data_dir)):
        command += [] if value is None else [flag, value]
    return command


def torch_command(model, arguments):
    recipe = recipe_of(model, arguments)
    command = [arguments.python, ROOT / "benchmarks/pytorch/turns.py", "--device", "cpu", "--model", model, "--recipe",
               recipe]
    command += [] if arguments.plain else ["--fused", "--threads", arguments.threads]
    command += [] if arguments.batch_size is None else ["--batch-size", arguments.batch_size]
    forms = arguments.forms or (["eager"] if arguments.plain else [])
    command += ["--forms", *forms] if forms else []
    without = recipes.left_out(recipes.RECIPES[model][recipe])
    command += ["--without", *without] if without else []
    mnist = pathlib.Path(arguments.data_dir or os.environ.get("CAIRN_DATA") or "data") / "mnist"
    return command + (["--data-dir", mnist] if mnist.is_dir() else [])


def started(side, *requests):
    """What it says once it is ready."""
    side.deadline = time.monotonic() + START_SECONDS
    greeting = side.start()
    for request in requests:
        greeting = side.ask(request)
    return greeting


def turn(side, request, seconds):
    """Milliseconds a step."""
    side.deadline = time.monotonic() + seconds + TURN_SECONDS
    return 1e3 * side.ask(request)["step_seconds"]


def compared(times):
    """times: by name, Cairn's among them, a figure of each round."""
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratios = {name: [other / own for other, own in zip(values, times[OWN])]
              for name, values in times.items() if name != OWN}
    best = min(ratios, key=medians.get)
    return {"cairn_ms": round(medians[OWN], 4), "pytorch_form": best, "pytorch_ms": round(medians[best], 4),
            "ratio": round(statistics.median(ratios[best]), 3), "ratios": [round(ratio, 3) for ratio in ratios[best]],
            "ratio_to": {form: round(statistics.median(values), 3) for form, values in ratios.items()},
            "all_ms": {name: [round(value, 4) for value in values] for name, values in times.items()}}


def compare(model, arguments, folder):
    """PyTorch's versions, and the result. Raises Failed and OutOfTime."""
    with contextlib.ExitStack() as stack:
        def side(name, command, environment):
            made = sides.Side(command, folder / f"{model}-{name}.log", environment, stopped=True)
            stack.callback(made.close)
            return made

        # One after the other: none becomes ready beside one that is not stopped.
        own = side("cairn", own_command(model, arguments), dict(os.environ))
        greeting = started(own)
        rival = side("pytorch", torch_command(model, arguments), os.environ | ({} if arguments.plain else WAITING))
        answer = started(rival, json.dumps({"begin": True}))
        missing = {form: reason for form, reason in answer["forms"].items() if reason}
        forms = [form for form in answer["forms"] if form not in missing]
        if not forms:
            raise sides.Failed("PyTorch: no form works: " + in_words(missing))
        if answer["batch_size"] != greeting["batch_size"]:
            raise sides.Failed(f"the batches differ, Cairn's of {greeting['batch_size']} and PyTorch's of "
                               f"{answer['batch_size']}: name one with --batch-size")
        turns = {OWN: lambda: turn(own, str(arguments.seconds), arguments.seconds)}
        for form in forms:
            request = json.dumps({"form": form, "seconds": arguments.seconds})
            turns[form] = lambda request=request: turn(rival, request, arguments.seconds)
        times = sides.take_turns(turns, arguments.rounds)
    recipe = recipe_of(model, arguments)
    return {fact: answer.get(fact) for fact in FACTS}, {
        "model": model, "recipe": recipe, "batch_size": greeting["batch_size"], "unit": "ms a step",
        "impl": greeting["impl"], "dataset": greeting["dataset"], "pytorch_data": answer["data"],
        "pytorch_without": recipes.left_out(recipes.RECIPES[model][recipe]), "plain": arguments.plain,
        "rounds": arguments.rounds, "seconds": arguments.seconds, "cairn_threads": arguments.threads,
        "pytorch_threads": answer.get("threads"), "missing": missing, **compared(times)}


def in_words(missing):
    return ", ".join(f"{form} ({reason})" for form, reason in missing.items())


def line_of(result):
    text = (f"{result['model']} {result['recipe']}, batch {result['batch_size']}: cairn {result['cairn_ms']:.4g}, PyTorch "
            f"{result['pytorch_ms']:.4g} ms a step ({result['pytorch_form']}), ratio {result['ratio']:.2f} over "
            f"{result['rounds']} rounds; to each form: "
            + ", ".join(f"{form} {ratio:.2f}" for form, ratio in result["ratio_to"].items()))
    if result["missing"]:
        text += "; not timed: " + in_words(result["missing"])
    if result["pytorch_without"]:
        text += f"; PyTorch's step is without {' and '.join(result['pytorch_without'])}: Cairn's does more"
    return text


def check(parser, arguments):
    for model in arguments.models:
        known, recipe = recipes.RECIPES[model], recipe_of(model, arguments)
        if recipe not in known:
            parser.error(f"{model} has no recipe '{recipe}': choose from {', '.join(known)}")
        lacking = recipes.left_out(known[recipe], MAY_LACK)
        if lacking:
            parser.error(f"PyTorch's step is timed without {' and '.join(lacking)}, which {recipe} of {model} has")
    check_programs(parser, arguments)


def check_programs(parser, arguments):
    for flag in ("bench", "python"):
        if not shutil.which(getattr(arguments, flag)):
            parser.error(f"there is no program {getattr(arguments, flag)}: name it with --{flag}")
    if arguments.json:
        try:
            open(arguments.json, "a", encoding="utf-8").close()
        except OSError as problem:
            parser.error(f"{arguments.json} cannot be written: {problem.strerror}")


def leave_no_side_behind():
    """The sides are sessions of their own, and a stopped one would outlive this process."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, lambda number, _: sys.exit(128 + number))


def load_average():
    """Of the last minute; where it is high a line says so."""
    load = os.getloadavg()[0]
    if load >= BUSY:
        print(f"{pathlib.Path(sys.argv[0]).name}: the machine is busy (load average {load:.1f}): these figures say little",
              file=sys.stderr, flush=True)
    return load


def parse():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/cpu/bin/bench", help="Cairn's bench")
    parser.add_argument("--python", default=sys.executable, help="a Python that has numpy and torch")
    parser.add_argument("--models", nargs="+", choices=list(recipes.RECIPES), default=list(recipes.RECIPES))
    parser.add_argument("--recipe", help="of every network; default the first of each that PyTorch's step does all of")
    parser.add_argument("--batch-size", type=number.whole(0), help="of both sides, 0 = full batch; default the recipe's")
    parser.add_argument("--impl", default="simd", help="Cairn's implementation")
    parser.add_argument("--forms", nargs="+", choices=step_forms.CPU, help="PyTorch's; default all that the network has")
    parser.add_argument("--plain", action="store_true",
                        help="PyTorch as it comes: threads, waiting and update as it chooses; eager unless --forms")
    parser.add_argument("--threads", type=number.whole(1, 1024), default=len(os.sched_getaffinity(0)), help="of each side")
    parser.add_argument("--dataset", help="Cairn's; default the one that fits the network")
    parser.add_argument("--data-dir", help="the folder that holds mnist/; default $CAIRN_DATA, else ./data")
    parser.add_argument("--rounds", type=number.COUNT, default=7)
    parser.add_argument("--seconds", type=number.SECONDS, default=0.5, help="of a turn")
    parser.add_argument("--json", metavar="FILE", help="write the last line there, too")
    arguments = parser.parse_args()
    check(parser, arguments)
    return arguments


def compare_all(cases, compare_one, words, json_file):
    """compare_one(case, folder) of each case, a model's name first: facts of PyTorch's side, and a result, whose line is
    words(result). The exit code."""
    program = pathlib.Path(sys.argv[0]).stem
    leave_no_side_behind()
    facts, results, failed, load = {}, [], False, load_average()
    with tempfile.TemporaryDirectory(prefix="cairn-versus-") as folder:
        for case in cases:
            try:
                facts, result = compare_one(case, pathlib.Path(folder))
            except (sides.Failed, sides.OutOfTime) as problem:
                print(f"{program}.py: {case[0]} is not timed: {problem or 'a side did not answer in time'}", file=sys.stderr,
                      flush=True)
                failed = True
                continue
            results.append(result)
            print(words(result), flush=True)
    folder, name, cores = machine.this_machine()
    text = json.dumps({"machine": folder, "cpu": name, "cores": cores, "load_average": load, **facts, "results": results})
    print(text)
    if json_file:
        pathlib.Path(json_file).write_text(text + "\n", encoding="utf-8")
    return 1 if failed else 0


def main():
    arguments = parse()
    return compare_all([(model,) for model in arguments.models],
                       lambda case, folder: compare(*case, arguments, folder), line_of, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
