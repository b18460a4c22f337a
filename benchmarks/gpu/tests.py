"""The parts `tests` and `sanitizers`: every test on the GPU, reruns bit for bit, and the compute-sanitizer tools."""
import functools
import hashlib
import math
import re
from pathlib import Path

from gpu import machine
from gpu.checks import FAILED, PASSED, OutOfTime

SANITIZER_TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
SANITIZER_FOUND = 86
# Tests ask for more memory than there is and look at the answer: calls that CUDA refuses are not errors of kernels.
SANITIZER_FLAGS = {"memcheck": ("--report-api-errors", "no")}
MODELS = ("dnn", "lenet")  # of the training runs
THREE_STEPS = ("--dataset", "digits", "--steps", "3", "--epochs", "0")
CLOSE = 0.01  # of a test accuracy to the CPU's: many times what another seed does to whole trainings (dnn 0.1 points)


def implementations(job):
    """The CUDA implementations of this build; torch where its plugin lies beside the programs."""
    plugin = any(job.build.glob("lib*/cairn/cairn-torch.so"))
    return ("vanilla", "cudnn") + (("torch",) if plugin else ())


def run_tests(job):
    checks = job.checks
    kernel_tests = job.program("cairn_kernel_tests")
    for implementation in implementations(job):
        # A simulated GPU may come without the libraries of others.
        must_run = implementation == "vanilla" or not job.simulated
        command = [kernel_tests, f"--impl={implementation}/cuda"]
        checks.test(f"kernel tests, {implementation} on cuda", command, must_run)
    # A GPU adds nothing to the tests of the executor and the race detector, which run CUDA source on the CPU, nor to
    # those of the source tree.
    others = [path for path in job.binaries if re.fullmatch(r"cairn_(?!simt_|house_).*_tests", path.name)
              and "race" not in path.name and path != kernel_tests]
    data = {"CAIRN_DATA": str(job.data_dir)} if job.data_dir else None
    checks.together([functools.partial(checks.test, path.name, [path], False, data) for path in others])
    for model in MODELS:
        check_training(job, model)


# ---- training -----------------------------------------------------------------------------------------------------


def training_command(job, model, implementation, where, out, *more):
    return [job.program("train"), "--model", model, "--impl", implementation, "--device", where, "--seed", "1",
            "--json", "--quiet", "--out", out, *job.data_flags, *more]


def digest(folder):
    """Of the weights that a run has written; "" where there are none."""
    file = Path(folder) / "model.safetensors"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def check_training(job, model):
    """Trains twice with one seed by each implementation: the same bits, on the GPU, and as accurate as the CPU's. On a
    simulated GPU three steps are a training."""
    short = THREE_STEPS if job.simulated else ()
    outcome = job.checks.json_of(f"train {model}, simd on cpu", training_command(
        job, model, "simd", "cpu", job.scratch / f"{model}-simd", *short))
    reference = outcome[0] if outcome else None
    for implementation in implementations(job):
        name = f"train {model} twice, {implementation} on cuda"
        outs = [job.scratch / f"{model}-{implementation}-{attempt}" for attempt in (1, 2)]
        runs = []
        for out in outs:
            command = training_command(job, model, implementation, "cuda", out, *short)
            outcome = job.checks.json_of(name, command)
            if outcome is None:
                break
            runs.append(outcome)
        if len(runs) == 2:
            problems = training_problems(runs[0][0], runs[1][0], [digest(out) for out in outs], reference)
            report = runs[0][0]
            time = "" if job.simulated else f", {report.get('seconds_per_epoch')} s an epoch"
            detail = "; ".join(problems) or (f"the same weights to the bit; test accuracy "
                                             f"{report['test_accuracy']:.4f}{time}")
            job.checks.add(name, FAILED if problems else PASSED, detail, runs[0][1] + runs[1][1], command,
                           data={"report": report, "digests": [digest(out) for out in outs]})


def training_problems(report, again, digests, reference):
    problems = []
    if "cuda" not in str(report.get("device")):
        problems.append(f"it ran on {report.get('device')}")
    accuracy, loss = report.get("test_accuracy"), report.get("train_loss")
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in (accuracy, loss)):
        problems.append(f"test accuracy {accuracy}, training loss {loss}")
    elif reference is None:
        problems.append("there is no CPU run to compare with")
    elif abs(accuracy - reference["test_accuracy"]) > CLOSE:
        problems.append(f"test accuracy {accuracy:.4f}, on the CPU {reference['test_accuracy']:.4f}")
    if again.get("train_loss") != loss or again.get("test_accuracy") != accuracy:
        problems.append(f"a second run with the same seed ends with loss {again.get('train_loss')}, not {loss}")
    if not digests[0] or digests[0] != digests[1]:
        problems.append("a second run with the same seed has other weights" if digests[0] else "it saved no weights")
    return problems


# ---- sanitizers ---------------------------------------------------------------------------------------------------


def run_sanitizers(job, tools=SANITIZER_TOOLS):
    """NVIDIA's own kernels are not ours to check beyond what we hand them: memcheck alone for the others. A simulated
    GPU checks every access itself, and the tools do not know it: each command runs once, as it is."""
    tools = tools[:1] if job.simulated else tools
    kernel_tests = job.program("cairn_kernel_tests")
    wanted = []
    for implementation in implementations(job):
        for tool in tools if implementation == "vanilla" else [tool for tool in tools if tool == "memcheck"]:
            wanted.append((tool, f"kernel tests, {implementation} on cuda",
                           [kernel_tests, f"--impl={implementation}/cuda"]))
    for model in MODELS:
        for tool in tools:
            out = job.scratch / f"{model}-{tool}"
            command = training_command(job, model, "vanilla", "cuda", out, *THREE_STEPS)
            wanted.append((tool, f"three steps of {model}, vanilla on cuda", command))
    wanted.sort(key=lambda one: (list(tools).index(one[0]), "three" not in one[1]))
    if job.simulated:  # what it looks at, it looks at in every run; the tests have looked at the rest
        for _, name, command in wanted:
            job.checks.test(f"{name}, small sweep", command, False, {"CAIRN_TEST_SWEEP": "small"})
        return
    job.checks.together([functools.partial(sanitize, job.checks, *one) for one in wanted])


def sanitize(checks, tool, name, command):
    """compute-sanitizer's own exit code must not hide in the program's, nor the other way round."""
    sanitizer = machine.find_tool("compute-sanitizer")
    name = f"{name}, compute-sanitizer {tool}"
    if sanitizer is None:
        return checks.add(name, FAILED, "compute-sanitizer was not found: it comes with the CUDA toolkit")
    full = [sanitizer, "--tool", tool, "--error-exitcode", str(SANITIZER_FOUND), *SANITIZER_FLAGS.get(tool, ()),
            *command]
    try:
        code, detail, text, seconds = checks.run(full, {"CAIRN_TEST_SWEEP": "small"})
    except OutOfTime:
        return checks.not_run(name, command=full)
    summary = re.findall(r"^=+ ((?:ERROR|RACECHECK) SUMMARY: .*)$", text, re.M)
    if code == SANITIZER_FOUND or not summary:
        detail = (summary[-1] if summary else "no summary from compute-sanitizer") + "; " + detail
    clean = code == 0 and summary and re.search(r"SUMMARY: 0 ", summary[-1])
    return checks.add(name, PASSED if clean else FAILED, detail or (summary[-1] if summary else ""), seconds, full)
