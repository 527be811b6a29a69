"""The six tasks of docs/engine.md in PyTorch: generated weights and examples, models, one local pass.

Weights and examples come from mulberry32 as engine.json describes it, so that any language can draw
them again. Used by make-engine-vectors.py and by the bench; OPENBLAS_CORETYPE=Haswell, one thread.
"""
import time

import numpy
import torch
from torch import nn

torch.set_num_threads(1)

# Per tensor, in the order of the flat vector: name, shape. Dense [in, out], convolution HWIO, LSTM gates i, f, g, o.
# passBatches: the vectors' pass ends after so many. In the CNN's ninth batch two numbers under one pool differ by
# less than float32 rounds, and from there on a change of 1e-6 in the weights grows to 0.6 of the pass.
# flops: two per multiplication of forward, weights' gradients and inputs' gradients (not at the model's input).
TASKS = {
    "softmax": dict(params=[("w", [784, 10]), ("b", [10])], batch=10, batches=60, lr=0.05, flops=18816000, input=[784], classes=10),
    "mlp2nn": dict(
        params=[("w1", [784, 200]), ("b1", [200]), ("w2", [200, 200]), ("b2", [200]), ("w3", [200, 10]), ("b3", [10])],
        batch=10, batches=60, lr=0.05, flops=527520000, input=[784], classes=10),
    "har": dict(
        params=[("w1", [561, 128]), ("b1", [128]), ("w2", [128, 6]), ("b2", [6])],
        batch=16, batches=20, lr=0.05, flops=93390000, input=[561], classes=6),
    # flops of the CNN: 600 examples x 2 x (3 x (12 544 x 512 ... ) ...), see FLOPS below.
    "cnn": dict(
        params=[
            ("k1", [5, 5, 1, 32]), ("b1", [32]), ("k2", [5, 5, 32, 64]), ("b2", [64]),
            ("w1", [3136, 512]), ("b3", [512]), ("w2", [512, 10]), ("b4", [10])],
        batch=10, batches=60, passBatches=8, lr=0.05, flops=43430707200, input=[28, 28, 1], classes=10),
    "nextword": dict(
        params=[
            ("emb", [10000, 96]), ("wx1", [96, 1024]), ("wh1", [256, 1024]), ("b1", [1024]),
            ("wp", [256, 96]), ("bp", [96]), ("wo", [96, 10000]), ("bo", [10000])],
        batch=16, batches=10, lr=0.5, flops=25824460800, seq=20, vocab=10000),
    "char": dict(
        params=[
            ("emb", [90, 8]), ("wx1", [8, 1024]), ("wh1", [256, 1024]), ("b1", [1024]),
            ("wx2", [256, 1024]), ("wh2", [256, 1024]), ("b2", [1024]), ("wo", [256, 90]), ("bo", [90])],
        batch=10, batches=5, lr=0.5, flops=19624000000, seq=80, vocab=90),
}


def uniforms(count, seed=42):
    """The first `count` numbers of mulberry32: its state is a counter, so all are computed at once."""
    with numpy.errstate(over="ignore"):
        a = numpy.uint32(seed) + numpy.arange(1, count + 1, dtype=numpy.uint32) * numpy.uint32(0x6D2B79F5)
        t = (a ^ (a >> numpy.uint32(15))) * (a | numpy.uint32(1))
        t ^= t + (t ^ (t >> numpy.uint32(7))) * (t | numpy.uint32(61))
    return (t ^ (t >> numpy.uint32(14))).astype(numpy.float64) / 2**32


def generate(task):
    """Start vector [total], inputs and targets of a task: one stream in this order."""
    total = sum(int(numpy.prod(shape)) for _, shape in task["params"])
    examples = task["batch"] * task["batches"]
    per_example = int(numpy.prod(task["input"])) * 2 + 1 if "input" in task else task["seq"] + 1
    r = uniforms(total + examples * per_example)
    start = numpy.zeros(total, dtype=numpy.float32)
    at = 0
    for name, shape in task["params"]:
        count = int(numpy.prod(shape))
        bound = 0.05 if len(shape) < 2 else 0.5 if name == "emb" else numpy.sqrt(3 / (count / shape[-1]))
        start[at:at + count] = (r[at:at + count] * 2 - 1) * bound
        at += count
    if "input" in task:
        inputs = numpy.zeros(examples * int(numpy.prod(task["input"])), dtype=numpy.float32)
        for i in range(len(inputs)):
            at += 1
            if r[at - 1] >= 0.6:
                inputs[i] = r[at]
                at += 1
        targets = numpy.floor(r[at:at + examples] * task["classes"]).astype(numpy.int64)
        return start, inputs.reshape([examples, *task["input"]]), targets
    length, vocab = task["seq"], task["vocab"]
    inputs = numpy.floor(r[at:at + examples * length] ** 3 * vocab).astype(numpy.int64).reshape(examples, length)
    at += examples * length
    last = numpy.floor(r[at:at + examples] * vocab).astype(numpy.int64)
    return start, inputs, numpy.concatenate([inputs[:, 1:], last[:, None]], axis=1)


