"""Which machine and which PyTorch a figure belongs to, named as Cairn names machines (amd-epyc-2-cores)."""
import datetime
import os
import re

import torch


def processor_name():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown processor"


def folder_name(name, cores):
    return f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}-{cores}-cores"


def describe(device):
    """The facts of a run; its key tells it apart from other machines' and other versions'."""
    cores = os.cpu_count() or 1
    gpu = torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else ""
    machine = folder_name(processor_name(), cores)
    facts = {"machine": machine, "processor": processor_name(), "cores": cores, "device": "cuda" if gpu else "cpu",
             "gpu": gpu, "torch": torch.__version__, "threads": torch.get_num_threads(), "precision": "fp32",
             "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")}
    where = f"cuda ({gpu})" if gpu else "cpu"
    return f"{machine}, {where}, torch {torch.__version__}", facts


def version_number(text):
    """"2.15.0+cpu" as [2, 15, 0]."""
    return [int(part) for part in re.findall(r"\d+", text.split("+")[0])]
