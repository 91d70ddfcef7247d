"""Two spirals: points in the plane, of two classes, that no straight line tells apart."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bnlib.experiments.training import mode

EDGE, CELLS = 1.5, 80  # the plane is drawn from -EDGE to EDGE, CELLS × CELLS


def two_spirals(count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw points of two spirals of one turn each, wound into each other.

    Turned by half a turn, one spiral is the other. So half of the points on either side of any
    line through the middle belong to each class.

    Args:
        count: how many points.
        seed: the points depend on `count` and on it.

    Returns:
        Points (count, 2), float32, nearly all within 1.4 of 0; their classes 0 or 1 (count,),
        int64.
    """
    rng = np.random.default_rng(seed)
    way, y = rng.random(count), rng.integers(2, size=count)  # way: how far along, 0 to 1
    angle, radius = 2 * np.pi * way + np.pi * y, 0.15 + way
    x = radius * np.stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.05, (2, count))
    return x.T.astype(np.float32), y


@torch.no_grad()
def map_of_decisions(model: nn.Module) -> NDArray[np.float32]:
    """Return how sure `model` is of class 1, all over the plane, in evaluation mode.

    Args:
        model: from points (N, 2) to the logits (N, 2) of the two classes; its mode is kept.

    Returns:
        (CELLS, CELLS), 0 to 1; rows from the bottom up, columns from left to right.
    """
    axis = torch.linspace(-EDGE, EDGE, CELLS)
    above, right = torch.meshgrid(axis, axis, indexing="ij")
    with mode(model, training=False):
        logits = model(torch.stack([right, above], dim=2).view(-1, 2))
    return logits.softmax(dim=1)[:, 1].view(CELLS, CELLS).numpy()
