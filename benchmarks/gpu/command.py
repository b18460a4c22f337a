"""What scripts/gpu_check does with its flags: the parts, in order, within the budget. Not here: the parts."""
import argparse
import contextlib
import datetime
import os
import sys
import tempfile
from pathlib import Path

from gpu import archive, ladders, machine, page, profiles, recipes, steps, tests
from gpu.checks import FAILED, PASSED, Checks

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "comparisons/references"))

import number  # noqa: E402

# Cheap and decisive first: a kernel that is wrong makes its times worthless.
PARTS = {"tests": tests.run_tests, "steps": steps.run_steps, "kernels": ladders.run_ladders,
         "recipes": recipes.run_recipes, "sanitizers": tests.run_sanitizers, "profile": profiles.run_profiles}
TIMED = ("steps", "kernels", "recipes")
SIMULATED = ("tests", "sanitizers")  # what a simulated GPU can show: times are none of it
SIMULATED_FOLDER = "simulated-gpu"
DEFAULT_MINUTES = 120.0


class Stop(Exception):
    """Bad usage, or no GPU."""


class Job:
    """What the parts share."""

    def __init__(self, root, arguments):
        self.root = root
        self.build = Path(arguments.build).resolve()
        self.python = arguments.python
        self.models = arguments.models
        self.simulated = arguments.simulated
        self.binaries = sorted(path for path in (self.build / "bin").glob("*")
                               if path.is_file() and os.access(path, os.X_OK))
        places = [arguments.data_dir, os.environ.get("CAIRN_DATA"), root / "data"]
        found = [Path(place).resolve() for place in places if place and Path(place, "mnist").is_dir()]
        self.data_dir = found[0] if found else None
        self.data_flags = ["--data-dir", self.data_dir] if self.data_dir else []
        self.scratch = Path(tempfile.mkdtemp(prefix="gpu_check-"))
        self.folder = None
        self.checks = None

    def program(self, name):
        return self.build / "bin" / name

    def figures(self):
        """The newest result of every check, of this run and of earlier ones of the same commit."""
        reports = [report for report in page.read(self.folder) if report["commit"] == self.checks.header["commit"]]
        return page.Merged(reports).rows


def names(text, choices, what):
    chosen = [name for name in text.split(",") if name]
    unknown = [name for name in chosen if name not in choices]
    if unknown or not chosen:
        raise Stop(f"unknown {what} '{','.join(unknown)}': choose from {', '.join(choices)}")
    return [name for name in choices if name in chosen]


def parse(root, description, words):
    parser = number.Parser(prog="gpu_check", description=description,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default=str(root / "build/cuda"), help="build folder (default: build/cuda)")
    parser.add_argument("--only", metavar="PARTS", help="of " + ",".join(PARTS))
    parser.add_argument("--simulated", action="store_true",
                        help="on a simulated GPU: the parts " + " and ".join(SIMULATED) + ", and no times")
    parser.add_argument("--minutes", type=number.positive(7 * 1440), default=DEFAULT_MINUTES,
                        help="of all checks together; what does not fit is NOT RUN (default %(default)g)")
    parser.add_argument("--limit", type=number.SECONDS, default=1800, metavar="SECONDS",
                        help="for each check (default 1800)")
    parser.add_argument("--models", help="steps and recipes: only these, separated by commas")
    parser.add_argument("--tools", default=",".join(tests.SANITIZER_TOOLS), help="sanitizers: only these")
    parser.add_argument("--data-dir", help="folder with mnist/ (default: $CAIRN_DATA, else data/)")
    parser.add_argument("--python", default="python3", help="a Python that has PyTorch (default: python3)")
    parser.add_argument("--out", help="folder of the results (default: benchmarks/results/<device>)")
    parser.add_argument("--page", metavar="FOLDER", help="write the page of the results in FOLDER again, and stop")
    parser.add_argument("--carry", metavar="FILE", help="write an archive of what to carry, and stop: see above")
    arguments = parser.parse_args(words)
    possible = list(SIMULATED if arguments.simulated else PARTS)
    arguments.parts = names(",".join(possible) if arguments.only is None else arguments.only, possible, "part")
    arguments.tools = names(arguments.tools, list(tests.SANITIZER_TOOLS), "tool")
    arguments.models = names(arguments.models, list(steps.MODELS), "model") if arguments.models else None
    return arguments


def report_page(folder, parts):
    """Writes the page; prints the bars; 1 if something of these parts is not as it should be."""
    reports = page.read(folder)
    if not reports:
        raise Stop(f"{folder} has no {page.FILES}")
    merged = page.Merged(reports)
    (folder / page.PAGE).write_text(page.render(merged))
    shown = [bar for bar in merged.bars if parts is None or bar["part"] in parts]
    for bar in shown:
        print(f"{bar['verdict']:8} {bar['point']}  {bar['bar']}: {bar['figure']}")
    failed = merged.failures(parts)
    print(f"{len(merged.rows)} checks and {len(shown)} bars, {len(failed)} not as they should be; "
          f"page {folder / page.PAGE}")
    return 1 if failed else 0


