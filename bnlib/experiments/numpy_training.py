"""Networks that are trained in NumPy: what a web page trains, which has no PyTorch.

They are those of `bnlib.experiments.comparison` and `sweeps`, from other random numbers; from the
same weights and batches they take the same course up to rounding (tested).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.activation_measures import activate
from bnlib.experiments.data import load_digits
from bnlib.experiments.runs import (
    BATCH,
    EVERY,
    PROBE,
    WIDTH,
    DivergedError,
    RunsInTurn,
    batch_norm,
    recent,
    weight_std,
)
from bnlib.numpy_bn import BatchNorm


class NoisyBatchNorm(BatchNorm):
    """BN, and in training mode noise after it: `bnlib.experiments.shift.NoisyBatchNorm` in NumPy.

    Args:
        num_features: number of units.
        rng: where the draws come from.
        strength: of the noise, s, at least 0.
    """

    def __init__(self, num_features: int, rng: np.random.Generator, strength: float):
        super().__init__(num_features)
        self._rng, self._strength = rng, strength

    def forward(self, x: NDArray) -> NDArray:
        """Return a y + b, a from 2^-s to 2^s, b from -s to s; y in evaluation mode."""
        y = super().forward(x)
        if not self.training:
            return y
        s, n = self._strength, self.num_features
        self._factor = self._rng.uniform(2**-s, 2**s, n).astype(y.dtype)
        return self._factor * y + self._rng.uniform(-s, s, n).astype(y.dtype)

    def backward(self, dy: NDArray) -> NDArray:
        """Take the gradient of a training batch back through the noise and BN."""
        return super().backward(self._factor * dy)


def noisy_batch_norm(seed: int, strength: float) -> Callable[[int], NoisyBatchNorm]:
    """Return what makes the layers of one network, which draw from one generator."""
    rng = np.random.default_rng(seed)
    return lambda num_features: NoisyBatchNorm(num_features, rng, strength)


class Network:
    """A fully connected network: linear, BN or none, activation for each hidden layer, then linear.

    Args:
        sizes: the numbers of units from the input to the output.
        activation: "sigmoid" or "relu".
        norm: makes a layer for n features, as `numpy_bn.BatchNorm` does, for which
            `bnlib.experiments.runs.batch_norm` stands, too; None makes none.
        init: as `bnlib.experiments.networks.mlp` takes it.
        seed: the weights depend on it alone. Biases start at 0, and stay there before BN.

    Attributes:
        weights: of each layer, (n_in, n_out), float32.
        biases: of each layer, (n_out,), float32.
        norms: of each hidden layer, or None.
        inputs: what went into each activation in the last call of `logits`, (N, units) each.
        gradient_norms: norm of the gradient of each layer's weights in the last step; NaN before.

    Raises:
        ValueError: `activation` or `init` is none of these.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: str = "sigmoid",
        norm: Callable[[int], Any] | None = None,
        init: float | str = 0.1,
        seed: int = 0,
    ):
        if activation not in ("sigmoid", "relu"):
            raise ValueError(f"expected activation 'sigmoid' or 'relu', got {activation!r}")
        make = BatchNorm if norm is batch_norm else norm
        rng, layers = np.random.default_rng(seed), [*pairwise(sizes)]
        self.activation = activation
        self.weights = [
            rng.normal(0, weight_std(init, *layer), layer).astype(np.float32) for layer in layers
        ]
        self.biases = [np.zeros(n, np.float32) for n in sizes[1:]]
        self.norms = [make(n) if make else None for n in sizes[1:-1]]
        self.gradient_norms = np.full(len(layers), np.nan)

    def logits(self, x: NDArray[np.float32], training: bool) -> NDArray[np.float32]:
        """Return the logits (N, 10) for images (N, D); BN in training mode, or not."""
        self._given, self.inputs = [x], []
        for weight, bias, norm in zip(self.weights, self.biases, self.norms, strict=False):
            z = self._given[-1] @ weight
            if norm is None:
                z += bias
            else:
                norm.training = training
                z = norm.forward(z)
            self.inputs.append(z)
            self._given.append(activate(z, self.activation))
        return self._given[-1] @ self.weights[-1] + self.biases[-1]

    def step(self, x: NDArray[np.float32], y: NDArray[np.int64], lr: float) -> float:
        """Move against the gradient of the mean cross-entropy, and return that loss.

        Where it is not finite, nothing is moved.
        """
        with np.errstate(all="ignore"):  # a network that diverges is said to
            logits = self.logits(x, training=True)
            logits -= logits.max(axis=1, keepdims=True)
            logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            each = np.arange(len(y))
            loss = float(-logs[each, y].mean())
            if np.isfinite(loss):
                dz = np.exp(logs)
                dz[each, y] -= 1
                self._descend(dz / np.float32(len(y)), lr)
        return loss

    def _descend(self, dz: NDArray[np.float32], lr: float) -> None:
        """Take the gradient of the logits back through all layers, and move each on the way."""
        rate = np.float32(lr)
        for layer in reversed(range(len(self.weights))):
            weight, norm = self.weights[layer], None
            if layer < len(self.norms):
                dz *= self._slope(self._given[layer + 1])
                norm = self.norms[layer]
            if norm is None:
                self.biases[layer] -= rate * dz.sum(axis=0)
            else:
                dz = norm.backward(dz)
                norm.gamma -= lr * norm.grad_gamma
                norm.beta -= lr * norm.grad_beta
            gradient = self._given[layer].T @ dz
            self.gradient_norms[layer] = np.linalg.norm(gradient)
            dz = dz @ weight.T
            weight -= rate * gradient

    def _slope(self, activations: NDArray[np.float32]) -> NDArray:
        """Return the derivative of the activation where it gives `activations`."""
        if self.activation == "relu":
            return activations > 0
        return activations * (1 - activations)

    def accuracy(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> float:
        """Return the share of images (N, D) of classes (N,) that are right in evaluation mode."""
        with np.errstate(all="ignore"):  # as in `step`
            return float(np.mean(self.logits(x, training=False).argmax(axis=1) == y))


class Recorder:
    """Keeps of a network what `Record` of `bnlib.experiments.runs` says, at chosen steps."""

    def __init__(
        self,
        network: Network,
        probe: NDArray[np.float32],
        test: Sequence[NDArray],
        steps: Iterable[int],
        kept: slice,
    ):
        self._network, self._probe, self._test = network, probe, test
        self._chosen, self._kept = frozenset(steps), kept
        self.inputs: list[NDArray] = []
        self.accuracy: list[float] = []
        self.gradient_norms: list[NDArray] = []

    def snapshot(self, step: int) -> None:
        """Record, if `step` is one of the chosen."""
        if step not in self._chosen:
            return
        looked_at = deepcopy(self._network)  # whose running averages may move
        with np.errstate(all="ignore"):
            looked_at.logits(self._probe, training=True)
        self.inputs.append(np.stack(looked_at.inputs[self._kept]))
        self.accuracy.append(self._network.accuracy(*self._test))
        self.gradient_norms.append(self._network.gradient_norms[:-1].copy())


class Sweep:
    """Networks of ReLU layers that differ in rate and seed, as in `bnlib.experiments.sweeps`.

    Args:
        rates: learning rates; there is a network for each rate and seed, its weights by He et al.
        seeds: of weights and batches.
        norm: as for Network.
        depth: hidden layers, of 100 units each.
        steps: of training, on the digits in batches of 60.
    """

    def __init__(
        self,
        rates: Sequence[float],
        seeds: Sequence[int],
        *,
        norm: Callable[[int], Any] | None,
        depth: int,
        steps: int,
    ):
        x, y, *self._test = map(np.asarray, load_digits())
        sizes = [x.shape[1], *[WIDTH] * depth, 10]
        self._shape, self._steps = (len(rates), len(seeds)), steps
        self._accuracy: dict[int, NDArray[np.float64]] = {}
        each = [(rate, seed) for rate in rates for seed in seeds]
        self._networks = [
            Network(sizes, activation="relu", norm=norm, init="he", seed=seed) for _, seed in each
        ]
        self._trainings = [
            _training(network, x, y, steps=steps, batch_size=BATCH, lr=rate, seed=seed)
            for network, (rate, seed) in zip(self._networks, each, strict=True)
        ]

    def train(self) -> Iterator[float]:
        """Train all networks, a step of each in turn; yield the share that is done, 0 to 1."""
        alive = [True] * len(self._networks)
        for step in range(1, self._steps + 1):
            for place, training in enumerate(self._trainings):
                try:
                    if alive[place]:
                        next(training)
                except DivergedError:
                    alive[place] = False
            if step % EVERY == 0:
                shares = [
                    network.accuracy(*self._test) if lives else 0.0
                    for network, lives in zip(self._networks, alive, strict=True)
                ]
                self._accuracy[step] = np.reshape(shares, self._shape)
            yield step / self._steps

    def after(self, step: int) -> NDArray[np.float64]:
        """Return the median of the last five evaluations up to `step`, (rates, seeds), 0 to 1."""
        return recent(self._accuracy, step, self._shape)


class Comparison(RunsInTurn):
    """The networks of `RunsInTurn` in NumPy; their options are those of Network."""

    def _begin(
        self,
        label: str,
        images: Sequence[NDArray],
        network: Mapping[str, Any],
        training: Mapping[str, Any],
        kept: slice,
    ) -> tuple[Recorder, Iterator[float]]:
        x, y, *test = images
        model = Network(self._sizes(images), **network)
        recorder = Recorder(model, x[:PROBE], test, self.steps, kept)
        return recorder, _training(model, x, y, **training)


def _training(
    network: Network, x: NDArray, y: NDArray, *, steps: int, batch_size: int, lr: float, seed: int
) -> Iterator[float]:
    """Train on batches that depend on `seed` alone, and yield the loss of each step."""
    rng = np.random.default_rng(seed)
    for step in range(steps):
        batch = rng.choice(len(x), batch_size, replace=False)
        loss = network.step(x[batch], y[batch], lr)
        if not np.isfinite(loss):
            raise DivergedError(loss, step)
        yield loss
