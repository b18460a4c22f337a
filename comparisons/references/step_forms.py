"""The forms in which PyTorch's step is timed. Not here: what they are (timing.py). Needs neither numpy nor torch."""

USUAL = ("eager", "compiled", "graph")  # as steps are written, captured as a CUDA graph on a GPU
# On a CPU: images with the channels last in memory; forward, backward and update as one compiled graph.
CPU = ("eager", "channels_last", "compiled", "compiled_channels_last", "compiled_step")
ALL = tuple(dict.fromkeys(USUAL + CPU))
