"""Pictures of lesson 05: ReLU and sigmoid networks, each without and with BN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    BLUE,
    EVALUATION,
    GREY,
    INK,
    PEAK,
    STYLE_WITH_BN,
    STYLE_WITHOUT_BN,
    TRAINING,
    Drawn,
    GreyImage,
    Histogram,
    accuracy_axis,
    place_legend_right,
    rows_by_digit,
    step_axis,
    two_lines,
)

REACH = 4
EDGES = np.linspace(-REACH, REACH, 41)
DARKEST = {"relu": 2.0, "sigmoid": 1.0}  # an activation of this size or more is black
DEEPEST = 10
UNITS = 100
NORM_ENDS = (1e-7, 1e2)
UNKNOWN = "#767676"  # the text of a cell that has not been trained
MODES: dict[str, Mapping[str, Any]] = {
    "training mode": {"color": TRAINING, "ls": "-.", "marker": "v"},
    "evaluation mode": {"color": EVALUATION, "ls": "-", "marker": "o"},
}


class Network(Drawn, Protocol):
    """A network as it is called and drawn, and its options, `activation` among them."""

    @property
    def network(self) -> Mapping[str, Any]:
        """Options of the network."""


class FourNetworks:
    """A layer of four networks at a step of their training.

    Above, the activations of a batch as an image, and the histogram of their inputs; below,
    gradient norms layer by layer, and the test accuracy.

    Args:
        figure: an empty one.
        networks: the four.
        steps: those of the snapshots.
        digits: of the rows of the images, sorted.
    """

    def __init__(
        self,
        figure: Figure,
        networks: Sequence[Network],
        steps: Sequence[int],
        digits: NDArray,
    ):
        self._steps, self._networks = np.array(steps), {n.label: n for n in networks}
        parts: Any = figure.subfigures(3, 1, height_ratios=(1.55, 1, 1.55))
        images, bars, curves = parts
        self._images, self._notes, self._bars = {}, {}, {}
        for ax, network in zip(images.subplots(1, 4, sharey=True), networks, strict=True):
            self._images[network.label] = _activation_image(ax, digits)
            centre = {"ha": "center", "va": "center", "transform": ax.transAxes}
            self._notes[network.label] = ax.text(0.5, 0.5, "", weight="bold", **centre)
            ax.set_title(two_lines(network.label))
        for ax, network in zip(bars.subplots(1, 4), networks, strict=True):
            colour = network.style["color"]
            self._bars[network.label] = Histogram(ax, EDGES, fill=True, fc=colour)
            ax.set(ylim=(0, 1.05), yticks=[], xticks=(-3, 0, 3), xlabel="input of a unit")
        bars.axes[0].set_ylabel(PEAK)
        images.axes[0].set_ylabel("image, by digit")
        norms, accuracy = curves.subplots(1, 2)
        _norm_axes(norms)
        accuracy_axis(accuracy)
        step_axis(accuracy, steps)
        accuracy.set_title("Test accuracy")
        self._norms, self._accuracy = (
            {n.label: ax.plot([], [], ms=5, label=n.label, **n.style)[0] for n in networks}
            for ax in (norms, accuracy)
        )
        curves.legend(handles=[*self._norms.values()], loc="outside lower center", ncols=4)
        self._now = accuracy.axvline(0, color=INK, lw=1)
        self._layer = norms.axvline(0, color=INK, lw=1)
        self.artists: list[Artist] = [
            *(image.artist for image in self._images.values()),
            *self._notes.values(),
            *(artist for histogram in self._bars.values() for artist in histogram.artists),
            self._now,
            self._layer,
            *self._norms.values(),
            *self._accuracy.values(),
        ]

    def mark(self, layer: int, step: int) -> None:
        """Mark the `layer`, counted from 1, and the `step`, one of the steps."""
        place = int(np.searchsorted(self._steps, step))
        self._now.set_xdata([place, place])
        self._layer.set_xdata([layer, layer])

    def set(
        self,
        label: str,
        inputs: NDArray,
        activations: NDArray,
        norms: NDArray,
        accuracy: Sequence[float],
    ) -> None:
        """Show one of the networks.

        Args:
            label: which one.
            inputs: of the activations of a layer, any shape.
            activations: of the layer, (rows, 100), a row for each digit.
            norms: of the gradients, (layers,).
            accuracy: on the test images, (snapshots,) so far, 0 to 1.
        """
        diverged = not np.isfinite(inputs).all()
        self._notes[label].set_text("diverged:\nno numbers" if diverged else "")
        if diverged:  # what is left of the numbers means nothing
            inputs, activations = np.zeros(0), np.zeros_like(activations)
        self._images[label].set(activations / _darkest(self._networks[label]))
        self._bars[label].set(inputs)
        visible = np.clip(norms, *NORM_ENDS)  # what lies beyond is drawn on the edge
        self._norms[label].set_data(range(1, len(norms) + 1), visible)
        self._accuracy[label].set_data(range(len(accuracy)), accuracy)


def _darkest(network: Network) -> float:
    return DARKEST[network.network["activation"]]


def _activation_image(ax: Axes, digits: NDArray) -> GreyImage:
    """Make a blank image, a row for each of the sorted `digits`, a column for each unit."""
    image = GreyImage(ax, len(digits), UNITS, aspect="auto")
    rows_by_digit(ax, digits, every=3)
    ax.set(xticks=(0, 50, 99), xticklabels=(1, 50, 100), xlabel="unit")
    ax.spines[["top", "right"]].set_visible(True)
    return image


def _norm_axes(ax: Axes) -> None:
    ax.set_yscale("log")
    ax.set(xlim=(0.5, DEEPEST + 0.5), ylim=NORM_ENDS, xlabel="hidden layer")
    ax.set(title="Norm of the gradient", xticks=range(1, DEEPEST + 1))
    ax.set_yticks([1e-6, 1e-4, 1e-2, 1, 1e2])
    ax.grid(True, axis="y")


@picture(height=3)
def show_batch_of_five(figure: Figure, batches: Mapping[str, NDArray]) -> str:
    """Draw where batches lie on the curve of ReLU: name → (5,)."""
    axes = figure.subplots(1, len(batches), sharey=True)
    for ax, (name, z) in zip(axes, batches.items(), strict=True):
        ax.plot([-7, 0, 7], [0, 0, 7], color=GREY, lw=3)
        ax.plot(z, np.maximum(z, 0), "o", ms=9, color=INK, mec="white")
        ax.set(title=name, xlabel="z", xlim=(-7, 7), ylim=(-0.6, 7))
        ax.grid(True)
    axes[0].set_ylabel("ReLU(z)")
    return "Batches of five on the curve of ReLU: " + "; ".join(batches) + "."


@picture(height=2.6)
def show_heaps(figure: Figure, networks: Sequence[Network], inputs: Mapping[str, NDArray]) -> str:
    """Draw what goes into a layer of each network, all images and units in one histogram.

    Args:
        figure: an empty one.
        networks: a histogram each.
        inputs: label → any shape.
    """
    axes = figure.subplots(1, len(networks))
    for ax, network in zip(axes, networks, strict=True):
        Histogram(ax, EDGES, fill=True, fc=network.style["color"]).set(inputs[network.label])
        ax.set(ylim=(0, 1.05), yticks=[], xticks=(-3, 0, 3), xlabel="input of a unit")
        ax.set_title(two_lines(network.label))
    axes[0].set_ylabel(PEAK)
    return "The inputs of the last hidden layer of each network, all in one histogram."


@picture(height=3.6)
def show_activations(
    figure: Figure,
    networks: Sequence[Network],
    activations: Mapping[str, NDArray],
    digits: NDArray,
) -> str:
    """Draw what a layer of each network says to a batch.

    Args:
        figure: an empty one.
        networks: an image each.
        activations: label → (N, 100).
        digits: (N,), by which the rows are sorted.
    """
    axes, order = figure.subplots(1, len(networks), sharey=True), np.argsort(digits, kind="stable")
    for ax, network in zip(axes, networks, strict=True):
        rows = activations[network.label][order]
        _activation_image(ax, digits[order]).set(rows / _darkest(network))
        ax.set_title(two_lines(network.label))
    axes[0].set_ylabel("image, by digit")
    return "Activations as images: rows are images, columns are units, dark is large."


@picture(height=3.4)
def show_gradient_norms(
    figure: Figure, networks: Sequence[Network], norms: Mapping[str, NDArray]
) -> str:
    """Draw gradient norms on a log axis; lines join their medians.

    Args:
        figure: an empty one.
        networks: a line each.
        norms: label → (seeds, layers).
    """
    ax = figure.subplots()
    for network in networks:
        values = norms[network.label]
        layers = range(1, values.shape[1] + 1)
        ax.semilogy(layers, np.median(values, axis=0), label=network.label, **network.style)
    ax.set(xlabel="hidden layer", ylabel="norm of the gradient", xticks=layers)
    ax.grid(True)
    place_legend_right(ax)
    return "The norm of the gradient of each layer's weights, for four networks."


@picture(height=3.6)
def show_stretched(figure: Figure, layers: Mapping[str, NDArray], digits: NDArray) -> str:
    """Draw what differs between images: each column without its mean, stretched to one contrast.

    Args:
        figure: an empty one.
        layers: name → outputs of a layer, (N, 100), an image each.
        digits: (N,), by which the rows are sorted.
    """
    axes, order = figure.subplots(1, len(layers), sharey=True), np.argsort(digits, kind="stable")
    for ax, (name, outputs) in zip(axes, layers.items(), strict=True):
        differences = outputs - outputs.mean(axis=0)
        grey = 0.5 + differences / (5 * differences.std())  # 2.5 standard deviations are black
        _activation_image(ax, digits[order]).set(grey[order])
        ax.set_title(name)
    axes[0].set_ylabel("image, by digit")
    return "Activations as images, without the mean of each unit, and stretched."


@picture(height=3.4)
def show_places(figure: Figure, without: NDArray, accuracy: NDArray) -> str:
    """Draw accuracies, a dot for each seed, over the place of a single BN; a line joins medians.

    Args:
        figure: an empty one.
        without: 0 to 1, of networks without any BN, (seeds,).
        accuracy: 0 to 1, with one BN, (places, seeds).
    """
    ax = figure.subplots()
    places = np.arange(1, len(accuracy) + 1)
    dots: dict[str, Any] = {"ls": "", "ms": 8, "mec": "white"}
    ax.plot(0 * without, without, **{**STYLE_WITHOUT_BN, **dots}, label="no BN")
    ax.plot(places, np.median(accuracy, axis=1), color=BLUE, lw=2)
    ax.plot(places, accuracy, **{**STYLE_WITH_BN, **dots})
    ax.lines[-1].set_label("one BN, a dot for each\nseed, line: medians")
    ax.set_xticks(range(len(places) + 1), ["none", *places])
    ax.set(xlabel="hidden layer with the only BN", ylabel="test accuracy")
    accuracy_axis(ax)
    place_legend_right(ax)
    return "Test accuracy of sigmoid networks over the place of their only BN."


@picture(height=3.6)
def show_saturation(
    figure: Figure,
    cases: Sequence[tuple[float, float]],
    saturated: NDArray,
    accuracy: NDArray,
) -> str:
    """Draw accuracies of networks over the share of their saturated inputs, a dot for each seed.

    Args:
        figure: an empty one.
        cases: standard deviation of the initial weights, and rate, of each network; the rate is
            written where the same weights come once more.
        saturated: shares of the inputs, 0 to 1, (cases, seeds).
        accuracy: on the test images, likewise.
    """
    ax = figure.subplots()
    style: dict[str, Any] = {**STYLE_WITHOUT_BN, "ls": "", "ms": 8}
    named: set[float] = set()
    for (std, rate), x, y in zip(cases, 100 * saturated, accuracy, strict=True):
        ax.plot(x, y, **style)
        name = f"std {std:g}" + (f"\nat rate {rate:g}" if std in named else "")
        place: Any = {"xytext": (0, 10), "textcoords": "offset points", "ha": "center"}
        ax.annotate(name, (x.mean(), y.max()), **place)
        named.add(std)
    accuracy_axis(ax)
    ax.set(xlim=(-5, 80), xlabel="inputs beyond ±3, in %", ylabel="test accuracy")
    return "Test accuracy of sigmoid networks over the share of their saturated inputs."


@picture(height=4)
def show_depths(
    figure: Figure,
    networks: Sequence[Drawn],
    depths: Sequence[int],
    panels: Mapping[str, Sequence[NDArray]],
) -> str:
    """Draw accuracies over depth, a line for each network.

    Args:
        figure: an empty one.
        networks: a line each.
        depths: numbers of hidden layers.
        panels: title → accuracy of each network, 0 to 1, (depths,).
    """
    axes = figure.subplots(1, len(panels), sharey=True)
    for ax, (title, lines) in zip(axes, panels.items(), strict=True):
        for network, accuracy in zip(networks, lines, strict=True):
            ax.plot(accuracy, label=network.label, **network.style)
        ax.set_xticks(range(len(depths)), [f"{depth}" for depth in depths])
        ax.set(xlabel="hidden layers", title=title)
        accuracy_axis(ax)
    axes[0].set_ylabel("test accuracy")
    figure.legend(
        handles=axes[0].get_legend_handles_labels()[0], loc="outside lower center", ncols=4
    )
    return "Test accuracy over depth of four networks, each at its best rate."


@picture(height=3.6)
def show_both_modes(
    figure: Figure, steps: Sequence[int], training: NDArray, evaluation: NDArray
) -> str:
    """Draw test accuracy of a network with BN over training, a line for each seed.

    Args:
        figure: an empty one.
        steps: at which it was measured.
        training: accuracy in training mode, 0 to 1, (seeds, steps).
        evaluation: likewise in evaluation mode.
    """
    ax = figure.subplots()
    for (label, style), values in zip(MODES.items(), (training, evaluation), strict=True):
        lines = ax.plot(values.T, lw=1.5, ms=6, **style)
        lines[0].set_label(label)
    ax.set_xticks(range(len(steps)), [f"{step}" for step in steps])
    ax.set(xlabel="step", ylabel="test accuracy")
    accuracy_axis(ax)
    place_legend_right(ax, "a line for each seed")
    return "Test accuracy over the first steps, in training mode and in evaluation mode."


@picture(height=3.2)
def show_bets(figure: Figure, bets: Mapping[str, Mapping[str, NDArray]]) -> str:
    """Draw accuracies of networks that are bet on, a dot for each seed.

    Args:
        figure: an empty one.
        bets: title → name of a network → accuracies, 0 to 1, (seeds,).
    """
    axes = figure.subplots(1, len(bets), width_ratios=[*map(len, bets.values())], sharey=True)
    for ax, (title, networks) in zip(axes, bets.items(), strict=True):
        for place, accuracy in enumerate(networks.values()):
            ax.plot(place + np.linspace(-0.1, 0.1, len(accuracy)), accuracy, "o", color=INK, ms=8)
        ax.set_xticks(range(len(networks)), [*networks])
        ax.set(title=title, xlim=(-0.5, len(networks) - 0.5))
        accuracy_axis(ax)
    axes[0].set_ylabel("test accuracy")
    return "Test accuracy of the networks that are bet on, a dot for each seed."


@picture(height=5)
def show_gain_map(
    figure: Figure,
    accuracy: NDArray,
    depths: Sequence[int],
    stds: Sequence[float],
    small: float,
) -> str:
    """Draw the whole map: accuracy without and with BN, and the gain.

    Args:
        figure: an empty one.
        accuracy: without BN and with it, 0 to 1, (2, depths, stds).
        depths: numbers of hidden layers, a row each.
        stds: of the initial weights, a column each.
        small: gains below this, in percentage points, have a frame.
    """
    axes = figure.subplots(1, 3, sharey=True)
    for ax, title, shares in zip(axes, ("without BN", "with BN"), accuracy, strict=False):
        ax.imshow(shares, cmap="cividis", vmin=0, vmax=1, aspect="auto")
        for cell in np.ndindex(shares.shape):
            colour = INK if shares[cell] > 0.55 else "white"
            _cell_text(ax, cell, f"{100 * shares[cell]:.0f}").set_color(colour)
        ax.set_title(f"{title}: % right")
    gains = 100 * (accuracy[1] - accuracy[0])
    axes[2].imshow(_gain_colours(gains), aspect="auto")
    for cell in np.ndindex(gains.shape):
        _cell_text(axes[2], cell, _points(gains[cell])).set_color(_on_gain(gains[cell]))
        if gains[cell] < small:
            corner = cell[1] - 0.46, cell[0] - 0.46
            axes[2].add_patch(Rectangle(corner, 0.92, 0.92, fill=False, ec=INK, lw=2))
    axes[2].set_title("gain of BN, points")
    for ax in axes:
        _map_axes(ax, depths, stds)
    axes[0].set_ylabel("hidden layers")
    return "Accuracy without and with BN, each at its best rate, and what BN gains."


class Exploration:
    """A map of gains that fills cell by cell, and beside it the two networks of one cell.

    Args:
        figure: an empty one.
        depths: numbers of hidden layers, a row each.
        stds: of the initial weights, a column each.
    """

    def __init__(self, figure: Figure, depths: Sequence[int], stds: Sequence[float]):
        board, cell = figure.subplots(1, 2, width_ratios=(1.9, 1))
        shape = (len(depths), len(stds))
        self._gains = np.zeros(shape)
        self._image = board.imshow(np.zeros((*shape, 4)), aspect="auto")
        self._texts = {place: _cell_text(board, place, "?") for place in np.ndindex(*shape)}
        self._cursor = Rectangle((0, 0), 1, 1, fill=False, ec=INK, lw=3, clip_on=False)
        board.add_patch(self._cursor)
        _map_axes(board, depths, stds)
        board.set_xticks(np.arange(-0.5, len(stds)), minor=True)  # lines between the cells
        board.set_yticks(np.arange(-0.5, len(depths)), minor=True)
        board.grid(True, which="minor", color=GREY)
        board.tick_params(which="minor", length=0)
        board.set(ylabel="hidden layers", title="Gain of BN, in points")
        accuracy_axis(cell)
        cell.set(xlim=(-0.5, 1.5), title="Test accuracy in this cell")
        cell.set_xticks((0, 1), ("without BN", "with BN"))
        self._dots = [
            cell.plot([], [], ms=9, **{**style, "ls": ""})[0]
            for style in (STYLE_WITHOUT_BN, STYLE_WITH_BN)
        ]
        self._note = cell.text(0.5, 0.3, "", ha="center", va="center")
        self.artists: list[Artist] = [
            self._image,
            *self._texts.values(),
            self._cursor,
            *self._dots,
            self._note,
        ]

    def set(self, gains: NDArray, cell: tuple[int, int], accuracy: NDArray | None) -> None:
        """Show what is known so far.

        Args:
            gains: percentage points, (depths, stds); NaN where nothing has been trained.
            cell: the one that is pointed at.
            accuracy: of its two networks, 0 to 1, (2, seeds); None if they are not trained.
        """
        if not np.array_equal(gains, self._gains, equal_nan=True):
            self._gains = gains
            self._colour_cells()
        row, column = cell
        self._cursor.set_xy((column - 0.5, row - 0.5))
        for x, dots in enumerate(self._dots):
            shown = np.zeros(0) if accuracy is None else accuracy[x]
            dots.set_data(x + np.linspace(-0.12, 0.12, len(shown)), shown)
        self._note.set_text("not trained yet" if accuracy is None else "")

    def _colour_cells(self) -> None:
        self._image.set_data(_gain_colours(self._gains))
        for place, text in self._texts.items():
            gain = float(self._gains[place])
            text.set_text("?" if np.isnan(gain) else _points(gain))
            text.set_color(UNKNOWN if np.isnan(gain) else _on_gain(gain))


def _map_axes(ax: Axes, depths: Sequence[int], stds: Sequence[float]) -> None:
    ax.set_xticks(range(len(stds)), [f"{std:g}" for std in stds])
    ax.set_yticks(range(len(depths)), [f"{depth}" for depth in depths])
    ax.set_xlabel("std of the initial weights")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _cell_text(ax: Axes, cell: tuple[int, ...], text: str) -> Text:
    return ax.text(cell[1], cell[0], text, ha="center", va="center", fontsize=11)


def _gain_colours(gains: NDArray) -> NDArray:
    """Return RGBA colours, (..., 4): orange is a loss, purple a gain; what is unknown has none."""
    colours = matplotlib.colormaps["PuOr"](0.5 + np.nan_to_num(gains) / 180)
    colours[np.isnan(gains)] = 0
    return colours


def _on_gain(gain: float) -> str:
    """Return a colour of text that can be read on that of a gain."""
    return "white" if abs(gain) > 40 else INK


def _points(gain: float) -> str:
    return f"{gain:+.0f}".replace("-", "−")
