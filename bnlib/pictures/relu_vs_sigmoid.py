"""Pictures of lesson 05: ReLU and sigmoid networks, each without and with BN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    GREY,
    INK,
    PEAK,
    Drawn,
    GreyImage,
    Histogram,
    accuracy_axis,
    heights,
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


@picture(height=7.2)
def show_bars(
    figure: Figure,
    networks: Sequence[Network],
    inputs: Mapping[str, NDArray],
    steps: Sequence[int],
) -> str:
    """Draw histograms over the first steps as 3-D bars, as many articles do.

    Args:
        figure: an empty one.
        networks: two, a row of panels each.
        inputs: label → (steps, 2, ...), of the first and of the last hidden layer.
        steps: of the histograms, from the front to the back.
    """
    width = EDGES[1] - EDGES[0]
    panels = [(network, layer) for network in networks for layer in range(2)]
    for number, (network, layer) in enumerate(panels, start=1):
        ax = figure.add_subplot(len(networks), 2, number, projection="3d")
        for step, sample in reversed([*zip(steps, inputs[network.label], strict=True)]):
            bars = {"zs": step, "zdir": "y", "width": width, "align": "edge", "alpha": 0.9}
            colour = network.style["color"]
            ax.bar(
                EDGES[:-1], heights(sample[layer], EDGES), color=colour, ec="white", lw=0.3, **bars
            )
        name = ("first layer", "last layer")[layer]
        ax.set(title=f"{network.label}: {name}", xlabel="input", ylabel="step")
        ax.set(zlim=(0, 1), zticks=[], yticks=steps, xticks=(-4, -2, 0, 2, 4))
        ax.grid(False)
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.pane.set_visible(False)
        ax.view_init(elev=28, azim=-62)
        ax.set_box_aspect((1.5, 1, 0.8), zoom=1.15)
    return "Histograms of the inputs over the first steps, one behind the other."


@picture(height=4.6)
def show_ridges(
    figure: Figure,
    networks: Sequence[Network],
    inputs: Mapping[str, NDArray],
    steps: Sequence[int],
) -> str:
    """Draw the histograms of `show_bars` one above the other, so that none hides another.

    Args:
        figure: an empty one.
        networks: a column of panels each.
        inputs: label → (steps, 2, ...), of the first and of the last hidden layer.
        steps: of the histograms, from the top to the bottom.
    """
    axes = figure.subplots(2, len(networks), sharex=True, sharey=True)
    for column, network in enumerate(networks):
        colour = network.style["color"]
        for row in range(2):
            ax = axes[row, column]
            for place, sample in enumerate(inputs[network.label]):
                base = len(steps) - 1 - place
                ridge = base + 0.85 * heights(sample[row], EDGES)
                ax.stairs(ridge, EDGES, baseline=base, fill=True, fc=colour, alpha=0.35)
                ax.stairs(ridge, EDGES, baseline=base, ec=colour, lw=1.2)
            ax.set(xlim=(-REACH, REACH), xticks=(-3, 0, 3))
            ax.set_yticks(range(len(steps)), [*reversed(steps)])
            ax.tick_params(axis="y", length=0)
        axes[0, column].set_title(two_lines(network.label))
        axes[1, column].set_xlabel("input")
    axes[0, 0].set_ylabel("first layer: step")
    axes[1, 0].set_ylabel("last layer: step")
    return "The inputs of the first and of the last hidden layer, a histogram for each step."


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
        digits: (N,), sorted.
    """
    axes = figure.subplots(1, len(networks), sharey=True)
    for ax, network in zip(axes, networks, strict=True):
        _activation_image(ax, digits).set(activations[network.label] / _darkest(network))
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


@picture(height=3.4)
def show_shares(
    figure: Figure,
    networks: Sequence[Network],
    saturated: Mapping[str, NDArray],
    dead: Mapping[str, NDArray],
) -> str:
    """Draw the shares of saturated inputs and of dead units, layer by layer.

    Args:
        figure: an empty one.
        networks: a line each, in the panel that has numbers of it.
        saturated: label → (seeds, layers), 0 to 1.
        dead: likewise.
    """
    axes = figure.subplots(1, 2, sharey=True)
    titles = ("Sigmoid: saturated inputs", "ReLU: dead units")
    for ax, title, shares in zip(axes, titles, (saturated, dead), strict=True):
        for network in networks:
            if network.label not in shares:
                continue
            values = 100 * np.median(shares[network.label], axis=0)
            layers = range(1, len(values) + 1)
            ax.plot(layers, values, label=network.label, **network.style)
        ax.set(title=title, xlabel="hidden layer", xticks=layers, ylim=(-4, 128))
        ax.set_yticks(range(0, 101, 20))
        ax.grid(True, axis="y")
        ax.legend(loc="upper left", ncols=2)
    axes[0].set_ylabel("%, median of the seeds")
    return "Saturated inputs of sigmoids and dead ReLU units, layer by layer."


@picture(height=3)
def show_relu_curves(
    figure: Figure,
    networks: Sequence[Network],
    steps: Sequence[int],
    accuracy: Mapping[str, NDArray],
) -> str:
    """Draw test accuracy over training, a line for each seed.

    Args:
        figure: an empty one.
        networks: as they are called and drawn.
        steps: those of the snapshots.
        accuracy: label → (seeds, snapshots), 0 to 1.
    """
    ax = figure.subplots()
    for network in networks:
        values = accuracy[network.label]
        lines = ax.plot(values.T, lw=1.5, ms=5, **network.style)
        lines[0].set_label(network.label)
    step_axis(ax, steps)
    accuracy_axis(ax)
    ax.set_ylabel("test accuracy")
    ax.legend(loc="lower right", title=f"a line for each of {len(values)} seeds")
    return "Test accuracy over the steps of training, ReLU without and with BN."


@picture(height=3.2)
def show_gain(
    figure: Figure,
    gains: NDArray,
    depths: Sequence[int],
    inits: Sequence[str],
    rates: Sequence[float],
) -> str:
    """Draw what BN gains: a cell shows the mean, bold where the seeds agree on the sign.

    Args:
        figure: an empty one.
        gains: percentage points of accuracy, (depths, inits, rates, seeds).
        depths: numbers of hidden layers, a map each.
        inits: names of the initial weights, a row each.
        rates: learning rates, a column each.
    """
    axes = figure.subplots(1, len(depths))
    for ax, depth, of_depth in zip(axes, depths, gains, strict=True):
        mean = of_depth.mean(axis=-1)
        image = ax.imshow(mean, cmap="PuOr", vmin=-90, vmax=90, aspect="auto")
        for row, column in np.ndindex(mean.shape):
            agree = abs(np.sign(of_depth[row, column]).sum()) == gains.shape[-1]
            weight = "bold" if agree else "normal"
            colour = "white" if abs(mean[row, column]) > 40 else INK
            points = f"{mean[row, column]:+.0f}".replace("-", "−")
            centre = {"ha": "center", "va": "center", "fontsize": 13}
            ax.text(column, row, points, color=colour, weight=weight, **centre)
        ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        ax.set_yticks(range(len(inits)), inits)
        ax.set(title=f"{depth} hidden layers", xlabel="learning rate")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel("std of the weights")
    figure.colorbar(image, ax=axes, label="gain of BN, points", ticks=[-80, -40, 0, 40, 80])
    return "What BN gains in accuracy, for two depths, three initial weights, three rates."
