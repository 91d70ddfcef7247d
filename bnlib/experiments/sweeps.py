"""Sweeps: one kind of network at many rates, or from many initial weights, and how soon it learns.

The networks are trained as a stack, `bnlib.experiments.stacked`, which says what that saves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.runs import BATCH, EVERY, WIDTH, WINDOW, recent
from bnlib.experiments.stacked import Stack, train_stack


def steps_to(accuracy: Sequence[float] | NDArray, mark: float, every: int = EVERY) -> float:
    """Return after how many steps a network has reached `mark`, inf if it never does.

    That is the first evaluation whose median with the two before and the two after it is `mark` or
    more: a single lucky one does not count.

    Args:
        accuracy: after `every` steps, after twice as many, and so on, (evaluations,).
        mark: 0 to 1.
        every: steps between two evaluations.
    """
    for i in range(len(accuracy) - WINDOW + 1):
        if np.median(accuracy[i : i + WINDOW]) >= mark:
            return float((i + WINDOW // 2 + 1) * every)
    return math.inf


class Sweep:
    """Networks that differ in the scale of their initial weights and in their rate, from each seed.

    Args:
        cases: (initial weights, as `init` of `bnlib.experiments.networks.mlp`; learning rate).
        seeds: of weights and batches; there is a network for each case and seed.
        norm: as for `mlp`: None or `torch.nn.BatchNorm1d`.
        activation: likewise.
        depth: hidden layers, of 100 units each.
        steps: of plain gradient descent on the digits, in batches of 60; a multiple of 5.
        watched: whether to evaluate all along, every five steps; else only the last five times,
            which is all that `after` needs at the end, and saves a quarter of the time.

    Attributes:
        cases: as above.
        steps: as above.
        accuracy: after how many steps → accuracy on the test images in evaluation mode, (cases,
            seeds), 0 to 1, as far as the training has come; 0 for a network that has diverged.
        diverged: the step, from 0 on, in which a network's loss was no finite number any more;
            inf for one that has not diverged, (cases, seeds).
    """

    def __init__(
        self,
        cases: Sequence[tuple[float | str, float]],
        seeds: Sequence[int] = (0, 1, 2),
        *,
        norm: Callable[[int], nn.Module] | None = None,
        activation: str = "relu",
        depth: int = 6,
        steps: int = 100,
        watched: bool = True,
    ):
        self.cases, self.steps = tuple(cases), steps
        last = steps - (WINDOW - 1) * EVERY
        self._evaluated = frozenset(range(EVERY if watched else max(last, EVERY), steps + 1, EVERY))
        self._shape = len(cases), len(seeds)
        self.accuracy: dict[int, NDArray[np.float64]] = {}
        self.diverged = np.full(self._shape, np.inf)
        x, y, *self._test = map(torch.tensor, load_digits())
        sizes = [x.shape[1], *[WIDTH] * depth, 10]
        each = [(init, rate, seed) for init, rate in cases for seed in seeds]
        self._stack = Stack(
            [
                mlp(sizes, activation=activation, norm=norm, init=init, seed=seed)
                for init, _, seed in each
            ]
        )
        self._training = train_stack(
            self._stack,
            x,
            y,
            steps=steps,
            batch_size=BATCH,
            rates=[rate for _, rate, _ in each],
            seeds=[seed for *_, seed in each],
        )

    def train(self) -> Iterator[float]:
        """Train all networks at once, and yield after each step the share that is done, 0 to 1."""
        for step, losses in enumerate(self._training, start=1):
            lost = ~np.isfinite(losses).reshape(self._shape) & np.isinf(self.diverged)
            self.diverged[lost] = step - 1
            if step in self._evaluated:
                self.accuracy[step] = self._stack.accuracy(*self._test).reshape(self._shape)
            yield step / self.steps

    def trained(self) -> Self:
        """Train to the end, and return this sweep."""
        for _done in self.train():
            pass
        return self

    def after(self, step: int) -> NDArray[np.float64]:
        """Return the median of the last five evaluations up to `step`, (cases, seeds), 0 to 1.

        Before the fifth evaluation, of those there are; NaN before the first.
        """
        return recent(self.accuracy, step, self._shape)

    def steps_to(self, mark: float) -> NDArray[np.float64]:
        """Return after how many steps each network of a watched sweep has reached `mark`.

        Returns: (cases, seeds), inf for never.

        Raises:
            ValueError: the sweep is not watched from its start, or has not been trained.
        """
        if EVERY not in self.accuracy:
            raise ValueError("expected a sweep that is watched from its start, and trained")
        curves = np.stack([*self.accuracy.values()], axis=-1)  # (cases, seeds, evaluations)
        return np.apply_along_axis(steps_to, -1, curves, mark)
