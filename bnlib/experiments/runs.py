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
    from bnlib.torch_bn import BatchNorm


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

    inputs: Sequence[NDArray]  # of the activations, (layers, N, units)
    accuracy: Sequence[float]  # on the test images, 0 to 1
    gradient_norms: Sequence[NDArray]  # of each hidden layer's weights, (layers,)


class Runs(Protocol):
    """Trainings side by side, recorded, so that they can be shown; those of a file are welcome."""

    depth: int  # hidden layers of each network
    steps: Sequence[int]  # at which the snapshots are taken
    recorders: Mapping[str, Record]  # by label
    diverged: Mapping[str, Any]  # label → what is to be said of a network that had to stop

    def unit_inputs(self, label: str, layer: int, unit: int) -> NDArray:
        """Return the input of one unit, both counted from 0: (snapshots, N)."""


def geometric_steps(last: int, count: int) -> list[int]:
    """Return at most `count` + 1 steps from 0 to `last`, dense at first, then ever further apart.

    Most happens early in training, and a record stays small however long the training is.

    Raises: ValueError: `last` or `count` is less than 1.
    """
    if last < 1 or count < 1:
        raise ValueError(f"expected last >= 1 and count >= 1, got {last} and {count}")
    return sorted({0, *np.geomspace(1, last, count).round().astype(int).tolist()})


def batch_norm(num_features: int) -> BatchNorm:
    """Make a layer of BN, as `norm=` of a network wants it, without torch until it is called."""
    from bnlib.torch_bn import BatchNorm

    return BatchNorm(num_features)
