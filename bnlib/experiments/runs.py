"""Trainings that are compared: in what they differ, and what is kept of them.

This needs no torch: a run that was recorded in a file can be shown where there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn


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


def geometric_steps(last: int, count: int) -> list[int]:
    """Return at most `count` + 1 steps from 0 to `last`, dense at first, then ever further apart.

    Most happens early in training, and a record stays small however long the training is.

    Raises:
        ValueError: `last` or `count` is less than 1.
    """
    if last < 1 or count < 1:
        raise ValueError(f"expected last >= 1 and count >= 1, got {last} and {count}")
    return sorted({0, *np.geomspace(1, last, count).round().astype(int).tolist()})


def batch_norm(num_features: int) -> nn.Module:
    """Make a layer of BN, as `norm=` of a network wants it, without torch until it is called.

    It is PyTorch's own: the numbers of `bnlib.torch_bn`, in less time.
    """
    from torch.nn import BatchNorm1d

    return BatchNorm1d(num_features)
