"""A plain training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlib.experiments.networks import batch_norms
from bnlib.experiments.runs import DivergedError


class Optimizer(Protocol):
    """What the loop asks of an optimizer; those of `torch.optim` have it."""

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""

    def step(self) -> None:
        """Move the parameters along their gradients."""


class SGD:
    """Plain gradient descent, w ← w − lr · dw.

    `torch.optim.SGD` does the same, but the first optimizer of torch's own that is used in a
    kernel loads a compiler with it: seconds, and more than 80 MB.

    Args:
        parameters: they are changed in place.
        lr: the learning rate.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float):
        self._parameters, self._lr = [*parameters], lr

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters along their gradients."""
        for parameter in self._parameters:
            if parameter.grad is not None:
                parameter.sub_(self._lr * parameter.grad)


def train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    steps: int,
    batch_size: int,
    lr: float,
    seed: int = 0,
    optimizer: Callable[..., Optimizer] = SGD,
    keep_modes: bool = False,
) -> Iterator[float]:
    """Train a classifier on random batches, and yield the loss of each step.

    Nothing happens until the result is advanced, and it can be stopped after any step. When it
    yields, the gradients of the step are still in the parameters.

    Args:
        model: it is trained in training mode, unless `keep_modes` is set.
        x: inputs (N, ...).
        y: classes (N,), int64.
        steps: how many, at least 1.
        batch_size: examples in a batch, drawn anew from the N at each step, without replacement.
        lr: the learning rate, positive and finite.
        seed: the batches depend on it alone.
        optimizer: called with the parameters to train and `lr=`, as those of `torch.optim` are.
        keep_modes: whether every layer stays in the mode it is in: for frozen BN, or by mistake.

    Raises:
        ValueError: at the call, for settings that cannot be trained.
        DivergedError: the loss is no longer finite; the model is as the last good step left it.
    """
    if steps < 1:
        raise ValueError(f"expected steps to be at least 1, got {steps}")
    if not 1 <= batch_size <= len(x):
        raise ValueError(f"expected batch_size from 1 to {len(x)} (the examples), got {batch_size}")
    if batch_size == 1 and x.dim() == 2 and batch_norms(model):
        raise ValueError("batch normalization cannot train on batches of 1: their variance is 0")
    if not 0 < lr < math.inf:
        raise ValueError(f"expected a learning rate lr > 0 and finite, got {lr}")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    batches = _batches(len(x), batch_size, steps, seed)
    return _steps(model, x, y, batches, optimizer(trained, lr=lr), keep_modes)


def _batches(n: int, batch_size: int, steps: int, seed: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        yield torch.randperm(n, generator=generator)[:batch_size]


def _steps(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    batches: Iterator[Tensor],
    optimizer: Optimizer,
    keep_modes: bool,
) -> Iterator[float]:
    if not keep_modes:
        model.train()
    for step, batch in enumerate(batches):
        loss = cross_entropy(model(x[batch]), y[batch])
        if not loss.isfinite():
            raise DivergedError(loss.item(), step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


@contextmanager
def mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put `model` in training or evaluation mode, and afterwards each layer back in its own."""
    before = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before.items():
            module.training = was_training


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the share, 0 to 1, of examples that `model` classifies correctly in evaluation mode.

    The mode of each of its layers is kept.
    """
    with mode(model, training=False):
        return (model(x).argmax(dim=1) == y).float().mean().item()