def header_of(job, arguments, started, facts, folders):
    versions = {"driver": facts.get("driver_version", "unknown"), "gpu_check's Python": sys.version.split()[0]}
    return {"kind": "gpu_check_simulated" if job.simulated else "gpu_check", "started": started.isoformat(timespec="seconds"), "parts": arguments.parts,
            "minutes": arguments.minutes, "commit": machine.commit(job.root, job.build, archive.COMMIT_FILE),
            "device": facts, "clocks": {"before": clocks(facts), "after": "", "sampled": {}}, "versions": versions,
            "library_folders": folders, "data": "mnist" if job.data_dir else "generated digits"}


def clocks(facts):
    return ", ".join(f"{name} {facts[name]}" for name in ("clocks.sm", "clocks.mem", "power.limit", "temperature.gpu")
                     if name in facts)


def check_place(job):
    """Tests that start programs look for them where the build was made."""
    file = job.build / archive.SOURCE_FILE
    if not file.exists() or "tests" not in job.parts:
        return
    made = Path(file.read_text().strip())
    if made.exists() and made.resolve() == job.root:
        job.checks.add("the place of the build", PASSED, str(made))
    else:
        job.checks.add("the place of the build", FAILED, f"tests that start programs look for them in {made}: "
                       f"mkdir -p {made.parent}; ln -s {job.root} {made}")


def run_parts(job, arguments, facts):
    for part in arguments.parts:
        job.checks.part = part
        run = PARTS[part]
        with contextlib.nullcontext() if job.simulated else machine.Clocks() as sampled:
            if part == "sanitizers":
                run(job, arguments.tools)
            else:
                run(job)
        if part in TIMED:
            job.checks.header["clocks"]["sampled"][part] = sampled.summary()


def run(root, description, words):
    arguments = parse(root, description, words)
    if arguments.page:
        return report_page(Path(arguments.page), None)
    job = Job(root, arguments)
    if arguments.carry:
        if not job.binaries:
            raise Stop(f"{job.build}/bin has no programs: build first")
        archive.write(root, job.build, job.binaries, job.data_dir, arguments.carry)
        return 0
    if job.simulated and machine.simulated_count(os.environ) == 0:
        raise Stop("no simulated GPU was found: LD_LIBRARY_PATH must begin with the folder of its libcudart.so")
    if not job.simulated and machine.gpu_count() == 0:
        raise Stop("no NVIDIA GPU was found")
    missing = [name for name in ("cairn_kernel_tests", "train", "bench") if job.program(name) not in job.binaries]
    if missing:
        raise Stop(f"{job.build}/bin has no {', '.join(missing)}: give the build folder of the preset cuda")

    started = datetime.datetime.now(datetime.timezone.utc)
    facts = {"name": "simulated GPU"} if job.simulated else machine.gpu_facts()
    place = SIMULATED_FOLDER if job.simulated else machine.device_folder(facts)
    job.folder = Path(arguments.out) if arguments.out else root / "benchmarks/results" / place
    job.folder = job.folder.resolve()
    job.parts = arguments.parts
    print(f"{facts.get('name', 'unknown GPU')}, driver {facts.get('driver_version', 'unknown')}, build {job.build}")
    environment, folders, absent = machine.find_libraries(job.binaries, job.build, arguments.python)
    job.checks = Checks(job.folder / f"gpu_check-{started:%Y%m%dT%H%M%S%fZ}.json",
                        header_of(job, arguments, started, facts, folders), environment, job.scratch,
                        arguments.limit, 60 * arguments.minutes)
    job.checks.part = arguments.parts[0]
    if not job.simulated:
        job.checks.add("device facts from nvidia-smi", PASSED if facts else FAILED,
                       "" if facts else "nvidia-smi gave none")
    job.checks.add("shared libraries", FAILED if absent else PASSED, absent or " ".join(folders))
    check_place(job)
    run_parts(job, arguments, facts)
    if not job.simulated:
        job.checks.header["clocks"]["after"] = clocks(machine.gpu_facts())
    job.checks.write(finished=True)
    print(f"results {job.checks.file}; logs {job.scratch}")
    # What an older run of the commit has passed is no excuse for what this one was asked for and did not do.
    own = any(row["result"] not in page.GOOD for row in job.checks.rows)
    if job.simulated:  # no bar is met by it, and no page of a device has it
        return 1 if own else 0
    return 1 if report_page(job.folder, set(arguments.parts)) or own else 0


def main(root, description, words):
    try:
        return run(root, description, words)
    except (Stop, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
