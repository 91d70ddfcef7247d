"""Pictures of lesson 09: sweeps, the paper's table in miniature, the clock, gradients, a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    GREY,
    INK,
    ORANGE,
    SKY,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    WITH_BN,
    WITHOUT_BN,
    accuracy_axis,
    place_legend_right,
    two_lines,
)

STYLES: dict[str, dict[str, Any]] = {"without BN": STYLE_WITHOUT_BN, "with BN": STYLE_WITH_BN}
SIDE = {"with BN": -0.02, "without BN": 0.02}  # beside each other, where they are equal
HE = 0.14  # the standard deviation by He et al. for 100 units
NEVER = "never"

# Ioffe & Szegedy (2015), the table of figure 3: million steps to 72.2 %, the accuracy that
# Inception ends at, and best accuracy in %; and section 4.2.1: what else was changed.
PAPER: dict[str, tuple[float, float]] = {
    "Inception": (31.0, 72.2),
    "BN-Baseline": (13.3, 72.7),
    "BN-x5": (2.1, 73.0),
    "BN-x30": (2.7, 74.8),
    "BN-x5-Sigmoid": (np.inf, 69.8),
}
CHANGES: dict[str, Sequence[str]] = {  # what is changed → in which of the networks, and to what
    "BN before each nonlinearity": ("", "✓", "✓", "✓", "✓"),
    "learning rate": ("", "", "× 5", "× 30", "× 5"),
    "decays faster": ("", "", "6 ×", "6 ×", "6 ×"),
    "dropout": ("", "", "none", "none", "none"),
    "weight decay": ("", "", "÷ 5", "÷ 5", "÷ 5"),
    "local response norm.": ("", "", "none", "none", "none"),
    "shuffled better": ("", "", "✓", "✓", "✓"),
    "distorted less": ("", "", "✓", "✓", "✓"),
    "nonlinearity": ("", "", "", "", "sigmoid"),
}


@picture(height=3.6)
def show_sweep(
    figure: Figure,
    places: Sequence[float | str],
    accuracies: Mapping[str, NDArray],
    xlabel: str,
) -> str:
    """Draw accuracies over learning rates, or over initial weights: dots, and lines of medians.

    Args:
        figure: an empty one.
        places: what is on the x-axis.
        accuracies: "with BN" or "without BN" → (places, seeds), 0 to 1; 0 for a network that has
            diverged.
        xlabel: of the x-axis.
    """
    ax = figure.subplots()
    _sweep_axes(ax, places, xlabel)
    for name, values in accuracies.items():
        at, style = _across(places) + SIDE[name], STYLES[name]
        ax.plot(at, np.median(values, axis=1), **{**style, "marker": ""})
        ax.plot(at, values, alpha=0.8, mec="white", ms=8, **{**style, "ls": ""})
        ax.plot([], [], label=name, **style)
    seeds = next(iter(accuracies.values())).shape[1]
    place_legend_right(ax, f"a marker for each\nof {seeds} seeds,\nlines of medians")
    return f"Test accuracy over {xlabel}, {' and '.join(accuracies)}."


def _sweep_axes(ax: Axes, places: Sequence[float | str], xlabel: str) -> None:
    accuracy_axis(ax)
    ax.set_ylim(-0.06, 1.03)
    ax.set_yticks([0, 0.1, 0.5, 0.92, 1], ["diverged", "chance", "50 %", "92 %", ""])
    across = _across(places)
    ax.set_xticks(across, [_label(place) for place in places])
    ax.set(xlim=(across[0] - 0.2, across[-1] + 0.2), xlabel=xlabel, ylabel="test accuracy")


def _across(places: Sequence[float | str]) -> NDArray:
    """Return where rates or initial weights lie on the x-axis: their powers of ten."""
    return np.log10([HE if place == "he" else float(place) for place in places])


def _label(place: float | str) -> str:
    return f"He,\n{HE:g}" if place == "he" else f"{place:g}"


@picture(height=4.6)
def show_table(
    figure: Figure, steps: Mapping[str, NDArray], ends: Mapping[str, NDArray], last: int
) -> str:
    """Draw the table in miniature: steps to the mark of our networks, beside those of the paper.

    Args:
        figure: an empty one.
        steps: name of a network → steps of each seed, (seeds,), inf for never. Names that begin
            with "BN" have the colour of BN.
        ends: name → accuracy at the end, (seeds,), 0 to 1; 0 for a network that has diverged.
        last: how many steps there were.
    """
    ours, paper = figure.subplots(1, 2, width_ratios=(1.5, 1))
    for row, (name, values) in enumerate(steps.items()):
        style = STYLE_WITH_BN if name.startswith("BN") else STYLE_WITHOUT_BN
        reached = values[np.isfinite(values)]
        if len(reached):
            ours.barh(row, np.median(values), color=style["color"], alpha=0.35, height=0.7)
        ours.plot(reached, row + _beside(reached), ls="", ms=7, **_marker(style))
        end = (
            f"at step {last}: {100 * np.median(ends[name]):.0f} %"
            if ends[name].any()
            else "diverges"
        )
        words = end if len(reached) else f"{NEVER}, {end}"
        place = max(reached.max() + last / 25 if len(reached) else 0, last / 50)
        ours.text(place, row, words, va="center", style="normal" if len(reached) else "italic")
    _rows(ours, [*steps])
    longest = max(values[np.isfinite(values)].max(initial=last) for values in steps.values())
    ours.set(xlim=(0, 1.75 * longest), xlabel="steps to 92 %", title="Six layers, digits")
    for row, (name, (million, best)) in enumerate(PAPER.items()):
        colour = WITH_BN if name.startswith("BN") else WITHOUT_BN
        if np.isfinite(million):
            paper.barh(row, million, color=colour, alpha=0.35, height=0.7)
            words = f" {million:g} M, best {best:.1f} %"
        else:
            words = f" {NEVER}, best {best:.1f} %"
        inside = million > 20 and np.isfinite(million)
        paper.text(0 if inside or not np.isfinite(million) else million, row, words, va="center")
    _rows(paper, [*PAPER])
    paper.set(
        xlim=(0, 42),
        xticks=(0, 10, 20, 30),
        xlabel="million steps to 72.2 %",
        title="The paper, ImageNet",
    )
    return "Steps to the mark of our networks, and of the paper's, side by side."


def _beside(values: NDArray) -> NDArray:
    """Return small shifts, so that markers of equal values do not hide each other."""
    return np.linspace(-0.18, 0.18, len(values))


def _marker(style: Mapping[str, Any]) -> dict[str, Any]:
    return {"color": style["color"], "marker": style["marker"], "mec": "white"}


def _rows(ax: Axes, names: Sequence[str]) -> None:
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(True, axis="x")


@picture(height=3.4)
def show_changes(figure: Figure) -> str:
    """Draw what the authors changed in each of their networks, a row for each change."""
    ax = figure.subplots()
    for row, entries in enumerate(CHANGES.values()):
        for column, entry in enumerate(entries):
            if entry:
                colour = WITH_BN if row == 0 else ORANGE if row == 1 else SKY
                box = Rectangle((column - 0.48, row - 0.45), 0.96, 0.9, fc=colour, alpha=0.35)
                ax.add_patch(box)
                ax.text(column, row, entry, ha="center", va="center")
    ax.set_yticks(range(len(CHANGES)), [*CHANGES])
    ax.set_xticks(range(len(PAPER)), [name.replace("-x5-S", "-x5-\nS") for name in PAPER])
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.5, len(PAPER) - 0.5), ylim=(len(CHANGES) - 0.5, -0.5))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return "What the paper's authors changed in each network, besides the learning rate."


@picture(height=3.4)
def show_clock(figure: Figure, prices: Mapping[str, float], seconds: Mapping[str, NDArray]) -> str:
    """Draw what a step costs, and what it costs to reach the mark.

    Args:
        figure: an empty one.
        prices: kind of network → CPU milliseconds of a step.
        seconds: name of a network → CPU milliseconds to the mark, (seeds,), inf for never.
    """
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    for ax, values, xlabel in (
        (left, {name: np.array([price]) for name, price in prices.items()}, "ms for a step"),
        (right, seconds, "ms to 92 %, a dot for each seed"),
    ):
        for row, (name, times) in enumerate(values.items()):
            style = STYLE_WITHOUT_BN if name.startswith("plain") else STYLE_WITH_BN
            ax.barh(row, np.median(times), color=style["color"], alpha=0.35, height=0.7)
            if len(times) > 1:
                ax.plot(times, row + _beside(times), ls="", ms=7, **_marker(style))
        _rows(ax, [*values])
        ax.set(xlabel=xlabel)
        ax.set_xlim(left=0)
    return "CPU time of a step, and until the mark is reached, for each network."


@picture(height=3.8)
def show_gradients(figure: Figure, panels: Mapping[str, Mapping[str, NDArray]]) -> str:
    """Draw gradient norms layer by layer on one log axis.

    Args:
        figure: an empty one.
        panels: title → name of a line, std of the initial weights → norms of the gradients,
            (layers,).
    """
    axes = figure.subplots(1, len(panels), sharey=True)
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        colour = WITH_BN if "with BN" in title else WITHOUT_BN
        for (name, norms), ls, share in zip(
            lines.items(), ("-", "--", ":"), (0.2, 0.5, 0.8), strict=True
        ):
            at = int(share * len(norms))  # side by side: lines may lie on each other
            ax.semilogy(range(1, len(norms) + 1), norms, color=colour, ls=ls)
            place: Any = {"xytext": (0, 6), "textcoords": "offset points", "ha": "center"}
            ax.annotate(name, (at, norms[at]), **place)
        ax.set(title=two_lines(title), xlabel="hidden layer")
        ax.grid(True, axis="y")
    axes[0].set_ylabel("norm of the gradient")
    return "The norm of the gradient of each layer's weights, for several initial weights."


@picture(height=3.4)
def show_update_ratios(figure: Figure, ratios: Mapping[str, NDArray]) -> str:
    """Draw by which share of their size the first layer's weights move in a step, over training.

    Drawn are the first and then medians of five steps, since those of single steps jump.

    Args:
        figure: an empty one.
        ratios: name → (steps,). Names that begin with "BN" have the colour of BN.
    """
    ax = figure.subplots()
    ways = iter(("-", "--", ":"))
    for name, values in ratios.items():
        style = STYLE_WITH_BN if name.startswith("BN") else STYLE_WITHOUT_BN
        ls = next(ways) if name.startswith("BN") else "--"
        windows = np.lib.stride_tricks.sliding_window_view(values, 5)
        smooth = np.array([values[0], *np.median(windows, axis=1)])
        ax.semilogy(np.arange(len(smooth)), smooth, color=style["color"], ls=ls, label=name)
    ax.axhline(1e-3, color=INK, lw=1, ls=":")
    ax.text(0, 1.1e-3, "1/1000", va="bottom", fontsize=10)
    ax.set(xlabel="step", ylabel="update / weight, layer 1")
    ax.grid(True, axis="y")
    place_legend_right(ax, "the first step, then\nmedians of five")
    return "Update-to-weight ratio of the first layer over the training."


@picture(height=3.8)
def show_arms(figure: Figure, accuracies: Mapping[str, NDArray], groups: Sequence[int]) -> str:
    """Draw test accuracies of several ways to train, in groups that are to be compared.

    Args:
        figure: an empty one.
        accuracies: name of the way → share of the test images and of the training images that is
            right, (2, seeds), 0 to 1. Names that begin with "plain" have no BN.
        groups: how many ways each group has, in their order; lines join the markers of a seed
            within a group.
    """
    ax = figure.subplots()
    tests = 100 * np.array([test for test, _ in accuracies.values()])  # (ways, seeds)
    places = np.arange(len(tests)) + np.repeat(0.4 * np.arange(len(groups)), groups)
    for group in np.split(np.arange(len(tests)), np.cumsum(groups)[:-1]):
        ax.plot(places[group], tests[group], color=GREY, lw=1)
    for place, name, values in zip(places, accuracies, tests, strict=True):
        style = STYLE_WITHOUT_BN if name.startswith("plain") else STYLE_WITH_BN
        mean = values.mean()
        ax.hlines(mean, place - 0.32, place + 0.32, color=INK, lw=2)
        ax.plot([place] * len(values), values, ls="", ms=8, alpha=0.8, **_marker(style))
        box = {"fc": "white", "ec": "none", "pad": 1}
        ax.text(place + 0.34, mean, f"{mean:.1f}", va="center", fontsize=10, bbox=box)
    ax.set_xticks(places, [*accuracies])
    ax.set(xlim=(-0.5, places[-1] + 0.7), ylabel="% of test images right")
    ax.set_title("a thin line for each seed, a bar for their mean", loc="left")
    ax.grid(True, axis="y")
    return "Test accuracy of the ways to train; thin lines join the markers of each seed."


class SweepAsItRuns:
    """Accuracy over the learning rate, with BN and without, at a step of the training.

    Args:
        figure: an empty one.
        rates: on the x-axis.
        steps: the last step.
    """

    def __init__(self, figure: Figure, rates: Sequence[float], steps: int):
        ax, bar = figure.subplots(2, 1, height_ratios=(12, 1))
        _sweep_axes(ax, rates, "learning rate")
        self._places = _across(rates)
        self._lines, self._markers = {}, {}
        for name, style in STYLES.items():
            plain = {**style, "marker": ""}
            self._lines[name] = ax.plot([], [], label=name, **plain)[0]
            marks = {**style, "ls": "", "ms": 8, "mec": "white"}
            self._markers[name] = ax.plot([], [], **marks, clip_on=False)[0]
        handles = [ax.plot([], [], label=name, **style)[0] for name, style in STYLES.items()]
        ax.legend(handles=handles, loc="center left", bbox_to_anchor=(1, 0.5))
        bar.set(xlim=(0, steps), ylim=(0, 1), yticks=[], xlabel="step")
        bar.spines["left"].set_visible(False)
        self._bar = Rectangle((0, 0), 0, 1, fc=SKY)
        bar.add_patch(self._bar)
        self.artists: list[Artist] = [*self._lines.values(), *self._markers.values(), self._bar]

    def set(self, accuracies: Mapping[str, NDArray], step: int) -> None:
        """Show the accuracies at a step.

        Args:
            accuracies: "with BN" and "without BN" → (rates, seeds), 0 to 1, NaN where unknown.
            step: of the training.
        """
        for name, values in accuracies.items():
            places = self._places + SIDE[name]
            self._lines[name].set_data(places, np.median(values, axis=1))
            self._markers[name].set_data(np.repeat(places, values.shape[1]), values.ravel())
        self._bar.set_width(step)


class Border:
    """A map of initial weights and rates that fills cell by cell, and the whole map beside it.

    Args:
        figure: an empty one.
        inits: of the weights, a row each.
        rates: a column each.
        mark: an accuracy, 0 to 1; what reaches it has learned.
        hint: stands where the whole map is to come.
    """

    def __init__(
        self,
        figure: Figure,
        inits: Sequence[float | str],
        rates: Sequence[float],
        mark: float,
        hint: str,
    ):
        yours, whole = figure.subplots(1, 2, sharey=True)
        self._mark, self._shape = mark, (len(inits), len(rates))
        self._seen = np.zeros((2, *self._shape))
        self._images = []
        for ax, title in ((yours, "What you have trained"), (whole, "The whole map")):
            image = ax.imshow(np.zeros((*self._shape, 4)), aspect="auto")
            self._images.append(image)
            ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
            ax.set_yticks(range(len(inits)), [_label(init) for init in inits])
            ax.set_xticks(np.arange(-0.5, len(rates)), minor=True)  # lines between the cells
            ax.set_yticks(np.arange(-0.5, len(inits)), minor=True)
            ax.grid(True, which="minor", color=GREY)
            ax.tick_params(which="both", length=0)
            ax.tick_params(axis="x", labelsize=10)
            ax.set(title=title, xlabel="learning rate")
        yours.set_ylabel("std of the initial weights")
        self._texts = {
            cell: yours.text(cell[1], cell[0], "", ha="center", va="center", fontsize=11)
            for cell in np.ndindex(*self._shape)
        }
        cursor: Any = {"fill": False, "ec": INK, "lw": 3, "clip_on": False}
        self._cursors = [ax.add_patch(Rectangle((0, 0), 1, 1, **cursor)) for ax in (yours, whole)]
        self._edges = [ax.plot([], [], color=INK, lw=3)[0] for ax in (yours, whole)]
        centre: Any = {"ha": "center", "va": "center", "transform": whole.transAxes}
        centre["bbox"] = {"fc": "white", "ec": "none", "pad": 6}
        self._note = whole.text(0.5, 0.15, hint, **centre)
        self.artists: list[Artist] = [
            *self._images,
            *self._texts.values(),
            *self._edges,
            *self._cursors,
            self._note,
        ]

    def set(self, trained: NDArray, whole: NDArray | None, cell: tuple[int, int]) -> None:
        """Show what is known.

        Args:
            trained: accuracies, 0 to 1, (inits, rates), NaN where nothing has been trained.
            whole: likewise, the whole map as far as it has come; None before it is asked for.
            cell: the one that is pointed at.
        """
        self._note.set_visible(whole is None)
        blank = np.full(self._shape, np.nan)
        seen = np.stack([trained, blank if whole is None else whole])
        if not np.array_equal(seen, self._seen, equal_nan=True):
            self._seen = seen
            self._colour_cells()
        for cursor in self._cursors:
            cursor.set_xy((cell[1] - 0.5, cell[0] - 0.5))

    def _colour_cells(self) -> None:
        for image, edge, seen in zip(self._images, self._edges, self._seen, strict=True):
            image.set_data(_shades(seen))
            edge.set_data(*_outline(seen, self._mark))
        for place, text in self._texts.items():
            share = float(self._seen[0][place])
            text.set_text("" if np.isnan(share) else _percent(share))
            text.set_color(INK if share > 0.55 else "white")


def _shades(accuracies: NDArray) -> NDArray:
    """Return RGBA colours, (..., 4), dark for chance, bright for 1; what is unknown has none."""
    colours = matplotlib.colormaps["cividis"](np.nan_to_num(accuracies))
    colours[np.isnan(accuracies)] = 0
    return colours


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share > 0 else "✕"


def _outline(accuracies: NDArray, mark: float) -> tuple[NDArray, NDArray]:
    """Return the line between cells that reach `mark` and neighbours that do not, x and y."""
    x: list[float] = []
    y: list[float] = []
    inside = np.where(np.isnan(accuracies), np.nan, accuracies >= mark)
    for row, column in np.ndindex(inside.shape):
        here = inside[row, column]
        for down, right in ((1, 0), (0, 1)):
            if row + down == inside.shape[0] or column + right == inside.shape[1]:
                continue
            if abs(here - inside[row + down, column + right]) == 1:
                corner = row + down / 2 + right / 2, column + right / 2 + down / 2
                x += [corner[1] - down, corner[1], np.nan]
                y += [corner[0] - right, corner[0], np.nan]
    return np.array(x), np.array(y)
