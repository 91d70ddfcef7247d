"""A plain training loop."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlib.experiments.networks import batch_norms


class DivergedError(ArithmeticError):
    """The loss is no finite number any more; `step` (from 0) is where it happened."""

    def __init__(self, loss: float, step: int):
        super().__init__(f"the loss became {loss} at step {step}: try a lower learning rate")
        self.step = step


def train(
    model: nn.Module, x: Tensor, y: Tensor, *, steps: int, batch_size: int, lr: float, seed: int = 0
) -> Iterator[float]:
    """Train a classifier by plain stochastic gradient descent, and yield the loss of each step.

    Arguments: inputs `x` (N, D), classes `y` (N,) int64; each step draws `batch_size` of the N
    examples without replacement, by `seed` alone; `lr` is the learning rate. A generator: nothing
    happens until it is advanced, it can be stopped after any step, and when it yields, the
    gradients of the step are still in the parameters.

    Raises ValueError for settings that cannot be trained, and DivergedError when the loss is no
    longer finite; the model is then as the last good step left it.
    """
    if not 1 <= batch_size <= len(x):
        raise ValueError(f"expected batch_size from 1 to {len(x)} (the examples), got {batch_size}")
    if batch_size == 1 and batch_norms(model):
        raise ValueError("batch normalization cannot train on batches of 1: their variance is 0")
    if not 0 < lr < math.inf:
        raise ValueError(f"expected a learning rate lr > 0 and finite, got {lr}")
    generator = torch.Generator().manual_seed(seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train()
    for step in range(steps):
        batch = torch.randperm(len(x), generator=generator)[:batch_size]
        loss = cross_entropy(model(x[batch]), y[batch])
        if not loss.isfinite():
            raise DivergedError(loss.item(), step)
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in trained:
                parameter -= lr * parameter.grad
        yield loss.item()


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share, 0 to 1, of the examples that `model` classifies correctly in evaluation mode; its mode
    is kept.
    """
    was_training = model.training
    model.eval()
    share = (model(x).argmax(dim=1) == y).float().mean().item()
    model.train(was_training)
    return share
