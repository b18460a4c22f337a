"""The page of a device: the results of all runs of one commit that lie in its folder, merged. Not here: the running."""
import json
import re

from gpu import bars, ladders, recipes, steps
from gpu.checks import FAILED, IDLE, NOT_RUN, PASSED

FILES = "gpu_check-*.json"
PAGE = "gpu_check.md"
GOOD = (PASSED, IDLE)


class Merged:
    """Of several runs: the newest result of every check that came to one. A check that a newer run did not come to
    keeps its older result; one that once failed says so beside a newer pass."""

    def __init__(self, reports):
        reports = sorted(reports, key=lambda report: report["started"])
        self.newest = reports[-1]
        self.runs = [report for report in reports if report["commit"] == self.newest["commit"]]
        self.others = len(reports) - len(self.runs)
        self.rows = {}
        for report in self.runs:
            for row in report["checks"]:
                old = self.rows.get(row["check"])
                if old and row["result"] == NOT_RUN and old["result"] != NOT_RUN:
                    continue
                row = {**row, "run": report["started"]}
                if old and old["result"] == FAILED and row["result"] in GOOD:
                    row["detail"] += f" (in the run of {old['run']} it failed: {old['detail']})"
                self.rows[row["check"]] = row
        self.bars = bars.all_bars(self.rows)

    def failures(self, parts=None):
        """Checks and bars that are not as they should be, of these parts or of all."""
        rows = [row for row in self.rows.values() if row["result"] not in GOOD]
        return [entry for entry in rows + [bar for bar in self.bars if bar["verdict"] != bars.MET]
                if parts is None or entry["part"] in parts]


def read(folder):
    reports = []
    for file in sorted(folder.glob(FILES)):
        try:
            report = json.loads(file.read_text())
        except ValueError:
            continue
        if isinstance(report, dict) and report.get("kind") == "gpu_check":
            reports.append(report)
    return reports


# ---- Markdown -----------------------------------------------------------------------------------------------------


def cell(value):
    return str(value).replace("|", "\\|").replace("\n", " ")


def table(header, rows, right=()):
    if not rows:
        return ["Nothing was measured.", ""]
    line = "|" + "|".join(" ---: " if name in right else " --- " for name in header) + "|"
    return ["| " + " | ".join(header) + " |", line,
            *("| " + " | ".join(cell(value) for value in row) + " |" for row in rows), ""]


def microseconds(seconds):
    return f"{1e6 * seconds:.4g}"


def bars_table(merged, points=None):
    chosen = [bar for bar in merged.bars if points is None or bar["point"] in points]
    return table(["point", "bar", "figure", ""],
                 [[bar["point"], bar["bar"], bar["figure"], f"**{bar['verdict']}**"] for bar in chosen])


def sample_in_words(sample):
    return "; ".join(f"{name} {'/'.join(f'{value:g}' for value in values)}"
                     for name, values in sample.items() if name != "samples")


def device_lines(merged):
    report = merged.newest
    facts = [[name, value] for name, value in report.get("device", {}).items()]
    clocks = report.get("clocks", {})
    facts += [[f"clocks, {when}", clocks[when]] for when in ("before", "after") if clocks.get(when)]
    facts += [[f"while {part} ran: least/median/most", sample_in_words(sample)] for run in merged.runs
              for part, sample in run.get("clocks", {}).get("sampled", {}).items() if sample]
    versions = {key: value for run in merged.runs for key, value in run.get("versions", {}).items()}
    for row in merged.rows.values():
        data = row.get("data") or {}
        if data.get("devices"):
            versions["Cairn's libraries"] = data["devices"]
        versions.update({f"PyTorch's {key}": value for key, value in (data.get("pytorch") or {}).items()
                         if key in ("torch", "cuda", "cudnn", "python") and value})
    facts += [[name, value] for name, value in versions.items()]
    return ["## Device", "", *table(["", ""], facts),
            "Clocks, power and MIG are as they were found: nothing here sets them.", ""]


def short_lines(merged):
    """What is not met, and what the profiler says about it."""
    missed = [bar for bar in merged.bars if bar["verdict"] != bars.MET]
    lines = ["## What falls short, and why", ""]
    if not missed:
        return lines + ["Every bar is met.", ""]
    lines += [f"- {cell(bar['bar'])}: {cell(bar['figure'])}, **{bar['verdict']}**" for bar in missed] + [""]
    rows = [[row["check"].replace("profile of ", ""), *limits(row)] for row in merged.rows.values()
            if row["check"].startswith("profile of") and row.get("data")]
    lines += ["What ncu says of the longest kernel of one call: of those that miss their bar, then of every rung.", ""]
    lines += table(["call", "kernel", "SM busy", "memory", "occupancy", "waits most for", "us"], rows,
                   ("SM busy", "memory", "occupancy", "us"))
    return lines


def limits(row):
    kernel = row["data"]["longest"]
    name = re.sub(r"^void |<.*|\(.*", "", kernel["name"])
    percents = ["?" if kernel.get(key) is None else f"{kernel[key]:.0f} %" for key in ("sm", "memory", "occupancy")]
    time = "?" if kernel.get("nanoseconds") is None else f"{kernel['nanoseconds'] / 1e3:.4g}"
    return [f"`{name}`", *percents, (kernel.get("stall") or "?").replace("_", " "), time]


