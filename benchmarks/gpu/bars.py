"""The bars: what has to be reached, what was, and whether that is enough. Not here: the measuring, the page.

Every bar is a dictionary with point (1 to 5), part, bar, figure and verdict; what was not measured is NOT RUN, which
is no better than a miss.
"""
import math

from gpu import ladders, recipes, steps
from gpu.checks import FAILED, IDLE, NOT_RUN, PASSED

MET, MISSED = "met", "not met"
POINTS = {
    1: "All green on the GPU, sanitizers clean, the same bits on reruns",
    2: "gemm against cuBLASLt",
    3: "conv against the best autotuned plan of cuDNN",
    4: "A training step against PyTorch's",
    5: "Published recipes, end to end",
}
SQUARE_BAR, NETWORKS_BAR, REDUCED_BAR, CONV_BAR = 0.9, 1.0, 0.85, 0.8
# By the ladder's check: what a call below it is looked at for by the profiler.
LADDER_BARS = {
    ladders.squares_check("fp32"): SQUARE_BAR,
    **{ladders.squares_check(precision): REDUCED_BAR for precision in ladders.REDUCED},
    ladders.NETWORKS_CHECK: NETWORKS_BAR,
    **{ladders.conv_check(direction): CONV_BAR for direction in ladders.DIRECTIONS},
}


def bar(point, part, text, figure=None, reached=None):
    verdict = NOT_RUN if reached is None else MET if reached else MISSED
    return {"point": point, "part": part, "bar": text, "figure": figure or "-", "verdict": verdict}


def data_of(rows, name):
    row = rows.get(name) or {}
    return row.get("data") if row.get("result") in (PASSED, FAILED) else None


def all_bars(rows):
    """rows: by name, the newest of each check."""
    return [*green(rows), *gemm(rows), *conv(rows), *step(rows), *recipe(rows)]


# ---- 1 ----


def green(rows):
    for part, text, wanted in (("tests", "every test passes on the GPU", lambda name: "twice" not in name),
                               ("tests", "the same seed gives the same bits", lambda name: "twice" in name),
                               ("sanitizers", "memcheck, racecheck, initcheck and synccheck find nothing",
                                lambda name: True)):
        results = [row["result"] for name, row in rows.items() if row["part"] == part and wanted(name)]
        good, idle, bad = (sum(result in kinds for result in results)
                           for kinds in ((PASSED,), (IDLE,), (FAILED, NOT_RUN)))
        figure = f"{good} passed, {bad} did not" + (f", {idle} had nothing to run on" if idle else "")
        yield bar(1, part, text, figure, None if not results else bad == 0 and good > 0)


# ---- 2, 3 ----


def gemm(rows):
    for precision, sizes, least in [("fp32", ladders.SQUARES, SQUARE_BAR)] + [
            (precision, ladders.REDUCED_SQUARES, REDUCED_BAR) for precision in ladders.REDUCED]:
        found = {row["use"]: row for row in ladders.own_choices(data_of(rows, ladders.squares_check(precision)))}
        for size in sizes:
            row = found.get(f"square {size}")
            yield bar(2, "kernels", f"gemm {precision}, {size}: at least {100 * least:.0f} % of cuBLASLt",
                      row and f"{100 * ladders.ratio(row):.1f} % ({row['gflops'] / 1e3:.3g} TFLOP/s)",
                      row and ladders.ratio(row) >= least)
    yield from mean_bar(rows, 2, ladders.NETWORKS_CHECK, "gemm fp32, the networks' own shapes", NETWORKS_BAR,
                        "cuBLASLt")


def conv(rows):
    for direction in ladders.DIRECTIONS:
        yield from mean_bar(rows, 3, ladders.conv_check(direction), f"{direction} fp32, every layer", CONV_BAR, "cuDNN")


def mean_bar(rows, point, check, what, least, library):
    data = data_of(rows, check)
    found = ladders.own_choices(data)
    text = f"{what}: at least {100 * least:.0f} % of {library} in geometric mean"
    if not found:
        yield bar(point, "kernels", text)
        return
    # A call that has no figure was wrong or failed, and must not make the mean look better.
    calls = {(row["primitive"], row["shape"]) for row in data["rows"]}
    ratios = [ladders.ratio(row) for row in found]
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    worst = min(found, key=ladders.ratio)
    figure = (f"{100 * mean:.1f} % over {len(found)} of {len(calls)} shapes; least {100 * min(ratios):.0f} % at "
              f"{worst['shape']} ({worst['use'].split(';')[0]})")
    yield bar(point, "kernels", text, figure, mean >= least and len(found) == len(calls))


# ---- 4 ----


def step(rows):
    data = data_of(rows, steps.check_name("dnn", "default"))
    fused = f"vanilla {steps.FUSED_RUNG}"
    median = (data or {}).get("median", {}).get(fused)
    other = steps.fastest_own(data)
    missing = (data or {}).get("missing", {}).get(fused)
    figure = f"{1e6 * median:.2f} us" if median else missing and (
        f"no {steps.FUSED_RUNG}: {missing}" + (f" ({other[0]}: {1e6 * other[1]:.1f} us)" if other else ""))
    yield bar(4, "steps", "dnn, batch 64, as one fused kernel: at most 10 us a step", figure,
              None if median is None else median <= 10e-6)
    yield speed_bar(data, "dnn, batch 64, fused", 20, "PyTorch eager", fused)
    for model, recipe, what, least in (("lenet", "default", "lenet, batch 64", {"eager": 5, "graph": 1.5}),
                                       ("cnn", "default", "cnn, batch 64", {"eager": 5, "graph": 1.5}),
                                       ("linear", "full-batch", "linear, full batch", {"eager": 3}),
                                       ("dnn", "full-batch", "dnn, full batch", {"eager": 3})):
        data = data_of(rows, steps.check_name(model, recipe))
        own = steps.fastest_own(data)
        for form, times in least.items():
            yield speed_bar(data, what, times, f"PyTorch {form}", own and own[0])


def speed_bar(data, what, least, rival, own):
    names = {"PyTorch eager": "PyTorch eager", "PyTorch graph": "PyTorch captured as a graph"}
    text = f"{what}: at least {least:g} times as fast as {names[rival]}"
    times = steps.times_faster(data, rival, own)
    if times is None:
        return bar(4, "steps", text)
    median = data["median"]
    figure = f"{times:.2f} times ({own} {1e6 * median[own]:.4g} us, {rival} {1e6 * median[rival]:.4g} us)"
    return bar(4, "steps", text, figure, times >= least)


# ---- 5 ----


def recipe(rows):
    for model, name, count, by, device, seconds, accuracy in recipes.PUBLISHED:
        text = f"{model} {name}, {count} steps: in less than the {seconds:g} s of {by} ({device})"
        reports = {who: data_of(rows, recipes.check_name(model, name, who)) for who in ("vanilla", "cudnn", "torch")}
        times = {who: data["report"]["train_seconds"] for who, data in reports.items() if data}
        if not times:
            yield bar(5, "recipes", text)
            continue
        best = min(times, key=times.get)
        report = reports[best]["report"]
        figure = f"{times[best]:.3g} s ({best}), test accuracy {100 * report['test_accuracy']:.2f} %"
        if accuracy is not None:
            figure += f", published {accuracy:g} %"
        rival = data_of(rows, recipes.check_name(model, name, "PyTorch")) or {}
        for form, answer in rival.get("forms", {}).items():
            scaled = ", scaled" if answer["steps"] < count else ""
            figure += f"; PyTorch {form} here {answer['all_seconds']:.3g} s{scaled}"
        yield bar(5, "recipes", text, figure, times[best] < seconds)
