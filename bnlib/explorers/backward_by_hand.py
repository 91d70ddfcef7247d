"""Lesson 02: three examples, and what batch normalization takes out of a gradient."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.numpy_bn import BatchNorm
from bnlib.pictures.backward_by_hand import ThreeArrows
from bnlib.pictures.parts import on_ring

TURN = 335
SLOPES = (1.25, 1.0, -0.75)
STEEPEST = 1.25


def three_arrows_explorer() -> Explorer:
    """Make an explorer of a batch of three, the gradient that arrives at it, and what is left."""
    bn = BatchNorm(1)

    def draw(live: LiveFigure) -> Update:
        arrows = ThreeArrows(live.figure)
        live.moves(*arrows.artists)

        def update(turn: int, **slopes: float) -> str:
            arrives = np.array([*slopes.values()])
            x_hat = bn(on_ring(turn)[:, np.newaxis])[:, 0]
            left = bn.backward(arrives[:, np.newaxis])[:, 0]
            arrows.set(x_hat, arrives, left)
            return f"x̂ {_row(x_hat)}; arrives {_row(arrives)}; is left {_row(left)}"

        return update

    controls: dict[str, widgets.ValueWidget] = {
        "turn": widgets.IntSlider(TURN, 0, 355, step=5, description="turn the batch")
    }
    for i, slope in enumerate(SLOPES, start=1):
        controls[f"slope{i}"] = widgets.FloatSlider(
            slope, min=-STEEPEST, max=STEEPEST, step=0.25, description=f"dx̂{i}"
        )
    return Explorer(draw, controls, height=4.6)


def _row(values: NDArray) -> str:
    numbers = ", ".join(f"{value + 0.0:.2f}" for value in np.round(values, 2))
    return f"({numbers})"
