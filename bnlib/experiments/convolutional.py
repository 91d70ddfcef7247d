"""Convolutional networks (torch) for the lessons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from bnlib.experiments.networks import linear


def cnn(
    plan: Sequence[int | str],
    *,
    norm: Callable[[int], nn.Module] | None = None,
    seed: int = 0,
) -> nn.Sequential:
    """Make a convolutional network for grey images (N, 1, H, W) and ten classes.

    Args:
        plan: what stands between input and output: a number of channels for a convolution
            (3 x 3, padded by 1), norm and ReLU; "pool" for a max-pool that halves H and W. The mean
            over each map of the last channels then goes into a linear layer.
        norm: makes a layer for n channels, as `bnlib.torch_bn.BatchNorm` does; None makes none.
        seed: the weights depend on it alone; they are drawn from N(0, 2 / n_in), n_in being the
            number of values that enter a unit (He et al. 2015). Biases start at 0; a convolution
            before a norm has none.

    Raises:
        ValueError: `plan` holds no convolution, or something else than these two.
    """
    if not any(isinstance(entry, int) for entry in plan):
        raise ValueError(f"expected at least one number of channels in the plan, got {plan}")
    generator = torch.Generator().manual_seed(seed)
    layers: list[nn.Module] = []
    channels = 1
    for entry in plan:
        if entry == "pool":
            layers.append(nn.MaxPool2d(2))
        elif isinstance(entry, int) and entry > 0:
            layers.append(convolution(channels, entry, generator, bias=norm is None))
            layers += [norm(entry), nn.ReLU()] if norm else [nn.ReLU()]
            channels = entry
        else:
            raise ValueError(f'expected numbers of channels and "pool" in the plan, got {entry!r}')
    head = linear(channels, 10, "he", generator)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def convolution(
    n_in: int, n_out: int, generator: torch.Generator, *, padding: int = 1, bias: bool = True
) -> nn.Conv2d:
    """Make a 3 x 3 convolution with weights by He et al. (2015), drawn from `generator` alone."""
    with torch.random.fork_rng(devices=[]):  # its own weights are drawn in vain
        layer = nn.Conv2d(n_in, n_out, 3, padding=padding, bias=bias)
    nn.init.normal_(layer.weight, std=(2 / (9 * n_in)) ** 0.5, generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
