"""Every recipe's step as comparisons/references/timing.py times it: it is taken, or refused because it would do less than
the recipe asks for. Needs numpy and torch."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "comparisons/references"))
sys.dont_write_bytecode = True

import numpy  # noqa: E402
import torch  # noqa: E402

import data as datasets  # noqa: E402
import networks  # noqa: E402
import recipes  # noqa: E402
import step_forms  # noqa: E402
import texts  # noqa: E402
import timing  # noqa: E402


def examples(model, settings):
    """Four, and their labels."""
    values, labels = timing.random_examples(model, settings, 4, 1)
    values = torch.from_numpy(values)
    if "text" not in settings:
        values = (values / 255).view(4, *networks.input_shape(model))
    return values, torch.from_numpy(labels)


def outcome(model, settings, form="eager", without=()):
    """The step's loss, or why there is none."""
    try:
        step = timing.Step(model, settings, 1, "cpu", form, without)
    except ValueError as refusal:
        return str(refusal)
    if not settings.get("decay_on"):  # else the update is not one over all tensors
        assert len(step.optimizer.param_groups) == 1, (model, len(step.optimizer.param_groups))
    return step(*examples(model, settings)).item()


for name, each in recipes.RECIPES.items():
    for recipe, chosen in each.items():
        result = outcome(name, chosen)
        if chosen.get("augmentation"):
            lacks = "augmentation and average" if chosen.get("average") else "augmentation"
            assert result == f"PyTorch's step is timed without {lacks}, which this recipe of {name} has", result
            without = outcome(name, chosen, without=recipes.LEFT_OUT)
            assert isinstance(without, float) and 0 < without < 100, (name, recipe, without)
        else:
            assert isinstance(result, float) and 0 < result < 100, (name, recipe, result)
small = recipes.RECIPES["linear"]["default"]
for option in ("label_smoothing", "clip_norm", "average"):
    assert f"is timed without {option}," in str(outcome("linear", {**small, option: 0.5})), option
assert isinstance(outcome("linear", {**small, "decay_on": "fc1.weight"}), float)

# A recording's times, of images and of texts; what is not done is said for each form and source.
count = 70
for name, shape, values, of_one in (
        ("linear", networks.MNIST_SHAPE, numpy.arange(count * 784, dtype=numpy.uint32).astype(numpy.uint8).reshape(count, -1), 10),
        ("imdb-gru", texts.SHAPE, texts.gather([range(1, 1 + i % 7) for i in range(count)]), 2)):
    one = numpy.float32([0.5])
    data = datasets.Data("made", shape, values, numpy.arange(count) % of_one, values, numpy.arange(count) % of_one, one, one, "")
    timings = timing.record(name, recipes.RECIPES[name]["gentle" if of_one == 2 else "default"], data, 1, "cpu", 0.01, ["eager"],
                            timing.SOURCES)
    assert [entry["data"] for entry in timings] == list(timing.SOURCES), timings
    assert all(entry.get("step_ms", 0) > 0 for entry in timings), timings

# Forms: the same loss and the same update, whatever lies last in memory; what a network or a recipe has not is refused.
for name in ("lenet", "cifar-resnet", "resnet20"):
    chosen = recipes.RECIPES[name]["gentle"]
    losses = []
    for form in ("eager", "channels_last"):
        step = timing.Step(name, chosen, 1, "cpu", form, fused=form != "eager")
        batch = examples(name, chosen)
        losses.append([step(*batch).item() for _ in range(2)])
    assert all(abs(a - b) < 1e-4 * abs(a) for a, b in zip(*losses)), (name, losses)
    assert losses[0][0] != losses[0][1], name
    assert timing.cpu_forms(name, chosen) == list(step_forms.CPU), name
assert timing.cpu_forms("lenet", recipes.RECIPES["lenet"]["default"]) == list(step_forms.CPU[:-1])
for name in ("dnn", "imdb-gru", "cifar-fcn"):
    chosen = recipes.RECIPES[name][recipes.timed_recipe(name)]
    assert timing.cpu_forms(name, chosen) == ["eager", "compiled"], name
    assert outcome(name, chosen, "channels_last") == "a network without convolution has no images with channels last", name
assert "SGD without momentum" in outcome("dnn", recipes.RECIPES["dnn"]["default"], "compiled_step")
