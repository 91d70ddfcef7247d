"""Pictures of lesson 11: experiments on why batch normalization works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    CHANCE,
    GREY,
    INK,
    ORANGE,
    PEAK,
    SKY,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    GreyImage,
    Histogram,
    accuracy_axis,
    place_legend_right,
    step_axis,
)

STYLES: dict[str, dict[str, Any]] = {
    "plain": STYLE_WITHOUT_BN,
    "without BN": STYLE_WITHOUT_BN,
    "BN": STYLE_WITH_BN,
    "with BN": STYLE_WITH_BN,
    "BN, then noise": {"color": SKY, "ls": "-.", "marker": "D"},
    "scaled start": {"color": INK, "ls": (0, (1, 1)), "marker": "^"},
    "BN, residual": {"color": ORANGE, "ls": "-.", "marker": "D"},
}
LINES = ("-", "--", (0, (1, 1)))
SHADES = (INK, ORANGE, SKY)
LOWEST = -2.0  # share of a promise that is drawn
REACH = 2.3  # of the plane of weights, to either side
GREYS = 8


@picture(height=2.9)
def show_two_comparisons(
    figure: Figure, layers: Sequence[NDArray], frozen: Sequence[NDArray], moved: Sequence[NDArray]
) -> str:
    """Draw a unit of each layer, and beside it one unit at two steps of two trainings.

    Args:
        figure: an empty one.
        layers: inputs of a unit of each layer at the start, (N,) each.
        frozen: inputs of one unit before and after a training that leaves it alone, (N,) each.
        moved: the same where all layers learn.
    """
    edges = np.linspace(-6, 6, 49)
    axes = figure.subplots(1, 3)
    for number, sample in enumerate(layers):
        style: Any = {"ec": SHADES[number], "ls": LINES[number], "label": f"layer {number + 1}"}
        Histogram(axes[0], edges, lw=2, **style).set(sample)
    for ax, (before, after) in zip(axes[1:], (frozen, moved), strict=True):
        Histogram(ax, edges, fill=True, fc=GREY, label="before").set(before)
        Histogram(ax, edges, ec=INK, lw=2, label="after").set(after)
    titles = (
        "Three layers,\none moment",
        "Layer 3, two moments,\nfrozen",
        "Layer 3, two moments,\nlearning",
    )
    for ax, title in zip(axes, titles, strict=True):
        ax.set(title=title, yticks=[], ylim=(0, 1.75), xlabel="input of a unit")
        ax.legend(loc="upper left", ncols=2 if ax is not axes[0] else 1)
    axes[0].set_ylabel(PEAK)
    return "The input of a unit, from layer to layer, and from step to step of two trainings."


@picture(height=3.1)
def show_noise(
    figure: Figure,
    strengths: Sequence[float],
    noisy: Mapping[float, NDArray],
    plain: Mapping[float, NDArray],
) -> str:
    """Draw the accuracy over the strength of noise after BN, a panel for each rate.

    Args:
        figure: an empty one.
        strengths: the first of them 0, which is BN itself.
        noisy: rate → accuracies with BN and noise, (strengths, seeds), 0 to 1.
        plain: rate → those without BN: without noise, and with noise of strength 1, (2, seeds).
    """
    axes = figure.subplots(1, len(noisy), sharey=True)
    for ax, (rate, accuracies) in zip(axes, noisy.items(), strict=True):
        places = np.arange(len(strengths))
        ax.plot(places, np.median(accuracies, axis=1), color=SKY, ls="-.", lw=2)
        dots: dict[str, Any] = {"ls": "", "ms": 6, "alpha": 0.8}
        bn = {**STYLE_WITH_BN, **dots}
        ax.plot(np.zeros(accuracies.shape[1]), accuracies[0], label="BN", **bn)
        for place in places[1:]:
            label = "BN, then noise" if place == 1 else None
            at = np.full(accuracies.shape[1], place)
            ax.plot(at, accuracies[place], label=label, **{**STYLES["BN, then noise"], **dots})
        for place, values, hollow in zip((0, 1), plain[rate], (False, True), strict=True):
            face = {"mfc": "white", "mew": 1.5} if hollow else {}
            label = "noise, without BN" if hollow else "without BN"
            style = {**STYLE_WITHOUT_BN, **dots, **face}
            ax.plot(np.full(len(values), place) - 0.12, values, label=label, **style)
        accuracy_axis(ax)
        ax.set(title=f"rate {rate:g}", xlabel="strength of the noise", xlim=(-0.5, len(places)))
        ax.set_xticks(places, [f"{strength:g}" for strength in strengths])
    axes[0].set_ylabel("test accuracy, step 50")
    place_legend_right(axes[-1], "a marker for\neach seed")
    return "Test accuracy over the strength of noise after BN, at several rates."


@picture(height=3)
def show_shift_and_gradient(
    figure: Figure, rates: Sequence[float], panels: Mapping[str, Mapping[str, NDArray]]
) -> str:
    """Draw measures of networks over the rate of their training, a panel for each.

    Args:
        figure: an empty one.
        rates: (rates,).
        panels: measure → network → (rates, seeds), not negative.
    """
    axes = figure.subplots(1, len(panels))
    for ax, (title, networks) in zip(axes, panels.items(), strict=True):
        places = np.arange(len(rates))
        for offset, (name, values) in zip((-0.12, 0, 0.12), networks.items(), strict=True):
            dots = {**STYLES[name], "ls": "", "ms": 7, "alpha": 0.8}
            lines = ax.plot(places + offset, values, **dots)
            lines[0].set_label(name)
        ax.set(title=title, xlabel="rate", xlim=(-0.5, len(rates) - 0.5))
        ax.set_xticks(places, [f"{rate:g}" for rate in rates])
        ax.grid(True, axis="y")
        ax.set_ylim(bottom=0)
    place_legend_right(axes[-1], "a marker for\neach seed")
    return "Shift of the inputs and change of the gradient, at several rates, for three networks."


@picture(height=3.2)
def show_effective_rates(figure: Figure, panels: Mapping[str, Mapping[str, NDArray]]) -> str:
    """Draw the effective rate of the first layer over the steps on a log axis.

    Args:
        figure: an empty one.
        panels: title → start → (seeds, steps + 1), positive.
    """
    axes = figure.subplots(1, len(panels), sharey=True)
    for ax, (title, starts) in zip(axes, panels.items(), strict=True):
        for number, (start, rates) in enumerate(starts.items()):
            style = {"color": SHADES[number], "ls": LINES[number], "lw": 1.6}
            lines = ax.semilogy(rates.T, **style)
            lines[0].set_label(start)
        ax.set(title=title, xlabel="step")
        ax.grid(True)
    axes[0].set_ylabel("effective rate,\n" + r"$\eta\,/\,\|W\|^2$, layer 1")
    place_legend_right(axes[-1], "weights of the\nstart; a line for\neach seed")
    return "The effective rate over the steps, without and with weight decay, from three starts."


@picture(height=3.2)
def show_kept(
    figure: Figure, shares: Sequence[float], panels: Mapping[str, Mapping[str, NDArray]]
) -> str:
    """Draw which part of the promised decrease comes, over how far one goes.

    What lies below -2 is drawn at the edge.

    Args:
        figure: an empty one.
        shares: how far, in norms of the weights, (places,).
        panels: title → network → (seeds, places), 1 for all that was promised.
    """
    axes = figure.subplots(1, len(panels), sharey=True)
    for ax, (title, networks) in zip(axes, panels.items(), strict=True):
        for name, kept in networks.items():
            style = {**STYLES[name], "lw": 1.5, "ms": 5}
            lines = ax.semilogx(shares, np.maximum(kept, LOWEST).T, **style)
            lines[0].set_label(name)
        _promise_axis(ax, shares)
        ax.set(title=title)
    axes[len(axes) // 2].set_xlabel("each weight matrix moved by …, in norms of its own")
    axes[0].set_ylabel("part of the promised\ndecrease that comes")
    place_legend_right(axes[-1], "a line for\neach seed")
    return "The part of the promised decrease that comes, over how far the weights are moved."


def _promise_axis(ax: Axes, shares: Sequence[float]) -> None:
    ax.axhline(0, color=INK, lw=1)
    ax.set(ylim=(LOWEST - 0.1, 1.1), yticks=[-2, -1, 0, 1])
    ax.set_yticklabels(["−200 %", "−100 %", "0", "100 %"])
    ax.set_xscale("log")
    ax.set_xticks(shares, [f"{100 * share:g} %" for share in shares])
    ax.set_xticks([], minor=True)
    ax.grid(True, axis="y")


@picture(height=3.6)
def show_arms(figure: Figure, panels: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Draw how well networks do that differ in their parts, a row each.

    Args:
        figure: an empty one.
        panels: title → network → accuracy of each seed, 0 to 1. All have the same networks.
    """
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, arms) in zip(axes, panels.items(), strict=True):
        for row, (name, accuracies) in enumerate(arms.items()):
            dots = {"color": INK, "marker": "^", **STYLES.get(name, {}), "ls": "", "ms": 8}
            ax.plot(accuracies, [row] * len(accuracies), alpha=0.75, **dots)
        ax.axvline(CHANCE, color=INK, ls=":", lw=1.2)
        ax.set(title=title, xlim=(0, 1.03), ylim=(len(arms) - 0.4, -0.6))
        ax.set_xticks([CHANCE, 0.5, 1], ["chance", "50 %", "100 %"])
        ax.set_yticks(range(len(arms)), [*arms])
        ax.grid(True, axis="y")
        ax.tick_params(axis="y", length=0)
    axes[len(axes) // 2].set_xlabel("test accuracy, a marker for each seed")
    return "Test accuracy of networks that differ in their parts: " + "; ".join(arms) + "."


@picture(height=3.2)
def show_growth(
    figure: Figure, depths: Sequence[int], networks: Mapping[str, NDArray], theory: NDArray
) -> str:
    """Draw how many times the gradient of a late layer an early one gets, over the depth.

    Args:
        figure: an empty one.
        depths: (depths,).
        networks: name → (depths, seeds), positive.
        theory: what is expected with BN and a residual path, (depths,).
    """
    ax = figure.subplots()
    for name, ratios in networks.items():
        style = STYLES[name]
        ax.semilogy(depths, np.median(ratios, axis=1), **{**style, "marker": ""})
        ax.semilogy([], [], label=name, **style)
        ax.semilogy(depths, ratios, **{**style, "ls": "", "ms": 5, "alpha": 0.7})
    ax.semilogy(depths, theory, color=INK, ls=":", lw=1.5, label="BN, residual: expected")
    ax.set(xlabel="hidden layers, or residual blocks", xticks=depths)
    ax.set_ylabel("gradient of layer 2\nover that of the last")
    ax.grid(True, axis="y")
    place_legend_right(ax, "a marker for\neach seed")
    return "The gradient of an early layer over that of the last hidden one, over the depth."


class Landscape:
    """The loss along the gradient of networks that have reached the same loss.

    On the left the loss itself, with the straight line that the gradient promises; on the right the
    part of the promised decrease that comes.

    Args:
        figure: an empty one.
        networks: names of them, out of `STYLES`.
        shares: how far one goes, in norms of the weights, (places,), increasing.
    """

    def __init__(self, figure: Figure, networks: Sequence[str], shares: NDArray):
        self._shares = shares
        loss, kept = figure.subplots(1, 2)
        self._losses, self._promises, self._kept, self._dots = {}, {}, {}, {}
        for name in networks:
            style = {**STYLES[name], "marker": ""}
            self._losses[name] = loss.plot([], [], label=name, **style)[0]
            self._promises[name] = loss.plot([], [], color=style["color"], lw=1, alpha=0.7)[0]
            self._kept[name] = kept.plot([], [], **style)[0]
            dot = {"color": style["color"], "marker": STYLES[name]["marker"], "ls": "", "ms": 9}
            self._dots[name] = [ax.plot([], [], **dot)[0] for ax in (loss, kept)]
        loss.set(
            xlim=(0, 0.06),
            ylim=(0, 2),
            yticks=(0, 0.5, 1, 1.5, 2),
            ylabel="loss",
            xlabel="weights moved by",
        )
        loss.set_xticks([0, 0.02, 0.04, 0.06], ["0", "2 %", "4 %", "6 %"])
        loss.set_title("Loss against the gradient")
        loss.grid(True)
        promised = loss.plot([], [], color=INK, lw=1, alpha=0.7, label="what the gradient promises")
        handles = [*self._losses.values(), *promised]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        _promise_axis(kept, (0.001, 0.003, 0.01, 0.03, 0.1))
        kept.set(xlabel="weights moved by", xlim=(shares[0], shares[-1]))
        kept.set_title("Part of the promise that comes")
        self._now = [ax.axvline(0.01, color=INK, lw=1) for ax in (loss, kept)]
        dots = [dot for pair in self._dots.values() for dot in pair]
        self.artists: list[Artist] = [
            *self._now,
            *self._promises.values(),
            *self._losses.values(),
            *self._kept.values(),
            *dots,
        ]

    def set(
        self, name: str, start: float, slope: float, losses: NDArray, kept: NDArray, place: int
    ) -> None:
        """Show the walk of a network, and mark how far one goes.

        Args:
            name: of the network.
            start: its loss.
            slope: of the loss at the start, negative.
            losses: (places,).
            kept: (places,).
            place: number of the share, from 0.
        """
        share = self._shares[place]
        ends = np.array([0, -start / slope])  # where a straight line would reach 0
        self._losses[name].set_data([0, *self._shares], [start, *losses])
        self._promises[name].set_data(ends, start + slope * ends)
        part = np.maximum(kept, LOWEST)
        self._kept[name].set_data(self._shares, part)
        on_loss, on_kept = self._dots[name]
        on_loss.set_data([share], [losses[place]])
        on_kept.set_data([share], [part[place]])
        for line in self._now:
            line.set_xdata([share, share])


class Directions:
    """The plane of two weights of which only the direction counts, and a way through it.

    Args:
        figure: an empty one.
        losses: the loss in each direction, (directions,), the first along the first axis, then
            counterclockwise.
        steps: how many there are at most.
    """

    def __init__(self, figure: Figure, losses: NDArray, steps: int):
        grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1))
        plane = figure.add_subplot(grid[:, 0])
        rate, loss = (figure.add_subplot(grid[row, 1]) for row in range(2))
        side = np.linspace(-REACH, REACH, 161)
        angles = np.degrees(np.arctan2(side[:, None], side[None, :])) % 360
        darkness = np.interp(angles, np.linspace(0, 360, len(losses) + 1), [*losses, losses[0]])
        extent = (-REACH, REACH, -REACH, REACH)
        levels = np.ceil(GREYS * darkness / losses.max()) - 1  # as bands, of even grey
        image = GreyImage(plane, 161, 161, extent=extent, origin="lower")
        image.set(0.55 * levels / (GREYS - 1))
        plane.set(xlabel="weight of the upper half", ylabel="weight of the lower half")
        plane.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
        plane.set_title("Darker is a larger loss")
        around = np.radians(np.arange(0, 361, 3))
        self._circle = np.stack([np.cos(around), np.sin(around)])
        self._rings = [
            plane.plot([], [], color=color, ls=ls, lw=1.5)[0]
            for color, ls in ((INK, "--"), (ORANGE, "-"))
        ]
        self._radius = plane.plot([], [], color=INK, lw=1.5)[0]
        self._way = plane.plot([], [], "-o", color=SKY, mec=INK, ms=5, lw=1.5)[0]
        self._here = plane.plot([], [], "o", color=ORANGE, mec=INK, ms=10)[0]
        rate.set(yscale="log", ylim=(1e-3, 30), xlim=(-0.5, steps + 0.5))
        rate.set_title(r"Effective rate, $\eta\,/\,\|w\|^2$")
        loss.set(xlim=(-0.5, steps + 0.5), ylim=(0, 3), xlabel="step")
        loss.set_title("Loss")
        self._curves = [ax.plot([], [], color=INK)[0] for ax in (rate, loss)]
        self._dots = [ax.plot([], [], "o", color=ORANGE, mec=INK, ms=10)[0] for ax in (rate, loss)]
        for ax in (rate, loss):
            ax.grid(True)
        self.artists: list[Artist] = [
            *self._rings,
            self._radius,
            self._way,
            self._here,
            *self._curves,
            *self._dots,
        ]

    def set(self, weights: NDArray, losses: NDArray, rates: NDArray, step: int) -> None:
        """Show a way up to a step; what leaves the plane is not drawn.

        Args:
            weights: before each step and at the end, (steps + 1, 2).
            losses: likewise, (steps + 1,).
            rates: the effective ones, (steps + 1,), positive.
            step: from 0 to the last.
        """
        for ring, at in zip(self._rings, (0, step), strict=True):
            ring.set_data(*(np.linalg.norm(weights[at]) * self._circle))
        self._radius.set_data(*np.stack([np.zeros(2), weights[0]]).T)
        self._way.set_data(*weights[: step + 1].T)
        self._here.set_data(*weights[step : step + 1].T)
        for curve, dot, values in zip(self._curves, self._dots, (rates, losses), strict=True):
            curve.set_data(range(len(values)), values)
            dot.set_data([step], [values[step]])


