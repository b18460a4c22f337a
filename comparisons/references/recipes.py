"""Cairn's recipes, written down a second time: what each network is trained with, and the learning rate of a step.

Cairn compares each field with its own table, so that a recipe changed on one side only is noticed. Not here: the
networks (networks.py), pixels (data.py). Needs neither numpy nor torch.
"""
import math

PYTORCH = {"weight": "pytorch", "bias": "pytorch", "weight_value": 0, "bias_value": 0}
CONSTANT_BIAS = {"bias": "constant", "weight_value": 0, "bias_value": 0}

# Fields that only recipes with something else than 0 have: augmentation, text, label_smoothing, clip_norm, decay_on,
# average, average_ramp.
BASE = {"init": PYTORCH, "normalization": "standard", "optimizer": "sgd", "lr": 0.1, "momentum": 0, "weight_decay": 0,
        "schedule": {"kind": "constant"}, "batch_size": 64, "epochs": 0, "steps": 0, "shuffle": True,
        "drop_last": False, "validation_count": 0}


def recipe(**changes):
    return {**BASE, **changes}


def default(lr, epochs):
    return recipe(lr=lr, momentum=0.9, schedule={"kind": "cosine"}, epochs=epochs)


GENTLE = recipe(lr=0.005, epochs=5)
GENTLE_FEW = {**GENTLE, "lr": 5e-4, "batch_size": 8}


def full_batch(weight, lr, epochs):
    return recipe(init={"weight": weight, **CONSTANT_BIAS}, normalization="unit", lr=lr, batch_size=0, epochs=epochs)


def playground(optimizer, lr, weight_decay=0, batch_size=64, epochs=50):
    return recipe(normalization="unit", optimizer=optimizer, lr=lr, weight_decay=weight_decay, batch_size=batch_size,
                  epochs=epochs, validation_count=10000)


def skoltech(lr, epochs):
    return {
        "default": default(lr, epochs),
        "skoltech": recipe(init={"weight": "cudnn-training", "bias": "weight", "weight_value": 0, "bias_value": 0},
                           normalization="unit", lr=0.01, schedule={"kind": "inverse", "gamma": 1e-4, "power": 0.75},
                           epochs=45, shuffle=False, drop_last=True),
        "skoltech-pytorch": recipe(normalization="mnist", lr=0.01, epochs=45),
    }


SHIFTED = {"crop": 32, "pad": 2, "flip": True}


def augmented(lr, epochs):
    return recipe(optimizer="adam", lr=lr, schedule={"kind": "cosine", "warmup": 500}, batch_size=128, epochs=epochs,
                  augmentation=SHIFTED)


def playground_cifar(lr, standard=None, gentle=GENTLE_FEW):
    return {"default": standard or augmented(1e-3, 30),
            "playground": recipe(normalization="centred", optimizer="adam", lr=lr, batch_size=256, epochs=25,
                                 validation_count=10000),
            "gentle": gentle}


def framework(init):
    return recipe(init=init, normalization="unit", lr=0.01, momentum=0.9, epochs=10, drop_last=True)


