"""Times PyTorch's training step as it is usually written: eager, compiled and captured as a CUDA graph, each with the
data resident as tensors and from a DataLoader; and on a CPU in the forms that are faster there.

A step is: the batch, forward, mean cross-entropy, backward, the optimizer's update. Figures are medians over pieces of
the run; where a form does not work, the reason is recorded. Not here: exactness (training.py).
"""
import math
import statistics
import time

import numpy
import torch
from torch.nn import functional

import data as datasets
import networks
import recipes
import step_forms
import training

SOURCES = ("resident", "loader")
PIECES = 5  # at least, of a timing
GRAPH_WARM_UP = 3


def forms_of(device):
    return step_forms.USUAL if torch.device(device).type == "cuda" else step_forms.USUAL[:2]


class Images(torch.utils.data.Dataset):
    """One image at a time as a normalised tensor, as a DataLoader is usually fed."""

    def __init__(self, images, labels, shape, scale, shift):
        self.images, self.labels, self.shape = images, labels, shape
        self.scale, self.shift = (torch.from_numpy(each).view(-1, 1, 1) for each in (scale, shift))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = torch.from_numpy(self.images[index]).view(self.shape).to(torch.float32).mul_(self.scale).add_(self.shift)
        return image, int(self.labels[index])


def random_examples(model, settings, count, seed):
    """As many rows of random bytes or words, and their labels: a step takes no notice of what they are."""
    draw = numpy.random.default_rng(seed)
    if "text" in settings:
        text = settings["text"]
        return draw.integers(0, text["vocabulary"], (count, text["length"]), numpy.int32), draw.integers(0, 2, count)
    return (draw.integers(0, 256, (count, math.prod(networks.input_shape(model))), numpy.uint8),
            draw.integers(0, 10, count))


def lacks(network, settings, form):
    """Why there is no such form of this step; None: there is."""
    if form.endswith("channels_last") and not any(isinstance(each, torch.nn.Conv2d) for each in network.modules()):
        return "a network without convolution has no images with channels last"
    plain = settings["optimizer"] == "sgd" and not settings["momentum"] and not settings["weight_decay"]
    if form == "compiled_step" and not plain:
        return "only steps of SGD without momentum and weight decay are compiled as one"
    return None


def cpu_forms(model, settings):
    network = networks.build(model)
    return [form for form in step_forms.CPU if not lacks(network, settings, form)]


def compiled_step(network, rate):
    """Forward, backward and SGD's update as one compiled graph, a function of images and labels."""
    parameters = {name: value.detach() for name, value in network.named_parameters()}
    gradients_and_loss = torch.func.grad_and_value(lambda values, images, labels: functional.cross_entropy(
        torch.func.functional_call(network, values, (images,)), labels))

    @torch.compile(dynamic=False)
    def step(images, labels):
        gradients, loss = gradients_and_loss(parameters, images, labels)
        for name, value in parameters.items():
            value.sub_(gradients[name], alpha=rate)
        return loss

    return step


