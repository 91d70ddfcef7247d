"""Trainings that are compared: in what they differ, and what is kept of them.

This needs no torch: a run that was recorded in a file can be shown where there is none.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits

if TYPE_CHECKING:
    from torch import nn

WIDTH, PROBE = 100, 200  # units of a hidden layer, and the images whose way through it is recorded
BATCH, EVERY = 60, 5  # of a sweep: images in a batch, and steps between two evaluations
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


class RunsInTurn(ABC):
    """Networks that differ in a few options and share all else: the weights they start from, too.

    They are trained side by side, a step of each in turn, and recorded, as `Runs` says. They see
    the same batches in the same order, if these are of one size. Everything follows from the
    arguments, to the last bit.

    Args:
        variants: the networks, each with the options in which it differs.
        depth: hidden layers, of 100 units each.
        steps: of training.
        snapshots: how many the recorders take, at most, besides the first.
        seed: of the weights and of the batches.
        batch_size: digits in a batch, where a variant says nothing else.
        lr: the learning rate, where a variant says nothing else.
        kept: the hidden layers whose inputs the recorders keep.
        images: training images (N, D), their classes, test images, their classes; the digits if
            None.
        network: options that all networks share.

    Attributes:
        depth: as above.
        examples: how many images the networks are trained on.
        steps: at which the snapshots are taken.
        recorders: label → Recorder.
        diverged: label → DivergedError of those networks that had to stop.

    Raises:
        ValueError: two variants have one label, or a network cannot be.
    """

    def __init__(
        self,
        variants: Iterable[Variant],
        *,
        depth: int = 3,
        steps: int = 1000,
        snapshots: int = 60,
        seed: int = 0,
        batch_size: int = 60,
        lr: float = 0.5,
        kept: slice = slice(None),
        images: Sequence[NDArray] | None = None,
        **network: Any,
    ):
        images = images or load_digits()
        shared: dict[str, Any] = {"batch_size": batch_size, "lr": lr, "seed": seed, "steps": steps}
        self.depth, self.examples, self._length = depth, len(images[0]), steps
        self.steps = geometric_steps(steps, snapshots)
        self.recorders: dict[str, Recorder] = {}
        self.diverged: dict[str, DivergedError] = {}
        self._trainings: dict[str, Iterator[float]] = {}
        for variant in variants:
            if variant.label in self.recorders:
                raise ValueError(f"expected labels that differ, got {variant.label!r} twice")
            self.recorders[variant.label], self._trainings[variant.label] = self._begin(
                variant.label,
                images,
                {"seed": seed, **network, **variant.network},
                {**shared, **variant.training},
                kept,
            )

    @abstractmethod
    def _begin(
        self,
        label: str,
        images: Sequence[NDArray],
        network: Mapping[str, Any],
        training: Mapping[str, Any],
        kept: slice,
    ) -> tuple[Recorder, Iterator[float]]:
        """Make a network, and return its recorder and its training, a step at a time."""

    def _sizes(self, images: Sequence[NDArray]) -> list[int]:
        return [images[0].shape[1], *[WIDTH] * self.depth, 10]

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
    accuracy: Mapping[int, NDArray], step: int, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the median of the last WINDOW evaluations up to `step`.

    Before there are so many, of those there are; NaN before the first.

    Args:
        accuracy: after how many steps → accuracies, `shape`.
        step: 0 and more.
        shape: of what is returned.
    """
    seen = [shares for at, shares in accuracy.items() if step - WINDOW * EVERY < at <= step]
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
