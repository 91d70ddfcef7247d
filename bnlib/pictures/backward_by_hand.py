"""Pictures of lesson 02: a bias that drifts, the paths of the gradient, what BN takes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray

from bnlib.live.figure import INK, picture
from bnlib.pictures.parts import (
    BLUE,
    FLAT,
    GREY,
    ORANGE,
    SKY,
    draw_upright,
    from_the_side,
    on_ring,
    place_legend_right,
)

STYLES: tuple[dict[str, Any], ...] = (
    {"color": ORANGE, "ls": "--", "lw": 3, "zorder": 3},
    {"color": INK, "ls": "-", "lw": 6},  # under the first, where both are alike
    {"color": SKY, "ls": "-", "lw": 6},
    {"color": GREY, "ls": ":", "lw": 3, "zorder": 3},
)

CUTS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "ls": "-", "marker": "o"},
    {"color": ORANGE, "ls": "--", "marker": "s"},
    {"color": SKY, "ls": "-.", "marker": "D"},
)


@picture(height=3.2)
def show_drift(figure: Figure, runs: Mapping[str, NDArray]) -> str:
    """Draw a bias, and beside it the loss, over the steps of four descents.

    Args:
        figure: an empty one.
        runs: label → (steps, 2), the bias and the loss.
    """
    axes = figure.subplots(1, 2)
    for ax, name, column in zip(axes, ("the bias b", "the loss"), (0, 1), strict=True):
        for style, (label, seen) in zip(STYLES, runs.items(), strict=True):
            ax.plot(seen[:, column], label=label, **style)
        ax.set(xlabel="step", ylabel=name)
        ax.grid(True)
    axes[1].set_ylim(0)
    axes[0].legend(loc="upper left")
    return "A bias over the steps of gradient descent, and beside it the loss."


@picture(height=2.8)
def show_backward_graph(figure: Figure) -> str:
    """Draw the computation graph of BN: every path from x to y."""
    ax = figure.subplots()
    nodes = {
        "x": (0, 0), "μ": (1.5, 1.2), "σ²": (3.7, 1.2), "x̂": (5.4, 0), "y": (7.2, 0),
        "γ, β": (7.2, 1.2),
    }  # fmt: skip
    paths = {
        INK: [("x", "x̂"), ("x̂", "y"), ("γ, β", "y")],
        SKY: [("x", "μ"), ("μ", "x̂")],
        ORANGE: [("x", "σ²"), ("μ", "σ²"), ("σ²", "x̂")],
    }
    for colour, arrows in paths.items():
        arrow = {"arrowstyle": "-|>", "mutation_scale": 18, "color": colour, "lw": 2.5,
                 "shrinkA": 20, "shrinkB": 20}  # fmt: skip
        for start, end in arrows:
            ax.annotate("", nodes[end], nodes[start], arrowprops=arrow)
    ax.text(2.7, -0.12, "directly", ha="center", va="top")
    ax.text(0.6, 0.72, "through\nthe mean", ha="right", va="center")
    ax.text(4.75, 0.72, "through\nthe variance", ha="left", va="center")
    box = {"boxstyle": "circle,pad=0.45", "fc": "white", "ec": INK, "lw": 1.5}
    for name, position in nodes.items():
        ax.text(*position, name, ha="center", va="center", fontsize=15, zorder=3, bbox=box)
    ax.set(xlim=(-0.6, 7.9), ylim=(-0.5, 1.75))
    ax.set_axis_off()
    return "Paths from x to y: direct, through the mean, through the variance."


@picture(height=3.2)
def show_passing_share(figure: Figure, m: Sequence[int], shares: Sequence[float]) -> str:
    """Draw which share of a gradient's squared length is left, over the batch size.

    Args:
        figure: an empty one.
        m: batch sizes, increasing.
        shares: of each, 0 to 1, measured.
    """
    ax = figure.subplots()
    fine = np.geomspace(m[0], m[-1], 99)
    ax.plot(fine, (fine - 2) / fine, color=INK, lw=1.5, label="(m − 2) / m")
    ax.plot(m, shares, "o", color=SKY, mec=INK, ms=10, label="measured")
    ax.set_xscale("log", base=2)
    ax.set_xticks(m, [f"{size}" for size in m])
    ax.set(xlabel="examples in the batch, m", ylabel="share that is left", ylim=(-0.03, 1.03))
    ax.grid(True)
    place_legend_right(ax)
    return "Share of a random gradient that passes BN, over the size of the batch."


@picture(height=3.4)
def show_cut_paths(
    figure: Figure, rates: Sequence[float], accuracies: Mapping[str, NDArray]
) -> str:
    """Draw accuracies over the learning rate, a line through the medians and a dot for each seed.

    Args:
        figure: an empty one.
        rates: learning rates, increasing.
        accuracies: what was cut → (rates, seeds), 0 to 1.
    """
    ax = figure.subplots()
    for look, (label, values) in zip(CUTS, accuracies.items(), strict=True):
        ax.plot(rates, np.median(values, axis=1), label=label, lw=2.5, **look)
        dots = np.repeat(rates, values.shape[1])
        ax.plot(dots, values.ravel(), **look | {"ls": "", "ms": 4, "alpha": 0.6})
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.set(xlabel="learning rate", ylabel="accuracy (small: each seed)")
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.grid(True)
    place_legend_right(ax)
    return "Accuracy over the learning rate, with all paths of the gradient and with one path cut."


class ThreeArrows:
    """A batch of three on its ring: the gradient that arrives, what is left, what is removed.

    Seen twice, from the side and from above, that is, along the all-ones vector.

    Args:
        figure: an empty one.
    """

    REACH = 3.2  # of a view to the right and left, from its centre
    ARROWS: Mapping[str, tuple[str, dict[str, Any]]] = {
        "mean": ("removed: the mean", {"color": ORANGE, "lw": 3, "ls": (0, (3, 2))}),
        "outward": ("removed: along x̂", {"color": ORANGE, "lw": 3, "ls": (0, (1, 1))}),
        "left": ("what is left", {"color": SKY, "lw": 5}),
        "arrives": ("dx̂, what arrives", {"color": INK, "lw": 2.5}),
    }

    def __init__(self, figure: Figure):
        self._axes = figure.subplots(1, 2)
        ring = on_ring(np.arange(361))
        self._moving: list[dict[str, Any]] = []
        for ax, where in zip(self._axes, ("the side", "above, along (1, 1, 1)"), strict=True):
            ax.set_xlabel(f"seen from {where}")
            self._moving.append(self._draw(ax, self._view(ax)(ring)))
        handles = [Line2D([], [], label=label, **style) for label, style in self.ARROWS.values()]
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        self.artists: list[Artist] = [
            moving[name]
            for moving in self._moving
            for name in ("radius", "tangent", *self.ARROWS, "point")
        ]

    def set(self, x_hat: NDArray, arrives: NDArray, left: NDArray) -> None:
        """Show x̂, the gradient that arrives there, and what is left of it; each (3,)."""
        along = np.cross(np.ones(3), x_hat) / 3  # of length 1, since x̂ has the length √3
        for ax, moving in zip(self._axes, self._moving, strict=True):
            view = self._view(ax)
            at = view(x_hat)
            moving["point"].set_data(*at[:, np.newaxis])
            moving["radius"].set_data(*np.stack([view(0 * x_hat), at]).T)
            ends = np.stack([x_hat - 2.4 * along, x_hat + 2.4 * along])
            moving["tangent"].set_data(*view(ends).T)
            moving["arrives"].set_positions(at, view(x_hat + arrives))
            moving["left"].set_positions(at, view(x_hat + left))
            corner = view(x_hat + left + arrives.mean())
            moving["mean"].set_positions(view(x_hat + left), corner)
            moving["outward"].set_positions(corner, view(x_hat + arrives))

    def _view(self, ax: Axes) -> Any:
        return from_the_side if ax is self._axes[0] else lambda points: points @ FLAT.T

    def _draw(self, ax: Axes, ring: NDArray) -> dict[str, Any]:
        if ax is self._axes[0]:
            draw_upright(ax, 3.2)
        ax.plot(*ring.T, color=GREY, lw=2)
        ax.set(xlim=(-self.REACH, self.REACH), ylim=(-0.85 * self.REACH, 0.85 * self.REACH))
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        moving: dict[str, Any] = {}
        for name, (_, style) in self.ARROWS.items():
            head: Any = {"arrowstyle": "-|>", "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0}
            moving[name] = FancyArrowPatch((0, 0), (1, 1), **head, **style)
            ax.add_patch(moving[name])
        moving["radius"] = ax.plot([], [], color=GREY, lw=1.5)[0]
        moving["tangent"] = ax.plot([], [], color=GREY, lw=1.5, ls=":")[0]
        moving["point"] = ax.plot([], [], "o", color=BLUE, ms=11)[0]
        return moving
