"""Gradient descent at a falling rate."""

import pytest
import torch
from torch import nn

from bnlib.experiments.falling_rate import FallingSGD


def test_the_rate_falls_in_a_straight_line_to_0_and_stays_there():
    w = nn.Parameter(torch.zeros(1))
    optimizer = FallingSGD([w], lr=0.8, steps=4)
    way = [0.0]
    for _ in range(6):
        w.grad = torch.ones(1)
        optimizer.step()
        way.append(w.item())
    moves = [before - after for before, after in zip(way, way[1:], strict=False)]
    assert moves == pytest.approx([0.8, 0.6, 0.4, 0.2, 0, 0], abs=1e-6)
