"""SimpleCNN with BN in one place or another, or with something subtracted, on the digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnlib.experiments.convolutional import outputs, simple_cnn
from bnlib.experiments.data import load_digits
from bnlib.experiments.training import DivergedError, accuracy, train


class Placement(NamedTuple):
    """Where BN stands, and what is subtracted.

    Attributes:
        stage: what follows the convolution, as in `simple_cnn`.
        head: what follows the first linear layer, likewise.
        minus: a vector that is subtracted from what enters the first linear layer, and that
            training does not change: its "mean" over all training images before training, the same
            numbers "shuffled" among the 288 places, or "nothing".
    """

    stage: Sequence[str]
    head: Sequence[str]
    minus: str = "nothing"


class Minus(nn.Module):
    """Subtract a vector (C,) that is not trained from every row of x (N, C)."""

    def __init__(self, vector: Tensor):
        super().__init__()
        self.vector: Tensor
        self.register_buffer("vector", vector)

    def forward(self, x: Tensor) -> Tensor:
        """Return x - vector, (N, C)."""
        return x - self.vector


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
    def right(self) -> NDArray:
        """The accuracy, (rates, seeds), of which a training that diverged has 0."""
        return np.nan_to_num(self.accuracy)

    @property
    def best(self) -> int:
        """Number of the rate with the best median accuracy.

        It is chosen by the test images, for all placements alike.
        """
        return int(np.median(self.right, axis=1).argmax())


def network(placement: Placement, seed: int) -> nn.Sequential:
    """Make a `simple_cnn` of this placement; its weights depend on `seed` alone.

    Raises:
        ValueError: the placement has an order that `simple_cnn` does not make, or an unknown minus.
    """
    model = simple_cnn(stage=placement.stage, head=placement.head, seed=seed)
    if placement.minus not in ("nothing", "mean", "shuffled"):
        raise ValueError(f"expected minus to be nothing, mean or shuffled, got {placement.minus!r}")
    if placement.minus == "nothing":
        return model
    plain = placement._replace(minus="nothing")
    vector = _entering(plain, seed, load_digits().x_train).mean(0)  # (288,)
    if placement.minus == "shuffled":
        generator = torch.Generator().manual_seed(seed)
        vector = vector[torch.randperm(len(vector), generator=generator)]
    return model.insert(len(placement.stage) + 2, Minus(vector))


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
    for name, placement in placements.items():
        numbers = np.full((2, len(rates), len(seeds)), np.nan)
        starts = [network(placement, seed) for seed in seeds]
        for i, j in np.ndindex(numbers.shape[1:]):
            model, seed = deepcopy(starts[j]), seeds[j]
            try:
                list(train(model, x, y, steps=steps, batch_size=batch_size, lr=rates[i], seed=seed))
            except DivergedError:
                continue
            hidden = outputs([*model.eval()][:-1], x_test)[-1]
            dead = (hidden == 0).all(0).float().mean().item()
            numbers[:, i, j] = accuracy(model, x_test, y_test), dead
        found[name] = Placed(rates, *numbers)
    return found


def common_share(placement: Placement, seed: int) -> float:
    """Return how much of what enters the linear layer, before training, all images have in common.

    That is the squared length of their mean over the mean of their squared lengths, 0 to 1, for
    one batch of 360 in training mode.
    """
    flat = _entering(placement, seed, load_digits().x_train[:360])
    return (flat.mean(0).square().sum() / flat.square().sum(1).mean()).item()


def _entering(placement: Placement, seed: int, images: NDArray) -> Tensor:
    """Return what enters the first linear layer of a new network in training mode, (N, 288)."""
    layers = [*network(placement, seed).train()]
    before = [type(layer) for layer in layers].index(nn.Linear)
    return outputs(layers[:before], torch.tensor(images).view(-1, 1, 8, 8))[-1]
