"""Pictures of lesson 10: where BN sits in a convolutional network, and what that does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

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
    STYLE_EVALUATION,
    STYLE_TRAINING,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    WITH_BN,
    GreyImage,
    mean_and_std,
    place_legend_right,
)

PALE = "#EFEFEF"  # of what is no BN
LARGEST = 26  # side of the largest map that is drawn


class Pipeline:
    """The layers of a network in a row, the map that each of them gives, and m for every BN.

    Args:
        figure: an empty one.
        places: number of layers, at most.
    """

    def __init__(self, figure: Figure, places: int):
        layers, counts = figure.subplots(2, 1, height_ratios=(2.1, 1))
        self._maps, self._shapes, self._boxes, self._names = [], [], [], []
        middle: Any = {"ha": "center", "va": "center"}
        for place in range(places):
            self._maps.append(Rectangle((0, 0), 0, 0, fc=PALE, ec=INK, lw=1.2))
            self._boxes.append(Rectangle((place - 0.42, -0.2), 0.84, 0.4, ec=INK, lw=1.2))
            self._names.append(layers.text(place, 0, "", weight="bold", fontsize=10, **middle))
            self._shapes.append(layers.text(place, -0.55, "", fontsize=9.5, **middle))
            for patch in (self._maps[-1], self._boxes[-1]):
                layers.add_patch(patch)
        layers.set(xlim=(-0.6, places - 0.4), ylim=(-0.85, 1.35), xticks=[], yticks=[])
        layers.set_title("Layers, what each gives, and its shape (without the batch)")
        layers.spines[:].set_visible(False)
        dot: Any = {"ls": "", "marker": "o", "ms": 10, "color": WITH_BN}
        self._dots = [counts.plot([1], [y], **dot)[0] for y in (1, 0)]
        self._words = [counts.text(1, y, "", va="center", fontsize=10.5) for y in (1, 0)]
        counts.set(xscale="log", xlim=(0.6, 3e6), ylim=(-0.6, 1.6))
        counts.set_yticks([1, 0], ["after the convolution", "after the linear layer"])
        counts.set_xticks([1, 10, 100, 1000, 10_000], ["1", "10", "100", "1,000", "10,000"])
        counts.set_xlabel("values that share a mean")
        counts.grid(True, axis="x")
        counts.tick_params(axis="y", length=0)
        counts.minorticks_off()
        self.artists: list[Artist] = [*self._maps, *self._boxes, *self._names, *self._shapes]
        self.artists += [*self._dots, *self._words]

    def set(
        self,
        names: Sequence[str],
        shapes: Sequence[tuple[int, ...]],
        counts: Sequence[tuple[int, ...] | None],
    ) -> None:
        """Show the layers of a network.

        Args:
            names: of the layers; BN is called "BN".
            shapes: of what each of them gives, without the batch.
            counts: for the BN after the convolution and the one after the linear layer, the shape
                of what it gets, (N, C, H, W) or (N, C); None where there is no BN.
        """
        for place, (box, name) in enumerate(zip(self._boxes, self._names, strict=True)):
            there = place < len(names)
            for artist in (box, name, self._maps[place], self._shapes[place]):
                artist.set_visible(there)
            if there:
                is_bn = names[place] == "BN"
                box.set_facecolor(WITH_BN if is_bn else "white")
                name.set(text=names[place], color="white" if is_bn else INK)
                self._set_map(place, shapes[place], is_bn)
        for dot, words, shape in zip(self._dots, self._words, counts, strict=True):
            dot.set_visible(shape is not None)
            m = values_per_mean(shape) if shape else 1
            dot.set_xdata([m])
            beside: Any = (
                {"x": 1.4 * m, "ha": "left"} if m < 1500 else {"x": m / 1.4, "ha": "right"}
            )
            words.set(text=_count_words(shape), **beside)

    def _set_map(self, place: int, shape: tuple[int, ...], is_bn: bool) -> None:
        is_map = len(shape) == 3
        side = 0.85 * (shape[-1] / LARGEST) ** 0.5  # by area: side 8 and side 26 both fit
        width, height = (side, side) if is_map else (0.09, 0.85)
        self._maps[place].set_bounds(place - width / 2, 0.38, width, height)
        self._maps[place].set(facecolor=WITH_BN if is_bn else PALE)
        sides = f" ×\n{shape[1]} × {shape[2]}" if is_map else ""
        self._shapes[place].set_text(f"{shape[0]}{sides}")


def values_per_mean(shape: tuple[int, ...]) -> int:
    """Return over how many values of (N, C, H, W) or (N, C) BN takes each mean."""
    return shape[0] * prod(shape[2:])


def _count_words(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "no BN here"
    m = values_per_mean(shape)
    factors = " · ".join(f"{size}" for size in (shape[0], *shape[2:]))
    product = f"{factors} = {m:,}" if len(shape) > 2 else factors
    note = "  refused in training mode" if m == 1 else ""
    return f"{product} for each of {shape[1]} means{note}"


class SignedMap:
    """A map of numbers: orange above 0, sky below, and a dot where it is above 0."""

    def __init__(self, ax: Axes, side: int):
        self._image = ax.imshow(np.ones((side, side, 3)), interpolation="nearest")
        self._dots = ax.plot([], [], ls="", marker="o", ms=3.2, color=INK)[0]
        ax.set(xticks=[], yticks=[])
        self.artists: list[Artist] = [self._image, self._dots]

    def set(self, values: NDArray) -> None:
        """Show `values` (rows, columns), as shares of the largest of them."""
        share = _levels(values / max(np.abs(values).max(), 1e-9))[..., np.newaxis]
        above, below = (_rgb(colour) for colour in (ORANGE, SKY))
        paint = np.where(share > 0, 1 - share * (1 - above), 1 + share * (1 - below))
        self._image.set_data(paint)
        rows, columns = np.nonzero(values > 0)
        self._dots.set_data(columns, rows)


def _levels(shares: NDArray) -> NDArray:
    """Round shares to a few levels: a picture has 256 colours in all."""
    return np.round(np.clip(shares, -1, 1) * 10) / 10


def _rgb(colour: str) -> NDArray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


class FeatureMaps:
    """One image on its way through one channel, and what all channels give after ReLU.

    Args:
        figure: an empty one.
        channels: of the network, an even number.
    """

    TITLES = ("image", "filter", "convolution", "BN", "ReLU", "max-pool")

    def __init__(self, figure: Figure, channels: int):
        grid = figure.add_gridspec(2, 6, height_ratios=(1.25, 1))
        axes = [figure.add_subplot(grid[0, column]) for column in range(6)]
        place: Any = {"ha": "left", "va": "bottom"}
        self._titles = [
            ax.text(0, 1.06, "", transform=ax.transAxes, weight="bold", **place) for ax in axes
        ]
        self._image = GreyImage(axes[0], 8, 8)
        self._signed = [SignedMap(ax, n) for ax, n in zip(axes[1:4], (3, 6, 6), strict=True)]
        self._grey = [GreyImage(axes[4], 6, 6), GreyImage(axes[5], 3, 3)]
        for ax in axes:
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
        middle: Any = {"ha": "center", "va": "center", "transform": axes[3].transAxes}
        self._absent = axes[3].text(0.5, 0.5, "left out", fontsize=12, **middle)
        axes[2].set_xlabel("dot: above 0", fontsize=10)
        axes[3].set_xlabel("dot: above 0", fontsize=10)
        self._columns = channels // 2
        below = figure.add_subplot(grid[1, :])
        self._all = GreyImage(below, 16, 8 * self._columns)
        below.set_title("All channels after ReLU")
        below.set_axis_off()
        self._frame = Rectangle((0, 0), 8, 8, fc="none", ec=INK, lw=2.5)
        below.add_patch(self._frame)
        self.artists: list[Artist] = [*self._titles, self._image.artist]
        self.artists += [artist for signed in self._signed for artist in signed.artists]
        self.artists += [grey.artist for grey in self._grey]
        self.artists += [self._absent, self._all.artist, self._frame]

    def set(
        self,
        image: NDArray,
        kernel: NDArray,
        maps: Sequence[NDArray],
        channel: int,
        batch_norm: str | None,
    ) -> None:
        """Show what becomes of an image.

        Args:
            image: (8, 8), from 0, paper, to 1, ink.
            kernel: of the channel, (3, 3).
            maps: after convolution, BN, ReLU and max-pool, each (channels, rows, columns).
            channel: that is shown, from 0 on.
            batch_norm: what is written over the BN; None if it is left out.
        """
        self._image.set(image)
        for signed, values in zip(self._signed, (kernel, *(m[channel] for m in maps[:2])),
                                  strict=True):  # fmt: skip
            signed.set(values)
        for artist in self._signed[2].artists:
            artist.set_visible(batch_norm is not None)
        self._absent.set_visible(batch_norm is None)
        passed, top = maps[2], max(float(maps[2].max()), 1e-9)
        for grey, values in zip(self._grey, maps[2:], strict=True):
            grey.set(_levels(values[channel] / top))
        self._all.set(_side_by_side(_levels(passed / top), self._columns))
        row, column = divmod(channel, self._columns)
        self._frame.set_xy((8 * column - 0.5, 8 * row - 0.5))
        for title, words in zip(self._titles, self.TITLES, strict=True):
            title.set_text(batch_norm or "BN" if words == "BN" else words)


def _side_by_side(maps: NDArray, columns: int) -> NDArray:
    """Return maps (channels, 6, 6) as one image of two rows, on grey paper."""
    tiles = np.zeros((len(maps), 8, 8))
    tiles[:, 1:7, 1:7] = 0.07 + 0.93 * maps
    return tiles.reshape(2, columns, 8, 8).swapaxes(1, 2).reshape(16, 8 * columns)


@picture(height=3.6)
def show_orders(
    figure: Figure, panels: Mapping[str, Mapping[str, Sequence[float]]], ends: tuple[float, float]
) -> str:
    """Draw the accuracy of networks that differ in the order of their layers.

    Args:
        figure: an empty one.
        panels: at least two, title → order → accuracies 0 to 1, one for each seed; the first order
            of the first panel has no BN anywhere.
        ends: of the axis of accuracies.
    """
    widths = [len(orders) for orders in panels.values()]
    axes = figure.subplots(1, len(panels), sharey=True, width_ratios=widths)
    for ax, (title, orders) in zip(axes, panels.items(), strict=True):
        for place, shares in enumerate(orders.values()):
            style = STYLE_WITHOUT_BN if ax is axes[0] and place == 0 else STYLE_WITH_BN
            dots: Any = {"ls": "", "marker": style["marker"], "color": style["color"], "ms": 7}
            ax.plot([place] * len(shares), shares, alpha=0.55, **dots)
            ax.plot([place - 0.3, place + 0.3], [np.median(shares)] * 2, color=style["color"])
            words: Any = {"ha": "center", "va": "bottom", "fontsize": 10, "color": INK}
            ax.text(place, max(shares) + 0.008, f"{100 * np.median(shares):.0f} %", **words)
        ax.set_xticks(range(len(orders)), [name.replace(" ", "\n") for name in orders])
        ax.set(title=title, xlim=(-0.6, len(orders) - 0.4), ylim=ends)
        ax.tick_params(axis="x", length=0)
        ax.grid(True, axis="y")
    axes[0].set_ylabel("accuracy after 50 steps")
    figure.supxlabel("after the convolution (a dot: a seed; the line: their median)", fontsize=11)
    axes[0].yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return "Test accuracy by the order of the layers: a dot for each seed, a line at the median."


@picture(height=3.4)
def show_zero_gamma(
    figure: Figure, spreads: Mapping[str, NDArray], gammas: Mapping[str, NDArray]
) -> str:
    """Draw the spread along the blocks at the start, and γ over the training.

    Args:
        figure: an empty one.
        spreads: γ at the start → (seeds, blocks), standard deviation after each block.
        gammas: kind of block → (seeds, steps), the mean size of the last γ after each step.
    """
    left, right = figure.subplots(1, 2)
    of_gamma, of_kind = [(INK, "-", "o"), (ORANGE, "--", "s")], [(SKY, 2), (GREY, 4)]
    for (name, rows), (colour, ls, marker) in zip(spreads.items(), of_gamma, strict=True):
        blocks = np.arange(1, rows.shape[1] + 1)
        left.plot(blocks, np.median(rows, axis=0), color=colour, ls=ls, marker=marker, label=name)
    left.set(
        title="Before training, BN after", xlabel="block", ylabel="spread (std)", ylim=(0, 2.2)
    )
    for (name, rows), (colour, lw) in zip(gammas.items(), of_kind, strict=True):
        steps = range(rows.shape[1] + 1)
        right.plot(steps, np.pad(rows, ((0, 0), (1, 0))).T, color=colour, lw=lw)
        right.plot([], [], color=colour, lw=lw, label=name)
    right.set(title="In training, from γ = 0", xlabel="step", ylabel="mean size of γ")
    for ax in (left, right):
        ax.grid(True, axis="y")
        ax.legend(loc="best")
    return "Spread after each block at the start, for both values of γ; and γ over the training."


@picture(height=3.4)
def show_wrong_answers(
    figure: Figure, sizes: Sequence[int], training: NDArray, evaluation: float
) -> str:
    """Draw the share of wrong answers in training mode, over the size of the batch.

    Args:
        figure: an empty one.
        sizes: of the batches.
        training: shares 0 to 1 in training mode, (sizes, networks).
        evaluation: the share in evaluation mode, which the batch does not change.
    """
    ax = figure.subplots()
    mean_and_std(ax, training, label="training mode", **STYLE_TRAINING)
    places = range(len(sizes))
    ax.plot(places, [evaluation] * len(sizes), label="evaluation mode", **STYLE_EVALUATION)
    for place, share in enumerate(training.mean(axis=1)[:4]):
        beside: Any = {"xytext": (12, 4), "textcoords": "offset points"}
        ax.annotate(f"{100 * share:.0f} %", (place, share), **beside)
    ax.set_xticks(places, [f"{size}" for size in sizes])
    ax.set(xlabel="images in a test batch", ylabel="wrong answers", ylim=(-0.03, 1.05))
    ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    ax.grid(True, axis="y")
    place_legend_right(ax, "mean ± std of\nthree networks")
    return "The share of wrong answers in both modes, over the size of a test batch."


@picture(height=2.9)
def show_folding_times(
    figure: Figure, seconds: Mapping[str, tuple[Sequence[float], Sequence[float]]]
) -> str:
    """Draw how long a network takes with BN and folded.

    Args:
        figure: an empty one.
        seconds: case → seconds of each run with BN, and of each run folded.
    """
    axes = figure.subplots(1, len(seconds))
    for ax, (case, both) in zip(axes, seconds.items(), strict=True):
        best = [1e3 * min(runs) for runs in both]
        ax.barh([1, 0], best, height=0.6, color=[WITH_BN, GREY])
        for place, time in zip((1, 0), best, strict=True):
            ax.text(time, place, f" {time:.2g} ms", va="center")
        ax.set(title=case, xlim=(0, 1.35 * max(best)), xlabel="ms a batch, best of several")
        ax.set_yticks([1, 0], ["with BN", "folded"])
        ax.tick_params(axis="y", length=0)
    return "Milliseconds that a batch takes with BN and with BN folded, as measured here."