def tutorial(images, steps):
    layers = [[0.05, 0], [0.05, 0.1], [0.04, 0.1], [0.04, 0.1], [1 / 192, 0]]
    crop = {"crop": 24, "standardise": True}
    return {"default": {**augmented(1e-3, 20), "augmentation": {**crop, "flip": True}},
            "benchmark-imagenet": recipe(
                init={"weight": "truncated-normal", **CONSTANT_BIAS, "layers": layers}, lr=0.1, weight_decay=0.004,
                schedule={"kind": "step", "gamma": 0.1, "size": 350 * images // 64}, steps=steps,
                augmentation={**crop, "flip": True, "brightness": 63, "contrast": 0.8}, decay_on="fc1.weight,fc2.weight",
                average=0.9999, average_ramp=True),
            "gentle": {**GENTLE_FEW, "augmentation": crop}}


TEXT = {"vocabulary": 30000, "length": 150, "keep_last": True, "pad_front": False, "start_token": True,
        "top_specials": False}
GLOROT = {"weight": "glorot-uniform", **CONSTANT_BIAS}


def texts(**published):
    """imdb-gru's recipes; published: name to initial weights and what differs in the encoding."""
    standard = dict(optimizer="adam", lr=1e-3, batch_size=64, epochs=3)
    return {"default": recipe(init=GLOROT, **standard, schedule={"kind": "cosine"}, text={**TEXT, "pad_front": True}),
            **{name: recipe(init=init, **standard, drop_last=True, text={**TEXT, **encoding})
               for name, (init, encoding) in published.items()},
            "gentle": {**GENTLE, "text": TEXT}}


def residual(normalization, epochs):
    return recipe(init={"weight": "he-normal", **CONSTANT_BIAS}, normalization=normalization, lr=0.1, momentum=0.9,
                  weight_decay=1e-4, schedule={"kind": "cosine", "warmup": 400}, batch_size=128, epochs=epochs,
                  augmentation={"crop": 32, "pad": 4, "flip": True})


RECIPES = {
    "linear": {"default": default(0.02, 15), "full-batch": full_batch("unit-uniform", 1.0, 100),
               "sgd": playground("sgd", 0.1)},
    "dnn": {"default": default(0.03, 15), "full-batch": full_batch("he-normal", 0.1, 500)},
    "mlp": {"default": default(0.02, 10), "sgd": playground("sgd", 0.1), "adam": playground("adam", 1e-3),
            "adam-l2": playground("adam", 1e-3, 1e-3)},
    "mlp-dropout": {"default": default(0.02, 20), "adam": playground("adam", 1e-3)},
    "mlp-wide": {"default": default(0.02, 20), "adam": playground("adam", 1e-3)},
    "mlp-deep": {"default": default(0.02, 20), "adam": playground("adam", 1e-3), "gentle": GENTLE},
    "lenet": {"default": default(0.05, 5), "gentle": GENTLE},
    "lenet-playground": {"default": default(0.02, 5), "playground": playground("adam", 1e-3, 0, 512, 25),
                         "gentle": GENTLE},
    "lenet-caffe": skoltech(0.02, 5),
    "lenet-caffe2": {
        "default": default(0.02, 5),
        "benchmark-mnist": recipe(init={"weight": "caffe-xavier", **CONSTANT_BIAS}, normalization="unit-256", lr=0.1,
                                  schedule={"kind": "exponential", "gamma": 0.999}, batch_size=100, steps=20000,
                                  shuffle=False),
        "gentle": GENTLE},
    "relunet": skoltech(0.02, 5),
    "cnn": {
        "default": default(0.05, 6),
        "benchmark-mnist": recipe(init={"weight": "truncated-normal", "bias": "constant", "weight_value": 0.1,
                                        "bias_value": 0.1}, normalization="unit", optimizer="adam", lr=1e-4,
                                  batch_size=100, steps=20000, validation_count=5000),
        "gentle": GENTLE},
    "simplecnn": {"default": default(0.02, 6), "playground": playground("adam", 1e-3, 0, 512, 25), "gentle": GENTLE},
    "simplenet": skoltech(0.01, 8),
    "largenet": skoltech(0.02, 8),
    "largenet-1x1": skoltech(0.02, 8),
    "cifar-lenet": {**playground_cifar(1e-3, augmented(2e-3, 30), GENTLE), "gentle-augmented": {**GENTLE, "augmentation": SHIFTED}},
    **{model: playground_cifar(1e-3) for model in ("cifar-fcn", "cifar-alexnet", "cifar-vgg1", "cifar-vgg2", "cifar-vgg3",
                                                   "cifar-inception", "cifar-inception2")},
    **{model: playground_cifar(5e-4) for model in ("cifar-plain", "cifar-resnet")},
    "cifar-vgg": {"default": augmented(1e-3, 20), "pytorch": framework(PYTORCH),
                  "mxnet": framework({"weight": "glorot-uniform", **CONSTANT_BIAS}),
                  "gluon": framework({"weight": "xavier-uniform", **CONSTANT_BIAS, "weight_value": 2.24}),
                  "caffe2": framework({"weight": "caffe-xavier", **CONSTANT_BIAS}),
                  "knet": framework({"weight": "xavier-uniform", **CONSTANT_BIAS, "weight_value": 1}),
                  "gentle": {**GENTLE_FEW, "init": {"weight": "glorot-uniform", **CONSTANT_BIAS}}},
    "cifar-tutorial": tutorial(50000, 20000),
    "imagenet-tutorial": tutorial(1280000, 1000000),
    **{model: {"default": residual("standard", 20), "pretrained": residual("imagenet", 200),
               "gentle": recipe(lr=lr, batch_size=batch_size, epochs=1)}
       for model, lr, batch_size in (("resnet20", 1e-5, 2), ("resnet56", 1e-6, 2))},
    "imdb-gru": texts(pytorch=(PYTORCH, {}), mxnet=(GLOROT, {})),
    "imdb-gru-start": texts(tensorflow=(GLOROT, {})),
    "imdb-gru-knet": texts(knet=(GLOROT, {"pad_front": True, "top_specials": True})),
}


# What PyTorch's timed step (timing.py) does not do: its time beside Cairn's would be that of less work.
LEFT_OUT = ("augmentation", "label_smoothing", "clip_norm", "average")


def left_out(settings, but=()):
    """Of what a recipe has, what PyTorch's timed step does not do, but for what it may leave out."""
    return [name for name in LEFT_OUT if settings.get(name) and name not in but]


def timed_recipe(model):
    """The first of a network's recipes of which PyTorch's timed step does all; None: it has none."""
    return next((name for name, settings in RECIPES[model].items() if not left_out(settings)), None)


def learning_rate(settings, step, total_steps):
    """At step 0, 1, 2, ... in double; the optimizer gets it rounded to float."""
    base, schedule = settings["lr"], settings["schedule"]
    if step < schedule.get("warmup", 0):
        base *= (step + 1) / schedule["warmup"]
    if schedule["kind"] == "exponential":
        return base * schedule["gamma"] ** step
    if schedule["kind"] == "step":
        return base * schedule["gamma"] ** (step // schedule["size"])
    if schedule["kind"] == "inverse":
        return base * (1 + schedule["gamma"] * step) ** -schedule["power"]
    if schedule["kind"] == "cosine":
        return base * (1 + math.cos(math.pi * step / total_steps)) / 2 if step < total_steps else 0.0
    return base
