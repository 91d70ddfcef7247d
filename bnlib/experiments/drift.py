"""How images may change after a network was trained (torch): by c, from 0, not at all, to 1."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def fade(x: Tensor, c: float) -> Tensor:
    """Take the share c of the ink from all images alike; x is (N, 64) here and below."""
    return (1 - c) * x


def haze(x: Tensor, c: float) -> Tensor:
    """Lay a grey veil over all images alike."""
    return (1 - c) * x + c


def invert(x: Tensor, c: float) -> Tensor:
    """Mix each image with its negative 1 − x; from c = 0.5 on, what was dark is the lighter."""
    return (1 - 2 * c) * x + c


def flicker(x: Tensor, c: float) -> Tensor:
    """Take the share c of the ink from every second image, drawn at random, from the others none.

    What is drawn depends on N alone, and so it does in `add_noise`.
    """
    hit = torch.rand(len(x), 1, generator=torch.Generator().manual_seed(0)) < 0.5
    return torch.where(hit, (1 - c) * x, x)


def move(x: Tensor, c: float) -> Tensor:
    """Move all images by c pixels to the right."""
    images = x.view(-1, 8, 8)
    moved = torch.nn.functional.pad(images, (1, 0))[:, :, :8]
    return ((1 - c) * images + c * moved).reshape(-1, 64)


def add_noise(x: Tensor, c: float) -> Tensor:
    """Add noise of standard deviation c to every pixel."""
    return x + c * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))


DRIFTS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "the ink fades": fade,
    "haze": haze,
    "a negative": invert,
    "the lamp flickers": flicker,
    "the camera moved": move,
    "noise": add_noise,
}
