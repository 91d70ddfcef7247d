"""Networks that are trained side by side, on the digits where nothing else is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from bnlib.experiments.networks import mlp
from bnlib.experiments.recorder import Recorder
from bnlib.experiments.runs import PROBE, RunsInTurn, Variant
from bnlib.experiments.training import train


class Comparison(RunsInTurn):
    """The networks of `RunsInTurn` in PyTorch.

    Args:
        variants: the networks, each with the options in which it differs.
        options: of `RunsInTurn`, and those of `bnlib.experiments.networks.mlp` that all networks
            share.

    Attributes:
        models: label → network; the others are those of `RunsInTurn`.

    Raises:
        ValueError: two variants have one label, a network cannot be, or cannot be trained.
    """

    def __init__(self, variants: Iterable[Variant], **options: Any):
        self.models: dict[str, torch.nn.Sequential] = {}
        super().__init__(variants, **options)

    def _begin(
        self,
        label: str,
        images: Sequence[NDArray],
        network: Mapping[str, Any],
        training: Mapping[str, Any],
        kept: slice,
    ) -> tuple[Recorder, Iterator[float]]:
        x, y, x_test, y_test = map(torch.as_tensor, images)
        model = self.models[label] = mlp(self._sizes(images), **network)
        recorder = Recorder(model, x[:PROBE], x_test, y_test, self.steps, kept)
        return recorder, train(model, x, y, **training)
