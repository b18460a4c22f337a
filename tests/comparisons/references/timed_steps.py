"""Every recipe's step as comparisons/references/timing.py times it: it is taken, or refused because it would do less than
the recipe asks for. Needs numpy and torch."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "comparisons/references"))
sys.dont_write_bytecode = True

import torch  # noqa: E402

import networks  # noqa: E402
import recipes  # noqa: E402
import timing  # noqa: E402


def outcome(model, settings):
    """The step's loss, or why there is none."""
    try:
        step = timing.Step(model, settings, 1, "cpu", "eager")
    except ValueError as refusal:
        return str(refusal)
    if not settings.get("decay_on"):  # else the update is not one over all tensors
        assert len(step.optimizer.param_groups) == 1, (model, len(step.optimizer.param_groups))
    return step(torch.rand(4, *networks.shape_of(model)), torch.tensor([1, 2, 3, 4])).item()


for name, each in recipes.RECIPES.items():
    for recipe, chosen in each.items():
        result = outcome(name, chosen)
        if chosen.get("augmentation"):
            assert result == f"PyTorch's step is timed without augmentation, which this recipe of {name} has", result
        else:
            assert isinstance(result, float) and 0 < result < 100, (name, recipe, result)
small = recipes.RECIPES["linear"]["default"]
for option in ("label_smoothing", "clip_norm", "average"):
    assert f"is timed without {option}," in str(outcome("linear", {**small, option: 0.5})), option
assert isinstance(outcome("linear", {**small, "decay_on": "fc1.weight"}), float)