class NoiseAfterBN:
    """What goes into one unit while networks train, and how well they classify.

    Args:
        figure: an empty one.
        networks: names of them, out of `STYLES`.
        steps: those of the snapshots.
    """

    def __init__(self, figure: Figure, networks: Sequence[str], steps: Sequence[int]):
        means, accuracy = figure.subplots(1, 2)
        self._means, self._accuracy = (
            {n: ax.plot([], [], ms=3, label=n, **STYLES[n])[0] for n in networks}
            for ax in (means, accuracy)
        )
        means.set(ylim=(-6, 6), ylabel="mean over the images")
        means.set_title("Input of one unit")
        accuracy_axis(accuracy, top=1.6)
        accuracy.set_title("Test accuracy")
        for ax in (means, accuracy):
            step_axis(ax, steps)
            ax.grid(True)
        accuracy.legend(loc="upper left")
        self.artists: list[Artist] = [*self._means.values(), *self._accuracy.values()]

    def set(self, name: str, means: NDArray, accuracy: Sequence[float]) -> None:
        """Show a network.

        Args:
            name: of it.
            means: of a unit's input, (snapshots,) so far; beyond ±6 it is drawn on the edge.
            accuracy: on the test images, 0 to 1, (snapshots,) so far.
        """
        self._means[name].set_data(range(len(means)), np.clip(means, -6, 6))
        self._accuracy[name].set_data(range(len(accuracy)), accuracy)
