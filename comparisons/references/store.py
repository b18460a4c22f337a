"""The recorded files: one JSON file a network, in it a case for each recipe, data set and seed. A case has one parity
entry, losses and gradients that Cairn must reproduce, and for each machine and PyTorch a run with accuracies and times.

Version 1. Floats have nine significant digits, which gives a float32 back exactly. What is recorded again replaces
its own entry alone. comparisons/reference.cpp reads these files.
"""
import json
import os
import pathlib
import re

import machine

FORMAT, VERSION = "cairn-reference", 1


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def text_of(content):
    """One number a line would be most of the file: lists of numbers stand on one line."""
    text = json.dumps(rounded(content), indent=1, allow_nan=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda match: re.sub(r"\s+", " ", match.group()).replace("[ ", "[").replace(
        " ]", "]"), text) + "\n"


class File:
    def __init__(self, folder, model):
        self.path = pathlib.Path(folder) / f"{model}.json"
        self.content = {"format": FORMAT, "version": VERSION, "model": model, "cases": []}
        if self.path.exists():
            self.content = json.loads(self.path.read_text())
            if (self.content.get("format"), self.content.get("version")) != (FORMAT, VERSION):
                raise SystemExit(f"record.py: {self.path} is no {FORMAT} file of version {VERSION}; move it away")

    def case(self, recipe, dataset, seed, settings, train_sha256):
        """The entry of these, made anew where the settings or the data have changed."""
        facts = {"recipe": recipe, "dataset": dataset, "seed": seed, "settings": rounded(settings),
                 "train_sha256": train_sha256}
        for case in self.content["cases"]:
            if all(case[name] == facts[name] for name in ("recipe", "dataset", "seed")):
                if any(case[name] != fact for name, fact in facts.items()):
                    case.clear()
                    case.update(facts, runs={})
                return case
        self.content["cases"].append({**facts, "runs": {}})
        return self.content["cases"][-1]

    def write(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".part")
        temporary.write_text(text_of(self.content))
        os.replace(temporary, self.path)


def may_replace(held, torch_version):
    """The newest PyTorch's losses are the reference. held: those that are there, or None."""
    return not held or machine.version_number(torch_version) >= machine.version_number(held["torch"])