class Dense(nn.Module):
    """Fully connected layers with relu between them."""

    def __init__(self, *extents):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(extents, extents[1:]))
        self.order = [p for layer in self.layers for p in (layer.weight, layer.bias)]

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


class Cnn(nn.Module):
    """Two 5x5 convolutions with pooling, 512 dense units (McMahan et al. 2017)."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 32, 5, padding=2), nn.Conv2d(32, 64, 5, padding=2)
        self.d1, self.d2 = nn.Linear(3136, 512), nn.Linear(512, 10)
        self.order = [p for layer in (self.c1, self.c2, self.d1, self.d2) for p in (layer.weight, layer.bias)]

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        x = nn.functional.max_pool2d(torch.relu(self.c1(x)), 2)
        x = nn.functional.max_pool2d(torch.relu(self.c2(x)), 2)
        # Flattened channels last, as ours.
        return self.d2(torch.relu(self.d1(x.permute(0, 2, 3, 1).reshape(len(x), -1))))


class Recurrent(nn.Module):
    """Embedding, LSTM layers, dense layers at every position."""

    def __init__(self, vocab, width, lstms, *extents):
        super().__init__()
        self.emb = nn.Embedding(vocab, width, sparse=True)
        self.lstms = nn.ModuleList(nn.LSTM(a, 256, batch_first=True) for a in ([width] + [256] * (lstms - 1)))
        for lstm in self.lstms:
            nn.init.zeros_(lstm.bias_hh_l0)
            lstm.bias_hh_l0.requires_grad = False
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in zip(extents, extents[1:]))
        self.order = [self.emb.weight] + [p for lstm in self.lstms for p in (lstm.weight_ih_l0, lstm.weight_hh_l0, lstm.bias_ih_l0)]
        self.order += [p for layer in self.dense for p in (layer.weight, layer.bias)]

    def forward(self, ids):
        x = self.emb(ids)
        for lstm in self.lstms:
            x, _ = lstm(x)
        for layer in self.dense:
            x = layer(x)
        return x


MODELS = {
    "softmax": lambda: Dense(784, 10), "mlp2nn": lambda: Dense(784, 200, 200, 10), "har": lambda: Dense(561, 128, 6), "cnn": Cnn,
    "nextword": lambda: Recurrent(10000, 96, 1, 256, 96, 10000), "char": lambda: Recurrent(90, 8, 2, 256, 90),
}


def to_torch(name, array):
    """A tensor of the flat vector in PyTorch's own order of axes."""
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1)
    return array.T if array.ndim == 2 and name != "emb" else array


def from_torch(name, array):
    if array.ndim == 4:
        return array.transpose(2, 3, 1, 0)
    return array.T if array.ndim == 2 and name != "emb" else array


def model_of(name, start):
    task, model, at = TASKS[name], MODELS[name](), 0
    with torch.no_grad():
        for (tensor, shape), parameter in zip(task["params"], model.order):
            count = int(numpy.prod(shape))
            parameter.copy_(torch.from_numpy(to_torch(tensor, start[at:at + count].reshape(shape)).copy()))
            at += count
    return model


def flat(name, arrays):
    return numpy.concatenate([from_torch(tensor, array).reshape(-1) for (tensor, _), array in zip(TASKS[name]["params"], arrays)])


def local_pass(name, model, inputs, targets, after_backward=lambda step, loss: None, batches=None):
    """One epoch of plain SGD over consecutive batches, mean cross-entropy over all positions; milliseconds of this thread's CPU time."""
    task = TASKS[name]
    inputs, targets = torch.from_numpy(inputs), torch.from_numpy(targets)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=task["lr"])
    began = time.thread_time()
    for step in range(batches or task["batches"]):
        rows = slice(step * task["batch"], (step + 1) * task["batch"])
        optimizer.zero_grad()
        output = model(inputs[rows])
        loss = nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), targets[rows].reshape(-1))
        loss.backward()
        after_backward(step, loss)
        optimizer.step()
    return (time.thread_time() - began) * 1000
