"""Pictures of lesson 00: what reaches the last layer of a deep network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    INK,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    WITH_BN,
    WITHOUT_BN,
    GreyImage,
    accuracy_axis,
    place_legend_right,
    rows_by_digit,
)


@picture(height=1.6)
def show_digits(figure: Figure, images: NDArray) -> str:
    """Show images of digits, (N, 64) with N a multiple of 4 and values 0 to 1, in four rows."""
    tiles = np.pad(images.reshape(4, -1, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1)))
    sheet = tiles.transpose(0, 2, 1, 3).reshape(40, -1)
    ax = figure.subplots()
    GreyImage(ax, *sheet.shape).set(sheet)
    ax.set_axis_off()
    return f"{len(images)} small pictures of handwritten digits, in four rows."


@picture(height=3.2)
def show_neighbours(
    figure: Figure, depths: Sequence[int], with_bn: NDArray, without_bn: NDArray
) -> str:
    """Show how many nearest neighbours show the same digit, by layer, for two kinds of stacks.

    Args:
        figure: an empty one.
        depths: numbers of layers.
        with_bn: (stacks, layers), 0 to 1.
        without_bn: likewise.
    """
    ax = figure.subplots()
    accuracy_axis(ax)
    tuned = "without BN,\ntuned"
    for shares, label, style in (
        (without_bn, tuned, STYLE_WITHOUT_BN),
        (with_bn, "with BN", STYLE_WITH_BN),
    ):
        lowest, highest = shares.min(axis=0), shares.max(axis=0)
        ax.fill_between(depths, lowest, highest, color=style["color"], alpha=0.15, lw=0)
        ax.plot(depths, shares.mean(axis=0), label=label, **style)
    ax.set(xlabel="layer", title="The nearest neighbour shows the same digit")
    place_legend_right(ax, f"mean and range\nof {len(with_bn)} stacks")
    return "How many neighbours show the same digit, by layer, in stacks with BN and without."


def activation_image(ax: Axes, activations: NDArray, digits: NDArray) -> AxesImage:
    """Draw activations as an image: a row for each example, a column for each unit.

    Args:
        ax: where it is drawn.
        activations: (N, C), 0 to 1, of N images sorted by digit.
        digits: (N,), written at the middle of their rows.

    Returns:
        the image, which can be given other activations.
    """
    # From 0.2 to 0.8, where most of them lie, so that the colours tell them apart.
    image = ax.imshow(activations, vmin=0.2, vmax=0.8, aspect="auto", interpolation="nearest")
    rows_by_digit(ax, digits)
    ax.set(xlabel="unit of the top layer", ylabel="digit", title="What the top layer says")
    ticks = [0.2, 0.5, 0.8]
    ax.figure.colorbar(image, ax=ax, label="activation", ticks=ticks, extend="both", pad=0.02)
    return image


def spread_by_layer(
    ax: Axes, with_bn: Sequence[float], without_bn: Sequence[float]
) -> tuple[list[Artist], Line2D]:
    """Draw how much the answers of each layer differ over the batch, on a log axis.

    Args:
        ax: where it is drawn.
        with_bn: a positive number for each layer.
        without_bn: likewise.

    Returns:
        the curve with BN and its name, which may be hidden; a ring that marks a layer.
    """
    layers, last = range(1, len(with_bn) + 1), len(with_bn)
    ax.semilogy(layers, without_bn, ms=5, **STYLE_WITHOUT_BN)
    ax.text(last / 2, without_bn[-1], "without BN", color=WITHOUT_BN, ha="center", va="bottom")
    [curve] = ax.semilogy(layers, with_bn, ms=5, **STYLE_WITH_BN)
    name = ax.text(last, with_bn[-1] / 4, "with BN", color=WITH_BN, ha="right", va="top")
    ax.set(xlabel="layer", ylabel="spread over the batch", xlim=(0.5, last + 0.5))
    ax.set_title("How much the answers differ")
    ax.grid(True)
    [ring] = ax.plot([], [], "o", ms=15, mfc="none", mec=INK, mew=2.5)
    return [curve, name], ring
