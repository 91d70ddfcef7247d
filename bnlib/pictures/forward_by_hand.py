"""Pictures of lesson 01: who shares a mean, what ε does, where the batches go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle
from numpy.typing import NDArray

from bnlib.live.figure import INK, picture
from bnlib.pictures.parts import (
    BLUE,
    GREY,
    ORANGE,
    SKY,
    WITH_BN,
    YELLOW,
    draw_upright,
    from_the_side,
    on_ring,
)

CHANNELS = (SKY, ORANGE, YELLOW, GREY)


@picture(height=4.2)
def show_shared_statistics(figure: Figure, n: int, c: int, h: int, w: int) -> str:
    """Draw an image batch (n, c, h, w) entry by entry.

    The entries of one column of maps share a mean and a variance.
    """
    ax = figure.subplots()
    for channel in range(c):
        left = channel * (w + 1.6)
        colour = CHANNELS[channel % len(CHANNELS)]
        for image in range(n):
            bottom = (n - 1 - image) * (h + 0.8)
            for cell in np.ndindex(h, w):
                corner = (left + cell[1], bottom + cell[0])
                ax.add_patch(Rectangle(corner, 1, 1, fc=colour, ec="white", lw=1.5))
            if channel == 0:
                ax.text(-1.2, bottom + h / 2, f"image {image + 1}", ha="right", va="center")
        top = n * (h + 0.8) - 0.4
        frame: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.4", "fc": "none"}
        corner = (left - 0.4, -0.4)
        ax.add_patch(FancyBboxPatch(corner, w + 0.8, top + 0.4, ec=INK, lw=1.5, **frame))
        ax.text(left + w / 2, top + 0.4, f"channel {channel + 1}", ha="center", va="bottom")
        share = f"$\\mu_{channel + 1}, \\sigma^2_{channel + 1}$\nof {n * h * w} entries"
        ax.text(left + w / 2, -0.8, share, ha="center", va="top", linespacing=1.4)
    ax.set(xlim=(-6, c * (w + 1.6)), ylim=(-3.6, top + 2), aspect="equal")
    ax.set_axis_off()
    return "An image batch, entry by entry: the entries of one colour share a mean."


@picture(height=2.6)
def show_in_company(figure: Figure, image: NDArray, company: Mapping[str, NDArray]) -> str:
    """Show an image, and what BN makes of it in each company, all on one scale of grey.

    Args:
        figure: an empty one.
        image: (H, W), before BN.
        company: who stands beside it → (H, W), the image after BN.
    """
    panels = {"before BN": image, **company}
    lowest = min(panel.min() for panel in company.values())
    highest = max(panel.max() for panel in company.values())
    for ax, (name, panel) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        ax.imshow(panel, cmap="gray_r", vmin=lowest, vmax=highest, interpolation="nearest")
        ax.set(xticks=[], yticks=[], title=name)
        ax.set_xlabel(f"paper {panel.min():.1f}, ink {panel.max():.1f}")
    return "An image of a digit before BN and after it, beside a blank and beside a black sheet."


@picture(height=3.2)
def show_epsilon(figure: Figure, before: NDArray, after: NDArray, eps: float) -> str:
    """Draw variances after BN over the variances before, with the formula as a line.

    Args:
        figure: an empty one.
        before: (K,), on a log axis.
        after: (K,).
        eps: the ε of the formula.
    """
    ax = figure.subplots()
    fine = np.logspace(np.log10(before[0]), np.log10(before[-1]), 200)
    ax.semilogx(fine, fine / (fine + eps), color=INK, label="σ² / (σ² + ε)")
    ax.semilogx(before, after, "o", color=WITH_BN, label="measured")
    ax.axvline(eps, color=ORANGE, ls="--", label=f"σ² = ε = {eps:g}")
    ax.set(xlabel="variance σ² of the feature before BN", ylabel="variance after BN")
    ax.grid(True)
    ax.legend(loc="upper left")
    return "The variance after BN over the variance before it, and the place where that is epsilon."


@picture(height=3.7)
def show_where_batches_go(figure: Figure, before: NDArray, after: NDArray) -> str:
    """Draw batches of three as points in space, before and after BN; four of them are marked.

    Args:
        figure: an empty one.
        before: (K, 3), a batch a row, at least four of them.
        after: (K, 3).
    """
    left, right = figure.subplots(1, 2)
    largest = float(np.abs(before).max())
    draw_upright(left, 1.8 * largest)
    for number, axis in enumerate(1.5 * largest * np.eye(3), start=1):
        x, y = from_the_side(axis)
        arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1, "shrinkA": 0, "shrinkB": 0}
        left.annotate("", (x, y), (0, 0), arrowprops=arrow, annotation_clip=False)
        left.text(x, y, f" example {number} ", ha="left" if x > 0 else "right", va="center")
    left.set_xlabel("before BN")
    draw_upright(right, 2.4)
    plane = from_the_side(1.35 * on_ring(np.arange(361)))
    right.fill(*plane.T, color=GREY, alpha=0.25, lw=0)
    right.add_patch(Circle((0, 0), np.sqrt(3), fc="none", ec=GREY, lw=1))
    right.set_xlabel("after BN, with the sphere and the plane")
    for ax, batches in ((left, before), (right, after)):
        points = from_the_side(batches)
        ax.plot(*points.T, "o", color=BLUE if ax is right else GREY, ms=4, mec=INK, mew=0.3)
        for letter, point in zip("abcd", points, strict=False):
            ax.plot(*point, "o", color=ORANGE, ms=15, mec=INK, mew=0.8)
            ax.annotate(letter, point, ha="center", va="center", weight="bold")
    return "Batches of three numbers as points in space, before BN and after it."


class BatchMap:
    """A batch above, its normalized values below, a line from each value to what becomes of it.

    The band leads from μ ± σ above to ±1 below. Outputs of the first `set` stay marked by rings:
    the ghosts show how far each output has moved since.

    Args:
        ax: where it is drawn.
        largest: the end of the upper axis, which starts at 0.
    """

    REACH = 2.2  # five values cannot get further than 2 standard deviations from their mean

    def __init__(self, ax: Axes, largest: float):
        self._largest = largest
        ax.set(xlim=(-1, largest + 1), ylim=(-0.12, 1.12), yticks=[], xlabel="x, the batch")
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.spines["top"].set_visible(True)
        ax.xaxis.tick_top()
        ax.xaxis.set_label_position("top")
        below = ax.secondary_xaxis("bottom", functions=(self._to_x_hat, self._from_x_hat))
        below.set_xlabel("x̂, the batch after normalization")
        below.set_ticks([-2, -1, 0, 1, 2])
        self._band = Polygon(np.zeros((4, 2)), closed=True, color=SKY, alpha=0.25, lw=0)
        self._band.set_label("μ ± σ becomes ±1")
        ax.add_patch(self._band)
        self._lines = [ax.plot([0, 0], [1, 0], "-", color=GREY, lw=1.5)[0] for _ in range(5)]
        self._mean = ax.plot([0, 0], [1, 0], "--", color=INK, lw=2, label="μ becomes 0")[0]
        self._ghosts = ax.plot(
            [], [], "o", ms=22, mfc="none", mec=INK, label="outputs at the start"
        )[0]
        # Discs and digits as markers: texts in boxes take 5 ms to draw, these 1 ms.
        self._discs = ax.plot([], [], "o", ms=17, color=BLUE, mew=0)[0]
        digit: Any = {"ls": "", "ms": 7, "color": "white", "mew": 0}
        self._digits = [
            ax.plot([], [], marker=f"$\\mathbf{{{i}}}$", **digit)[0] for i in range(1, 6)
        ]
        explained = [self._band, self._mean, self._ghosts]
        ax.legend(handles=explained, loc="center left", bbox_to_anchor=(1, 0.5))
        self.artists: list[Artist] = [self._band, *self._lines, self._mean, self._ghosts]
        self.artists += [self._discs, *self._digits]

    def set(self, x: NDArray, x_hat: NDArray, mu: float, sigma: float) -> None:
        """Show the batch `x` (5,), `x_hat` (5,), and the mean and standard deviation of x."""
        below = self._from_x_hat(x_hat)
        left, right = self._from_x_hat(np.array([-1, 1]))
        self._band.set_xy([(mu - sigma, 1), (mu + sigma, 1), (right, 0), (left, 0)])
        self._mean.set_xdata([mu, self._from_x_hat(0)])
        if np.size(self._ghosts.get_xdata()) == 0:
            self._ghosts.set_data(below, np.zeros(5))
        self._discs.set_data([*x, *below], np.repeat([1, 0], 5))
        for line, digit, *ends in zip(self._lines, self._digits, x, below, strict=True):
            line.set_xdata(ends)
            digit.set_data(ends, [1, 0])

    def _to_x_hat(self, x):
        return (2 * x / self._largest - 1) * self.REACH

    def _from_x_hat(self, x_hat):
        return (x_hat / self.REACH + 1) * self._largest / 2
