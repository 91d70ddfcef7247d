"""A plain training loop."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def train(
    model: nn.Module, x: Tensor, y: Tensor, *, steps: int, batch_size: int, lr: float, seed: int = 0
) -> Iterator[float]:
    """Train a classifier by plain stochastic gradient descent, and yield the loss of each step.

    Arguments: inputs `x` (N, D), classes `y` (N,) int64; each step draws `batch_size` of the N
    examples without replacement, by `seed` alone. A generator: nothing happens until it is
    advanced, and it can be stopped at any step.
    """
    if not 1 <= batch_size <= len(x):
        raise ValueError(
            f"batch_size must lie between 1 and {len(x)} (the examples), got {batch_size}"
        )
    generator = torch.Generator().manual_seed(seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train()
    for _ in range(steps):
        batch = torch.randperm(len(x), generator=generator)[:batch_size]
        loss = cross_entropy(model(x[batch]), y[batch])
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
