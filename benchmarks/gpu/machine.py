"""What the machine is: its GPU, clocks, tools, and where its shared libraries lie. Changes nothing on it.

Not here: the checks.
"""
import ctypes
import glob
import os
import re
import shutil
import site
import statistics
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

FACTS = ("name", "compute_cap", "driver_version", "vbios_version", "memory.total", "power.limit", "clocks.sm",
         "clocks.mem", "clocks.max.sm", "clocks.max.mem", "temperature.gpu", "ecc.mode.current", "mig.mode.current")
SAMPLED = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu", "utilization.gpu")
SAMPLE_MILLISECONDS = 500


def load(*names):
    """The first of these shared libraries that there is, or None."""
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def gpu_count():
    driver = load("libcuda.so.1")
    count = ctypes.c_int(0)
    if driver is None or driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def simulated_count(environment):
    """The GPUs of the CUDA runtime that programs would load in this environment: a child, whose loader looks there."""
    code = ("import ctypes, sys\nfor name in ('libcudart.so.13', 'libcudart.so.12'):\n    try:\n"
            "        runtime = ctypes.CDLL(name)\n    except OSError:\n        continue\n"
            "    count = ctypes.c_int(0)\n    failed = runtime.cudaGetDeviceCount(ctypes.byref(count))\n"
            "    print(0 if failed else count.value)\n    break\n")
    text = output_of([sys.executable, "-c", code], environment)
    return int(text.splitlines()[-1]) if text else 0


def gpu_id():
    """What nvidia-smi calls the GPU that programs take as their first: it counts in an order of its own, and knows
    nothing of CUDA_VISIBLE_DEVICES."""
    driver = load("libcuda.so.1")
    device, number = ctypes.c_int(0), (ctypes.c_ubyte * 16)()
    if driver is not None and driver.cuInit(0) == 0 and driver.cuDeviceGet(ctypes.byref(device), 0) == 0:
        if driver.cuDeviceGetUuid(ctypes.byref(number), device) == 0:
            return "GPU-" + str(uuid.UUID(bytes=bytes(number)))
    return os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip() or "0"


def output_of(command, environment=None):
    """Standard output, or None when the command is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def gpu_facts():
    text = output_of(["nvidia-smi", f"--id={gpu_id()}", "--query-gpu=" + ",".join(FACTS), "--format=csv,noheader"])
    if not text:
        return {}
    return dict(zip(FACTS, (value.strip() for value in text.splitlines()[0].split(","))))


def device_folder(facts):
    return re.sub(r"[^a-z0-9]+", "-", facts.get("name", "unknown-gpu").lower()).strip("-")


def commit(root, build, file):
    """Of the build: carried builds have it in a file."""
    if (build / file).exists():
        return (build / file).read_text().strip()
    revision = output_of(["git", "-C", str(root), "rev-parse", "HEAD"])
    if revision is None:
        return None
    return revision + ("-dirty" if output_of(["git", "-C", str(root), "status", "--porcelain"]) else "")


def find_tool(name):
    """A tool of the CUDA toolkit, on the path or in its usual places; None where there is none."""
    places = [os.environ.get("CUDA_HOME", ""), os.environ.get("CUDA_PATH", ""), "/usr/local/cuda"]
    folders = [f"{place}/{part}" for place in places if place for part in ("bin", "compute-sanitizer")]
    if name == "ncu":
        folders += sorted(glob.glob("/opt/nvidia/nsight-compute/*"), reverse=True)
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


class Clocks:
    """Reads clocks, power and temperature twice a second while it is open. Into a file: a pipe that nobody empties is
    full after twenty minutes, and then nvidia-smi waits."""

    def __enter__(self):
        command = ["nvidia-smi", f"--id={gpu_id()}", "--query-gpu=" + ",".join(SAMPLED), "--format=csv,noheader,nounits",
                   f"--loop-ms={SAMPLE_MILLISECONDS}"]
        self.file = tempfile.TemporaryFile("w+")
        try:
            self.process = subprocess.Popen(command, stdout=self.file, stderr=subprocess.DEVNULL, text=True)
        except OSError:
            self.process = None
        self.samples = []
        return self

    def __exit__(self, *_):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
        self.file.seek(0)
        text = self.file.read()
        self.file.close()
        for line in text.splitlines():
            values = [value.strip() for value in line.split(",")]
            try:
                self.samples.append([float(value) for value in values])
            except ValueError:  # a field that this GPU does not report
                continue

    def summary(self):
        """Least, median and most of each field over the samples in which the GPU worked; {} where none was read."""
        busy = [sample for sample in self.samples if len(sample) == len(SAMPLED) and sample[-1] > 0]
        columns = list(zip(*busy)) if busy else []
        return {"samples": len(busy), **{name: [min(column), statistics.median(column), max(column)]
                                         for name, column in zip(SAMPLED, columns)}} if busy else {}


# ---- shared libraries --------------------------------------------------------------------------------------------


def missing_libraries(binary, environment):
    text = output_of(["ldd", str(binary)], environment) or ""
    return [line.split()[0] for line in text.splitlines() if line.endswith("not found")]


def library_folders(build, python):
    patterns = [str(build / "lib")]
    for root in (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda", "/usr/local/cuda-*",
                 "/opt/cuda"):
        if root:
            patterns += [root + "/lib64", root + "/lib", root + "/targets/*/lib"]
    packages = site.getsitepackages() + [site.getusersitepackages()]
    torch = output_of([python, "-c", "import importlib.util as u; print(u.find_spec('torch').origin)"])
    if torch:
        packages.insert(0, str(Path(torch).parent.parent))
    for package in packages:
        patterns += [package + "/nvidia/*/lib", package + "/torch/lib"]
    folders = [folder for pattern in patterns for folder in sorted(glob.glob(pattern), reverse=True)]
    return list(dict.fromkeys(folders))


def find_libraries(binaries, build, python):
    """The environment in which all binaries load, the folders added to it, and what is still missing (or "")."""
    environment = dict(os.environ)
    chosen = []
    wanted = {name for binary in binaries for name in missing_libraries(binary, environment)}
    folders = library_folders(build, python) if wanted else []
    # A library may need others in turn: each round looks for what is missing with what was found so far.
    while wanted:
        found = [next((folder for folder in folders if Path(folder, name).exists()), None) for name in sorted(wanted)]
        new = [folder for folder in dict.fromkeys(found) if folder and folder not in chosen]
        if not new:
            break
        chosen += new
        # Behind what was there: a simulated GPU's libraries have the names of CUDA's.
        path = [part for part in os.environ.get("LD_LIBRARY_PATH", "").split(":") if part] + chosen
        environment["LD_LIBRARY_PATH"] = ":".join(path)
        wanted = {name for binary in binaries for name in missing_libraries(binary, environment)}
    if not wanted:
        return environment, chosen, ""
    return environment, chosen, f"{', '.join(sorted(wanted))} not found in the system's folders or {' '.join(folders)}"
