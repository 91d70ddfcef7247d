"""Pictures of lesson 08: which values share a mean, small batches, contrast, padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

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
    SKY,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    YELLOW,
    GreyImage,
    accuracy_axes,
    accuracy_axis,
    place_legend_right,
)

EDGE = {"mec": INK, "mew": 0.8}
STYLES: dict[str, dict[str, Any]] = {
    "none": {**STYLE_WITHOUT_BN, **EDGE},
    "BN": {**STYLE_WITH_BN, **EDGE},
    "LN": {"color": SKY, "ls": "-.", "marker": "^", **EDGE},
    "GN": {"color": ORANGE, "ls": ":", "marker": "D", **EDGE},
    "IN": {"color": YELLOW, "ls": (0, (3, 1)), "marker": "v", **EDGE},
}
LONG = {
    "none": "no norm",
    "BN": "batch norm",
    "LN": "layer norm",
    "GN": "group norm",
    "IN": "instance norm",
}
Points = Mapping[str, Sequence[tuple[float, float]]]
ALONE = "#E4E4E4"  # a value that shares nothing with the chosen one


class Measured(Protocol):
    """Networks that differ in their seed alone."""

    @property
    def accuracies(self) -> Sequence[float]:
        """The share of the test images that are right, 0 to 1, for each seed."""


class Shared(NamedTuple):
    """What a norm does to one chosen value.

    Attributes:
        values: which of all values share its mean, bool (N, C, H, W).
        note: in words, two short lines.
    """

    values: NDArray[np.bool_]
    note: str


class WhoShares:
    """An image batch entry by entry, once for each norm; coloured is what shares a mean.

    Args:
        figure: an empty one.
        shape: of the batch, (N, C, H, W).
    """

    NORMS = "BN", "LN", "GN", "IN"

    def __init__(self, figure: Figure, shape: tuple[int, int, int, int]):
        n, c, h, w = shape
        places = np.indices(shape)
        # Of every entry its place on the page; a gap lies between two maps.
        self._x, self._y = places[1] * (w + 0.7) + places[3], places[0] * (h + 0.7) + places[2]
        self._shared, self._rings, self._notes = {}, {}, {}
        square: Any = {"ls": "", "marker": "s", "ms": 8.2, "mew": 0}
        for norm, ax in zip(self.NORMS, figure.subplots(2, 2).flat, strict=True):
            ax.plot(self._x.flat, self._y.flat, color=ALONE, **square)
            self._shared[norm] = ax.plot([], [], **{**square, "color": STYLES[norm]["color"]})[0]
            ring: Any = {**square, "ms": 8.5, "mfc": "white", "mec": INK, "mew": 2}
            self._rings[norm] = ax.plot([], [], **ring)[0]
            ax.set_xticks(self._x[0, :, 0, w // 2], [f"{channel + 1}" for channel in range(c)])
            ax.set_yticks(self._y[:, 0, h // 2, 0], [f"{image + 1}" for image in range(n)])
            ax.set_title(LONG[norm].capitalize())
            ax.set(xlim=(-0.7, self._x.max() + 7), ylim=(self._y.max() + 0.7, -0.7), aspect="equal")
            if norm in self.NORMS[2:]:
                ax.set_xlabel("channel", loc="left")
            if norm in self.NORMS[::2]:
                ax.set_ylabel("image")
            ax.tick_params(length=0)
            ax.spines[:].set_visible(False)
            note: Any = {"va": "center", "linespacing": 1.5}
            self._notes[norm] = ax.text(self._x.max() + 1.2, self._y.max() / 2, "", **note)
        self.artists: list[Artist] = [
            *self._shared.values(), *self._rings.values(), *self._notes.values()
        ]  # fmt: skip

    def set(self, chosen: tuple[int, int, int, int], shared: Mapping[str, Shared]) -> None:
        """Show who shares the mean of the `chosen` value, its place in (N, C, H, W)."""
        for norm, (values, note) in shared.items():
            self._shared[norm].set_data(self._x[values], self._y[values])
            self._rings[norm].set_data([self._x[chosen]], [self._y[chosen]])
            self._notes[norm].set_text(note)


def seeds_at(ax: Axes, places: NDArray, values: NDArray, **style) -> None:
    """Draw a marker for each of `values` (places, seeds), a little apart from one another."""
    shifts = np.linspace(-0.06, 0.06, values.shape[1])
    options: dict[str, Any] = {**style, "ls": "", "ms": 8, "alpha": 0.85}
    ax.plot(np.add.outer(places, shifts), values, **options)


@picture(height=3.9)
def show_norms_by_batch(
    figure: Figure, sizes: Sequence[int], accuracies: Mapping[str, NDArray]
) -> str:
    """Draw test accuracy over the batch size of training: a line for each norm.

    Args:
        figure: an empty one.
        sizes: of the batches.
        accuracies: name of the norm → (sizes, seeds), 0 to 1.
    """
    ax = accuracy_axes(figure, "images in a training batch, N", sizes)
    places = np.linspace(-0.18, 0.18, len(accuracies))
    for shift, (norm, values) in zip(places, accuracies.items(), strict=True):
        at, style = shift + np.arange(len(values)), STYLES[norm]
        ax.plot(at, values.mean(axis=1), **{**style, "marker": ""})
        seeds_at(ax, at, values, **style)
        ax.plot([], [], label=LONG[norm], ms=8, **style)
    ax.set_xlim(-0.5, len(sizes) - 0.5)
    seeds = next(iter(accuracies.values())).shape[1]
    place_legend_right(ax, f"a marker for each\nof {seeds} seeds")
    return "Test accuracy of the MLP over the batch size of training, a line for each norm."


@picture(height=3.8)
def show_two_images(
    figure: Figure, cnn: Mapping[str, Measured], dense: Mapping[str, Measured]
) -> str:
    """Draw test accuracies after training with batches of two, a marker for each seed.

    Args:
        figure: an empty one.
        cnn: name of the norm → convolutional networks with it.
        dense: likewise, of the norm in a dense layer; the convolutions have BN.
    """
    left, right = figure.subplots(1, 2, width_ratios=(5, 3.4), sharey=True)
    for ax, of_norm in (left, cnn), (right, dense):
        accuracy_axis(ax)
        for place, (norm, measured) in enumerate(of_norm.items()):
            values = measured.accuracies
            ax.hlines(np.mean(values), place - 0.32, place + 0.32, color=INK, lw=2)
            shifts = place + np.linspace(-0.16, 0.16, len(values))
            ax.plot(shifts, values, **{**STYLES[norm], "ls": "", "ms": 10})
        ax.set_xticks(range(len(of_norm)), [LONG[norm].replace(" ", "\n") for norm in of_norm])
        ax.set_xlim(-0.55, len(of_norm) - 0.45)
    left.set(title="CNN with …", ylabel="accuracy")
    right.set_title("CNN with BN, and a\ndense layer with …")
    return "Accuracy after training with two images a batch: CNNs, and CNNs with a dense layer."


@picture(height=2.0)
def show_two_contrasts(figure: Figure, panels: Mapping[str, tuple[NDArray, NDArray]]) -> str:
    """Show what becomes of one image at its own contrast, and at half of it.

    Args:
        figure: an empty one.
        panels: name → two maps (H, W), one at each contrast, on a scale of their own.
    """
    axes = figure.subplots(1, 2 * len(panels))
    for pair, (name, maps) in zip(axes.reshape(-1, 2), panels.items(), strict=True):
        low, high = np.min(maps), np.max(maps)
        for ax, values, contrast in zip(pair, maps, ("contrast 1", "contrast ½"), strict=True):
            GreyImage(ax, *values.shape).set((values - low) / (high - low))
            ax.set(xticks=[], yticks=[], xlabel=contrast)
        pair[0].set_title(name)
    return "One image at two contrasts, before a norm, after LN, GN and IN, and after BN."


@picture(height=3.8)
def show_padding(figure: Figure, shares: Sequence[float], accuracies: Mapping[str, NDArray]) -> str:
    """Draw accuracies over the share of the positions that is padding.

    Args:
        figure: an empty one.
        shares: 0 to 1.
        accuracies: "BN", "BN, masked", "LN" → (shares, seeds), 0 to 1.
    """
    ax = accuracy_axes(figure, "share p of all positions that is padding", shares)
    styles = {**STYLES, "BN, masked": {**STYLES["BN"], "ls": ":", "mfc": "white"}}
    for shift, (name, values) in zip((-0.09, -0.03, 0.09), accuracies.items(), strict=True):
        at, style = shift + np.arange(len(values)), styles[name]
        ax.plot(at, values.mean(axis=1), **{**style, "marker": ""})
        seeds_at(ax, at, values, **style)
        ax.plot([], [], label=name, ms=8, **style)
    ax.set_xlim(-0.5, len(shares) - 0.5)
    place_legend_right(ax, "a marker for each\nof 3 seeds")
    return "Accuracy over the share of padding in a batch, for BN, BN with a mask, and LN."


class NormsAndBatches:
    """Test accuracies over the images in a batch, or over the values that share a mean.

    One norm is coloured, the others are grey. On the right, a training as it goes on.

    Args:
        figure: an empty one.
        networks: their names.
        steps: of a training.
    """

    MARKERS = "o", "P", "X"
    TICKS = 1, 2, 4, 8, 16, 32, 64, 256, 1024

    def __init__(self, figure: Figure, networks: Sequence[str], steps: int):
        ax, training = figure.subplots(1, 2, width_ratios=(1.7, 1))
        accuracy_axis(ax)
        ax.set_xscale("log", base=2)
        ax.set_xticks(self.TICKS, [f"{tick}" for tick in self.TICKS])
        ax.set(xlim=(0.8, 1500), ylabel="test accuracy", xlabel="m")
        ax.set_title(LONG["BN"], alpha=0)  # room for the one that changes
        accuracy_axis(training)
        training.set(title="Your latest training", xlabel="step", xlim=(0, steps))
        mark: Any = {"ls": "", "ms": 9, **EDGE}
        self._others, self._chosen = {}, {}
        for name, marker in zip(networks, self.MARKERS, strict=True):
            self._others[name] = ax.plot([], [], color=GREY, marker=marker, **mark)[0]
            self._chosen[name] = ax.plot([], [], color=GREY, marker=marker, **mark)[0]
            ax.plot([], [], color=GREY, marker=marker, label=name, **mark)
        ax.plot([], [], "*", color=INK, ms=13, label="yours", ls="")
        ax.legend(loc="center right", bbox_to_anchor=(1, 0.42))
        self._yours = ax.plot([], [], "*", color=INK, ms=15, mec="white")[0]
        self._curve = training.plot([], [], color=INK, marker="*", ms=8)[0]
        words = "Nothing yet. Press Train,", "and the test accuracy of", "your network grows here."
        middle: Any = {"ha": "center", "va": "center", "transform": training.transAxes}
        self._note = training.text(0.5, 0.7, "\n".join(words), linespacing=1.6, **middle)
        above: Any = {"transform": ax.transAxes, "weight": "bold", "fontsize": 11}
        self._title = ax.text(0, 1.01, "", va="bottom", **above)
        ax.xaxis.label.set_alpha(0)
        self._counts = ax.text(0.5, -0.08, "", ha="center", va="top", transform=ax.transAxes)
        self.artists: list[Artist] = [
            *self._others.values(), *self._chosen.values(), self._yours, self._curve, self._note,
            self._title, self._counts,
        ]  # fmt: skip

    def set(
        self,
        norm: str,
        count: str,
        chosen: Points,
        others: Points,
        yours: Sequence[tuple[float, float]],
        curve: tuple[Sequence[int], Sequence[float]],
    ) -> None:
        """Show what has been trained.

        Args:
            norm: that is coloured, one of STYLES.
            count: what the axis counts.
            chosen: name of the network → places and accuracies of those with the norm.
            others: likewise, of those with another one.
            yours: likewise, of what the reader has trained.
            curve: steps and accuracies of the latest of them.
        """
        for name in self._chosen:
            for artist, points in (self._others[name], others), (self._chosen[name], chosen):
                artist.set_data(*np.reshape(points.get(name, []), (-1, 2)).T)
            self._chosen[name].set_color(STYLES[norm]["color"])
        self._yours.set_data(*np.reshape(yours, (-1, 2)).T)
        self._curve.set_data(*curve)
        self._note.set_visible(not yours)
        self._title.set_text(f"{LONG[norm].capitalize()}, and the others in grey")
        self._counts.set_text(count)