def step_lines(merged):
    sides = ["vanilla", "cudnn", "torch", f"vanilla {steps.FUSED_RUNG}", *(f"PyTorch {form}" for form in steps.FORMS)]
    rows, reasons = [], []
    for model, recipe in steps.cases():
        name = steps.check_name(model, recipe)
        data = bars.data_of(merged.rows, name)
        if not data:
            continue
        own = steps.fastest_own(data)
        ratios = []
        for form in steps.FORMS:
            times = steps.times_faster(data, f"PyTorch {form}", own[0] if own else None)
            ratios.append("" if times is None else f"{times:.2f}")
        rows.append([name.replace("step of ", "")] + [microseconds(data["median"][side]) if side in data["median"]
                                                      else "" for side in sides] + ratios)
        reasons += [f"- {name.replace('step of ', '')}, no {side}: {cell(reason)}"
                    for side, reason in data["missing"].items()]
    header = ["step", *(f"{side}, us" for side in sides), *(f"fastest of ours to {form}" for form in steps.FORMS)]
    return ["## Training steps", "", "Strict fp32; a step is the batch gathered from the resident data set, forward, "
            "backward and update. Cairn's and PyTorch's processes are timed in turns, "
            f"{steps.ROUNDS} rounds of {steps.TURN_SECONDS:g} s each; medians, and medians of the rounds' ratios.", "",
            *table(header, rows, header[1:]), *reasons, ""]


def ladder_lines(merged):
    lines = ["## Products and convolutions", "",
             "Each result is checked first, then timed with a cold cache as captured rounds over arrays that no "
             "second-level cache holds; medians. *Of library* is cuBLASLt's time, or that of the fastest of cuDNN's "
             "plans (heuristic, timed, timed in any order), over this one's.", ""]
    header = ["call", "shape", "kernel", "us", "TFLOP/s", "of library"]
    for name in [*bars.LADDER_BARS, ladders.CONV_RUNGS_CHECK]:
        data = bars.data_of(merged.rows, name)
        if not data:
            continue
        rows = []
        for row in data["rows"]:
            who = f"{row['impl']}{', ' + row['kernel'] if row['kernel'] else ''}"
            use = row["use"].split(";")[0] + (" ..." if ";" in row["use"] else "")
            figures = (["", "WRONG", row["wrong"]] if row.get("wrong") else
                       [microseconds(row["seconds"]), f"{row['gflops'] / 1e3:.3g}",
                        f"{100 * ladders.ratio(row):.0f} %" if row.get("library_seconds") else ""])
            rows.append([use, row["shape"], who, *figures])
        lines += [f"### {name}", "", *table(header, rows, header[3:])]
    return lines


def recipe_lines(merged):
    header = ["training", "steps", "by", "training, s", "in all, s", "test accuracy", "published"]
    rows = []
    for model, recipe, count, by, device, seconds, accuracy in recipes.PUBLISHED:
        published = f"{seconds:g} s" + (f", {accuracy:g} %" if accuracy is not None else "") + f" ({by}, {device})"
        for who in ("vanilla", "cudnn", "torch", "PyTorch"):
            data = bars.data_of(merged.rows, recipes.check_name(model, recipe, who))
            if data and who == "PyTorch":
                for form, figure in data["forms"].items():
                    cut = f" (scaled from {figure['steps']} steps)" if figure["steps"] < count else ""
                    rows.append([f"{model} {recipe}", count, f"PyTorch {form}", f"{figure['all_seconds']:.3g}{cut}", "",
                                 "", published])
            elif data:
                report = data["report"]
                rows.append([f"{model} {recipe}", report["steps"], who, f"{report['train_seconds']:.3g}",
                             f"{data['wall_seconds']:.3g}", f"{100 * report['test_accuracy']:.2f} % "
                             f"({report['dataset']})", published])
    return ["## Published recipes", "", "*Training* is the steps alone; *in all* is the program from start to end: "
            "loading, evaluation, writing. PyTorch makes the same number of steps on the resident data.", "",
            *table(header, rows, header[3:5])]


def check_lines(merged):
    rows = [[row["check"], row["result"], f"{row['seconds']:.1f}", row["detail"]] for row in merged.rows.values()]
    return ["## Every check", "", *table(["check", "", "s", ""], rows, ("s",))]


def render(merged):
    report = merged.newest
    runs = "; ".join(f"{run['started']} ({', '.join(run['parts'])}{'' if run['finished'] else ', cut off'})"
                     for run in merged.runs)
    failed = merged.failures()
    lines = [f"# {report.get('device', {}).get('name', 'An unknown GPU')}", "",
             "Written by `scripts/gpu_check` out of the JSON files beside it; "
             "[docs/gpu.md](../../../docs/gpu.md) says how to run it.", "", f"Commit {report['commit']}; runs: {runs}."]
    if merged.others:
        lines.append(f"{merged.others} older results of other commits are not on this page.")
    count = len(merged.rows) + len(merged.bars)
    lines += ["", f"**{len(failed)} of {count} checks and bars are not as they should be.**" if failed
              else "**All checks passed and every bar is met.**", ""]
    for number, title in bars.POINTS.items():
        lines += [f"## {number}. {title}", "", *bars_table(merged, {number})]
    lines += [*short_lines(merged), *step_lines(merged), *recipe_lines(merged), *ladder_lines(merged),
              *device_lines(merged), *check_lines(merged)]
    return "\n".join(lines).rstrip() + "\n"
