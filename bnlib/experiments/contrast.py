"""Images whose class is their contrast, and networks that may be blind to it (torch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlib.experiments.norm_and_batch import network


def at_two_contrasts(images: Tensor, low: float = 0.5) -> tuple[Tensor, Tensor]:
    """Return every image twice: as it is, class 0, and with all its values times `low`, class 1.

    Whoever does not see the contrast has exactly half of them right.

    Args:
        images: (N, ...).
        low: the lower contrast. Near 0 the eps of a norm gives it away.

    Returns:
        (2 N, ...), first all of class 0, in the same order; classes (2 N,), int64.
    """
    classes = torch.arange(2).repeat_interleave(len(images))
    return torch.cat([images, low * images]), classes


def with_biases(norm: str, seed: int = 0) -> nn.Sequential:
    """Make the CNN of `norm_and_batch` with biases in its convolutions, too.

    They are drawn as PyTorch draws them, evenly from ±1 / sqrt(n_in).

    Args:
        norm: as in `norm_and_batch.network`.
        seed: likewise.
    """
    model = network("CNN", norm, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            reach = layer.weight[0].numel() ** -0.5
            drawn = torch.rand(layer.out_channels, generator=generator)
            layer.bias = nn.Parameter(reach * (2 * drawn - 1))
    return model
