"""The part `steps`: the training step of every model, Cairn's and PyTorch's in turns. Not here: the bars."""
import json
import statistics
import time

from gpu import turns
from gpu.checks import FAILED, PASSED, OutOfTime
from gpu.tests import implementations

# The rung that runs a whole step as one kernel, and the models that are tried with it. A build without it says so.
FUSED_RUNG = "training_step=2"
FUSED_MODELS = ("dnn",)
FULL_BATCH = ("linear", "dnn")
FORMS = ("eager", "compiled", "graph")
# Those that a bar is about come first.
FIRST = (("dnn", "default"), ("lenet", "default"), ("cnn", "default"), ("linear", "full-batch"), ("dnn", "full-batch"))
MODELS = ("linear", "dnn", "mlp", "mlp-dropout", "mlp-wide", "mlp-deep", "lenet", "lenet-playground", "lenet-caffe",
          "lenet-caffe2", "relunet", "cnn", "simplecnn", "simplenet", "largenet", "largenet-1x1")
ROUNDS = 5
TURN_SECONDS = 0.3
START_SECONDS = 180  # a compiled form may take that long to be ready


def check_name(model, recipe):
    return f"step of {model}, {'full batch' if recipe == 'full-batch' else 'batch 64'}"


def cases():
    rest = [(model, "default") for model in MODELS if (model, "default") not in FIRST]
    return [*FIRST, *rest]


def own_sides(job, model, recipe):
    """Names and commands of Cairn's sides."""
    base = [job.program("bench"), "step", "--turns", "--model", model, "--recipe", recipe, "--device", "cuda",
            "--repeats", "5", *job.data_flags]
    sides = {implementation: [*base, "--impl", implementation] for implementation in implementations(job)}
    if model in FUSED_MODELS and recipe == "default":
        sides[f"vanilla {FUSED_RUNG}"] = [*base, "--impl", "vanilla", "--kernel", FUSED_RUNG]
    return sides


def torch_command(job, model, recipe, device="cuda"):
    script = job.root / "bench/pytorch/turns.py"
    command = [job.python, script, "--model", model, "--recipe", recipe, "--device", device]
    return command + (["--data-dir", job.data_dir / "mnist"] if job.data_dir else [])


def run_steps(job):
    for model, recipe in cases():
        name = check_name(model, recipe)
        if job.models and model not in job.models:
            continue
        if job.checks.left() < 10:
            job.checks.not_run(name)
            continue
        started = time.monotonic()
        try:
            data, problems = timed_case(job, model, recipe)
        except OutOfTime:
            job.checks.not_run(name, seconds=time.monotonic() - started)
            continue
        detail = "; ".join(problems) or in_words(data)
        job.checks.add(name, FAILED if problems else PASSED, detail, time.monotonic() - started, data=data)


def timed_case(job, model, recipe):
    """The figures, and what went wrong with a side that must work: all but the fused rung and PyTorch's compiler."""
    data = {"model": model, "recipe": recipe, "missing": {}, "precision": "fp32", "rounds": ROUNDS}
    problems, sides, askers = [], {}, {}
    deadline = time.monotonic() + min(START_SECONDS, job.checks.left())
    try:
        for name, command in {**own_sides(job, model, recipe), "PyTorch": torch_command(job, model, recipe)}.items():
            log = job.scratch / f"step-{model}-{recipe}-{len(sides)}-{name.split()[0]}.log"
            side = sides[name] = turns.Side(command, log, job.checks.environment, deadline)
            try:
                greeting = side.start()  # one after the other: none starts beside one that is timed
            except turns.Failed as error:
                data["missing"][name] = str(error)
                if FUSED_RUNG not in name:
                    problems.append(f"{name}: {error}")
                continue
            add_askers(askers, data, name, side, greeting)
        for side in sides.values():
            side.deadline = time.monotonic() + job.checks.left()
        if "PyTorch eager" not in askers and not problems:
            problems.append("PyTorch eager: " + data["missing"].get("PyTorch eager", "it did not run"))
        try:
            data["seconds"] = turns.take_turns(askers, ROUNDS)
        except turns.Failed as error:
            problems.append(str(error))
            data["seconds"] = {}
    finally:
        for side in sides.values():
            side.close()
    data["median"] = {name: statistics.median(values) for name, values in data["seconds"].items()}
    return data, problems


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
    """Name and seconds of Cairn's fastest side; None where there is none."""
    own = {name: value for name, value in (data or {}).get("median", {}).items() if not name.startswith("PyTorch")}
    name = min(own, key=own.get, default=None)
    return (name, own[name]) if name else None


def times_faster(data, rival, own):
    """The median of the rounds' ratios: each is of two figures taken within seconds of each other."""
    if not data or rival not in data.get("seconds", {}) or own not in data["seconds"]:
        return None
    return statistics.median(b / a for a, b in zip(data["seconds"][own], data["seconds"][rival]))
