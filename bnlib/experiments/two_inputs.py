"""One unit with BN and two inputs: a loss that knows the direction of its weights only (NumPy).

The images of 6 and 9 are told apart by two numbers, the ink in their upper half and that in their
lower half. z = w · x goes through BN, and σ(γ x̂) is how likely the unit takes an image for a 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.data import load_digits
from bnlib.experiments.signal_propagation import sigmoid
from bnlib.numpy_bn import BatchNorm

GAMMA = 3.0
TINY = 1e-30  # an ε that plays no part


class SixOrNine:
    """The images and the unit.

    Attributes:
        inputs: ink in the upper and in the lower half of each image, each centred, in units of
            its standard deviation, (N, 2).
        is_six: 1 for a 6 and 0 for a 9, (N,).
    """

    def __init__(self) -> None:
        x, y, *_ = load_digits()
        chosen = np.isin(y, (6, 9))
        halves = x[chosen].reshape(-1, 2, 32).sum(axis=2).astype(float)
        self.inputs = (halves - halves.mean(axis=0)) / halves.std(axis=0)
        self.is_six = (y[chosen] == 6).astype(float)

    def loss_and_gradient(self, w: NDArray) -> tuple[float, NDArray]:
        """Return the cross-entropy at weights w (2,), and its gradient (2,).

        Raises:
            ValueError: w is 0, so that all images look alike.
        """
        if not np.any(w):
            raise ValueError("expected weights with a direction, got 0")
        bn = BatchNorm(1, eps=TINY)
        bn.gamma[:] = GAMMA
        y = bn(self.inputs @ w[:, None])  # (N, 1)
        p = sigmoid(y[:, 0])
        likely = np.where(self.is_six == 1, p, 1 - p)
        dz = bn.backward((p - self.is_six)[:, None] / len(p))
        return float(-np.log(likely).mean()), (dz.T @ self.inputs)[0]


class Path(NamedTuple):
    """Where gradient descent went.

    Attributes:
        weights: before each step and at the end, (steps + 1, 2).
        losses: likewise, (steps + 1,).
    """

    weights: NDArray[np.float64]
    losses: NDArray[np.float64]


def descend(unit: SixOrNine, start: NDArray, rate: float, steps: int) -> Path:
    """Take plain gradient steps, all images in each.

    Args:
        unit: what is trained.
        start: the first weights (2,).
        rate: the learning rate.
        steps: how many.
    """
    weights, losses = [np.array(start, float)], []
    for step in range(steps + 1):
        loss, gradient = unit.loss_and_gradient(weights[-1])
        losses.append(loss)
        if step < steps:
            weights.append(weights[-1] - rate * gradient)
    return Path(np.array(weights), np.array(losses))
