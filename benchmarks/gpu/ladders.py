"""The part `kernels`: gemm and conv beside cuBLASLt and cuDNN in one process, `bench ladder`. Not here: the bars."""
import json

from gpu.checks import FAILED, PASSED, OutOfTime

SQUARES = (1024, 2048, 4096, 8192)
REDUCED_SQUARES = (4096, 8192)
REDUCED = ("tf32", "bf16")
DIRECTIONS = ("conv2d_forward", "conv2d_backward_data", "conv2d_backward_filter")
RUNG_LAYER = "cnn conv2, batch 64"  # where the whole ladder of conv is shown
KEPT = ("primitive", "shape", "use", "impl", "rung", "kernel", "is_library", "seconds", "spread", "gflops",
        "gigabytes_per_second", "library", "library_seconds", "wrong")


def squares_check(precision):
    return f"gemm {precision}, squares"


NETWORKS_CHECK = "gemm fp32, the networks' layers"
CONV_RUNGS_CHECK = f"conv2d fp32, all rungs at {RUNG_LAYER}"


def conv_check(direction):
    return f"{direction} fp32, the networks' layers"


def sizes(values):
    return ["--sizes", ",".join(str(value) for value in values)]


def ladders():
    """Name, precision and flags of each, the decisive first."""
    yield squares_check("fp32"), "fp32", ["--only", "gemm", *sizes(SQUARES), "--rungs"]
    yield NETWORKS_CHECK, "fp32", ["--only", "gemm", "--networks"]
    for direction in DIRECTIONS:
        yield conv_check(direction), "fp32", ["--only", direction, "--networks"]
    for precision in REDUCED:
        yield squares_check(precision), precision, ["--only", "gemm", *sizes(REDUCED_SQUARES), "--rungs"]
    yield CONV_RUNGS_CHECK, "fp32", ["--only", "conv2d", "--networks", "--use", RUNG_LAYER, "--rungs"]


def run_ladders(job):
    for number, (name, precision, flags) in enumerate(ladders()):
        out = job.scratch / f"ladder-{number}.json"
        command = [job.program("bench"), "ladder", "--impl", "vanilla", "--device", "cuda", "--precision", precision,
                   *flags, "--repeats", "7", "--seconds", "0.1", "--quiet", "--format", "json", "--out", out]
        try:
            code, detail, _, seconds = job.checks.run(command)
        except OutOfTime:
            job.checks.not_run(name, command=command)
            continue
        report = read(out)
        rows = [{key: row[key] for key in KEPT if key in row} for row in report.get("rows", [])]
        wrong = [row for row in rows if row.get("wrong")]
        if wrong:
            detail = f"{len(wrong)} of {len(rows)} rows are wrong, the first: {label(wrong[0])}: {wrong[0]['wrong']}"
        elif not rows:
            detail = detail or "it wrote no rows"
        passed = code == 0 and rows and not wrong
        job.checks.add(name, PASSED if passed else FAILED, detail or f"{len(rows)} rows, all right", seconds, command,
                       data={"precision": precision, "devices": report.get("devices"), "rows": rows,
                             "ceilings": report.get("gpu_ceilings"), "rotation_bytes": report.get("rotation_bytes")})


def read(file):
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return {}


def label(row):
    return f"{row['impl']} {row['kernel'] or row['primitive']}, {row['shape']}"


# ---- what rows say ------------------------------------------------------------------------------------------------


def own_choices(data):
    """Rows of the implementation's own choice that were timed beside a library."""
    return [row for row in (data or {}).get("rows", [])
            if not row["is_library"] and row["rung"] == 0 and not row.get("wrong")
            and row.get("seconds") and row.get("library_seconds")]


def ratio(row):
    """Of the library's speed: 1 is as fast, 2 twice as fast."""
    return row["library_seconds"] / row["seconds"]
