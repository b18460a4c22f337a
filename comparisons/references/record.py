#!/usr/bin/env python3
"""Records what PyTorch makes of Cairn's networks and recipes, for `compare --model` to be compared with.

    python3 comparisons/references/record.py --data-dir data/mnist --digits data/digits --out comparisons/references/recorded

records everything that this machine can: for every network, recipe and data set the losses of the first 100 steps,
gradients at steps 1 and 10, what rounding alone does to those losses (training.TWINS), the same losses and gradients
in double precision, loss and accuracy of the first epochs, the same accuracies of other seeds and of twins, and the
time of a step in each form that works here, on the CPU and, where there is one, on the GPU (not yet run on a GPU).
PyTorch starts from Cairn's weights, sees its batches in its order and drops what it drops: the draws are written anew
in philox.py. `./cairn fetch digits` writes the folder that --digits names. Files of other machines and versions are kept: a run replaces its own entry.
Seeds and twins that it has are kept too, and those that are missing are added.

Needs numpy and torch, 1.13 or later.
"""
import argparse
import os
import sys
import time

import torch

import data as datasets
import machine
import networks
import number
import recipes
import step_forms
import store
import timing
import training

FOLDERS = {"mnist": "data_dir", "digits": "digits", "cifar10": "cifar10", "digits32": "digits32", "imdb": "imdb",
           "phrases": "phrases"}  # which argument names each data set's
PARTS = ("losses", "twins", "double", "epochs", "spread", "times")
LARGE = ("cnn", "simplecnn", "lenet-caffe2")
DENSE = ("linear", "dnn", "mlp", "mlp-dropout", "mlp-wide", "mlp-deep")


def default_epochs(model, settings, dataset):
    """What a CPU can pay. A full batch is one step an epoch."""
    if settings["batch_size"] == 0:
        return 20
    if model in LARGE or dataset != "mnist":
        return 1
    return 3 if model in DENSE else 2


def record_spread(arguments, model, settings, data, device, entry, save):
    """What chance does to the accuracies after the run's epochs: by other seeds, and by rounding alone (the twins).
    Saved after each training, as there are many."""
    epochs = len(entry.get("epochs", []))
    if epochs == 0:
        return
    spread = entry.setdefault("spread", {"seeds": {}, "twins": {}})
    for kind in spread:  # what lacks an epoch is recorded again
        spread[kind] = {name: values for name, values in spread[kind].items() if len(values) >= epochs}
    for seed in range(1, arguments.seeds + 1):
        if seed != arguments.seed and str(seed) not in spread["seeds"]:
            trained = training.Training(model, settings, data, seed, device)
            spread["seeds"][str(seed)] = training.accuracies(trained, epochs)
            save()
    for name in training.TWINS[:arguments.epoch_twins]:
        if name not in spread["twins"]:
            trained = training.twin(name, model, settings, data, arguments.seed, device)
            spread["twins"][name] = training.accuracies(trained, epochs)
            save()


