#!/usr/bin/env -S python3 -I -S
"""Stands in for nvidia-smi, compute-sanitizer, ncu, PyTorch's Python and Cairn's programs: one file under many names.

$STAND_IN is a JSON object that says what is to go wrong; without it all is well. Not here: what is expected of
gpu_check (test_gpu_check.py).
"""
import json
import os
import sys
import time

FAULTS = json.loads(os.environ.get("STAND_IN", "{}"))
STEPS = {"full-batch": {"linear": 100, "dnn": 500}, "benchmark-mnist": 20000, "skoltech": 42165,
         "skoltech-pytorch": 42210}


def flag(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def say(value):
    print(json.dumps(value), flush=True)


def nvidia_smi():
    if FAULTS.get("other_gpu") and "--id=" + FAULTS["other_gpu"] not in sys.argv:
        return 6
    if FAULTS.get("lines") and "--loop-ms=500" in sys.argv:
        for number in range(FAULTS["lines"]):
            print(f"50, 2600, 100.5, 40, {number + 1}", flush=True)
        with open(FAULTS["done"], "w"):
            time.sleep(60)
    line = ("50, 2600, 100.5, 40, 90" if any(word.startswith("--loop") for word in sys.argv) else
            "NVIDIA Stand-In 80GB, 9.0, 580.1, 96.0, 81559 MiB, 700.00 W, 1980 MHz, 2619 MHz, 1980 MHz, 2619 MHz, 40, "
            "Enabled, Disabled")
    print(line, flush=True)
    if "--loop-ms=500" in sys.argv:
        time.sleep(60)
    return 0


def compute_sanitizer():
    tool = flag("--tool")
    if tool == "memcheck" and flag("--report-api-errors") != "no":  # a test asks for more memory than there is
        print("========= Program hit cudaErrorMemoryAllocation (error 2) due to \"out of memory\" on CUDA API call")
        print("========= ERROR SUMMARY: 1 error")
        return int(flag("--error-exitcode"))
    if FAULTS.get("sanitizer") == tool:
        print("========= ERROR SUMMARY: 3 errors")
        return int(flag("--error-exitcode"))
    print("========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)" if tool == "racecheck"
          else "========= ERROR SUMMARY: 0 errors")
    return 0


def ncu():
    stalls = ",".join(f'"smsp__average_warps_issue_stalled_{name}_per_issue_active.ratio"'
                      for name in ("long_scoreboard", "barrier", "selected"))
    print("==PROF== Connected")
    print('"ID","Kernel Name","gpu__time_duration.sum","sm__throughput.avg.pct_of_peak_sustained_elapsed",'
          '"gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed",'
          f'"sm__warps_active.avg.pct_of_peak_sustained_active",{stalls}')
    print('"","","us","%","%","%","inst","inst","inst"')
    print('"0","void cairn::small(int)","1.5","10","20","30","9","1","0"')
    print('"1","void cairn::gemm_kernel<int>(Product)","1,234.5","81.5","40","24.9","0.5","2.25","7"')
    return 0


def bench():
    if sys.argv[1] == "step":
        if "--kernel" in sys.argv and FAULTS.get("no_fused"):
            print(f"bench: unknown kernel '{flag('--kernel')}' of vanilla on cuda: choose from gemm=1", file=sys.stderr)
            return 2
        say({"batch_size": 64, "dataset": "mnist", "impl": flag("--impl"), "device": "cuda"})
        for _ in sys.stdin:
            say({"step_seconds": 8e-6 if "--kernel" in sys.argv else 40e-6})
        return 0
    only, precision = flag("--only"), flag("--precision")
    primitives = [only] if only != "conv2d" else ["conv2d_forward"]
    uses = [f"square {size}" for size in flag("--sizes", "").split(",") if size] or ["cnn conv2, batch 64", "dnn fc1"]
    rows = []
    for primitive in primitives:
        for use in uses:
            speed = FAULTS.get("ladder", {}).get(f"{primitive} {precision}", 1.2)
            row = {"primitive": primitive, "shape": use, "use": use, "seconds": 1e-3, "spread": 0.01, "gflops": 5e4}
            library = {**row, "impl": "cudnn", "rung": 0, "kernel": "", "is_library": True,
                       "library_seconds": 1e-3 * speed}
            own = {**library, "impl": "vanilla", "kernel": "its own choice", "is_library": False}
            rows += [library, own]
            if "--rungs" in sys.argv:
                rows.append({**own, "rung": 6, "kernel": f"{primitive}=6 some_rung"})
    if FAULTS.get("wrong") == only:
        rows[1] = {**rows[1], "wrong": "c: 1 of 9 values are off"}
        del rows[1]["seconds"]
    with open(flag("--out"), "w") as file:
        json.dump({"kind": "ladder", "devices": "Stand-In, cuDNN 9.9", "rows": rows}, file)
    return 1 if FAULTS.get("wrong") == only else 0


def train():
    out, model, recipe = flag("--out"), flag("--model"), flag("--recipe", "default")
    os.makedirs(out)
    with open(os.path.join(out, "model.safetensors"), "w") as file:
        file.write(out if FAULTS.get("other_bits") else "the same")
    steps = STEPS.get(recipe, 1)
    say({"device": flag("--device"), "dataset": "mnist", "steps": steps[model] if isinstance(steps, dict) else steps,
         "train_loss": 0.1, "test_accuracy": 0.98, "train_seconds": FAULTS.get("train_seconds", 0.2),
         "seconds_per_epoch": 0.01})
    return 0


def pytorch():
    if FAULTS.get("no_torch"):
        print("ModuleNotFoundError: No module named 'torch'", file=sys.stderr)
        return 1
    say({"loaded": True})
    sys.stdin.readline()
    say({"torch": "2.11.0", "cuda": "13.0", "cudnn": 91000, "python": "3.12", "data": "mnist", "batch_size": 64,
         "forms": {"eager": None, "compiled": "RuntimeError: no C compiler", "graph": None}})
    for line in sys.stdin:
        request = json.loads(line)
        seconds = {"eager": 300e-6, "graph": 90e-6}[request["form"]]
        say({"seconds": 10.0, "steps": 10} if "steps" in request else {"step_seconds": seconds})
    return 0


def tests():
    if FAULTS.get("hang"):
        time.sleep(60)
    name = os.path.basename(sys.argv[0])
    if any(name in one and (len(sys.argv) < 2 or one.endswith(sys.argv[1])) for one in FAULTS.get("skips", [])):
        return 77
    print("[doctest] test cases: 3 | 3 passed | 0 failed")
    return 1 if name in FAULTS.get("fails", []) else 0


PROGRAMS = {"nvidia-smi": nvidia_smi, "compute-sanitizer": compute_sanitizer, "ncu": ncu, "bench": bench,
            "train": train, "pytorch": pytorch}

if __name__ == "__main__":
    sys.exit(PROGRAMS.get(os.path.basename(sys.argv[0]), tests)())
