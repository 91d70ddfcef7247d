"""Networks that are trained side by side, on the digits where nothing else is said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.recorder import Recorder
from bnlib.experiments.runs import PROBE, WIDTH, RunsInTurn, Variant
from bnlib.experiments.training import train


class Comparison(RunsInTurn):
    """Networks that differ in a few options and share all else: the weights they start from, too.

    They see the same batches in the same order, if these are of one size. Everything follows from
    the arguments, to the last bit.

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
        network: options of `bnlib.experiments.networks.mlp` that all networks share.

    Attributes:
        variants: the networks, a tuple of Variant.
        depth: as above.
        examples: how many images the networks are trained on.
        steps: at which the snapshots are taken.
        models: label → network.
        recorders: label → Recorder.
        diverged: label → DivergedError of those networks that had to stop.

    Raises:
        ValueError: two variants have one label, a network cannot be, or cannot be trained.
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
        **network,
    ):
        x, y, x_test, y_test = map(torch.as_tensor, images or load_digits())
        sizes = [x.shape[1], *[WIDTH] * depth, 10]
        shared: dict[str, Any] = {"batch_size": batch_size, "lr": lr, "seed": seed, "steps": steps}
        super().__init__(depth, len(x), steps=steps, snapshots=snapshots)
        self.variants = tuple(variants)
        self.models: dict[str, torch.nn.Sequential] = {}
        for variant in self.variants:
            if variant.label in self.models:
                raise ValueError(f"expected labels that differ, got {variant.label!r} twice")
            model = mlp(sizes, seed=seed, **{**network, **variant.network})
            recorder = Recorder(model, x[:PROBE], x_test, y_test, self.steps, kept)
            self.models[variant.label], self.recorders[variant.label] = model, recorder
            self._trainings[variant.label] = train(model, x, y, **{**shared, **variant.training})
