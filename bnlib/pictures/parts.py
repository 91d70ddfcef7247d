"""What the pictures share: colours and their meanings, histograms, grey images, axes.

Nothing here, or in a module of pictures, imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.figure import INK

# Okabe & Ito (2008), a set that colour-blind readers can tell apart, and two greys.
BLUE, VERMILION, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, ORANGE, YELLOW, GREY = "#56B4E9", "#E69F00", "#F0E442", "#B8B8B8"

# Four of them mean one thing in all lessons, and nothing else has these colours. The others, and
# INK, mean what the label in the picture says. Where colours meet, a line style, a marker or a
# label tells them apart as well.
WITH_BN, WITHOUT_BN, EVALUATION, TRAINING = BLUE, VERMILION, GREEN, PINK
STYLE_WITH_BN: dict[str, Any] = {"color": WITH_BN, "ls": "-", "marker": "o"}
STYLE_WITHOUT_BN: dict[str, Any] = {"color": WITHOUT_BN, "ls": "--", "marker": "s"}
STYLE_EVALUATION: dict[str, Any] = {"color": EVALUATION, "ls": "-", "marker": "o"}
STYLE_TRAINING: dict[str, Any] = {"color": TRAINING, "ls": "--", "marker": "s"}

PEAK = "examples\n(peak = 1)"
CHANCE = 0.1  # accuracy of a guess among ten digits
MARKED_STEPS = (0, 1, 3, 10, 30, 100, 300, 1000)


class Drawn(Protocol):
    """What a picture has to know of a network: what it is called, and how it is drawn."""

    @property
    def label(self) -> str:
        """The name in titles and legends, also the key of its numbers."""

    @property
    def style(self) -> Mapping[str, Any]:
        """Keyword arguments of a matplotlib line: color, ls, marker and others."""


class Histogram:
    """Outlined or filled bars, as shares of the highest, so that a spike fits beside a broad one.

    What lies beyond the first or last bin counts in that bin, and then a triangle at its end
    points outward; NaN counts nowhere.

    Args:
        ax: where it is drawn; the axis of the bins gets a little room at both ends.
        edges: of the bins, increasing, equally wide.
        upward: whether the bins lie one above the other.
        style: keyword arguments of `Axes.stairs`, among them `fc` or `ec`.
    """

    def __init__(self, ax: Axes, edges: NDArray, upward: bool = False, **style):
        self._edges = edges
        orientation: Any = "horizontal" if upward else "vertical"
        self._bars = ax.stairs(np.zeros(len(edges) - 1), edges, orientation=orientation, **style)
        room = 0.04 * (edges[-1] - edges[0])
        (ax.set_ylim if upward else ax.set_xlim)(edges[0] - room, edges[-1] + room)
        mark: Any = {"color": style.get("fc") or style.get("ec"), "ls": "", "ms": 7}
        self._beyond = []
        for pointer, end in zip("v^" if upward else "<>", self._ends(room / 2), strict=True):
            place = ([0], [end]) if upward else ([end], [0])
            self._beyond += ax.plot(*place, marker=pointer, clip_on=False, **mark)
        self.artists: list[Artist] = [self._bars, *self._beyond]
        self.set(np.zeros(0))

    def set(self, sample: NDArray) -> None:
        """Show `sample`, any shape."""
        low, high = self._ends()
        self._bars.set_data(heights(sample, self._edges))
        self._beyond[0].set_visible(bool(np.any(sample < low)))
        self._beyond[1].set_visible(bool(np.any(sample > high)))

    def _ends(self, room: float = 0) -> tuple[float, float]:
        return self._edges[0] - room, self._edges[-1] + room


def heights(sample: NDArray, edges: NDArray) -> NDArray:
    """Return the bars of a Histogram, (bins,), as shares 0 to 1 of the highest."""
    low, width = edges[0], (edges[-1] - edges[0]) / (len(edges) - 1)
    bins = np.clip((sample[~np.isnan(sample)] - low) / width, 0, len(edges) - 2).astype(int)
    counts = np.bincount(bins, minlength=len(edges) - 1)
    return counts / max(counts.max(), 1)


class GreyImage:
    """An image of `rows` × `columns` cells in grey: 0 is white, 1 is black.

    Args:
        ax: where it is drawn.
        rows: number of rows.
        columns: number of columns.
        options: keyword arguments of `Axes.imshow`.
    """

    def __init__(self, ax: Axes, rows: int, columns: int, **options):
        blank = np.full((rows, columns, 3), 255, np.uint8)
        self.artist = ax.imshow(blank, interpolation="nearest", **options)

    def set(self, darkness: NDArray) -> None:
        """Show `darkness` (rows, columns); NaN is white, what lies beyond 0 or 1 is at the end."""
        # Grey levels made here: drawing them takes half the time that a colour map takes.
        grey = (255 * (1 - np.clip(np.nan_to_num(darkness), 0, 1))).astype(np.uint8)
        self.artist.set_data(np.repeat(grey[:, :, np.newaxis], 3, axis=2))


class Mosaic:
    """Up to `rows` × `columns` images of 8 × 8 pixels, side by side in fixed places."""

    PAPER = 0.07  # darker than the page, so that each image has an edge

    def __init__(self, ax: Axes, rows: int, columns: int):
        self._shape = rows, columns
        self._image = GreyImage(ax, 10 * rows, 10 * columns)
        self.artist: Artist = self._image.artist
        ax.set_anchor("NW")
        ax.set_axis_off()

    def set(self, images: NDArray) -> None:
        """Show `images` (K, 64) with pixels from 0, paper, to 1, ink."""
        rows, columns = self._shape
        tiles = np.zeros((rows * columns, 10, 10))
        ink = self.PAPER + (1 - self.PAPER) * images.reshape(-1, 8, 8)
        tiles[: len(images), 1:9, 1:9] = ink
        grid = tiles.reshape(rows, columns, 10, 10).swapaxes(1, 2)
        self._image.set(grid.reshape(10 * rows, 10 * columns))


def rows_by_digit(ax: Axes, digits: NDArray, every: int = 1) -> None:
    """Label the rows of an image, sorted by `digits` (rows,), at the middle of each digit's rows.

    Args:
        ax: of the image.
        digits: of the rows.
        every: only each third digit, say, gets its label.
    """
    groups = np.unique(digits)
    middles = [np.flatnonzero(digits == digit).mean() for digit in groups]
    ax.set_yticks(middles[::every], groups[::every].tolist())
    ax.tick_params(length=0)


def step_axis(ax: Axes, steps: Sequence[int]) -> None:
    """Label an x-axis on which the snapshots lie at 0, 1, 2, … by their `steps` of training."""
    marked = {step for step in MARKED_STEPS if step < steps[-1]} | {steps[-1]}
    ticks: dict[float, str] = {}
    for step in sorted(marked):
        place = float(np.interp(step, steps, range(len(steps))))
        if not ticks or place - max(ticks) > len(steps) / 25:  # room for its label
            ticks[place] = f"{step}"
    ax.set_xticks([*ticks], [*ticks.values()])
    ax.set(xlim=(-0.5, len(steps) - 0.5), xlabel="step")


def accuracy_axis(ax: Axes, top: float = 1.03) -> None:
    """Make the y-axis one of accuracies, 0 to 1, with a line at chance; `top` is its upper end."""
    ax.axhline(CHANCE, color=INK, ls=":", lw=1.2)
    ax.set_ylim(0, top)
    ax.set_yticks([CHANCE, 0.5, 1], ["chance", "50 %", "100 %"])
    ax.grid(True, axis="y")


def accuracy_axes(figure: Figure, xlabel: str, ticks: Sequence) -> Axes:
    """Make axes for accuracies 0 to 1 over places 0, 1, … that are labelled by `ticks`."""
    ax = figure.subplots()
    accuracy_axis(ax)
    ax.set(xlabel=xlabel, ylabel="accuracy")
    ax.set_xticks(range(len(ticks)), [f"{tick}" for tick in ticks])
    ax.set_yticks([CHANCE, *np.arange(0.2, 1.1, 0.2)],
                  ["chance", *(f"{percent} %" for percent in range(20, 101, 20))])  # fmt: skip
    return ax


def mean_and_std(ax: Axes, values: NDArray, first: float = 0, **style) -> None:
    """Draw mean ± standard deviation of `values` (places, runs), the first of them at `first`."""
    places = first + np.arange(len(values))
    ax.errorbar(places, values.mean(axis=1), values.std(axis=1), ms=6, capsize=5, **style)


def two_lines(label: str) -> str:
    """Return a label with a line break after its comma, for a title over a narrow panel."""
    return label.replace(", ", ",\n")


def place_legend_right(ax: Axes, title: str | None = None) -> None:
    """Put the legend right of the data, under a `title`."""
    options: dict[str, Any] = {"labelspacing": 0.9, "alignment": "left", "title": title}
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), **options)


# Batches of three numbers as points in space. The all-ones vector stands upright in the picture;
# the plane of the batches whose mean is 0 lies flat, seen from a little above.
ONES = np.ones(3) / np.sqrt(3)
_TURN = np.radians([-10, 110, 230])  # of the three axes, seen from above
FLAT = np.sqrt(2 / 3) * np.stack([np.cos(_TURN), np.sin(_TURN)])  # (2, 3): in it, at right angles
TILT = 0.35  # the sine of the angle from which the plane is seen


def from_the_side(points: NDArray) -> NDArray:
    """Project points in space (..., 3) on the page (..., 2): parallel, the all-ones vector up."""
    across, deep = (points @ FLAT.T)[..., 0], (points @ FLAT.T)[..., 1]
    return np.stack([across, TILT * deep + np.sqrt(1 - TILT**2) * (points @ ONES)], axis=-1)


def on_ring(degrees: NDArray | float) -> NDArray:
    """Return the batches of three (..., 3) with mean 0 and variance 1 at these angles (...)."""
    angles = np.radians(degrees)
    return np.sqrt(3) * np.stack([np.cos(angles), np.sin(angles)], axis=-1) @ FLAT


def draw_upright(ax: Axes, reach: float) -> None:
    """Draw the all-ones vector as a dashed line through the origin, `reach` upward; no frame."""
    ends = from_the_side(np.outer([-0.6, 1], ONES) * reach)
    ax.plot(*ends.T, color=ORANGE, ls="--", lw=1.5)
    ax.text(ends[1, 0], ends[1, 1], " (1, 1, 1)", ha="left", va="top")
    ax.set(aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
