"""Lesson 01: five values, one batch."""

import ipywidgets as widgets
import numpy as np

from bnlib import plots
from bnlib.live.explorer import Explorer, LiveFigure, Update
from bnlib.numpy_bn import BatchNorm

FIVE = (2, 6, 8, 10, 14)
LARGEST = 40


def five_values_explorer() -> Explorer:
    """A slider for each of five values of one feature, and where BN sends them."""
    bn = BatchNorm(1)

    def draw(live: LiveFigure) -> Update:
        batch_map = plots.BatchMap(live.figure.subplots(), LARGEST)
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