class Step:
    """One network, its optimizer, and a step on a batch in one of the forms. without: what of recipes.LEFT_OUT it may leave
    out. fused: the update of all tensors is one call, where PyTorch's default is several."""

    def __init__(self, model, settings, seed, device, form, without=(), fused=False):
        has = recipes.left_out(settings, without)
        if has:
            raise ValueError(f"PyTorch's step is timed without {' and '.join(has)}, which this recipe of {model} has")
        torch.manual_seed(seed)
        self.network = networks.build(model)
        lacking = lacks(self.network, settings, form)
        if lacking:
            raise ValueError(lacking)
        networks.initialise(self.network, settings["init"], seed)
        self.network.to(device).train()
        if form.endswith("channels_last"):
            self.network.to(memory_format=torch.channels_last)
        options = {"capturable": True} if form == "graph" and settings["optimizer"] != "sgd" else {}
        self.optimizer = training.make_optimizer(settings, self.network, **({"fused": True} if fused else {}))
        for group in self.optimizer.param_groups:
            group.update(options)
        compiled = form in ("compiled", "compiled_channels_last")
        self.forward = torch.compile(self.network, dynamic=False) if compiled else self.network
        self.whole = compiled_step(self.network, settings["lr"]) if form == "compiled_step" else None
        self.graph = None

    def __call__(self, images, labels):
        if self.whole:
            return self.whole(images, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.forward(images), labels)
        loss.backward()
        self.optimizer.step()
        return loss

    def capture(self, images, labels):
        """From now on `replay` runs the step on what these two tensors hold."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(GRAPH_WARM_UP):
                self(images, labels)
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.cuda.graph(self.graph):
            self(images, labels)
        self.images, self.labels = images, labels

    def replay(self, images, labels):
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.graph.replay()


def resident_batches(images, labels, settings, device):
    """Endless: whole batches of tensors that lie on the device, gathered by a random index or sliced."""
    batch = settings["batch_size"] or len(labels)
    while True:
        order = torch.randperm(len(labels), device=device) if settings["shuffle"] else None
        for begin in range(0, len(labels) - batch + 1, batch):
            if batch == len(labels):
                yield images, labels
            elif order is None:
                yield images[begin:begin + batch], labels[begin:begin + batch]
            else:
                index = order[begin:begin + batch]
                yield images[index], labels[index]


def loader_batches(dataset, settings, device):
    batch = settings["batch_size"] or len(dataset)
    loader = torch.utils.data.DataLoader(dataset, batch_size=batch, shuffle=settings["shuffle"], drop_last=True)
    while True:
        for images, labels in loader:
            yield images.to(device), labels.to(device)


def synchronise(device):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def measure(step, batches, device, seconds):
    """Milliseconds a step, the median over pieces that each last a while, after one piece to warm up."""
    pieces, count, end = [], 1, time.perf_counter() + seconds
    for piece in range(10 ** 6):
        synchronise(device)
        begin = time.perf_counter()
        for _ in range(count):
            step(*next(batches))
        synchronise(device)
        elapsed = time.perf_counter() - begin
        if piece == 0:  # compiles, allocates, tunes
            continue
        if piece == 1:
            count = max(1, min(50, int(seconds / 10 / elapsed)))
        pieces.append(1e3 * elapsed / (1 if piece == 1 else count))
        if time.perf_counter() > end and len(pieces) >= PIECES:
            return {"step_ms": statistics.median(pieces[1:]), "steps": 1 + count * (len(pieces) - 1)}


def why_not(error):
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"[:200]


def record(model, settings, data, seed, device, seconds, forms, sources):
    """A list of timings, one for each form and source of data."""
    data = training.encoded(data, settings)
    chosen_images, chosen_labels = datasets.training_subset(data, settings["validation_count"], seed)
    rows = torch.from_numpy(chosen_images.copy())
    labels = torch.from_numpy(chosen_labels.astype(numpy.int64)).to(device)
    if "text" in settings:
        resident, dataset = rows.to(device), torch.utils.data.TensorDataset(rows, labels.cpu())
    else:
        scale, shift = datasets.pixel_scale(data, settings["normalization"])
        resident = datasets.scaled(rows, data.shape, scale, shift, device)
        dataset = Images(chosen_images.copy(), chosen_labels, data.shape, scale, shift)
    batch = settings["batch_size"] or len(labels)
    steps_per_epoch = len(labels) // batch if settings["drop_last"] else -(-len(labels) // batch)
    timings = []
    for form in forms:
        for source in sources:
            entry = {"form": form, "data": source}
            batches = (resident_batches(resident, labels, settings, device) if source == "resident"
                       else loader_batches(dataset, settings, device))
            try:
                if form == "compiled" and not hasattr(torch, "compile"):
                    raise RuntimeError(f"torch {torch.__version__} has no torch.compile")
                if form == "graph" and torch.device(device).type != "cuda":
                    raise RuntimeError("CUDA graphs need a GPU")
                if form == "compiled":  # the networks before this one count towards a limit, beyond which it stays eager
                    torch._dynamo.reset()
                step = Step(model, settings, seed, device, form)
                if form == "graph":
                    images, targets = next(batches)
                    step.capture(images.clone(), targets.clone())
                timing = measure(step.replay if form == "graph" else step, batches, device, seconds)
                entry.update(timing, epoch_seconds=timing["step_ms"] * steps_per_epoch / 1e3)
            except Exception as error:  # a form that this installation cannot run is recorded, not fatal
                entry["failure"] = why_not(error)
            timings.append(entry)
    return timings
