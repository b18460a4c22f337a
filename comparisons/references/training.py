"""Trains a network by a recipe from Cairn's start, and records what Cairn is compared with: losses of the first steps,
gradients, loss and accuracy by epoch.

Not here: how long a step takes (timing.py).
"""
import dataclasses

import numpy
import torch
from torch.nn import functional

import augment
import data as datasets
import networks
import philox
import recipes
import texts

STEPS = 100  # losses that are recorded
GRADIENT_STEPS = (1, 10)
SAMPLES = 8  # of each gradient
GONE = 1e-4  # relative: a tenth of what 100 losses may deviate
EVALUATION_ROWS = 1000


def make_optimizer(settings, network, **options):
    """With PyTorch's defaults for what neither the recipe nor the options say; the learning rate is set before each step."""
    decay, chosen = settings["weight_decay"], settings.get("decay_on", "").split(",")
    parameters = list(network.parameters())
    if chosen != [""]:
        parameters = [{"params": [parameter], "weight_decay": decay if name in chosen else 0}
                      for name, parameter in network.named_parameters()]
    if settings["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, lr=settings["lr"], momentum=settings["momentum"], weight_decay=decay, **options)
    kind = torch.optim.Adam if settings["optimizer"] == "adam" else torch.optim.AdamW
    return kind(parameters, lr=settings["lr"], weight_decay=decay, **options)


def sample_places(count):
    """Elements of a tensor that are recorded: spread by the golden ratio's multiplier."""
    return [2654435761 * (k + 1) % count for k in range(min(SAMPLES, count))]


def encoded(data, settings):
    """Texts as rows of numbers, which stand where images do; images as they are."""
    if "text" not in settings:
        return data
    return dataclasses.replace(data, images=texts.encode(data.images, settings["text"]),
                               test_images=texts.encode(data.test_images, settings["text"]))


class Training:
    def __init__(self, model, settings, data, seed, device="cpu", dtype=torch.float32, backwards=False, exact=False):
        self.settings, self.data, self.seed = settings, data, seed
        self.device, self.dtype = torch.device(device), dtype
        self.pixel_dtype = dtype if exact else torch.float32
        self.scale, self.shift = datasets.pixel_scale(data, settings["normalization"])
        data = self.data = encoded(data, settings)
        images, labels = datasets.training_subset(data, settings["validation_count"], seed)
        self.images = torch.from_numpy(images.copy()).to(self.device)
        self.labels = torch.from_numpy(labels.astype(numpy.int64)).to(self.device)
        self.clock = networks.Clock(seed)
        self.clock.reversed = backwards
        self.network = networks.build(model, self.clock)
        networks.initialise(self.network, settings["init"], seed)
        self.network.to(self.device, dtype)
        self.optimizer = make_optimizer(settings, self.network)
        # The weights' moving average starts from the weights.
        self.average = ([parameter.detach().clone() for parameter in self.network.parameters()]
                        if settings.get("average") else None)
        count, batch = len(labels), settings["batch_size"]
        self.steps_per_epoch = 1 if batch == 0 else count // batch if settings["drop_last"] else -(-count // batch)
        ends = [settings["epochs"] * self.steps_per_epoch, settings["steps"]]
        self.total_steps = min(end for end in ends if end > 0)
        self.all_pixels = None  # of a full batch, made once
        self.losses = []  # of all steps so far

    def pixels(self, images, numbers=None):
        """N x C x H x W, rounded to float first in double precision too, unless the training is to be exact. numbers:
        of the images in the training split, in training."""
        if "text" in self.settings:
            return images
        settings, shape = self.settings.get("augmentation", {}), self.data.shape
        if augment.any_of(settings):
            epoch = self.clock.step // self.steps_per_epoch
            values = augment.augment(images.cpu().numpy(), shape, settings, self.scale.astype(numpy.float64),
                                     self.shift.astype(numpy.float64), self.seed, epoch, numbers)
            return torch.from_numpy(values).to(self.device, self.pixel_dtype).to(self.dtype)
        return datasets.scaled(images, shape, self.scale, self.shift, self.device, self.pixel_dtype).to(self.dtype)

    def update(self, pixels, labels):
        """Forward, backward and update of one batch; the loss."""
        self.optimizer.zero_grad()
        smoothing = self.settings.get("label_smoothing", 0)
        loss = functional.cross_entropy(self.network(pixels), labels, label_smoothing=smoothing)
        loss.backward()
        if self.settings.get("clip_norm"):
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings["clip_norm"])
        self.optimizer.step()
        if self.average is not None:
            step, decay = self.clock.step, self.settings["average"]
            decay = min(decay, (1 + step) / (10 + step)) if self.settings.get("average_ramp") else decay
            with torch.no_grad():
                for average, parameter in zip(self.average, self.network.parameters()):
                    average.mul_(decay).add_(parameter, alpha=1 - decay)
        return loss.item()

    def epoch(self):
        """Runs one epoch step by step; yields the number of steps done after each."""
        settings, number = self.settings, self.clock.step // self.steps_per_epoch
        full = settings["batch_size"] == 0
        order = datasets.epoch_order(len(self.labels), self.seed, number, settings["shuffle"] and not full)
        self.network.train()
        for batch in datasets.batches(order, settings["batch_size"], settings["drop_last"]):
            if self.clock.reversed:
                batch = batch[::-1].copy()
            whole = full and not self.clock.reversed
            index = slice(None) if whole else torch.from_numpy(batch).to(self.device)
            rate = recipes.learning_rate(settings, self.clock.step, self.total_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = float(numpy.float32(rate))
            pixels = self.pixels(self.images[index], batch) if self.all_pixels is None else self.all_pixels
            self.all_pixels = pixels if full else None
            self.losses.append(self.update(pixels, self.labels[index]))
            self.clock.step += 1
            yield self.clock.step

    def gradients(self):
        """Norm and samples of each parameter's gradient in the latest step."""
        result = []
        for name, parameter in self.network.named_parameters():
            values = parameter.grad.detach().to("cpu", torch.float64).reshape(-1)
            result.append({"name": name, "shape": list(parameter.shape), "norm": values.norm().item(),
                           "samples": [values[place].item() for place in sample_places(values.numel())]})
        return result

    def epoch_loss(self):
        """Mean over the images of the latest epoch."""
        batch, count = self.settings["batch_size"] or len(self.labels), len(self.labels)
        losses = self.losses[-self.steps_per_epoch:]
        rows = [min(batch, count - i * batch) for i in range(len(losses))]
        return sum(loss * row for loss, row in zip(losses, rows)) / sum(rows)

    def swap(self):
        """Exchanges the weights with their average, where there is one."""
        with torch.no_grad():
            for average, parameter in zip(self.average or (), self.network.parameters()):
                kept = parameter.clone()
                parameter.copy_(average)
                average.copy_(kept)

    def accuracy(self):
        self.network.eval()
        self.swap()
        hits = self.hits()
        self.swap()
        return hits / len(self.data.test_labels)

    def hits(self):
        hits = 0
        with torch.no_grad():
            for begin in range(0, len(self.data.test_labels), EVALUATION_ROWS):
                images = torch.from_numpy(self.data.test_images[begin:begin + EVALUATION_ROWS].copy()).to(self.device)
                chosen = self.network(self.pixels(images)).argmax(dim=1).cpu().numpy()
                hits += int((chosen == self.data.test_labels[begin:begin + EVALUATION_ROWS]).sum())
        return hits


def record(model, settings, data, seed, device, epochs, dtype=torch.float32):
    """Losses and gradients of the first steps, loss and accuracy of the first epochs. In double precision nothing but
    the start is rounded to float: weights and learning rates."""
    training = Training(model, settings, data, seed, device, dtype, exact=True)
    gradients, by_epoch = {}, []
    while training.clock.step < min(training.total_steps, max(STEPS, epochs * training.steps_per_epoch)):
        for step in training.epoch():
            if step in GRADIENT_STEPS:
                gradients[str(step)] = training.gradients()
            if step >= STEPS and step > epochs * training.steps_per_epoch:
                break
        if training.clock.step % training.steps_per_epoch == 0 and len(by_epoch) < epochs:
            epoch = len(by_epoch) + 1
            by_epoch.append({"epoch": epoch, "loss": training.epoch_loss(), "accuracy": training.accuracy()})
    return training, {"losses": training.losses[:STEPS], "gradients": gradients}, by_epoch


def accuracies(training, epochs):
    """Of the test images, after each of the first epochs."""
    found = []
    while len(found) < epochs:
        for _ in training.epoch():
            pass
        found.append(training.accuracy())
    return found


def deviations(losses, expected):
    """Relative, by step, in two digits."""
    return [float(f"{abs(a - b) / abs(b):.2g}") for a, b in zip(losses, expected)]


def record_in_double(model, settings, data, seed, device):
    """Losses and gradients of the first steps in double precision, and how far those of the same training with each
    batch in the opposite order lie from them: the rounding of doubles too grows, in few trainings so far that it shows.
    """
    _, parity, _ = record(model, settings, data, seed, device, 0, torch.float64)
    backwards = Training(model, settings, data, seed, device, torch.float64, backwards=True, exact=True)
    while len(backwards.losses) < len(parity["losses"]):
        for step in backwards.epoch():
            if step == len(parity["losses"]):
                break
    return {**parity, "own_deviation": deviations(backwards.losses, parity["losses"])}


# Trainings that differ from the recorded one by rounding alone: each batch's images in the opposite order, which
# changes nothing but the order of sums; every initial weight moved by a unit of its last place up, down or not at all;
# double precision.
TWINS = ("backwards", *(f"moved {number}" for number in range(1, 9)), "double")


def twin(name, model, settings, data, seed, device):
    kind, _, number = name.partition(" ")
    training = Training(model, settings, data, seed, device, torch.float64 if kind == "double" else torch.float32,
                        kind == "backwards")
    for index, parameter in enumerate(training.network.parameters() if kind == "moved" else ()):
        draws = philox.words(int(number), philox.stream_of(philox.TWIN, index), 0, parameter.numel()) % numpy.uint64(3)
        factors = 1 + (draws.astype(numpy.float32) - 1) * numpy.float32(2.0 ** -23)
        with torch.no_grad():
            parameter.mul_(torch.from_numpy(factors).view_as(parameter).to(parameter.device))
    return training


def own_deviation(model, settings, data, seed, device, losses, names):
    """How far PyTorch's losses lie from PyTorch's own where only rounding differs: the worst of the twins, by step.

    What these do not share with the recorded run after some step, no other program can share with it. Once one twin has
    gone a way of its own, the others run no further than that."""
    worst = [0.0] * len(losses)
    for name in names:
        gone = next((step for step, value in enumerate(worst, 1) if value > GONE), len(losses))
        training = twin(name, model, settings, data, seed, device)
        while len(training.losses) < max(gone, 10):
            for step in training.epoch():
                if step == max(gone, 10):
                    break
        for i, loss in enumerate(training.losses):
            worst[i] = max(worst[i], abs(loss - losses[i]) / abs(losses[i]))
    return [float(f"{value:.2g}") for value in worst]
