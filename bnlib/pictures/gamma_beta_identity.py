"""Pictures of lesson 04: what γ and β do to a distribution, and to the sigmoid above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    GREY,
    INK,
    ORANGE,
    PEAK,
    SKY,
    WITH_BN,
    WITHOUT_BN,
    Histogram,
)


@picture(height=3.2)
def show_descent(
    figure: Figure, path: Sequence[tuple[float, float]], goal: tuple[float, float]
) -> str:
    """Draw γ and β over the steps of gradient descent.

    Args:
        figure: an empty one.
        path: a pair (γ, β) for each step.
        goal: the wanted pair.
    """
    ax = figure.subplots()
    styles = (("γ toward √(σ² + ε)", SKY, "-"), ("β toward μ", ORANGE, "-."))
    for (name, colour, ls), values, end in zip(styles, zip(*path, strict=True), goal, strict=True):
        ax.axhline(end, color=colour, ls=":", lw=1.5)
        ax.plot(values, ls, color=colour)
        place: Any = {"ha": "right", "va": "bottom", "transform": ax.get_yaxis_transform()}
        ax.text(0.98, end + 0.05, f"{name} = {end:.2f}", **place)
    ax.set(xlabel="step of gradient descent", ylabel="value", ylim=(-0.1, max(goal) + 0.5))
    ax.grid(True)
    return f"Gamma and beta approach {goal[0]:.2f} and {goal[1]:.2f} and stay there."


@picture(height=3.2)
def show_straight_share(figure: Figure, gammas: Sequence[float], shares: NDArray) -> str:
    """Draw the share of a layer's output that a linear map explains, over γ.

    Args:
        figure: an empty one.
        gammas: the values of γ, on a log axis.
        shares: (seeds, gammas, 2 layers), 0 to 1.
    """
    ax = figure.subplots()
    styles = (("first layer", SKY, "-", "o"), ("second layer", ORANGE, "--", "s"))
    for layer, (name, colour, ls, marker) in enumerate(styles):
        of_layer = 100 * shares[:, :, layer]
        ax.semilogx(gammas, of_layer.mean(axis=0), ls, color=colour, label=name)
        ax.semilogx(gammas, of_layer.T, marker, color=colour, ms=5)
    ax.axvline(1, color=GREY, zorder=0)
    ax.set(xlabel="γ", ylabel="explained by a linear map, %", ylim=(50, 102))
    ax.set_xticks(gammas, [f"{gamma:g}" for gamma in gammas])
    ax.minorticks_off()
    ax.grid(True, axis="y")
    ax.legend(loc="lower left", title=f"a marker for each of {len(shares)} seeds")
    return "The larger gamma, the less of the layers' output a linear map explains."


@picture(height=3.6)
def show_gamma_and_beta(figure: Figure, gammas: NDArray, betas: NDArray, sigmas: NDArray) -> str:
    """Draw γ and β of every unit, layer by layer, and the γ that would undo BN.

    Args:
        figure: an empty one.
        gammas: (layers, units).
        betas: likewise.
        sigmas: likewise, the γ that would undo BN.
    """
    left, right = figure.subplots(1, 2)
    jitter = np.random.default_rng(0).uniform(-0.28, 0.28, gammas.shape[1])
    for ax, values, name, start in ((left, gammas, "γ", 1), (right, betas, "β", 0)):
        ax.axhline(start, color=INK, ls="--", lw=1.5, label=f"start, {name} = {start}")
        for layer, of_layer in enumerate(values, start=1):
            label = f"{name} of a unit" if layer == 1 else None
            ax.plot(layer + jitter, of_layer, "o", ms=4, alpha=0.6, color=WITH_BN, label=label)
        layers = range(1, len(values) + 1)
        ax.set(xlabel="hidden layer", ylabel=name, title=f"{name} after training", xticks=layers)
        ax.grid(True, axis="y")
    for layer, of_layer in enumerate(sigmas, start=1):
        label = "σ: would undo BN" if layer == 1 else None
        left.plot(layer + jitter, of_layer, "x", ms=3, color=WITHOUT_BN, label=label)
    left.set_ylim(0, 2.3)
    right.set_ylim(-0.3, 0.42)
    for ax in (left, right):
        ax.legend(loc="upper left", ncols=2, columnspacing=1, handletextpad=0.4)
    return "Gamma and beta of every unit after training, layer by layer, and the start values."


class ThreeHistograms:
    """The distribution of a feature x, of x̂ and of y = γ x̂ + β, on fixed bins from -8 to 12."""

    EDGES = np.linspace(-8, 12, 81)

    def __init__(self, ax: Axes):
        self._x = Histogram(ax, self.EDGES, fill=True, fc=GREY, ec="none", label="x")
        self._y = Histogram(ax, self.EDGES, ec=WITH_BN, lw=2.5, label="y = γ x̂ + β")
        self._x_hat = Histogram(ax, self.EDGES, ec=INK, ls=":", lw=2, label="x̂")
        ax.set(ylim=(0, 1.25), xlabel="value", ylabel=PEAK)
        ax.set_yticks([])
        ax.set_xticks(range(-8, 13, 4))
        ax.set_title("Distribution over the batch")
        ax.legend(loc="upper center", ncols=3)
        self.artists = [*self._x.artists, *self._y.artists, *self._x_hat.artists]

    def set(self, x: NDArray, x_hat: NDArray, y: NDArray) -> None:
        """Show three samples, each (N,)."""
        self._x.set(x)
        self._x_hat.set(x_hat)
        self._y.set(y)


class OutputOverInput:
    """y over x for one batch, with the diagonal on which y = x."""

    def __init__(self, ax: Axes):
        ax.plot([-8, 12], [-8, 12], "--", color=GREY)
        ax.text(11.8, 8.8, "y = x", ha="right", va="top")
        self._dots = ax.plot([], [], "o", ms=4, color=WITH_BN)[0]
        ax.set(xlim=(-1, 12), ylim=(-8, 12), xlabel="x", ylabel="y", title="y over x")
        ax.set(xticks=range(0, 13, 4), yticks=range(-8, 13, 4))
        ax.grid(True)
        self.artists: list[Artist] = [self._dots]

    def set(self, x: NDArray, y: NDArray) -> None:
        """Show the pairs of `x` (N,) and `y` (N,)."""
        self._dots.set_data(x, y)


class SigmoidUnderLoad:
    """A sigmoid's curve with a batch on it; its inputs below, its outputs on the right."""

    INPUTS, OUTPUTS = np.linspace(-8, 8, 81), np.linspace(0, 1, 41)

    def __init__(self, figure: Figure):
        grid = figure.add_gridspec(2, 2, width_ratios=(2.2, 1), height_ratios=(1.7, 1))
        curve = figure.add_subplot(grid[0, 0])
        below = figure.add_subplot(grid[1, 0], sharex=curve)
        beside = figure.add_subplot(grid[0, 1], sharey=curve)
        self._regions(curve, below)
        y = np.linspace(-9, 9, 201)
        curve.plot(y, 1 / (1 + np.exp(-y)), color=INK)
        curve.set(yticks=[0, 0.5, 1], ylabel="sigmoid(y)")
        curve.tick_params(labelbottom=False)
        below.set(ylim=(0, 1.1), yticks=[], xlabel="y, the input of the sigmoid", ylabel=PEAK)
        below.set_xticks(range(-8, 9, 2))
        beside.set(xlim=(0, 1.1), xticks=[], xlabel=PEAK)
        beside.set_title("What comes out", pad=9)
        dots: Any = {"ls": "", "marker": "o", "ms": 7, "color": WITH_BN, "alpha": 0.15, "mew": 0}
        self._dots = curve.plot([], [], **dots)[0]
        self._inputs = Histogram(below, self.INPUTS, fill=True, fc=WITH_BN)
        self._outputs = Histogram(beside, self.OUTPUTS, upward=True, fill=True, fc=WITH_BN)
        self.artists: list[Artist] = [self._dots, *self._inputs.artists, *self._outputs.artists]

    def set(self, y: NDArray, outputs: NDArray) -> None:
        """Show the inputs `y` (N,) and the outputs (N,) of the sigmoid."""
        self._dots.set_data(y, outputs)
        self._inputs.set(y)
        self._outputs.set(outputs)

    def _regions(self, *axes: Axes) -> None:
        for ax in axes:
            ax.axvspan(-1, 1, color=SKY, alpha=0.3, lw=0)
            for start in (-9, 3):
                ax.axvspan(start, start + 6, color=ORANGE, alpha=0.2, lw=0)
        names = ((-5.5, "flat end"), (0, "linear"), (5.5, "flat end"))
        above = axes[0].get_xaxis_transform()
        for x, name in names:
            axes[0].text(x, 1.04, name, transform=above, ha="center", va="bottom", weight="bold")
