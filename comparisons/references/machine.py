"""Which machine and which PyTorch a figure belongs to, named as Cairn names machines (amd-25-17-1-avx512-2-cores): by
what the processor says it is, since a name such as "AMD EPYC" is that of several generations.

    python3 comparisons/references/machine.py [FILE]    # this machine's name, or that of a copy of its /proc/cpuinfo

benchmarks/machine.cpp does the same, on the same texts in the tests.
"""
import datetime
import os
import re
import sys

VENDORS = {"AuthenticAMD": "amd", "GenuineIntel": "intel", "HygonGenuine": "hygon", "0x41": "arm", "0x42": "broadcom",
           "0x43": "cavium", "0x46": "fujitsu", "0x48": "hisilicon", "0x4e": "nvidia", "0x50": "apm",
           "0x51": "qualcomm", "0x53": "samsung", "0x61": "apple", "0x6d": "microsoft", "0xc0": "ampere"}
# The first that a processor has whole names all: what float arithmetic is vectorised with.
X86_SETS = (("avx512", "avx512f avx512bw avx512cd avx512dq avx512vl"), ("avx512f", "avx512f"), ("avx2", "avx2 fma"),
            ("avx", "avx"), ("sse4", "sse4_2"), ("sse2", "sse2"))
ARM_SETS = (("sve2", "sve2"), ("sve", "sve"), ("asimd", "asimd"), ("neon", "neon"))
UNKNOWN = "unknown"


def vendor_name(vendor):
    return VENDORS.get(vendor) or re.sub("[^a-z0-9]+", "-", vendor.lower()).strip("-") or UNKNOWN


def instruction_set(flags, sets):
    if not flags:
        return UNKNOWN
    return next((name for name, needed in sets if set(needed.split()) <= set(flags.split())), "scalar")


def number(text, base=10):
    digits = re.fullmatch("(?:0x)?([0-9a-fA-F]+)" if base == 16 else "([0-9]+)", text)
    return UNKNOWN if digits is None else f"{int(digits[1], base):{'x' if base == 16 else 'd'}}"


def processor_key(fields):
    """Of one processor's fields in /proc/cpuinfo. What is not told is `unknown`."""
    def text(name):
        return fields.get(name, "")

    if text("vendor_id"):
        return "-".join((vendor_name(text("vendor_id")), number(text("cpu family")), number(text("model")),
                         number(text("stepping")), instruction_set(text("flags"), X86_SETS)))
    if text("CPU implementer"):
        revision = f"r{number(text('CPU variant'), 16)}p{number(text('CPU revision'))}"
        return "-".join((vendor_name(text("CPU implementer")), number(text("CPU part"), 16), revision,
                         instruction_set(text("Features"), ARM_SETS)))
    return "unknown-processor"


def identify(text):
    """Key, name and number of processors of a /proc/cpuinfo. Processors that differ are all in the key. A line that
    does not end is left out: it may be cut short."""
    processors = []
    for line in text.split("\n")[:-1]:
        name, colon, value = (part.strip(" \t") for part in line.partition(":"))
        if not colon:
            continue
        if name == "processor":
            processors.append({})
        if processors:
            processors[-1].setdefault(name, value)
    key = "+".join(sorted({processor_key(fields) for fields in processors or [{}]}))
    name = processors[0].get("model name") if processors else ""
    return key, name or key, len(processors)


def this_machine():
    """Its folder's name, its processor's name, and its cores."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        text = ""
    key, name, cores = identify(text)
    cores = cores or os.cpu_count() or 1
    return f"{key}-{cores}-cores", name, cores


def describe(device):
    """The facts of a run; its key tells it apart from other machines' and other versions'."""
    import torch

    machine, processor, cores = this_machine()
    gpu = torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else ""
    facts = {"machine": machine, "processor": processor, "cores": cores, "device": "cuda" if gpu else "cpu",
             "gpu": gpu, "torch": torch.__version__, "threads": torch.get_num_threads(), "precision": "fp32",
             "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")}
    where = f"cuda ({gpu})" if gpu else "cpu"
    return f"{machine}, {where}, torch {torch.__version__}", facts


def version_number(text):
    """"2.15.0+cpu" as [2, 15, 0]."""
    return [int(part) for part in re.findall(r"\d+", text.split("+")[0])]


def main():
    if len(sys.argv) < 2:
        print(this_machine()[0])
        return
    with open(sys.argv[1], encoding="utf-8", errors="replace") as file:
        key, _, cores = identify(file.read())
    print(f"{key}-{cores}-cores")


if __name__ == "__main__":
    main()
