"""Pictures of lesson 12: Figure 1 of the BN paper, drawn again, and what became of its claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    EVALUATION,
    INK,
    ORANGE,
    STYLE_EVALUATION,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    VERMILION,
    accuracy_axis,
    place_legend_right,
)

BAND_ENDS = (-4, 4)
ZOOM_TICKS = (0, 0.5, 1)  # of an axis of steps whose right end changes
STYLES: dict[str, dict[str, Any]] = {
    "without BN": STYLE_WITHOUT_BN,
    "with BN": STYLE_WITH_BN,
    "normalized once": {"color": ORANGE, "ls": "-.", "marker": "^"},
    "running averages": STYLE_EVALUATION,
    "a colleague's (c)": {"color": INK, "ls": "-", "marker": ""},
}


class ZoomAxis:
    """An x-axis of training steps, from 0 to an end that changes.

    Args:
        ax: what is drawn on it lies between 0 and 1, in shares of the steps that are shown.
    """

    def __init__(self, ax: Axes):
        ax.set(xlim=(0, 1), xlabel=" \nstep")  # the room for the labels, which move
        ax.set_xticks(ZOOM_TICKS, [""] * len(ZOOM_TICKS))
        place: Any = {"transform": ax.get_xaxis_transform(), "va": "top"}
        sides = zip(ZOOM_TICKS, ("center", "center", "right"), strict=True)
        self.labels: list[Text] = [ax.text(x, -0.04, "", ha=side, **place) for x, side in sides]

    def end_at(self, last: int) -> None:
        """Label the axis for steps from 0 to `last`."""
        for share, label in zip(ZOOM_TICKS, self.labels, strict=True):
            label.set_text(f"{round(share * last):,}")


class Band:
    """The 15th, 50th and 85th percentile over the steps, the space between them filled.

    Args:
        ax: where it is drawn.
        colour: at first.
    """

    def __init__(self, ax: Axes, colour: str):
        self._fill = ax.fill([], [], fc=colour, alpha=0.2, lw=0)[0]
        strokes = ((":", 1.8), ("-", 2.5), (":", 1.8))
        self._lines = [ax.plot([], [], color=colour, ls=ls, lw=width)[0] for ls, width in strokes]
        self.artists: list[Artist] = [self._fill, *self._lines]

    def set(self, x: NDArray, percentiles: NDArray, colour: str) -> None:
        """Show `percentiles` (3, looks) over `x` (looks,)."""
        low, _, high = percentiles
        self._fill.set_xy(np.column_stack([[*x, *x[::-1]], [*low, *high[::-1]]]))
        self._fill.set_facecolor(colour)
        for line, values in zip(self._lines, percentiles, strict=True):
            line.set_data(x, values)
            line.set_color(colour)


class FigureOne:
    """Figure 1 of the paper: (a) test accuracy, (b, c) percentiles of a unit's input.

    Args:
        figure: an empty one.

    Source: Ioffe & Szegedy (2015), Figure 1.
    """

    def __init__(self, figure: Figure):
        axes = figure.subplots(1, 3, width_ratios=(1.25, 1, 1))
        accuracy, *bands = axes
        self._axes = [ZoomAxis(ax) for ax in axes]
        self._accuracy: dict[str, list] = {}
        self._bands: dict[str, Band] = {}
        accuracy_axis(accuracy)
        accuracy.set_title("(a) Test accuracy")
        titles = {"without BN": "(b) Without BN", "with BN": "(c) With BN"}
        for ax, (label, title) in zip(bands, titles.items(), strict=True):
            style = {**STYLES[label], "marker": ""}
            lines = [accuracy.plot([], [], lw=1.2, **style)[0] for _ in range(3)]
            self._accuracy[label] = lines
            accuracy.plot([], [], lw=2.5, label=label, **style)
            self._bands[label] = Band(ax, style["color"])
            ax.set(title=title, ylim=BAND_ENDS)
            ax.grid(True, axis="y")
        accuracy.legend(loc="lower right", bbox_to_anchor=(1, 0.2))
        bands[0].set_ylabel("input of one unit:\n15th, 50th, 85th percentile")
        bands[1].tick_params(labelleft=False)
        self.artists: list[Artist] = [
            *(label for axis in self._axes for label in axis.labels),
            *(line for lines in self._accuracy.values() for line in lines),
            *(artist for band in self._bands.values() for artist in band.artists),
        ]

    def end_at(self, last: int) -> None:
        """Show the steps from 0 to `last`; what is set afterwards is drawn on that scale."""
        self._last = last
        for axis in self._axes:
            axis.end_at(last)

    def set(
        self,
        label: str,
        looks: Sequence[int],
        accuracy: NDArray,
        band_looks: Sequence[int],
        percentiles: NDArray,
        averages: bool = False,
    ) -> None:
        """Show a network.

        Args:
            label: "without BN" or "with BN".
            looks: steps at which the accuracy was taken.
            accuracy: 0 to 1, of up to three seeds, (seeds, looks).
            band_looks: steps at which the percentiles were taken.
            percentiles: (3, band looks).
            averages: whether BN used its running averages for them.
        """
        shown = np.array(looks) <= self._last
        curves = [*accuracy[:, shown]]
        for line, curve in zip(self._accuracy[label], curves + [[]] * 3, strict=False):
            line.set_data(np.array(looks)[shown][: len(curve)] / self._last, curve)
        steps = np.array(band_looks)
        shown = steps <= self._last
        colour = EVALUATION if averages else STYLES[label]["color"]
        self._bands[label].set(steps[shown] / self._last, percentiles[:, shown], colour)


def _draw_band(ax: Axes, looks: Sequence[int], percentiles: NDArray, label: str) -> None:
    """Draw percentiles (3, looks) over the steps, as STYLES says for `label`."""
    colour = STYLES[label]["color"]
    Band(ax, colour).set(np.array(looks), percentiles, colour)
    ax.set_title(label)
    _whole_steps(ax, looks[-1])
    ax.grid(True, axis="y")


def _room(bands: Mapping[str, NDArray]) -> tuple[float, float]:
    """Return the ends of a y-axis, the same distance from 0, for all percentiles."""
    furthest = 1.15 * max(np.abs(percentiles).max() for percentiles in bands.values())
    return -furthest, furthest


def _whole_steps(ax: Axes, last: int) -> None:
    """Make the x-axis one of steps from 0 to `last`."""
    ticks = [0, last // 2, last]
    ax.set(xlim=(0, last), xlabel="step")
    ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    ax.get_xticklabels()[-1].set_horizontalalignment("right")


@picture(height=3.2)
def show_bands(figure: Figure, looks: Sequence[int], bands: Mapping[str, NDArray]) -> str:
    """Draw the percentiles of a unit's input over the steps, a panel for each network.

    Args:
        figure: an empty one.
        looks: steps at which they were taken.
        bands: one of STYLES → (3 percentiles, looks).
    """
    axes = figure.subplots(1, len(bands), sharey=True, squeeze=False)[0]
    for ax, (label, percentiles) in zip(axes, bands.items(), strict=True):
        _draw_band(ax, looks, percentiles, label)
    axes[0].set_ylim(*_room(bands))
    axes[0].set_ylabel("input of one unit:\n15th, 50th, 85th percentile")
    return f"Percentiles of a unit's input over the steps: {', '.join(bands)}."


@picture(height=3.4)
def show_late(
    figure: Figure, looks: Sequence[int], accuracy: Mapping[float, Mapping[str, NDArray]]
) -> str:
    """Draw the last per cent of the test accuracy over the steps, a panel for each rate.

    Args:
        figure: an empty one.
        looks: steps at which it was taken.
        accuracy: rate → label, one of STYLES → (seeds, looks), 0 to 1.
    """
    axes = figure.subplots(1, len(accuracy), sharey=True)
    for ax, (rate, curves) in zip(axes, accuracy.items(), strict=True):
        for label, of_seeds in curves.items():
            style = {**STYLES[label], "marker": ""}
            ax.plot(looks, of_seeds.T, **{**style, "lw": 1, "ls": "-", "alpha": 0.35})
            ax.plot(looks, np.median(of_seeds, axis=0), **style, label=label)
        _whole_steps(ax, looks[-1])
        ax.set(title=f"rate {rate:g}", ylim=(0.9, 0.965))
        ax.set_yticks([0.9, 0.92, 0.94, 0.96], ["90 %", "92 %", "94 %", "96 %"])
        ax.grid(True, axis="y")
    axes[0].set_ylabel("test accuracy, above 90 %")
    place_legend_right(axes[-1], "medians; pale,\neach seed")
    return "Test accuracy above 90 per cent over the steps, without and with BN."


@picture(height=4.6)
def show_arrivals(
    figure: Figure, stds: Sequence[float], rates: Sequence[float], arrivals: NDArray, steps: int
) -> str:
    """Draw when both networks reach 90 %, the darker a setting the further they are apart.

    A frame shows where each of them is fastest, a tint where the one without BN is first.

    Args:
        figure: an empty one.
        stds: of the initial weights.
        rates: learning rates.
        arrivals: steps, without BN and with BN, (2, stds, rates); infinite if it does not happen.
        steps: of training.
    """
    ax = figure.subplots()
    shown = np.where(np.isfinite(arrivals), arrivals, steps)
    times = shown[0] / shown[1]
    ax.imshow(np.log(times), cmap="Greys", vmin=np.log(0.4), vmax=np.log(300), aspect="auto")
    for number, (row, column) in enumerate(np.argwhere(times < 1)):
        label = "_" * bool(number) + "without BN\nis first"  # the legend leaves out those with _
        place: Any = {"xy": (column - 0.5, row - 0.5), "width": 1, "height": 1, "lw": 0}
        ax.add_patch(Rectangle(**place, fc="white"))
        ax.add_patch(Rectangle(**place, fc=VERMILION, alpha=0.25, label=label))
    for row, column in np.ndindex(times.shape):
        both, factor = arrivals[:, row, column], _factor(times[row, column])
        bound = {(False, True): "> ", (True, False): "< "}.get(tuple(np.isfinite(both)), "")
        words = f"{bound}{factor} ×" if np.isfinite(both).any() else "neither"
        text: Any = {"ha": "center", "va": "center"}
        ax.text(column, row - 0.16, words, size=15, weight="bold", **text)
        if np.isfinite(both).any():
            words = " / ".join(_steps(arrival, steps) for arrival in both)
            ax.text(column, row + 0.24, words, size=10, **text)
    for label, of_network in zip(("without BN", "with BN"), arrivals, strict=True):
        row, column = np.unravel_index(of_network.argmin(), of_network.shape)
        style = STYLES[label]
        frame: Any = {"ec": style["color"], "ls": style["ls"], "fill": False, "lw": 3}
        corner = column - 0.47, row - 0.46
        ax.add_patch(Rectangle(corner, 0.94, 0.92, **frame, label=f"fastest\n{label}"))
    place_legend_right(ax, "small: steps\nwithout BN /\nwith BN")
    ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set_yticks(range(len(stds)), [f"{std:g}" for std in stds])
    ax.set(xlabel="learning rate", ylabel="std of the initial weights")
    ax.set_title("How many times as many steps to 90 % without BN")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return "How many times as many steps the network without BN needs, for each setting."


def _factor(times: float) -> str:
    return f"{times:.0f}" if times >= 9.5 else f"{times:.1f}"


def _steps(arrival: float, steps: int) -> str:
    return f"{arrival:,.0f}" if np.isfinite(arrival) else f"> {steps:,}"


@picture(height=3.4)
def show_differences(figure: Figure, differences: Mapping[str, tuple[NDArray, NDArray]]) -> str:
    """Draw differences of two networks in images, ± two standard errors, a marker for each seed.

    Args:
        figure: an empty one.
        differences: what is compared → (differences, standard errors), each (seeds,).
    """
    ax = figure.subplots()
    ax.axhline(0, color=INK, lw=1.2)
    for place, (of_seeds, errors) in enumerate(differences.values()):
        shifts = place + np.linspace(-0.15, 0.15, len(of_seeds))
        for x, value, error in zip(shifts, of_seeds, errors, strict=True):
            proven = abs(value) > 2 * error
            face = INK if proven else "white"
            ax.errorbar([x], [value], [2 * error], fmt="o", color=INK, mfc=face, ms=8, capsize=4)
    ax.plot([], [], "o", color=INK, mfc="white", ms=8, label="0 is within\n2 standard errors")
    ax.plot([], [], "o", color=INK, ms=8, label="0 is outside")
    ax.set_xticks(range(len(differences)), [name.replace(": ", ":\n") for name in differences])
    ax.set(xlim=(-0.6, len(differences) - 0.4), ylabel="difference, in images of 2,000")
    ax.grid(True, axis="y")
    place_legend_right(ax, f"a marker for each\nof {len(of_seeds)} seeds")
    return f"Differences of test images, with two standard errors. {'; '.join(differences)}."


@picture(height=5.6)
def show_three(
    figure: Figure,
    lasts: tuple[int, int],
    looks: Sequence[int],
    accuracy: Mapping[str, NDArray],
    band_looks: Sequence[int],
    bands: Mapping[str, NDArray],
) -> str:
    """Draw the test accuracy of three networks, and below it the input of one unit in each.

    Args:
        figure: an empty one.
        lasts: the last step that is shown of the accuracies, and of the percentiles.
        looks: steps of the accuracies.
        accuracy: label, one of STYLES → (seeds, looks), 0 to 1.
        band_looks: steps of the percentiles.
        bands: label → (3 percentiles, band looks).
    """
    parts: Any = figure.subfigures(2, 1, height_ratios=(1, 1.1))
    above = parts[0].subplots()
    for label, curves in accuracy.items():
        style = {**STYLES[label], "marker": "", "lw": 1.5}
        lines = above.plot(looks, curves.T, **style)
        lines[0].set_label(label)
    _whole_steps(above, lasts[0])
    above.set(ylim=(0.8, 0.97), ylabel="test accuracy")
    above.set_yticks([0.8, 0.85, 0.9, 0.94], ["80 %", "85 %", "90 %", "94 %"])
    above.grid(True, axis="y")
    place_legend_right(above, "a line for\neach seed")
    axes = parts[1].subplots(1, len(bands), sharey=True)
    for ax, (label, percentiles) in zip(axes, bands.items(), strict=True):
        _draw_band(ax, band_looks, percentiles, label)
        _whole_steps(ax, lasts[1])
    axes[0].set_ylim(*_room(bands))
    axes[0].set_ylabel("input of one unit")
    return f"Test accuracy and the percentiles of a unit's input: {', '.join(bands)}."
