"""Internal covariate shift: how far what a layer sees travels, and how to shift it on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlib.experiments.comparison import Comparison
from bnlib.experiments.data import load_digits



def distance_travelled(
    inputs: NDArray, steps: Sequence[int], *, in_spreads: bool = True
) -> NDArray:
    """Return how far mean and spread of each unit's input travel in 100 steps of training.

    shift = 100 / (t_K - t_0) * sum over k of (|mu_k+1 - mu_k| + |sigma_k+1 - sigma_k|) / sigma_k

    Args:
        inputs: what went into the units at each look, (looks, N, units).
        steps: after how many steps of training, increasing, (looks,).
        in_spreads: whether each distance is divided by the spread sigma_k at its start.

    Returns:
        (units,), float64.

    Raises:
        ValueError: fewer than two looks, or as many `steps` as there are looks are not given.
    """
    if not len(inputs) == len(steps) >= 2:
        raise ValueError(f"expected two looks or more, got {len(inputs)} at {len(steps)} steps")
    inputs = inputs.astype(float)
    mu, sigma = inputs.mean(axis=1), inputs.std(axis=1)
    distances = np.abs(np.diff(mu, axis=0)) + np.abs(np.diff(sigma, axis=0))
    if in_spreads:
        distances = distances / sigma[:-1]
    return 100 / (steps[-1] - steps[0]) * distances.sum(axis=0)


class NoisyBatchNorm(nn.BatchNorm1d):
    """BN, and in training mode noise after it: z = a y + b.

    The factor a, from 2^-s to 2^s, and the summand b, from -s to s, are drawn anew for each unit at
    each forward pass, and are the same for all examples of a batch.

    Args:
        num_features: number of units.
        generator: where the draws come from.
        strength: s, at least 0; with 1, a goes from 0.5 to 2 and b from -1 to 1, and 0 is plain BN.

    Source: after Santurkar et al. (2018), section 2.1; they also add noise to each example.
    """

    def __init__(self, num_features: int, generator: torch.Generator, strength: float = 1):
        super().__init__(num_features)
        self._generator, self._strength = generator, float(strength)

    def forward(self, input: Tensor) -> Tensor:
        """Return z (N, num_features); in evaluation mode it is y, without noise."""
        y = super().forward(input)
        return _noisy(y, self._strength, self._generator) if self.training else y


class NoiseAlone(nn.Module):
    """The noise of `NoisyBatchNorm` without BN before it: the control that tells the two apart.

    Args:
        generator: where the draws come from.
        strength: s, at least 0.
    """

    def __init__(self, generator: torch.Generator, strength: float = 1):
        super().__init__()
        self._generator, self._strength = generator, float(strength)

    def forward(self, y: Tensor) -> Tensor:
        """Return a y + b (N, C); in evaluation mode it is y."""
        return _noisy(y, self._strength, self._generator) if self.training else y


def _noisy(y: Tensor, s: float, generator: torch.Generator) -> Tensor:
    a = torch.empty(y.shape[1]).uniform_(2**-s, 2**s, generator=generator)
    b = torch.empty(y.shape[1]).uniform_(-s, s, generator=generator)
    return a * y + b


def noisy_batch_norm(seed: int, strength: float = 1) -> Callable[[int], NoisyBatchNorm]:
    """Return what makes the layers of one network, as `norm=` of `networks.mlp` wants it.

    The layers draw from one generator, so that no two of them get the same noise.
    """
    generator = torch.Generator().manual_seed(seed)
    return lambda num_features: NoisyBatchNorm(num_features, generator, strength)


def noise_alone(seed: int, strength: float = 1) -> Callable[[int], NoiseAlone]:
    """Return what makes the layers of a network with the same noise and without BN."""
    generator = torch.Generator().manual_seed(seed)
    return lambda num_features: NoiseAlone(generator, strength)


class FirstBatchNorm(nn.Module):
    """BN once: with mean and spread of the first training batch, and then with these for good.

    Args:
        num_features: number of units.

    Attributes:
        weight: γ, (num_features,).
        bias: β, (num_features,).
        mean: that of the first batch, (num_features,); 0 before it.
        std: that of the first batch, (num_features,); 1 before it.
        waits: whether no training batch has come yet, a tensor of one bool.

    Source: after Salimans & Kingma (2016), section 3, who set their weights by one batch.
    """

    mean: Tensor
    std: Tensor
    waits: Tensor

    def __init__(self, num_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("mean", torch.zeros(num_features))
        self.register_buffer("std", torch.ones(num_features))
        self.register_buffer("waits", torch.tensor(True))

    def forward(self, input: Tensor) -> Tensor:
        """Return γ (input - mean) / std + β, (N, num_features)."""
        if self.training and self.waits:
            std, mean = torch.std_mean(input.detach(), dim=0, correction=0)
            self.mean.copy_(mean)
            self.std.copy_(std)
            self.waits.fill_(False)
        return self.weight * (input - self.mean) / self.std + self.bias


def gradient_change(model: nn.Sequential, x: Tensor, y: Tensor, lr: float) -> float:
    """Return how much the last layer's gradient changes when the layers below take their step.

    With the gradient G of its weights before, and G' after that step on the same batch, this is
    the length of G' - G in lengths of G: 0 if it has not moved.

    Args:
        model: the last of its layers is linear; it stays as it is.
        x: a batch (N, D).
        y: its classes (N,).
        lr: the learning rate of the step.

    Source: after Santurkar et al. (2018), definition 2.1.
    """
    now, then = deepcopy(model).train(), deepcopy(model).train()  # they draw the same noise
    before = _last_gradient(now, x, y)
    with torch.no_grad():
        for moved, parameter in zip(then[:-1].parameters(), now[:-1].parameters(), strict=True):
            if parameter.grad is not None:
                moved.sub_(lr * parameter.grad)
    return ((_last_gradient(then, x, y) - before).norm() / before.norm()).item()


def gradient_changes(comparison: Comparison, lr: float, every: int = 4) -> dict[str, float]:
    """Train a comparison to its end, and measure `gradient_change` on batches of 60 on the way.

    Args:
        comparison: of networks on the digits, not yet trained.
        lr: the learning rate of all of them.
        every: steps between two measurements.

    Returns:
        label → the mean of the measurements.
    """
    x, y, *_ = map(torch.tensor, load_digits())
    generator = torch.Generator().manual_seed(0)
    changes: dict[str, list[float]] = {label: [] for label in comparison.models}
    for step, _ in enumerate(comparison.train()):
        if step % every == 0:
            batch = torch.randperm(len(x), generator=generator)[:60]
            for label, model in comparison.models.items():
                change = gradient_change(model, x[batch], y[batch], lr)
                changes[label].append(change)
    return {label: float(np.mean(of_steps)) for label, of_steps in changes.items()}


def _last_gradient(model: nn.Sequential, x: Tensor, y: Tensor) -> Tensor:
    model.zero_grad()
    cross_entropy(model(x), y).backward()
    weight = model[-1].weight
    assert isinstance(weight, Tensor) and weight.grad is not None
    return weight.grad.clone()
