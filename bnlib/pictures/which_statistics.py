"""Pictures of lesson 07: images that change, statistics of one digit, small batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    EVALUATION,
    INK,
    SKY,
    STYLE_EVALUATION,
    STYLE_TRAINING,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    TRAINING,
    WITHOUT_BN,
    GreyImage,
    Mosaic,
    accuracy_axes,
    accuracy_axis,
    mean_and_std,
    place_legend_right,
)

STYLES: dict[str, dict[str, Any]] = {
    "with BN": STYLE_WITH_BN,
    "without BN": STYLE_WITHOUT_BN,
    "evaluation mode": STYLE_EVALUATION,
    "training mode": STYLE_TRAINING,
    "evaluation mode,\nrecalibrated": {"color": SKY, "ls": ":", "marker": "^"},
}


@picture(height=3.8)
def show_small_batches(
    figure: Figure, sizes: Sequence[int], accuracies: Mapping[str, NDArray]
) -> str:
    """Draw test accuracy over the batch size of training: lines of means, a marker for each seed.

    Args:
        figure: an empty one.
        sizes: of the batches.
        accuracies: name, one of STYLES → (sizes, seeds), 0 to 1.
    """
    ax = accuracy_axes(figure, "images in a training batch", sizes)
    for shift, (name, values) in zip((-0.05, 0.05), accuracies.items(), strict=True):
        at, style = shift + np.arange(len(values)), STYLES[name]
        ax.plot(at, values.mean(axis=1), **{**style, "marker": ""})
        ax.plot(at, values, ms=8, alpha=0.8, mec="white", **{**style, "ls": ""})
        ax.plot([], [], label=name, **style)
    ax.set_xlim(-0.5, len(sizes) - 0.5)
    seeds = next(iter(accuracies.values())).shape[1]
    place_legend_right(ax, f"a marker for each\nof {seeds} seeds")
    return "Test accuracy over the batch size of training, a line for each kind of network."


@picture(height=4)
def show_drift(
    figure: Figure, images: NDArray, amounts: Sequence[float], curves: Mapping[str, NDArray]
) -> str:
    """Draw test accuracy over how much the images have faded.

    Args:
        figure: an empty one.
        images: one image as it fades, (amounts, 64).
        amounts: share of the ink that is gone, 0 to 1.
        curves: name, one of STYLES → (amounts, seeds), 0 to 1.
    """
    ax = accuracy_axes(figure, "share c of the ink that has faded", amounts)
    for shift, (name, values) in zip((0, -0.07, 0.07), curves.items(), strict=True):
        mean_and_std(ax, values, shift, label=name, **STYLES[name])  # shifted: two are the same
    ax.set(xlim=(-0.6, len(amounts) - 0.4), ylim=(0, 1.42))
    ax.spines["left"].set_bounds(0, 1)
    ax.yaxis.label.set_y(0.35)
    for place, image in enumerate(images):
        window = ax.inset_axes((place - 0.4, 1.1, 0.8, 0.3), transform=ax.transData)
        Mosaic(window, 1, 1).set(image)
    place_legend_right(ax, "mean ± std of\n3 networks")
    return "Accuracy in both modes, and after recalibration, over how much the ink has faded."


@picture(height=3.8)
def show_cures(figure: Figure, before_and_after: Mapping[str, NDArray]) -> str:
    """Draw for each change of the images how far new statistics lift the accuracy.

    Args:
        figure: an empty one.
        before_and_after: name of the change → accuracies 0 to 1 with the old averages and with
            recalibrated ones, (2, networks).
    """
    ax = accuracy_axes(figure, "", [name.replace(" ", "\n") for name in before_and_after])
    places = np.arange(len(before_and_after))
    old, new = np.moveaxis(np.array([*before_and_after.values()]), 1, 0)  # (changes, networks)
    for place, low, high in zip(places, old.mean(axis=1), new.mean(axis=1), strict=True):
        arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.6, "shrinkA": 9, "shrinkB": 9}
        if abs(high - low) > 0.15:
            ax.annotate("", (place, high), (place, low), arrowprops=arrow)
    for values, name in (old, "evaluation mode"), (new, "evaluation mode,\nrecalibrated"):
        style = {**STYLES[name], "ls": "", "ms": 9, "alpha": 0.8, "mec": "white", "clip_on": False}
        shifts = np.linspace(-0.12, 0.12, values.shape[1])
        for shift, seed in zip(shifts, values.T, strict=True):
            ax.plot(places + shift, seed, **style, label=name if shift == shifts[0] else None)
    ax.set_xlim(-0.5, len(places) - 0.5)
    place_legend_right(ax, f"a marker for each\nof {old.shape[1]} networks")
    return "Accuracy for each change of the images, with the old averages and with new ones."


@picture(height=4.2)
def show_one_digit(figure: Figure, table: NDArray) -> str:
    """Draw how many images of each digit are right after a recalibration on one digit alone.

    Args:
        figure: an empty one.
        table: (digit recalibrated on, digit tested), shares 0 to 1; white is 0, black is 1.
    """
    ax = figure.subplots()
    GreyImage(ax, *table.shape).set(table)
    for row, column in np.ndindex(*table.shape):
        share = table[row, column]
        ink: dict[str, Any] = {"color": "white" if share > 0.5 else INK, "fontsize": 10}
        ax.text(column, row, f"{100 * share:.0f}", ha="center", va="center", **ink)
    ax.set(xlabel="right answers (%) to images of this digit", ylabel="recalibrated on")
    ax.set_xticks(range(table.shape[1]))
    ax.set_yticks(range(table.shape[0]))
    ax.tick_params(length=0)
    return "Right answers to each digit after the network was recalibrated on one digit alone."


@picture(height=3.6)
def show_arms(
    figure: Figure,
    accuracies: Mapping[str, Sequence[float]],
    level: tuple[str, float] | None = None,
) -> str:
    """Draw test accuracies of several ways to train, a marker for each seed.

    Args:
        figure: an empty one.
        accuracies: name of the way → (seeds,), 0 to 1.
        level: name and height of a line to compare with.
    """
    ax = accuracy_axes(figure, "", [*accuracies])
    for place, values in enumerate(accuracies.values()):
        shifts = np.linspace(-0.16, 0.16, len(values))
        ax.hlines(np.mean(values), place - 0.3, place + 0.3, color=INK, lw=2)
        ax.plot(place + shifts, values, "o", color=SKY, mec=INK, ms=9)
    ax.set_xlim(-0.5, len(accuracies) - 0.5)
    seeds = len(next(iter(accuracies.values())))
    ax.plot([], [], "o", color=SKY, mec=INK, ms=9, label=f"{seeds} seeds")
    ax.plot([], [], color=INK, lw=2, label="their mean")
    if level:
        ax.axhline(level[1], color=WITHOUT_BN, ls="--", label=level[0])
    place_legend_right(ax)
    return "Test accuracy of the ways to train side by side, a marker for each seed."


class DriftedImages:
    """Images as they arrive, and how many are right with each of three kinds of statistics.

    Args:
        figure: an empty one.
        before: accuracy in evaluation mode on images that have not changed.
    """

    def __init__(self, figure: Figure, before: float):
        images, bars = figure.subplots(1, 2, width_ratios=(1, 2.1))
        images.set_title("A batch, as it arrives")
        self._images = Mosaic(images, 6, 5)
        accuracy_axis(bars, top=1.2)
        bars.axhline(before, color=INK, ls="--", lw=1.2)
        bars.text(2.45, before - 0.02, "evaluation\nmode before\nthe change", va="top", fontsize=10)
        names = "evaluation\nmode", "training\nmode", "evaluation,\nrecalibrated"
        colours = EVALUATION, TRAINING, SKY
        self._bars = bars.bar(range(3), [0] * 3, width=0.7, color=colours)
        number: Any = {"ha": "center", "va": "bottom", "weight": "bold", "color": INK}
        number["bbox"] = {"fc": "white", "ec": "none", "pad": 1.5}
        self._numbers = [bars.text(place, 0, "", **number) for place in range(3)]
        bars.set(title="Right answers", xlim=(-0.55, 3.3))
        bars.set_ylabel("test accuracy")
        bars.set_xticks(range(3), names)
        self.artists: list[Artist] = [self._images.artist, *self._bars, *self._numbers]

    def set(self, images: NDArray, accuracies: Sequence[float]) -> None:
        """Show `images` (N, 64), the first 30 of them, and three accuracies, 0 to 1."""
        self._images.set(np.clip(images[:30], 0, 1))
        for bar, number, height in zip(self._bars, self._numbers, accuracies, strict=True):
            bar.set_height(height)
            number.set(text=f"{height:.0%}".replace("%", " %"), y=height + 0.035)
