"""Residual networks of linear layers (torch): how far one gets with and without a norm."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnlib.experiments.networks import linear


class Residual(nn.Module):
    """Add to the input what a branch makes of it, x + gain * branch(x) (He et al. 2016).

    Args:
        branch: its output has the shape of its input.
        gain: what the branch is multiplied by; a number at which a learned factor starts, as in
            SkipInit (De & Smith 2020, 0 there), or None for a factor of 1 that is not learned.
    """

    def __init__(self, branch: nn.Module, gain: float | None = None):
        super().__init__()
        self.branch = branch
        self.gain = None if gain is None else nn.Parameter(torch.tensor(float(gain)))

    def forward(self, x: Tensor) -> Tensor:
        """Return x + gain * branch(x), of the shape of x."""
        branch = self.branch(x)
        return x + (branch if self.gain is None else self.gain * branch)


def residual_mlp(
    blocks: int,
    *,
    width: int = 100,
    norm: Callable[[int], nn.Module] | None = None,
    gain: float | None = None,
    seed: int = 0,
) -> nn.Sequential:
    """Make a network for the digits: 64 pixels, linear, `blocks` blocks, norm, ReLU, linear to 10.

    Each block is x + gain * linear(relu(norm(x))): norm and activation come before the weights
    ("pre-activation", He et al. 2016b), and nothing stands in the way of x.

    Args:
        blocks: how many, at least 1.
        width: units of every hidden layer.
        norm: makes a layer for n features; None makes none.
        gain: of every block, as `Residual` describes.
        seed: the weights depend on it alone; they are drawn by He et al. (2015), biases start at 0.

    Raises:
        ValueError: `blocks` is less than 1.
    """
    if blocks < 1:
        raise ValueError(f"expected blocks to be at least 1, got {blocks}")
    generator = torch.Generator().manual_seed(seed)

    def norm_and_relu() -> list[nn.Module]:
        return [norm(width), nn.ReLU()] if norm else [nn.ReLU()]

    layers: list[nn.Module] = [linear(64, width, "he", generator)]
    for _ in range(blocks):
        branch = nn.Sequential(*norm_and_relu(), linear(width, width, "he", generator))
        layers.append(Residual(branch, gain))
    return nn.Sequential(*layers, *norm_and_relu(), linear(width, 10, "he", generator))
