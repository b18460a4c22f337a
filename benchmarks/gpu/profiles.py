"""The part `profile`: what ncu says limits a kernel, of every rung of the ladders and of the calls that miss their bar.

Clocks are left as they are (--clock-control none). Not here: the bars (bars.py).
"""
import csv
import io
import re

from gpu import bars, ladders, machine
from gpu.checks import FAILED, NOT_RUN, PASSED, OutOfTime

SECTIONS = ("SpeedOfLight", "Occupancy", "WarpStateStats")
LADDER_SQUARE = 4096
MOST_MISSES = 4  # a check's worst calls that are looked at
LAUNCHES = 12  # of one call, at most
FIGURES = {
    "sm": "sm__throughput.avg.pct_of_peak_sustained_elapsed",
    "memory": "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed",
    "occupancy": "sm__warps_active.avg.pct_of_peak_sustained_active",
    "nanoseconds": "gpu__time_duration.sum",
}
STALL = re.compile(r"smsp__average_warps?_(?:latency_)?issue_stalled_(\w+?)_per_(?:issue_active|warp_issue_stalled)")
NANOSECONDS = {"ns": 1, "nsecond": 1, "us": 1e3, "usecond": 1e3, "ms": 1e6, "msecond": 1e6, "s": 1e9, "second": 1e9}


def run_profiles(job):
    ncu = machine.find_tool("ncu")
    wanted = list(calls(job.figures()))
    if ncu is None:
        job.checks.add("profiles", NOT_RUN, "ncu was not found: it comes with the CUDA toolkit (Nsight Compute)")
        return
    if not wanted:
        job.checks.add("profiles", NOT_RUN, "there are no ladders to look at: run the part kernels first")
        return
    for name, precision, flags in wanted:
        profile(job, ncu, name, precision, flags)


def calls(rows):
    """Name, precision and flags of one call each: first what misses its bar, then every rung, vanilla's own."""
    for name, bar in bars.LADDER_BARS.items():
        found = ladders.own_choices((rows.get(name) or {}).get("data"))
        precision = name.split()[1].rstrip(",")
        short = sorted((row for row in found if ladders.ratio(row) < bar), key=ladders.ratio)
        for row in short[:MOST_MISSES]:
            layer = row["use"].split(";")[0]
            reached = f"{100 * ladders.ratio(row):.0f} % of the library"
            yield (f"profile of {row['primitive']} {precision}, {layer}: {reached}", precision,
                   ["--only", row["primitive"], *where(row, layer)])
    for name in (ladders.squares_check("fp32"), ladders.squares_check("tf32"), ladders.squares_check("bf16"),
                 ladders.CONV_RUNGS_CHECK):
        precision = name.split()[1].rstrip(",")
        for row in ((rows.get(name) or {}).get("data") or {}).get("rows", []):
            if row["is_library"] or row["rung"] == 0:
                continue
            if row["primitive"] == "gemm" and row["use"] != f"square {LADDER_SQUARE}":
                continue
            layer = row["use"].split(";")[0]
            yield (f"profile of {row['kernel']}, {precision}, {layer}", precision,
                   ["--only", row["primitive"], *where(row, layer), "--kernel", row["kernel"].split()[0]])


def where(row, layer):
    if layer.startswith("square "):
        return ["--sizes", layer.split()[1]]
    return ["--networks", "--use", layer]


def profile(job, ncu, name, precision, flags):
    out = job.scratch / "once.json"
    sections = [word for section in SECTIONS for word in ("--section", section)]
    command = [ncu, "--clock-control", "none", "--csv", "--page", "raw", *sections, "--launch-count", str(LAUNCHES),
               job.program("bench"), "ladder", "--once", "--impl", "vanilla", "--device", "cuda", "--precision",
               precision, *flags, "--quiet", "--format", "json", "--out", out]
    try:
        code, detail, text, seconds = job.checks.run(command)
    except OutOfTime:
        job.checks.not_run(name, command=command)
        return
    kernels = parse(text)
    if not kernels:
        said = [line for line in text.splitlines() if line.startswith("==ERROR==")]
        job.checks.add(name, FAILED, said[0] if said else detail or "ncu gave no figures", seconds, command)
        return
    longest = max(kernels, key=lambda kernel: kernel.get("nanoseconds") or 0)
    job.checks.add(name, PASSED if code == 0 else FAILED, detail or in_words(longest), seconds, command,
                   data={"kernels": kernels, "longest": longest})


def number(text):
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def parse(text):
    """Of ncu's raw page: a line of names, one of units, and one for each kernel."""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    start = next((i for i, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        return []
    table = list(csv.reader(io.StringIO("\n".join(lines[start:]))))
    header, units, kernels = table[0], dict(zip(table[0], table[1])) if len(table) > 1 else {}, []
    for values in table[2:]:
        row = dict(zip(header, values))
        kernel = {"name": row.get("Kernel Name", "")}
        for figure, metric in FIGURES.items():
            kernel[figure] = number(row.get(metric, ""))
        if kernel["nanoseconds"] is not None:
            kernel["nanoseconds"] *= NANOSECONDS.get(units.get(FIGURES["nanoseconds"], "ns"), 1)
        stalls = {match.group(1): number(value) for column, value in row.items()
                  for match in [STALL.match(column or "")] if match and number(value) is not None}
        stalls = {stall: warps for stall, warps in stalls.items()
                  if stall != "selected" and not stall.endswith("_not_issued")}  # of all warps, but those that issue
        kernel["stall"] = max(stalls, key=stalls.get) if stalls else None
        kernel["stall_warps"] = stalls.get(kernel["stall"])
        kernels.append(kernel)
    return kernels


def in_words(kernel):
    def percent(name):
        return "?" if kernel.get(name) is None else f"{kernel[name]:.0f} %"

    stall = kernel.get("stall") or "?"
    short = re.sub(r"^void |<.*|\(.*", "", kernel["name"])
    time = "" if kernel.get("nanoseconds") is None else f", {kernel['nanoseconds'] / 1e3:.4g} us"
    return (f"{short}: SM {percent('sm')}, memory {percent('memory')}, occupancy {percent('occupancy')}, "
            f"waits most for {stall.replace('_', ' ')}{time}")
