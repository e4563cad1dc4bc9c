"""A small neural network in numpy whose training can stop after any batch and go on as if nothing had happened.

Everything that the next batch depends on is in `Progress`; the order of the samples is drawn anew each epoch from
(seed, epoch), so there is no generator whose inner state would have to be saved too.
"""

import io
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HIDDEN = 32
BATCH = 128
LEARNING_RATE = 0.2
MOMENTUM = 0.9


@dataclass(frozen=True)
class Progress:
    """A training after `batches` batches: the weights, their momentum, and what displacement has cost so far."""

    weights: tuple[Array, ...]
    momentum: tuple[Array, ...]
    seed: int
    batches: int = 0
    resumed: int = 0
    """How many times the training went on from a checkpoint."""
    lost_batches: int = 0
    """Batches computed twice, because a process died (not: left) after its last checkpoint."""

    def pack(self) -> bytes:
        """As bytes for a checkpoint; floats keep every bit."""
        buffer = io.BytesIO()
        arrays = {f"weights{i}": a for i, a in enumerate(self.weights)}
        arrays |= {f"momentum{i}": a for i, a in enumerate(self.momentum)}
        np.savez(buffer, counts=np.array([self.seed, self.batches, self.resumed, self.lost_batches]), **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()


def unpack(state: bytes) -> Progress:
    """The inverse of `Progress.pack`."""
    with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
        layers = range((len(arrays.files) - 1) // 2)
        seed, batches, resumed, lost = (int(count) for count in arrays["counts"])
        return Progress(
            tuple(arrays[f"weights{i}"] for i in layers),
            tuple(arrays[f"momentum{i}"] for i in layers),
            seed,
            batches,
            resumed,
            lost,
        )


def untrained(features: int, classes: int, seed: int) -> Progress:
    """A network with one hidden layer and small random weights."""
    random = np.random.default_rng(seed)
    weights = (
        random.normal(0, features**-0.5, (features, HIDDEN)),
        np.zeros(HIDDEN),
        random.normal(0, HIDDEN**-0.5, (HIDDEN, classes)),
        np.zeros(classes),
    )
    return Progress(weights, tuple(np.zeros_like(a) for a in weights), seed)


@dataclass(frozen=True)
class Samples:
    """Inputs (one row a sample, about 0..1) and the class of each."""

    inputs: Array
    classes: NDArray[np.int64]
    batches_per_epoch: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "batches_per_epoch", -(-len(self.classes) // BATCH))


def train_batch(progress: Progress, samples: Samples) -> Progress:
    """One step of gradient descent with momentum; a pure function of its arguments, bit for bit on one machine."""
    epoch, batch = divmod(progress.batches, samples.batches_per_epoch)
    order = np.random.default_rng([progress.seed, epoch]).permutation(len(samples.classes))
    chosen = order[batch * BATCH : (batch + 1) * BATCH]
    gradients = _gradients(progress.weights, samples.inputs[chosen], samples.classes[chosen])
    momentum = tuple(MOMENTUM * m - LEARNING_RATE * g for m, g in zip(progress.momentum, gradients, strict=True))
    weights = tuple(w + m for w, m in zip(progress.weights, momentum, strict=True))
    return replace(progress, weights=weights, momentum=momentum, batches=progress.batches + 1)


def accuracy(progress: Progress, samples: Samples) -> float:
    """Share of the samples that the network puts into the right class."""
    return float((_scores(progress.weights, samples.inputs)[1].argmax(axis=1) == samples.classes).mean())


def _scores(weights: tuple[Array, ...], inputs: Array) -> tuple[Array, Array]:
    hidden = np.maximum(inputs @ weights[0] + weights[1], 0)
    return hidden, hidden @ weights[2] + weights[3]


def _gradients(weights: tuple[Array, ...], inputs: Array, classes: NDArray[np.int64]) -> tuple[Array, ...]:
    """Of the mean cross entropy."""
    hidden, scores = _scores(weights, inputs)
    error = np.exp(scores - scores.max(axis=1, keepdims=True))
    error /= error.sum(axis=1, keepdims=True)
    error[np.arange(len(classes)), classes] -= 1
    error /= len(classes)
    behind = (error @ weights[2].T) * (hidden > 0)
    return inputs.T @ behind, behind.sum(axis=0), hidden.T @ error, error.sum(axis=0)
