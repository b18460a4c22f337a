"""The part `recipes`: the published trainings end to end, beside the published time and PyTorch's on this machine.

Not here: the step by step comparison (steps.py), accuracy over seeds (benchmarks/accuracy.py).
"""
import json
import os
import time

from gpu.checks import FAILED, PASSED, OutOfTime
from gpu.steps import torch_command
from gpu.tests import implementations
from pytorch import sides

# Model, recipe, steps, and what was published: by whom, on what, seconds, test accuracy in percent. The figures are
# those of comparisons/published.cpp, which says where each comes from.
PUBLISHED = (
    ("linear", "full-batch", 100, "PyTorch", "RTX 2060", 0.3, 88),
    ("dnn", "full-batch", 500, "PyTorch", "RTX 2060", 2.7, 93),
    ("lenet-caffe2", "benchmark-mnist", 20000, "Caffe2", "GTX 1080 Ti", 91.68, 98.64),
    ("cnn", "benchmark-mnist", 20000, "TensorFlow", "GTX 1080 Ti", 106.55, 99.32),
    ("simplenet", "skoltech", 42165, "cuDNN", "not stated", 15, 97.9),
    ("lenet-caffe", "skoltech", 42165, "cuDNN", "not stated", 36.6, 98.8),
    ("relunet", "skoltech", 42165, "cuDNN", "not stated", 39.1, 96.4),
    ("largenet-1x1", "skoltech", 42165, "cuDNN", "not stated", 31.4, 98.7),
    ("largenet", "skoltech-pytorch", 42210, "PyTorch", "not stated", 440, None),
)
TORCH_FORMS = ("eager", "graph")
TORCH_SECONDS = 8  # a form; a training that takes longer is scaled, which the page says
START_SECONDS = 120


def check_name(model, recipe, who):
    return f"recipe {recipe} of {model}, {who}"


def run_recipes(job):
    for model, recipe, steps, by, device, seconds, accuracy in PUBLISHED:
        if job.models and model not in job.models:
            continue
        published = {"by": by, "device": device, "seconds": seconds, "accuracy": accuracy}
        for implementation in implementations(job):
            name = check_name(model, recipe, implementation)
            out = job.scratch / f"recipe-{model}-{recipe}-{implementation}"
            # Evaluated and saved once, at the end.
            command = [job.program("train"), "--model", model, "--recipe", recipe, "--impl", implementation,
                       "--device", "cuda", "--seed", "1", "--json", "--quiet", "--eval-every", "1000000",
                       "--save-every", "0", "--out", out, *job.data_flags]
            outcome = job.checks.json_of(name, command)
            if outcome is None:
                continue
            report, wall = outcome
            problem = "" if report.get("steps") == steps else f"it made {report.get('steps')} steps, not {steps}"
            detail = problem or (f"{report['train_seconds']:.3g} s of training ({wall:.3g} s in all), test accuracy "
                                 f"{report['test_accuracy']:.4f} on {report.get('dataset')}; published {seconds:g} s")
            job.checks.add(name, FAILED if problem else PASSED, detail, wall, command,
                           data={"report": report, "wall_seconds": wall, "published": published})
        torch_recipe(job, model, recipe, steps)


def torch_recipe(job, model, recipe, steps):
    """The same number of PyTorch's steps on the same batch."""
    name = check_name(model, recipe, "PyTorch")
    started = time.monotonic()
    if job.checks.left() < 10:
        job.checks.not_run(name)
        return
    command = [*torch_command(job, model, recipe), "--forms", *TORCH_FORMS]
    log = job.scratch / f"recipe-{model}-torch.log"
    side = sides.Side(command, log, dict(os.environ), started + min(START_SECONDS, job.checks.left()))
    data = {"forms": {}, "missing": {}}
    try:
        side.start()
        greeting = side.ask(json.dumps({"begin": True}))
        side.deadline = time.monotonic() + job.checks.left()
        data["pytorch"] = {key: greeting.get(key) for key in ("torch", "cuda", "cudnn", "data")}
        for form in TORCH_FORMS:
            if greeting["forms"].get(form, "it was not tried"):
                data["missing"][form] = greeting["forms"].get(form)
                continue
            answer = side.ask(json.dumps({"form": form, "steps": steps, "limit": TORCH_SECONDS}))
            data["forms"][form] = {**answer, "all_seconds": answer["seconds"] * steps / answer["steps"]}
        words = [f"{form} {figure['all_seconds']:.3g} s"
                 + (f" (scaled from {figure['steps']} of {steps} steps)" if figure["steps"] < steps else "")
                 for form, figure in data["forms"].items()]
        words += [f"no {form}: {reason}" for form, reason in data["missing"].items()]
        job.checks.add(name, PASSED if data["forms"] else FAILED, ", ".join(words), time.monotonic() - started,
                       command, data=data)
    except sides.Failed as error:
        job.checks.add(name, FAILED, str(error), time.monotonic() - started, command)
    except OutOfTime:
        job.checks.not_run(name, command=command)
    finally:
        side.close()
