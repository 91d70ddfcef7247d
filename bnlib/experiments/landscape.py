"""The loss along the gradient: how far a network may go before its gradient misleads it (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bnlib.experiments.training import mode, train

NEAR = 1.6  # in goals: the loss of a batch of 60, before its step, above which that of all is too


@dataclass(frozen=True)
class Walk:
    """What was met on a straight way from a network's weights, against its gradient.

    Each weight matrix W with gradient G moves to W - s |W| G / |G|, all at once. So s is a share of
    the norm, the same for all matrices, whatever the scale of each of them.

    Attributes:
        shares: the s of each place, (places,), all above 0.
        start: the loss at s = 0.
        slope: of the loss at s = 0, which is minus the sum of |W| |G| over the matrices.
        losses: (places,).
        cosines: between the gradient at the start and the one at each place, all matrices as one
            vector, (places,).
    """

    shares: NDArray[np.float64]
    start: float
    slope: float
    losses: NDArray[np.float64]
    cosines: NDArray[np.float64]

    @property
    def kept(self) -> NDArray[np.float64]:
        """Which part of the decrease that the gradient promises comes, 1 for all, (places,)."""
        return (self.losses - self.start) / (self.slope * self.shares)


def walk(model: nn.Module, x: Tensor, y: Tensor, shares: Sequence[float]) -> Walk:
    """Walk against the gradient of the loss on one batch, in training mode.

    Args:
        model: it stays as it is; only the weights of its linear layers are moved, in a copy.
        x: the batch (N, D).
        y: its classes (N,).
        shares: how far, in norms of each weight matrix, all above 0.

    Raises:
        ValueError: a share is not positive.

    Source: after Santurkar et al. (2018), section 3.1, who measure the way in its own length.
    """
    if not min(shares) > 0:
        raise ValueError(f"expected shares above 0, got {[*shares]}")
    moving = deepcopy(model).train()
    weights = weight_matrices(moving)
    before = [weight.detach().clone() for weight in weights]
    start, gradients = _loss_and_gradients(moving, x, y)
    slope = -sum((w.norm() * g.norm()).item() for w, g in zip(before, gradients, strict=True))
    losses, cosines = [], []
    for share in shares:
        with torch.no_grad():
            for weight, w, g in zip(weights, before, gradients, strict=True):
                weight.copy_(w - share * w.norm() / g.norm() * g)
        loss, here = _loss_and_gradients(moving, x, y)
        losses.append(loss)
        cosines.append(_cosine(gradients, here))
    return Walk(np.array(shares, float), start, slope, np.array(losses), np.array(cosines))


def curvature(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the second derivative of the loss along the unit gradient of the linear weights.

    It is what "smoothness" is often taken for, and it has a unit: one over that of the weights,
    squared.

    Args:
        model: it stays as it is; its last layer is left out.
        x: the batch (N, D).
        y: its classes (N,).
    """
    model = deepcopy(model).train()
    weights = weight_matrices(model)[:-1]
    gradients = torch.autograd.grad(cross_entropy(model(x), y), weights, create_graph=True)
    square = sum(((g * g).sum() for g in gradients), torch.tensor(0.0))
    half = torch.autograd.grad(square / 2, weights)  # the Hessian times the gradient
    product = sum((h * g.detach()).sum() for h, g in zip(half, gradients, strict=True))
    return (product / square.detach()).item()


def train_to_loss(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    goal: float,
    *,
    lr: float,
    seed: int = 0,
    at_most: int = 1000,
) -> int:
    """Train in batches of 60 until the loss on all examples is below a goal; return the steps.

    All examples are asked only after a step whose own batch has come near the goal.

    Args:
        model: it is trained.
        x: inputs (N, D).
        y: classes (N,).
        goal: for the loss of all N as one batch, in training mode.
        lr: the learning rate.
        seed: of the batches.
        at_most: so many steps.

    Raises:
        ValueError: it takes more steps.
    """
    training = train(model, x, y, steps=at_most, batch_size=60, lr=lr, seed=seed)
    for step, loss in enumerate(training, start=1):
        if loss < NEAR * goal and loss_of_all(model, x, y) < goal:
            return step
    raise ValueError(f"the loss is not below {goal} after {at_most} steps")


@torch.no_grad()
def loss_of_all(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the loss on x (N, D) as one batch, in training mode; running averages stay."""
    averages = [(buffer, buffer.clone()) for buffer in model.buffers()]
    with mode(model, training=True):
        loss = cross_entropy(model(x), y).item()
    for buffer, before in averages:
        buffer.copy_(before)
    return loss


def weight_matrices(model: nn.Module) -> list[Tensor]:
    """Return the weights of all linear layers, from the input to the output."""
    return [layer.weight for layer in model.modules() if isinstance(layer, nn.Linear)]


def _loss_and_gradients(model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, list[Tensor]]:
    loss = cross_entropy(model(x), y)
    return loss.item(), [*torch.autograd.grad(loss, weight_matrices(model))]


def _cosine(some: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    one, other = (torch.cat([g.flatten() for g in gradients]) for gradients in (some, others))
    return (one @ other / (one.norm() * other.norm())).item()
