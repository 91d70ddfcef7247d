"""Batch normalization taken apart: centring, scaling, a scaled start, a length of its own (torch)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from bnlib.experiments.networks import mlp

EPS, MOMENTUM = 1e-5, 0.1


class Centring(nn.Module):
    """Subtract the mean over the batch, and add β; the scale stays.

    In evaluation mode a running mean takes the place of that of the batch, as in BN.

    Args:
        num_features: number of units.
    """

    def __init__(self, num_features: int):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.running_mean: Tensor
        self.register_buffer("running_mean", torch.zeros(num_features))

    def forward(self, z: Tensor) -> Tensor:
        """Return z - μ + β, (N, num_features)."""
        mean = self.running_mean
        if self.training:
            mean = z.mean(dim=0)
            self.running_mean.lerp_(mean.detach(), MOMENTUM)
        return z - mean + self.bias


class Scaling(nn.Module):
    """Divide by the root mean square over the batch, times γ, plus β; no mean is subtracted.

    Dividing by the standard deviation instead would blow up a mean that is left in.

    Args:
        num_features: number of units.
    """

    def __init__(self, num_features: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.running_square: Tensor
        self.register_buffer("running_square", torch.ones(num_features))

    def forward(self, z: Tensor) -> Tensor:
        """Return γ z / √(mean of z²) + β, (N, num_features)."""
        square = self.running_square
        if self.training:
            square = z.square().mean(dim=0)
            self.running_square.lerp_(square.detach(), MOMENTUM)
        return self.weight * z / torch.sqrt(square + EPS) + self.bias


class LengthAndDirection(nn.Module):
    """A linear layer whose weights are w = g v / |v| for each unit: weight normalization.

    Args:
        layer: whose weights and bias it starts with; without a bias it starts at 0.

    Attributes:
        direction: v, (n_out, n_in); only its direction counts.
        length: g, (n_out,).
        bias: (n_out,).

    Source: Salimans & Kingma (2016), section 2.
    """

    def __init__(self, layer: nn.Linear):
        super().__init__()
        weight = layer.weight.detach().clone()
        bias = torch.zeros(len(weight)) if layer.bias is None else layer.bias.detach().clone()
        self.direction = nn.Parameter(weight)
        self.length = nn.Parameter(weight.norm(dim=1))
        self.bias = nn.Parameter(bias)

    @property
    def weight(self) -> Tensor:
        """The weights w, (n_out, n_in)."""
        return self.direction * (self.length / self.direction.norm(dim=1))[:, None]

    def forward(self, x: Tensor) -> Tensor:
        """Return x wᵀ + bias, (N, n_out)."""
        return linear(x, self.weight, self.bias)


@torch.no_grad()
def scale_start(model: nn.Sequential, x: Tensor) -> nn.Sequential:
    """Scale the hidden weights once, so that each unit's input has variance 1 on x; return `model`.

    The first layer is scaled, then the second on what comes out of it, and so on. Where a layer has
    a bias, it also takes out the mean. Nothing is normalized afterwards.

    Args:
        model: hidden layers that are linear or `LengthAndDirection`, and one that puts out.
        x: a batch (N, D).

    Source: after Salimans & Kingma (2016), section 3, and Krähenbühl et al. (2016).
    """
    *hidden, _ = model
    for layer in hidden:
        if isinstance(layer, (nn.Linear, LengthAndDirection)):
            if layer.bias is not None:
                layer.bias.zero_()
            std, mean = torch.std_mean(layer(x), dim=0, correction=0)
            scaled = layer.weight if isinstance(layer, nn.Linear) else layer.length
            scaled.div_(std.view(-1, *[1] * (scaled.dim() - 1)))
            if layer.bias is not None:
                layer.bias.copy_(-mean / std)
        x = layer(x)
    return model


def with_lengths(model: nn.Sequential) -> nn.Sequential:
    """Return `model` with `LengthAndDirection` in place of each linear layer but the last."""
    *hidden, last = model
    swapped = [LengthAndDirection(h) if isinstance(h, nn.Linear) else h for h in hidden]
    return nn.Sequential(*swapped, last)


# What each network of `network` has: the norm of its layers, whether its weights have a length of
# their own, whether its start is scaled.
ARMS: dict[str, tuple[Callable[[int], nn.Module] | None, bool, bool]] = {
    "plain": (None, False, False),
    "scaled start": (None, False, True),
    "centring": (Centring, False, False),
    "scaled start, centring": (Centring, False, True),
    "scaling": (Scaling, False, False),
    "weight norm": (None, True, False),
    "BN": (nn.BatchNorm1d, False, False),
}


def network(arm: str, x: Tensor, *, depth: int = 3, **options) -> nn.Sequential:
    """Make a network for the digits with one of the `ARMS`, and 100 units in each hidden layer.

    Args:
        arm: a key of `ARMS`.
        x: the batch (N, 64) by which a start is scaled.
        depth: number of hidden layers.
        options: others of `bnlib.experiments.networks.mlp`.

    Raises:
        KeyError: there is no such arm.
    """
    norm, lengths, scaled = ARMS[arm]
    model = mlp([64, *[100] * depth, 10], norm=norm, **options)
    if lengths:
        model = with_lengths(model)
    return scale_start(model.train(), x) if scaled else model
