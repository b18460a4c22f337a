"""The part `steps`: the training step of every model, Cairn's and PyTorch's in turns. Not here: the bars."""
import json
import os
import statistics
import sys
import time
from pathlib import Path

from gpu.checks import FAILED, LEAST_SECONDS, PASSED, OutOfTime
from gpu.tests import implementations
from pytorch import sides

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "comparisons/references"))

import recipes  # noqa: E402: those of PyTorch's side
import step_forms  # noqa: E402

# The rung that runs a whole step as one kernel, and the models that are tried with it. A build without it says so.
FUSED_RUNG = "sgd_steps=1"
FUSED_MODELS = ("dnn", "linear")
FORMS = step_forms.USUAL
# Those that a bar is about come first.
FIRST = (("dnn", "default"), ("lenet", "default"), ("cnn", "default"), ("linear", "full-batch"), ("dnn", "full-batch"))
# The two tutorials have no recipe of which PyTorch's step beside it does all: it augments no images.
MODELS = tuple(model for model in recipes.RECIPES if recipes.timed_recipe(model))
ROUNDS = 5
TOGETHER = 6  # cases whose processes start at the same time
TURN_SECONDS = 0.3
START_SECONDS = 180  # a compiled form may take that long to be ready


def check_name(model, recipe):
    batch = recipes.RECIPES[model][recipe]["batch_size"]
    return f"step of {model}, {f'batch {batch}' if batch else 'full batch'}"


def cases():
    rest = [(model, recipes.timed_recipe(model)) for model in MODELS]
    return [*FIRST, *(case for case in rest if case not in FIRST)]


def own_sides(job, model, recipe):
    """Names and commands of Cairn's sides."""
    base = [job.program("bench"), "step", "--turns", "--model", model, "--recipe", recipe, "--device", "cuda",
            "--repeats", "5", *job.data_flags]
    sides = {implementation: [*base, "--impl", implementation] for implementation in implementations(job)}
    if model in FUSED_MODELS and recipe == "default":
        sides[f"vanilla {FUSED_RUNG}"] = [*base, "--impl", "vanilla", "--kernel", FUSED_RUNG]
    return sides


def torch_command(job, model, recipe, device="cuda"):
    script = job.root / "benchmarks/pytorch/turns.py"
    command = [job.python, script, "--model", model, "--recipe", recipe, "--device", device]
    return command + (["--data-dir", job.data_dir / "mnist"] if job.data_dir else [])


def run_steps(job):
    """Several cases start together, which takes far longer than timing them; then one after the other is timed."""
    chosen = [case for case in cases() if not job.models or case[0] in job.models]
    for begin in range(0, len(chosen), TOGETHER):
        group = [Case(job, model, recipe) for model, recipe in chosen[begin:begin + TOGETHER]]
        try:
            for case in group:
                case.start()
            for case in group:
                case.add_row()
        finally:
            for case in group:
                case.close()


class Case:
    """One model's step: its processes, and what came of them."""

    def __init__(self, job, model, recipe):
        self.job, self.model, self.recipe = job, model, recipe
        self.name = check_name(model, recipe)
        self.sides = {}
        self.data = {"model": model, "recipe": recipe, "missing": {}, "precision": "fp32", "rounds": ROUNDS}
        # Sides that must work and do not: all but the fused rung and PyTorch's compiler.
        self.problems = []
        self.askers = {}

    def start(self):
        if self.job.checks.left() < LEAST_SECONDS:
            return
        for name, command in own_sides(self.job, self.model, self.recipe).items():
            self.add_side(name, command, self.job.checks.environment)
        # In the environment as it was found: the libraries that were carried are no business of PyTorch's.
        self.add_side("PyTorch", torch_command(self.job, self.model, self.recipe), dict(os.environ))

    def add_side(self, name, command, environment):
        log = self.job.scratch / f"step-{self.model}-{self.recipe}-{len(self.sides)}.log"
        self.sides[name] = sides.Side(command, log, environment)

    def close(self):
        for side in self.sides.values():
            side.close()

    def add_row(self):
        if not self.sides:
            self.job.checks.not_run(self.name)
            return
        started = time.monotonic()
        try:
            self.measure()
        except OutOfTime:
            late = f"a side was not ready within {START_SECONDS} s" if self.job.checks.left() > 0 else None
            self.job.checks.not_run(self.name, late, seconds=time.monotonic() - started)
            return
        finally:
            self.close()
        self.data["median"] = {name: statistics.median(values) for name, values in self.data["seconds"].items()}
        self.job.checks.add(self.name, FAILED if self.problems else PASSED,
                            "; ".join(self.problems) or in_words(self.data), time.monotonic() - started, data=self.data)

    def measure(self):
        self.data["seconds"] = {}
        for name, side in self.sides.items():
            side.deadline = time.monotonic() + min(START_SECONDS, self.job.checks.left())
            try:
                greeting = side.start()
                if name == "PyTorch":
                    greeting = side.ask(json.dumps({"begin": True}))
            except sides.Failed as error:
                self.data["missing"][name] = str(error).split(": choose from")[0]
                if FUSED_RUNG not in name:
                    self.problems.append(f"{name}: {error}")
                continue
            add_askers(self.askers, self.data, name, side, greeting)
        for side in self.sides.values():
            side.deadline = time.monotonic() + self.job.checks.left()
        if "PyTorch eager" not in self.askers and not self.problems:
            self.problems.append("PyTorch eager: " + self.data["missing"].get("PyTorch eager", "it did not run"))
        try:
            self.data["seconds"] = sides.take_turns(self.askers, ROUNDS)
        except sides.Failed as error:
            self.problems.append(str(error))


def add_askers(askers, data, name, side, greeting):
    if name != "PyTorch":
        data["batch_size"] = greeting.get("batch_size")
        data["dataset"] = greeting.get("dataset")
        askers[name] = lambda: side.ask(str(TURN_SECONDS))["step_seconds"]
        return
    data["pytorch"] = {key: greeting.get(key) for key in ("torch", "cuda", "cudnn", "python", "data", "batch_size")}
    for form in FORMS:
        reason = greeting["forms"].get(form, "it was not tried")
        if reason:
            data["missing"][f"PyTorch {form}"] = reason
            continue
        request = json.dumps({"form": form, "seconds": TURN_SECONDS})
        askers[f"PyTorch {form}"] = lambda request=request: side.ask(request)["step_seconds"]


def in_words(data):
    figures = [f"{name} {1e6 * seconds:.4g} us" for name, seconds in data["median"].items()]
    return ", ".join(figures + [f"no {name} ({reason})" for name, reason in data["missing"].items()])


# ---- what figures say ---------------------------------------------------------------------------------------------


def fastest_own(data):
    """Name and seconds of Cairn's fastest side; None where there is none. The plugin's kernels are PyTorch's own."""
    own = {name: value for name, value in (data or {}).get("median", {}).items()
           if name != "torch" and not name.startswith("PyTorch")}
    name = min(own, key=own.get, default=None)
    return (name, own[name]) if name else None


def times_faster(data, rival, own):
    """The median of the rounds' ratios: each is of two figures taken within seconds of each other."""
    if not data or rival not in data.get("seconds", {}) or own not in data["seconds"]:
        return None
    return statistics.median(b / a for a, b in zip(data["seconds"][own], data["seconds"][rival]))
