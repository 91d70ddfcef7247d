"""Pictures of lesson 04: what γ and β do to a distribution, to a sigmoid, and to a boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
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
    Histogram,
    place_legend_right,
)


@picture(height=3.4)
def show_decisions(
    figure: Figure, maps: Mapping[str, NDArray], edge: float, x: NDArray, y: NDArray
) -> str:
    """Draw where networks see which of two classes, and points of both over it.

    Args:
        figure: an empty one.
        maps: title of a panel → how sure its network is of class 1, (cells, cells), 0 to 1, rows
            from the bottom up.
        edge: the maps reach from -edge to edge.
        x: points (N, 2).
        y: their classes, 0 or 1 (N,).
    """
    panels = figure.subplots(1, len(maps), squeeze=False)[0]
    sure = LinearSegmentedColormap.from_list("", [SKY, "white", ORANGE])
    place: Any = {"origin": "lower", "extent": (-edge, edge, -edge, edge), "alpha": 0.75}
    for ax, (title, of_map) in zip(panels, maps.items(), strict=True):
        ax.imshow(of_map, cmap=sure, vmin=0, vmax=1, interpolation="bilinear", **place)
        for of_class, (marker, colour) in enumerate((("o", SKY), ("^", ORANGE))):
            points = x[y == of_class].T
            ax.plot(*points, marker, color=colour, ms=4.5, mec=INK, mew=0.5)
        ax.set(title=title, xticks=[], yticks=[], xlim=(-edge, edge), ylim=(-edge, edge))
        ax.spines[:].set_visible(False)
    return "Where each network sees which of the two spirals: " + "; ".join(maps) + "."


@picture(height=3)
def show_accuracies(
    figure: Figure,
    accuracies: Mapping[str, Sequence[float]],
    straight: Mapping[str, float] | None = None,
) -> str:
    """Draw accuracies between two classes, a row for each network and a marker for each seed.

    Args:
        figure: an empty one.
        accuracies: name of a network → its accuracies, 0 to 1.
        straight: name of a network → a share, 0 to 1, that is written beside its row.
    """
    ax = figure.subplots()
    for row, (name, values) in enumerate(accuracies.items()):
        bar = [50, 100 * np.median(values)]
        ax.plot(bar, [row, row], color=GREY, lw=5, zorder=0, label=None if row else "median")
        dots: Any = {"color": INK, "ms": 9, "alpha": 0.6, "label": None if row else "a seed"}
        ax.plot(100 * np.array(values), [row] * len(values), "o", **dots)
        if straight and name in straight:
            ax.text(103, row, f"{straight[name]:.0%} straight", va="center")
    ax.axvline(50, color=INK, ls=":", lw=1.2)
    ax.set_yticks(range(len(accuracies)), [*accuracies])
    ax.set(ylim=(len(accuracies) - 0.5, -0.5), xlim=(44, 101), xlabel="test points right, %")
    ax.set_xticks([50, 60, 70, 80, 90, 100], ["50: a coin", "60", "70", "80", "90", "100"])
    ax.grid(True, axis="x")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return "Accuracies on the spirals, a marker for each seed, a bar to the median."


@picture(height=4.2)
def show_gamma_and_sigma(
    figure: Figure, units: Mapping[str, tuple[NDArray, NDArray]], starts: Sequence[float]
) -> str:
    """Draw |γ| of every unit over the σ of its input, with the line on which γ would undo BN.

    Args:
        figure: an empty one.
        units: name of a network → its γ and its σ, both (units,); four networks at most.
        starts: the γ at which each network started.
    """
    ax = figure.subplots()
    ends = np.array([0.1, 30])
    ax.plot(ends, ends, "--", color=INK, lw=2, label="γ = σ: BN undone")
    for start in sorted({*starts}):
        ax.axhline(start, color=GREY, lw=2, zorder=0)
        ax.text(0.11, start * 1.04, f"start at {start:g}", va="bottom", color=INK)
    looks = (("v", SKY), ("o", WITH_BN), ("^", ORANGE), ("s", INK))
    for (name, (gammas, sigmas)), (marker, colour) in zip(units.items(), looks, strict=False):
        ax.plot(sigmas, np.abs(gammas), marker, color=colour, ms=5, alpha=0.6, label=name)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=(0.3, 30))
    ax.set(xlabel="σ of the input of a unit", ylabel="|γ| of the unit, trained")
    ax.set_xticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
    ax.set_yticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
    ax.minorticks_off()
    place_legend_right(ax, "a marker for\neach unit")
    return "The gamma of every unit over its sigma: four clouds, and the line where they are equal."


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
