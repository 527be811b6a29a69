"""Writes engine-more.json: the CNN and the next-word model, in the form of engine.json.

    OPENBLAS_CORETYPE=Haswell python3 -B vectors/make-engine-vectors.py

Needs PyTorch (Debian: python3-torch and libopenblas0-pthread: with the reference BLAS, which it takes
otherwise, it is three to ten times slower). First it gives engine.json's own tasks again, within that file's
tolerances, so that generator, order of parameters and models are known to be the same.
"""
import json
from pathlib import Path

import numpy
import torch

from engine_tasks import TASKS, flat, generate, local_pass, model_of, uniforms

FOLDER = Path(__file__).parent
SAMPLES = 512


def run(name):
    """Start, first gradient and final weights as flat vectors, and the first and last loss."""
    start, inputs, targets = generate(TASKS[name])
    model = model_of(name, start)
    gradient, losses = [], []

    def after_backward(step, loss):
        losses.append(loss.item())
        if step == 0:
            gradient.append(gradient_of(name, model))

    local_pass(name, model, inputs, targets, after_backward, TASKS[name].get("passBatches"))
    final = flat(name, [p.detach().numpy() for p in model.order])
    return start, gradient[0], final, [losses[0], losses[-1]]


def one_example_gradient(name):
    """Gradient of the first example's mean loss: for an engine that is too slow for a batch."""
    start, inputs, targets = generate(TASKS[name])
    model = model_of(name, start)
    output = model(torch.from_numpy(inputs[:1]))
    loss = torch.nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), torch.from_numpy(targets[:1]).reshape(-1))
    loss.backward()
    return gradient_of(name, model)


def gradient_of(name, model):
    return flat(name, [(p.grad.to_dense() if p.grad.is_sparse else p.grad).numpy().copy() for p in model.order])


def params_of(name, gradient, delta):
    at, params = 0, []
    for tensor, shape in TASKS[name]["params"]:
        part = slice(at, at + int(numpy.prod(shape)))
        norms = {key: float(numpy.linalg.norm(vector[part].astype(numpy.float64))) for key, vector in (("gradL2", gradient), ("deltaL2", delta))}
        params.append({"name": tensor, "shape": shape, "offset": at, **norms})
        at = part.stop
    return params


def sample_of(name, gradient):
    """SAMPLES positions, as many from each tensor, half of them where the first gradient is not zero: most rows of a table have none."""
    tensors = TASKS[name]["params"]
    each = SAMPLES // len(tensors)
    draws = iter(uniforms(4 * SAMPLES, seed=43))
    at, chosen = 0, []
    for _, shape in tensors:
        count = int(numpy.prod(shape))
        moved = numpy.flatnonzero(gradient[at:at + count])
        picks = [int(moved[int(next(draws) * len(moved))]) for _ in range(each // 2)]
        picks += [int(next(draws) * count) for _ in range(each - each // 2)]
        chosen += sorted({at + pick for pick in picks})
        at += count
    return chosen


def relative(measured, expected):
    return numpy.linalg.norm(numpy.asarray(measured) - expected) / numpy.linalg.norm(expected)


def check_known():
    for name, known in json.loads((FOLDER / "engine.json").read_text())["tasks"].items():
        start, gradient, final, _ = run(name)
        index, sample = known["sample"]["index"], known["sample"]
        assert start[index].tolist() == sample["initial"], name
        moved = numpy.subtract(sample["finalWeight"], sample["initial"])
        print(name, "gradient off by", relative(gradient[index], sample["firstGradient"]), "delta by", relative((final - start)[index], moved))
        assert relative(gradient[index], sample["firstGradient"]) < 1e-5 and relative((final - start)[index], moved) < 2e-5, name


def task_of(name):
    start, gradient, final, losses = run(name)
    index = sample_of(name, gradient)
    vectors = {"initial": start, "firstGradient": gradient, "oneExampleGradient": one_example_gradient(name), "finalWeight": final}
    sample = {"index": index, **{key: vector[index].tolist() for key, vector in vectors.items()}}
    wide = start.astype(numpy.float64)
    checksum = {"sum": float(wide.sum()), "l2": float(numpy.linalg.norm(wide))}
    facts = {key: value for key, value in TASKS[name].items() if key != "params"}
    return {"params": params_of(name, gradient, final - start), "total": len(start), **facts, "initialChecksum": checksum, "sample": sample, "lossFirstAndLast": losses}


if __name__ == "__main__":
    check_known()
    models = {
        "cnn": "relu(conv 5x5, same, k1 + b1) -> 2x2 max-pool -> relu(conv 5x5, same, k2 + b2) -> 2x2 max-pool -> flatten (channels last) -> relu(x@w1+b3)@w2+b4",
        "nextword": "embedding(emb) -> LSTM(wx1,wh1,b1) -> every position (h@wp+bp)@wo+bo",
    }
    document = {
        "what": f"As engine.json, with PyTorch {torch.__version__}: the two models that it lacks; its generator and its tolerances; oneExampleGradient is that of the first example alone; a pass ends after passBatches where that is given (engine_tasks.py says why). Made by make-engine-vectors.py.",
        "models": models,
        "tasks": {name: task_of(name) for name in models},
    }
    (FOLDER / "engine-more.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
