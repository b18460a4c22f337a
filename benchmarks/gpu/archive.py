"""--carry: one archive with the programs, what they load, the scripts and the data. Not here: running any of it."""
import io
import lzma
import os
import re
import tarfile
from pathlib import Path

from gpu import machine

COMMIT_FILE = "commit.txt"  # in a build folder that was carried
SOURCE_FILE = "source_root.txt"  # likewise: where the source tree was, which tests that start programs look for
# What every machine with a GPU has: the C and C++ runtimes, the driver, and NVIDIA's libraries, which are too large.
NOT_CARRIED = re.compile(r"ld-linux|linux-vdso|lib(c|m|dl|rt|pthread|resolv|util|anl|stdc\+\+|gcc_s)\.so"
                         r"|lib(cuda|cudart|cublas|cublasLt|cudnn\w*|nvrtc|nvJitLink)\.so|lib(torch|c10)")
# Programs that a GPU adds nothing to.
LEFT_HERE = re.compile(r"fuzz_|walkthrough_|cairn_(simt|house)_|.*race")
SCRIPTS = ("scripts/gpu_check", "benchmarks/gpu/*.py", "benchmarks/pytorch/*.py", "comparisons/references/*.py")
DATA = ("mnist",)
# The programs hold the same GPU code over and over: a dictionary as large as several of them stores it once.
DICTIONARY_BYTES = 64 << 20


def needed(binary):
    """Shared libraries by name, those left out that the other machine has."""
    found = re.findall(r"^\s*(\S+) => (/\S+)", machine.output_of(["ldd", str(binary)]) or "", re.M)
    return {name: Path(path).resolve() for name, path in found if not NOT_CARRIED.match(name)}


def contents(root, build, binaries, data_dir):
    place = os.path.relpath(build, root)
    if place.startswith(".."):
        raise ValueError(f"--carry takes a build folder in the source tree, {root}")
    carried = {}
    for binary in binaries:
        if LEFT_HERE.match(binary.name):
            continue
        carried[f"{place}/bin/{binary.name}"] = binary
        carried.update({f"{place}/lib/{name}": path for name, path in needed(binary).items()})
    for plugin in build.glob("lib*/**/cairn-*.so"):
        carried[os.path.relpath(plugin, root)] = plugin
    for pattern in SCRIPTS:
        carried.update({os.path.relpath(path, root): path for path in sorted(root.glob(pattern))})
    for name in DATA if data_dir else ():
        carried.update({f"data/{name}/{path.name}": path for path in sorted(Path(data_dir, name).glob("*-ubyte*"))})
    return place, carried


def write(root, build, binaries, data_dir, file):
    place, carried = contents(root, build, binaries, data_dir)
    texts = {COMMIT_FILE: machine.commit(root, build, COMMIT_FILE) or "unknown", SOURCE_FILE: str(root)}
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": DICTIONARY_BYTES}]
    with lzma.open(file, "wb", filters=filters) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for name, path in sorted(carried.items(), key=lambda item: (item[1].suffix == ".gz", item[0])):
            archive.add(path, name)
        for name, text in texts.items():
            member = tarfile.TarInfo(f"{place}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    programs = sum(name.startswith(f"{place}/bin/") for name in carried)
    libraries = sum(name.startswith(f"{place}/lib") for name in carried)
    data = sum(name.startswith("data/") for name in carried)
    print(f"{file}: {programs} programs, {libraries} libraries, {data} data files, "
          f"{os.path.getsize(file) / 2**20:.1f} MiB")
