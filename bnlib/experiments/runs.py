"""Trainings that are compared: in what they differ, and what is kept of them.

This needs no torch: a run that was recorded in a file can be shown where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

WIDTH, PROBE = 100, 200  # units of a hidden layer, and the images whose way through it is recorded
WINDOW = 5  # evaluations of which the median counts: a single lucky one does not


class DivergedError(ArithmeticError):
    """The loss is no finite number any more.

    Attributes:
        step: where it happened, from 0 on.
    """

    def __init__(self, loss: float, step: int):
        super().__init__(f"the loss became {loss} at step {step}: try a lower learning rate")
        self.step = step


@dataclass(frozen=True)
class Variant:
    """One of the networks that are compared: what it is called, how it is trained and drawn.

    Attributes:
        label: its name in titles and legends, and the key of its numbers.
        network: options of `bnlib.experiments.networks.mlp` in which it differs.
        training: options of `bnlib.experiments.training.train` in which it differs.
        style: keyword arguments of a matplotlib line, color and ls among them.
    """

    label: str
    network: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    style: Mapping[str, Any] = field(default_factory=dict)


class Record(Protocol):
    """What was seen of a network during its training: an entry of each list for each snapshot."""

    @property
    def inputs(self) -> Sequence[NDArray]:
        """What goes into the activation of each hidden layer, (layers, N, units)."""

    @property
    def accuracy(self) -> Sequence[float]:
        """The share of the test images that are right, 0 to 1."""

    @property
    def gradient_norms(self) -> Sequence[NDArray]:
        """Norms of the gradients of each hidden layer's weights, (layers,)."""


class Runs(Protocol):
    """Trainings side by side, recorded, so that they can be shown; those of a file are welcome."""

    @property
    def depth(self) -> int:
        """Number of hidden layers of each network."""

    @property
    def steps(self) -> Sequence[int]:
        """The steps at which the snapshots are taken."""

    @property
    def recorders(self) -> Mapping[str, Record]:
        """What was seen of each network, by its label."""

    @property
    def diverged(self) -> Mapping[str, Any]:
        """What is to be said of the networks that had to stop, by their label."""

    def unit_inputs(self, label: str, layer: int, unit: int) -> NDArray:
        """Return the input of one unit, both counted from 0: (snapshots, N)."""


class Recorder(Record, Protocol):
    """What makes a record."""

    def snapshot(self, step: int) -> None:
        """Record, if `step` is one of those that were chosen."""


class RunsInTurn:
    """Networks that are trained side by side, a step of each in turn, and recorded, as `Runs`.

    Args:
        depth: number of hidden layers of each.
        examples: how many images they are trained on.
        steps: of training.
        snapshots: how many the recorders take, at most, besides the first.

    Attributes:
        depth, examples: as above.
        steps: at which the snapshots are taken.
        recorders: label → Recorder.
        diverged: label → DivergedError of those networks that had to stop.
    """

    def __init__(self, depth: int, examples: int, *, steps: int, snapshots: int):
        self.depth, self.examples, self._length = depth, examples, steps
        self.steps = geometric_steps(steps, snapshots)
        self.recorders: dict[str, Recorder] = {}
        self.diverged: dict[str, DivergedError] = {}
        self._trainings: dict[str, Iterator[float]] = {}

    def train(self) -> Iterator[float]:
        """Train all networks, one step of each in turn; yield the share that is done, 0 to 1."""
        for recorder in self.recorders.values():
            recorder.snapshot(0)
        for step in range(1, self._length + 1):
            for label, training in self._trainings.items():
                if label in self.diverged:
                    continue
                try:
                    next(training)
                except DivergedError as error:
                    self.diverged[label] = error
                else:
                    self.recorders[label].snapshot(step)
            yield step / self._length

    def trained(self) -> Self:
        """Train all networks to the end, and return this object."""
        for _done in self.train():
            pass
        return self

    def unit_inputs(self, label: str, layer: int, unit: int) -> NDArray:
        """Return what was recorded of the input of one unit, both from 0: (snapshots, N)."""
        return np.stack([inputs[layer, :, unit] for inputs in self.recorders[label].inputs])


def geometric_steps(last: int, count: int) -> list[int]:
    """Return at most `count` + 1 steps from 0 to `last`, dense at first, then ever further apart.

    Most happens early in training, and a record stays small however long the training is.

    Raises:
        ValueError: `last` or `count` is less than 1.
    """
    if last < 1 or count < 1:
        raise ValueError(f"expected last >= 1 and count >= 1, got {last} and {count}")
    return sorted({0, *np.geomspace(1, last, count).round().astype(int).tolist()})


def recent(
    accuracy: Mapping[int, NDArray], step: int, every: int, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the median of the last WINDOW evaluations up to `step`.

    Before there are so many, of those there are; NaN before the first.

    Args:
        accuracy: after how many steps → accuracies, `shape`.
        step: 0 and more.
        every: steps between two evaluations.
        shape: of what is returned.
    """
    seen = [shares for at, shares in accuracy.items() if step - WINDOW * every < at <= step]
    return np.median(seen, axis=0) if seen else np.full(shape, np.nan)


def weight_std(init: float | str, n_in: int, n_out: int) -> float:
    """Return the standard deviation of a layer's initial weights.

    Args:
        init: that number itself; or "xavier", sqrt(2 / (n_in + n_out)) (Glorot & Bengio 2010); or
            "he", sqrt(2 / n_in) (He et al. 2015).
        n_in: inputs of the layer.
        n_out: its outputs.

    Raises:
        ValueError: `init` is none of these.
    """
    if init == "xavier":
        return math.sqrt(2 / (n_in + n_out))
    if init == "he":
        return math.sqrt(2 / n_in)
    if isinstance(init, Real) and 0 < init < math.inf:
        return float(init)
    raise ValueError(f"expected init to be a positive number, 'xavier' or 'he', got {init!r}")


def batch_norm(num_features: int) -> nn.Module:
    """Make a layer of BN, as `norm=` of a network wants it, without torch until it is called.

    It is PyTorch's own: the numbers of `bnlib.torch_bn`, in less time.
    """
    from torch.nn import BatchNorm1d

    return BatchNorm1d(num_features)
