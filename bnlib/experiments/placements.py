"""SimpleCNN with BN in one place or another, trained on the digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bnlib.experiments.convolutional import outputs, simple_cnn
from bnlib.experiments.data import load_digits
from bnlib.experiments.training import DivergedError, accuracy, train


class Placement(NamedTuple):
    """What follows the convolution and what the first linear layer, as in `simple_cnn`."""

    stage: Sequence[str]
    head: Sequence[str]


class Placed(NamedTuple):
    """Trainings of one placement, at several rates; NaN where one has diverged.

    Attributes:
        rates: of the trainings.
        accuracy: of the test images, 0 to 1, (rates, seeds).
        dead: share of the 64 hidden units that give the last layer 0 for every test image,
            (rates, seeds).
    """

    rates: Sequence[float]
    accuracy: NDArray
    dead: NDArray

    @property
    def best(self) -> int:
        """Number of the rate with the best median accuracy; a training that diverged counts as 0.

        It is chosen by the test images, for all placements alike.
        """
        return int(np.median(np.nan_to_num(self.accuracy), axis=1).argmax())


def train_placements(
    placements: Mapping[str, Placement],
    rates: Sequence[float],
    seeds: Sequence[int],
    steps: int = 50,
    batch_size: int = 60,
) -> dict[str, Placed]:
    """Train each placement on the digits, at each rate, from each seed."""
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    x, x_test = x.view(-1, 1, 8, 8), x_test.view(-1, 1, 8, 8)
    found = {}
    for name, (stage, head) in placements.items():
        numbers = np.full((2, len(rates), len(seeds)), np.nan)
        for i, j in np.ndindex(numbers.shape[1:]):
            model, seed = simple_cnn(stage=stage, head=head, seed=seeds[j]), seeds[j]
            try:
                list(train(model, x, y, steps=steps, batch_size=batch_size, lr=rates[i], seed=seed))
            except DivergedError:
                continue
            hidden = outputs([*model.eval()][:-1], x_test)[-1]
            dead = (hidden == 0).all(0).float().mean().item()
            numbers[:, i, j] = accuracy(model, x_test, y_test), dead
        found[name] = Placed(rates, *numbers)
    return found


def common_share(placement: Placement, seed: int, images: int = 360) -> float:
    """Return how much of what enters the linear layer, before training, all images have in common.

    That is the squared length of their mean over the mean of their squared lengths, 0 to 1, for
    one batch in training mode.
    """
    x = torch.tensor(load_digits().x_train[:images]).view(-1, 1, 8, 8)
    model = simple_cnn(stage=placement.stage, head=placement.head, seed=seed).train()
    flat = outputs([*model][: len(placement.stage) + 2], x)[-1]  # (images, 288)
    return (flat.mean(0).square().sum() / flat.square().sum(1).mean()).item()
