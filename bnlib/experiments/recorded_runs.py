"""Trainings side by side that were recorded in little room: what a page shows, without torch.

The inputs of the units take nearly all of it. For each unit and snapshot they are rounded to STEPS
equal steps between the smallest and the largest of them, and small differences are what is kept:
those to the snapshot before; or, where nobody asks which image an input belongs to, only how many
there are of each size, those between inputs that follow each other when they are sorted.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.runs import Record, Runs

STEPS = 63


@dataclass(frozen=True)
class PackedInputs:
    """The inputs of all units in all snapshots, rounded.

    Attributes:
        low: the smallest input of each unit, (snapshots, layers, 1, units).
        step: to which its inputs are rounded, likewise.
        shape: (snapshots, layers, N, units).
        codes: uint8 of that shape, compressed: how many steps the input is above `low`, as
            differences along `axis`, modulo 256.
        axis: 0, of the snapshots; or 2, of the images, whose inputs are then sorted.
    """

    low: NDArray[np.float32]
    step: NDArray[np.float32]
    shape: tuple[int, ...]
    codes: bytes
    axis: int

    @classmethod
    def of(cls, inputs: NDArray, axis: int) -> PackedInputs:
        """Pack `inputs`, (snapshots, layers, N, units).

        Raises:
            ValueError: they are not finite.
        """
        if not np.isfinite(inputs).all():
            raise ValueError("expected finite inputs, got some that are not: has it diverged?")
        low = inputs.min(axis=2, keepdims=True)
        step = (inputs.max(axis=2, keepdims=True) - low) / STEPS
        codes = np.rint((inputs - low) / np.where(step > 0, step, 1)).astype(np.uint8)
        if axis == 2:
            codes = np.sort(codes, axis)
        compressed = zlib.compress(np.diff(codes, axis=axis, prepend=np.uint8(0)).tobytes(), 9)
        return cls(low.astype(np.float32), step.astype(np.float32), codes.shape, compressed, axis)

    def unpacked(self) -> NDArray[np.float32]:
        """Return the inputs, (snapshots, layers, N, units), at most half a step off."""
        codes = np.frombuffer(zlib.decompress(self.codes), np.uint8).reshape(self.shape)
        return self.low + np.cumsum(codes, self.axis, dtype=np.uint8) * self.step


@dataclass(frozen=True)
class RecordedNetwork:
    """What was seen of a network during its training, as `Record` says."""

    packed: PackedInputs
    accuracy: list[float]
    gradient_norms: list[NDArray]

    @cached_property
    def inputs(self) -> NDArray[np.float32]:
        """What goes into the activation of each hidden layer, (snapshots, layers, N, units)."""
        return self.packed.unpacked()


@dataclass(frozen=True)
class RecordedRuns:
    """Trainings side by side, as `Runs` says.

    Attributes:
        depth: number of hidden layers.
        steps: at which the snapshots were taken.
        examples: how many images the networks were trained on.
        recorders: label → RecordedNetwork.
        diverged: label → what is to be said of a network that had to stop.
    """

    depth: int
    steps: list[int]
    examples: int
    recorders: dict[str, RecordedNetwork]
    diverged: dict[str, str]

    def unit_inputs(self, label: str, layer: int, unit: int) -> NDArray[np.float32]:
        """Return the inputs of one unit, both counted from 0: (snapshots, N)."""
        return self.recorders[label].inputs[:, layer, :, unit]


def _record(runs: Runs, axis: int) -> RecordedRuns:
    def network(record: Record) -> RecordedNetwork:
        packed = PackedInputs.of(np.stack([*record.inputs]), axis)
        return RecordedNetwork(packed, [*record.accuracy], [*record.gradient_norms])

    comparison: Any = runs  # a recorded one knows no examples
    return RecordedRuns(
        depth=runs.depth,
        steps=[*runs.steps],
        examples=comparison.examples,
        recorders={label: network(record) for label, record in runs.recorders.items()},
        diverged={label: str(error) for label, error in runs.diverged.items()},
    )


record_of_images = partial(_record, axis=0)
record_of_units = partial(_record, axis=2)
