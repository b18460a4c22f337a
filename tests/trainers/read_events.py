"""Reads a run's event files with TensorBoard's own reader and holds them to the run's metrics.jsonl.

usage: read_events.py RUN_FOLDER      exit status 0: every step is there once, with its values
"""
import json
import math
import pathlib
import sys

from tensorboard.backend.event_processing import event_accumulator

TAGS = {
    "train/epoch_loss": "train_loss",
    "train/learning_rate": "lr",
    "train/images_per_second": "images_per_second",
    "test/loss": "test_loss",
    "test/accuracy": "test_accuracy",
}


def main(folder):
    keep_all = {event_accumulator.SCALARS: 0, event_accumulator.HISTOGRAMS: 0}
    events = event_accumulator.EventAccumulator(folder, size_guidance=keep_all)
    events.Reload()
    lines = [json.loads(line) for line in (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines()]
    assert lines

    assert set(events.Tags()["scalars"]) == {"train/loss", *TAGS}, events.Tags()["scalars"]
    for tag, name in TAGS.items():
        expected = [(line["steps"], line[name]) for line in lines if name in line]
        found = [(event.step, event.value) for event in events.Scalars(tag)]
        assert [step for step, _ in found] == [step for step, _ in expected], (tag, found)
        for (step, value), (_, other) in zip(found, expected):
            assert math.isclose(value, other, rel_tol=1e-6), (tag, step, value, other)

    losses = events.Scalars("train/loss")
    assert [event.step for event in losses] == list(range(1, lines[-1]["steps"] + 1))
    first = 0
    for line in lines:  # batches of one size: the epoch's loss is the mean of its steps'
        mean = sum(event.value for event in losses[first : line["steps"]]) / (line["steps"] - first)
        assert math.isclose(mean, line["train_loss"], rel_tol=1e-5), (line, mean)
        first = line["steps"]

    assert events.Tags()["histograms"] == ["weights/fc1.weight", "weights/fc1.bias"], events.Tags()["histograms"]
    for tag, count in (("weights/fc1.weight", 7840), ("weights/fc1.bias", 10)):
        histograms = events.Histograms(tag)
        assert [event.step for event in histograms] == [line["steps"] for line in lines if "test_loss" in line]
        for event in histograms:
            value = event.histogram_value
            assert value.num == sum(value.bucket) == count, value
            assert value.min < value.max == value.bucket_limit[-1], value
    print(f"{len(losses)} steps and {len(lines)} epochs agree with metrics.jsonl")


main(sys.argv[1])
