"""Lesson 01: five values, one batch."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np

from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.numpy_bn import BatchNorm
from bnlib.pictures.forward_by_hand import BatchMap

FIVE = (2, 6, 8, 10, 14)
LARGEST = 40


def five_values_explorer() -> Explorer:
    """Make an explorer of five values of one feature, a slider each, and where BN sends them."""
    bn = BatchNorm(1)

    def draw(live: LiveFigure) -> Update:
        batch_map = BatchMap(live.figure.subplots(), LARGEST)
        live.moves(*batch_map.artists)

        def update(**values: int) -> str:
            x = np.array(list(values.values()), dtype=float)
            x_hat = bn(x[:, None])[:, 0]
            mu, sigma = x.mean(), x.std()
            batch_map.set(x, x_hat, mu, sigma)
            outputs = ", ".join(f"{value:.2f}" for value in x_hat)
            return f"mean μ = {mu:.1f}; standard deviation σ = {sigma:.2f}; outputs {outputs}"

        return update

    controls = {
        f"x{i}": widgets.IntSlider(value, 0, LARGEST, description=f"x{i}")
        for i, value in enumerate(FIVE, start=1)
    }
    return Explorer(draw, controls)
