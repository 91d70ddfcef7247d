"""Pictures of lesson 07: statistics of small batches, of images that drift, and frozen ones."""

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
    ORANGE,
    SKY,
    STYLE_EVALUATION,
    STYLE_TRAINING,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    TRAINING,
    Mosaic,
    accuracy_axes,
    accuracy_axis,
    mean_and_std,
    place_legend_right,
)

STYLES: dict[str, dict[str, Any]] = {
    "with BN": STYLE_WITH_BN,
    "without BN": STYLE_WITHOUT_BN,
    "Batch Renormalization": {"color": ORANGE, "ls": "-.", "marker": "D"},
    "evaluation mode": STYLE_EVALUATION,
    "training mode": STYLE_TRAINING,
    "evaluation mode,\nrecalibrated": {"color": SKY, "ls": ":", "marker": "^"},
    "frozen": STYLE_EVALUATION,
    "recalibrated,\nthen frozen": {"color": SKY, "ls": ":", "marker": "^"},
    "free (training mode)": STYLE_TRAINING,
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
    _draw_seeds(figure, "images in a training batch", sizes, accuracies, joined=True)
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
def show_fine_tuning(
    figure: Figure, cases: Sequence[str], accuracies: Mapping[str, NDArray]
) -> str:
    """Draw test accuracy after fine-tuning, a marker for each seed.

    Args:
        figure: an empty one.
        cases: names of the new tasks.
        accuracies: what was done with BN, one of STYLES → (cases, seeds), 0 to 1.
    """
    _draw_seeds(figure, "new task and batch size", cases, accuracies, joined=False)
    return "Accuracy after fine-tuning, with BN frozen, recalibrated and frozen, and free."


def _draw_seeds(
    figure: Figure,
    xlabel: str,
    places: Sequence,
    accuracies: Mapping[str, NDArray],
    joined: bool,
) -> None:
    """Draw (places, seeds) by name, side by side: a marker for each seed, and lines if `joined`."""
    ax = accuracy_axes(figure, xlabel, places)
    shifts = np.linspace(-0.5, 0.5, len(accuracies)) * (0.15 if joined else 0.4)
    for shift, (name, values) in zip(shifts, accuracies.items(), strict=True):
        style = STYLES[name] if joined else {**STYLES[name], "ls": ""}
        at = shift + np.arange(len(values))
        if joined:
            ax.plot(at, values.mean(axis=1), **{**style, "marker": ""})
        ax.plot(at, values, ms=8, alpha=0.8, mec="white", **{**style, "ls": ""})
        ax.plot([], [], label=name, **style)
    ax.set_xlim(-0.5, len(places) - 0.5)
    seeds = next(iter(accuracies.values())).shape[1]
    place_legend_right(ax, f"a marker for each\nof {seeds} seeds")


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
