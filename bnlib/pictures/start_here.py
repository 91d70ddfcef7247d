"""Pictures of lesson 00: what reaches the last layer of a deep network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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


@picture(height=3)
def show_neighbours(figure: Figure, depths: Sequence[int], shares: NDArray) -> str:
    """Show how many nearest neighbours show the same digit, by layer, with BN.

    Args:
        figure: an empty one.
        depths: numbers of layers.
        shares: (stacks, layers), 0 to 1, for some stacks of layers.
    """
    ax = figure.subplots()
    accuracy_axis(ax)
    ax.plot(depths, shares.mean(axis=0), label="with BN, mean", **STYLE_WITH_BN)
    ax.plot(depths, shares.T, ".", color=INK, ms=7, label=["each stack", *[""] * (len(shares) - 1)])
    ax.set(xlabel="layer", title="The nearest neighbour shows the same digit")
    place_legend_right(ax)
    return "How many neighbours show the same digit, by layer, with BN, in three stacks."


def activation_image(ax: Axes, activations: NDArray, digits: NDArray) -> AxesImage:
    """Draw activations as an image: a row for each example, a column for each unit.

    Args:
        ax: where it is drawn.
        activations: (N, C), 0 to 1, of N images sorted by digit.
        digits: (N,), written at the middle of their rows.

    Returns:
        the image, which can be given other activations.
    """
    image = ax.imshow(activations, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    rows_by_digit(ax, digits)
    ax.set(xlabel="unit of the last layer", ylabel="digit", title="What the last layer says")
    ax.figure.colorbar(image, ax=ax, label="activation", ticks=[0, 0.5, 1], pad=0.02)
    return image


def spread_by_layer(ax: Axes, with_bn: Sequence[float], without_bn: Sequence[float]) -> Line2D:
    """Draw how much the answers of each layer differ over the batch, on a log axis.

    Args:
        ax: where it is drawn.
        with_bn: a positive number for each layer.
        without_bn: likewise.

    Returns:
        a ring that marks one of them.
    """
    layers = range(1, len(with_bn) + 1)
    ax.semilogy(layers, with_bn, ms=5, label="with BN", **STYLE_WITH_BN)
    ax.semilogy(layers, without_bn, ms=5, label="without BN", **STYLE_WITHOUT_BN)
    ax.set(xlabel="layer", ylabel="spread over the batch", xlim=(0.5, len(layers) + 0.5))
    ax.set_title("How much the answers differ")
    ax.grid(True)
    ax.legend(loc="lower left")
    return ax.plot([], [], "o", ms=15, mfc="none", mec=INK, mew=2.5)[0]
