#!/usr/bin/env python3
"""Trains models over several seeds and prints mean and deviation of the test accuracy.

    benchmarks/accuracy.py --train build/cpu/bin/train                       # the README's table
    benchmarks/accuracy.py --train build/cpu/bin/train --case dnn:default:mnist --impl simd,vanilla --seeds 3

A case is model:recipe:dataset. Further arguments go to train as they are. Needs only Python 3."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "comparisons/references"))

import number  # noqa: E402

CASES = [
    "linear:default:mnist", "dnn:default:mnist", "mlp:default:mnist", "dnn:default:fashion-mnist",
    "linear:full-batch:mnist", "dnn:full-batch:mnist",
]


def train(program, case, implementation, seed, extra):
    model, recipe, dataset = case.split(":")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--model", model, "--recipe", recipe, "--dataset", dataset, "--impl", implementation,
                   "--seed", str(seed), "--out", folder, "--quiet", "--json", *extra]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {result.stderr.strip()}")
    return json.loads(result.stdout.splitlines()[-1])


def main():
    parser = number.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="the train program")
    parser.add_argument("--case", action="append", help="model:recipe:dataset; may be repeated")
    parser.add_argument("--impl", default="simd", help="implementations, separated by commas")
    parser.add_argument("--seeds", type=number.COUNT, default=5, help="1 to this")
    parser.add_argument("--json", help="also write the results to this file")
    options, extra = parser.parse_known_args()

    rows = []
    print(f"{'case':<32}{'impl':<11}{'seeds':>5}  {'accuracy':>17}  {'s/epoch':>8}")
    for case in options.case or CASES:
        for implementation in options.impl.split(","):
            runs = [train(options.train, case, implementation, seed, extra) for seed in range(1, options.seeds + 1)]
            accuracy = [100 * run["test_accuracy"] for run in runs]
            deviation = statistics.stdev(accuracy) if len(accuracy) > 1 else 0.0
            seconds = statistics.median(run["seconds_per_epoch"] for run in runs)
            rows.append({"case": case, "impl": implementation, "accuracy": accuracy,
                         "mean": statistics.mean(accuracy), "deviation": deviation, "seconds_per_epoch": seconds})
            print(f"{case:<32}{implementation:<11}{len(runs):>5}  {rows[-1]['mean']:>8.2f} +- {deviation:<5.2f}"
                  f"  {seconds:>8.4f}", flush=True)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
