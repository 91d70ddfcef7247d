"""Gradient descent whose rate falls to 0 (torch)."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from bnlib.experiments.training import SGD


class FallingSGD(SGD):
    """Plain gradient descent at a rate that falls in a straight line, from `lr` to 0.

    Args:
        parameters: they are changed in place.
        lr: the learning rate of the first step.
        steps: after which it is 0.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float, steps: int):
        super().__init__(parameters, lr)
        self._fall = lr / steps

    def step(self) -> None:
        """Move the parameters along their gradients, then lower the rate."""
        super().step()
        self._lr = max(self._lr - self._fall, 0.0)