def record_case(arguments, model, recipe, data, device):
    settings = recipes.RECIPES[model][recipe]
    pixels = {}
    if "text" not in settings:
        scale, shift = datasets.pixel_scale(data, settings["normalization"])
        pixels = {"scale": datasets.plain(scale), "shift": datasets.plain(shift)}
    file = store.File(arguments.out, model)
    case = file.case(recipe, data.name, arguments.seed, {**settings, **pixels}, data.sha256)
    key, facts = machine.describe(device)
    before = case["runs"].get(key, {})
    entry = {**before, **facts}
    if before and not {"losses", "epochs", "spread"} & set(arguments.parts):
        entry["threads"] = before["threads"]  # those that the losses were recorded with
    if {"losses", "epochs"} & set(arguments.parts):
        epochs = 0
        if "epochs" in arguments.parts:
            epochs = arguments.epochs
            if epochs is None:
                epochs = default_epochs(model, settings, data.name)
        trained, parity, by_epoch = training.record(model, settings, data, arguments.seed, device, epochs)
        if by_epoch:
            entry["epochs"] = by_epoch
        newest = store.may_replace(case.get("parity"), torch.__version__)
        if "losses" in arguments.parts and device == "cpu" and newest:
            case["parity"] = {"torch": torch.__version__, "run": key, "twins": [],
                              "own_deviation": [0.0] * len(parity["losses"]), **parity}
        held = case.get("parity")
        if not held:
            raise SystemExit(f"record.py: record the losses of {model} {recipe} {data.name} on the CPU first")
        by_step = training.deviations(parity["losses"], held["losses"])
        entry["deviation"] = [max(by_step[:10]), max(by_step)]
        if key != held["run"] and "losses" in arguments.parts:
            entry["deviation_by_step"] = by_step
        entry["steps_per_epoch"] = trained.steps_per_epoch
    if "spread" in arguments.parts:
        case["runs"][key] = entry
        record_spread(arguments, model, settings, data, device, entry, file.write)
    if "twins" in arguments.parts and case.get("parity", {}).get("torch") == torch.__version__:
        names = training.TWINS[:arguments.twins]
        case["parity"].update(twins=list(names), own_deviation=training.own_deviation(
            model, settings, data, arguments.seed, "cpu", case["parity"]["losses"], names))
    if "double" in arguments.parts and device == "cpu" and store.may_replace(case.get("double"), torch.__version__):
        case["double"] = {"torch": torch.__version__,
                          **training.record_in_double(model, settings, data, arguments.seed, device)}
    if "times" in arguments.parts:
        if "deviation" not in entry:
            raise SystemExit(f"record.py: record the losses of {model} {recipe} {data.name} before its times")
        entry["times"] = timing.record(model, settings, data, arguments.seed, device, arguments.seconds,
                                       arguments.forms or timing.forms_of(device), arguments.sources)
        entry["times_threads"] = torch.get_num_threads()
    case["runs"][key] = entry
    file.write()


def parse():
    twins = number.whole(0, len(training.TWINS))
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder with MNIST's four IDX files")
    parser.add_argument("--digits", help="folder with those that `fetch digits` writes")
    parser.add_argument("--cifar10", help="folder with CIFAR-10's six binary files, unpacked")
    parser.add_argument("--digits32", help="folder with those that `fetch digits32` writes")
    parser.add_argument("--imdb", help="folder with Keras's imdb.npz")
    parser.add_argument("--phrases", help="folder with what `fetch phrases` writes")
    parser.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "recorded"))
    parser.add_argument("--models", nargs="+", choices=list(recipes.RECIPES), default=list(recipes.RECIPES))
    parser.add_argument("--recipes", nargs="+", help="only these; default all that a network has")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--twins", type=twins, default=len(training.TWINS), help="trainings to show what rounding does")
    parser.add_argument("--seeds", type=number.COUNT, default=5, help="whose accuracies are recorded: 1 to this")
    parser.add_argument("--epoch-twins", type=twins, default=4, help="twins whose accuracies are recorded")
    parser.add_argument("--epochs", type=number.whole(0), help="to record; default what a CPU can pay, 1 to 3")
    parser.add_argument("--seed", type=number.whole(0, 2**64 - 1), default=1)
    parser.add_argument("--devices", nargs="+", default=["cpu"] + ["cuda"] * torch.cuda.is_available())
    parser.add_argument("--threads", type=number.THREADS, default=0, help="of the CPU; default PyTorch's choice")
    parser.add_argument("--seconds", type=number.SECONDS, default=2, help="time spent on each timing")
    parser.add_argument("--forms", nargs="+", choices=step_forms.USUAL, help="default all that the device has")
    parser.add_argument("--sources", nargs="+", choices=timing.SOURCES, default=timing.SOURCES)
    arguments = parser.parse_args()
    if not any(getattr(arguments, argument) for argument in FOLDERS.values()):
        parser.error("name at least one folder of a data set: --data-dir, --digits, ... --phrases")
    return arguments


def main():
    arguments = parse()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    folders = {name: getattr(arguments, argument) for name, argument in FOLDERS.items()}
    loaded = [datasets.load(name, folder) for name, folder in folders.items() if folder]
    for model in arguments.models:
        for recipe in recipes.RECIPES[model]:
            if arguments.recipes and recipe not in arguments.recipes:
                continue
            for data in loaded:
                if data.shape != networks.shape_of(model):
                    continue
                for device in arguments.devices:
                    begin = time.perf_counter()
                    record_case(arguments, model, recipe, data, device)
                    print(f"{model} {recipe} {data.name} {device}: {time.perf_counter() - begin:.1f} s",
                          file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
