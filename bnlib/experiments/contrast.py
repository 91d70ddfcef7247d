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
    """Make the CNN of `norm_and_batch` with biases, at first 0, in its convolutions, too.

    Args:
        norm: as in `norm_and_batch.network`.
        seed: likewise.
    """
    model = network("CNN", norm, seed=seed)
    for layer in model:
        if isinstance(layer, nn.Conv2d):
            layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
    return model
