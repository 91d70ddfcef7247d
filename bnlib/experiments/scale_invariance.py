"""Weights whose scale does not count, since BN follows them, and how such weights train (torch)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bnlib.experiments.networks import mlp
from bnlib.experiments.training import SGD, train

TINY = 1e-30  # an ε that plays no part in float64


def invariant_mlp(scale: float = 1.0, seed: int = 0) -> nn.Sequential:
    """Make three hidden layers of 100 ReLU units for the digits, each with BN, in float64.

    BN has an ε that is as good as 0, so that the loss does not depend on the scale of the hidden
    weights, to rounding.

    Args:
        scale: of the hidden weights, in units of those by He et al. (2015).
        seed: of the weights.
    """
    sizes = [64, 100, 100, 100, 10]

    def norm(n: int) -> nn.Module:
        return nn.BatchNorm1d(n, eps=TINY)

    model = mlp(sizes, activation="relu", norm=norm, init="he", seed=seed).double()
    with torch.no_grad():
        for weight in hidden_weights(model):
            weight.mul_(scale)
    return model


def hidden_weights(model: nn.Sequential) -> list[Tensor]:
    """Return the weights of all linear layers but the last, which no BN follows."""
    *hidden, _ = (layer.weight for layer in model if isinstance(layer, nn.Linear))
    return hidden


class Trained(NamedTuple):
    """What a training was like.

    Attributes:
        losses: of each step, (steps,).
        squares: the squared norm of each hidden layer's weights before each step and at the end,
            (steps + 1, layers).
    """

    losses: NDArray[np.float64]
    squares: NDArray[np.float64]


def train_hidden(
    model: nn.Sequential,
    x: Tensor,
    y: Tensor,
    *,
    lr: float,
    steps: int,
    rate: Callable[[int], float] | None = None,
    decay: float = 0.0,
    keep_length: bool = False,
    seed: int = 0,
) -> Trained:
    """Train in batches of 60, with a rate of its own and weight decay for the hidden weights.

    W ← W - rate(t) (gradient + decay W) for the hidden weights; the other parameters learn by plain
    gradient descent at `lr`.

    Args:
        model: it is trained.
        x: inputs (N, D), of the dtype of the network.
        y: classes (N,).
        lr: the learning rate.
        steps: how many.
        rate: of the hidden weights at step t, from 0 on; None is `lr` throughout.
        decay: λ, of the hidden weights alone.
        keep_length: whether each hidden matrix is brought back to its length after each step.
        seed: of the batches.
    """
    hidden = hidden_weights(model)
    lengths = [weight.detach().norm() for weight in hidden]
    squares = [_squares(hidden)]

    def optimizer(parameters: Iterable[nn.Parameter], lr: float) -> _HiddenSGD:
        return _HiddenSGD(parameters, lr, hidden, rate or (lambda _: lr), decay)

    losses = []
    run = train(model, x, y, steps=steps, batch_size=60, lr=lr, seed=seed, optimizer=optimizer)
    for loss in run:
        if keep_length:
            with torch.no_grad():
                for weight, length in zip(hidden, lengths, strict=True):
                    weight.mul_(length / weight.norm())
        losses.append(loss)
        squares.append(_squares(hidden))
    return Trained(np.array(losses), np.array(squares))


class _HiddenSGD(SGD):
    """Gradient descent with another rate, and decay, for some of the parameters."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        hidden: Iterable[Tensor],
        rate: Callable[[int], float],
        decay: float,
    ):
        super().__init__(parameters, lr)
        self._hidden = {id(weight) for weight in hidden}
        self._rate, self._decay, self._step = rate, decay, 0

    @torch.no_grad()
    def step(self) -> None:
        rate = self._rate(self._step)
        for parameter in self._parameters:
            assert parameter.grad is not None
            if id(parameter) in self._hidden:
                parameter.sub_(rate * (parameter.grad + self._decay * parameter))
            else:
                parameter.sub_(self._lr * parameter.grad)
        self._step += 1


def _squares(weights: Iterable[Tensor]) -> list[float]:
    return [weight.detach().square().sum().item() for weight in weights]
