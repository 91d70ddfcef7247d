"""Lesson 04: γ and β set the mean and the spread, and can undo the normalization."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.data import skewed_batches
from bnlib.experiments.signal_propagation import flat_share, linear_share, sigmoid
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.numpy_bn import BatchNorm
from bnlib.pictures.gamma_beta_identity import OutputOverInput, SigmoidUnderLoad, ThreeHistograms


def identity_explorer() -> Explorer:
    """Make an explorer of γ, β and the batch: x, x̂ and y; and a button that makes y = x."""
    batches = skewed_batches()
    bn = BatchNorm(1)

    def draw(live: LiveFigure) -> Update:
        left, right = live.figure.subplots(1, 2, width_ratios=(1.5, 1))
        histograms, line = ThreeHistograms(left), OutputOverInput(right)
        live.moves(*histograms.artists, *line.artists)

        def update(gamma: float, beta: float, batch: int) -> str:
            x = batches[batch - 1]
            x_hat, y = _normalize(bn, x, 1, 0), _normalize(bn, x, gamma, beta)
            histograms.set(x, x_hat, y)
            line.set(x, y)
            means = (
                f"{name}: {_mean_and_std(v)}" for name, v in (("x", x), ("x̂", x_hat), ("y", y))
            )
            largest = f"largest |y − x|: {np.abs(y - x).max():.1g}"
            return "; ".join([_chosen(gamma, beta), *means, largest])

        return update

    def undo(gamma: float, beta: float, batch: int) -> dict[str, float]:
        x = batches[batch - 1]
        return {"gamma": float(np.sqrt(x.var() + bn.eps)), "beta": float(x.mean())}

    batch = widgets.IntSlider(1, 1, len(batches), description="batch")
    return Explorer(draw, _gamma_and_beta() | {"batch": batch}, {"Undo BN on this batch": undo})


def sigmoid_explorer() -> Explorer:
    """Make an explorer of γ, β and the sigmoid above them: its linear middle, its flat ends."""
    x = skewed_batches()[0]
    bn = BatchNorm(1)

    def draw(live: LiveFigure) -> Update:
        picture = SigmoidUnderLoad(live.figure)
        live.moves(*picture.artists)

        def update(gamma: float, beta: float) -> str:
            y = _normalize(bn, x, gamma, beta)
            picture.set(y, sigmoid(y))
            return (
                f"{_chosen(gamma, beta)}; y: {_mean_and_std(y)}; "
                f"in the linear middle (|y| < 1): {linear_share(y):.0%}; "
                f"in the flat ends (|y| > 3): {flat_share(y):.0%}"
            )

        return update

    return Explorer(draw, _gamma_and_beta(), height=4.4)


def _gamma_and_beta() -> dict[str, widgets.FloatSlider]:
    # Without a number beside them: a slider shows the nearest tenth, the line what γ and β are.
    return {
        "gamma": widgets.FloatSlider(
            1, min=-3, max=6, step=0.1, readout=False, description="γ (scale)"
        ),
        "beta": widgets.FloatSlider(
            0, min=-5, max=5, step=0.1, readout=False, description="β (shift)"
        ),
    }


def _chosen(gamma: float, beta: float) -> str:
    return f"γ = {gamma:.4g}, β = {beta:.4g}"


def _normalize(bn: BatchNorm, x: NDArray, gamma: float, beta: float) -> NDArray:
    bn.gamma, bn.beta = np.array([gamma]), np.array([beta])
    return bn(x[:, None])[:, 0]


def _mean_and_std(values: NDArray) -> str:
    mean = round(float(values.mean()), 2) + 0.0  # never "-0.00"
    return f"mean {mean:.2f}, std {values.std():.2f}"
