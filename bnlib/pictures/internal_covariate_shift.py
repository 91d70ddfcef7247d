"""Pictures of lesson 03: what goes into a unit while the network learns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    GREY,
    INK,
    PEAK,
    SKY,
    Drawn,
    GreyImage,
    Histogram,
    accuracy_axis,
    heights,
    place_legend_right,
    step_axis,
)

REACH = 6  # inputs beyond ±6 change the output of a sigmoid by less than 0.003
EDGES = np.linspace(-REACH, REACH, 61)
PERCENTILES = (15, 50, 85)  # those of the paper's Figure 1
ONCE = {"color": INK, "ls": (0, (1, 1)), "marker": "^"}  # of what is normalized by one batch only
WITH_NOISE = {"color": SKY, "ls": "-.", "marker": "D"}  # of BN that is followed by noise


class TrainingOfAUnit:
    """The input of one unit over the training, in two networks; and how well the two classify.

    Above, a column for each snapshot of a network: the darker, the more of the batch lies there,
    and lines at the 15th, 50th and 85th percentile. Below, the distribution at one step, and the
    test accuracy over the training.

    Args:
        figure: an empty one.
        networks: the two, as they are called and drawn.
        steps: those of the snapshots.
    """

    def __init__(self, figure: Figure, networks: Sequence[Drawn], steps: Sequence[int]):
        self._steps = np.array(steps)
        grid = figure.add_gridspec(2, 2, height_ratios=(1.3, 1))
        maps = [figure.add_subplot(grid[0, column]) for column in range(2)]
        at_step, accuracy = (figure.add_subplot(grid[1, column]) for column in range(2))
        extent = (-0.5, len(steps) - 0.5, -REACH, REACH)
        options = {"extent": extent, "origin": "lower", "aspect": "auto"}
        self._maps, self._lines, self._bars, self._accuracy = {}, {}, {}, {}
        for ax, network in zip(maps, networks, strict=True):
            label, style = network.label, {**network.style, "marker": ""}
            self._maps[label] = GreyImage(ax, len(EDGES) - 1, len(steps), **options)
            strokes = ((":", 1.5), ("-", 2.5), (":", 1.5))
            self._lines[label] = [
                ax.plot([], [], **{**style, "ls": ls, "lw": width})[0] for ls, width in strokes
            ]
            ax.set(title=f"{label}: input of the unit", yticks=(-6, -3, 0, 3, 6))
            step_axis(ax, steps)
            bars = {"ec": style["color"], "ls": style["ls"], "lw": 2, "label": label}
            self._bars[label] = Histogram(at_step, EDGES, **bars)
            self._accuracy[label] = accuracy.plot([], [], label=label, **style)[0]
        at_step.set(ylim=(0, 1.3), yticks=[], ylabel=PEAK)
        at_step.set_title("Its input at this step")
        at_step.legend(loc="upper center", ncols=2)
        accuracy_axis(accuracy, top=1.5)
        step_axis(accuracy, steps)
        accuracy.set_title("Test accuracy")
        accuracy.legend(loc="upper left")
        self._now = [ax.axvline(0, color=INK, lw=1) for ax in (*maps, accuracy)]
        self.artists: list[Artist] = [
            *(image.artist for image in self._maps.values()),
            *(line for lines in self._lines.values() for line in lines),
            *self._now,
            *(artist for bars in self._bars.values() for artist in bars.artists),
            *self._accuracy.values(),
        ]

    def set(self, label: str, inputs: NDArray, accuracy: Sequence[float], step: int) -> None:
        """Show the training of a network, and mark `step`, or the last snapshot that there is.

        Args:
            label: of the network.
            inputs: of the unit, (snapshots, N) so far; those beyond ±6 are drawn on the edge.
            accuracy: on the test images, (snapshots,) so far, 0 to 1.
            step: one of the steps.
        """
        places = np.arange(len(inputs))
        now = min(int(np.searchsorted(self._steps, step)), places[-1])
        darkness = np.zeros((len(EDGES) - 1, len(self._steps)))
        for place in places:
            darkness[:, place] = heights(inputs[place], EDGES)
        self._maps[label].set(darkness)
        bands = np.percentile(np.clip(inputs, -REACH, REACH), PERCENTILES, axis=1)
        for line, band in zip(self._lines[label], bands, strict=True):
            line.set_data(places, band)
        self._bars[label].set(inputs[now])
        self._accuracy[label].set_data(places, accuracy)
        for line in self._now:
            line.set_xdata([now, now])


@picture(height=2.8)
def show_bias(figure: Figure, biases: Sequence[float], losses: Sequence[float]) -> str:
    """Draw a loss, and beside it the bias that is to lower it, over the steps.

    Args:
        figure: an empty one.
        biases: (steps,).
        losses: (steps,), positive.
    """
    for ax, values, name in zip(
        figure.subplots(1, 2), (biases, losses), ("bias b", "loss"), strict=True
    ):
        ax.plot(values, color=INK, lw=2.5)
        ax.set(xlabel="step", title=name, ylim=(0, 1.2 * max(values)))
        ax.grid(True)
    return "A bias that is to lower a loss, and this loss, over the steps."


@picture(height=3.2)
def show_bands(
    figure: Figure, networks: Sequence[Drawn], steps: Sequence[int], bands: Mapping[str, NDArray]
) -> str:
    """Draw the percentiles of a unit's input over training, on one scale: Figure 1 (b, c).

    Args:
        figure: an empty one.
        networks: two, as they are called and drawn.
        steps: those of the snapshots.
        bands: label → (snapshots, 3 percentiles).

    Source: Ioffe & Szegedy (2015), Figure 1.
    """
    axes = figure.subplots(1, 2, sharey=True)
    for ax, network in zip(axes, networks, strict=True):
        colour = network.style["color"]
        low, middle, high = bands[network.label].T
        ax.fill_between(steps, low, high, color=colour, alpha=0.25, lw=0, label="15th to 85th")
        ax.plot(steps, middle, color=colour, label="50th percentile")
        ax.set(title=network.label, xlabel="step")
        ax.grid(True)
    axes[0].set_ylabel("input of one unit")
    axes[0].legend(loc="upper left")
    return "Percentiles of a unit's input over training, without and with BN."


@picture(height=3)
def show_accuracy(
    figure: Figure,
    networks: Sequence[Drawn],
    steps: Sequence[int],
    accuracy: Mapping[str, NDArray],
) -> str:
    """Draw the test accuracy over the steps of training, a line for each seed: Figure 1 (a).

    Args:
        figure: an empty one.
        networks: as they are called and drawn.
        steps: those of the snapshots.
        accuracy: label → (seeds, snapshots), 0 to 1.

    Source: Ioffe & Szegedy (2015), Figure 1.
    """
    ax = figure.subplots()
    for network in networks:
        style = {**network.style, "marker": "", "lw": 1.5}
        lines = ax.plot(steps, accuracy[network.label].T, **style)
        lines[0].set_label(network.label)
    accuracy_axis(ax)
    ax.set(xlabel="step", ylabel="test accuracy")
    place_legend_right(ax, "a line for\neach seed")
    names = ", ".join(network.label for network in networks)
    return f"Test accuracy over the steps of training: {names}."


@picture(height=3.2)
def show_shift(
    figure: Figure, networks: Sequence[Drawn], shifts: Mapping[str, Mapping[str, NDArray]]
) -> str:
    """Draw the shift of each hidden layer on a log axis, a panel for each way to measure it.

    An arrow says how many times larger the first network's is in the last layer, median of seeds.

    Args:
        figure: an empty one.
        networks: two, as they are called and drawn.
        shifts: unit of the distance → label → (seeds, layers).
    """
    axes = figure.subplots(1, len(shifts), sharey=True, squeeze=False)[0]
    for ax, (unit, of_network) in zip(axes, shifts.items(), strict=True):
        for offset, network in zip((-0.1, 0.1), networks, strict=True):
            values = of_network[network.label]
            layers = np.arange(1, values.shape[1] + 1)
            style = {**network.style, "ls": "", "ms": 8, "alpha": 0.7}
            dots = ax.semilogy(layers + offset, values.T, **style)
            dots[0].set_label(network.label)
        last = [of_network[network.label][:, -1] for network in networks]  # (seeds,) each
        high, low = map(np.median, last)
        times = _rounded(np.median(np.divide(*last)))
        place = len(layers) + 0.35
        ax.annotate("", (place, high), (place, low), arrowprops={"arrowstyle": "<->", "lw": 1.5})
        ax.text(place + 0.07, np.sqrt(high * low), f"× {times}", va="center")
        ax.set(xlabel="hidden layer", title=unit, xticks=layers, xlim=(0.6, len(layers) + 1))
        ax.grid(True, axis="y")
    axes[0].set_ylabel("distance travelled\nin 100 steps")
    place_legend_right(axes[-1], f"a marker for\neach of {len(values)} seeds")
    return "The shift of each hidden layer, without and with BN, measured in two ways."


@picture(height=2.8)
def show_by_looks(
    figure: Figure,
    networks: Sequence[Drawn],
    every: Sequence[int],
    shifts: Mapping[str, Sequence[float]],
) -> str:
    """Draw the shift on a log axis, over how rarely one looks.

    Args:
        figure: an empty one.
        networks: as they are called and drawn.
        every: 1 for all looks, 2 for each second, …; (measurements,).
        shifts: label → (measurements,).
    """
    ax = figure.subplots()
    for network in networks:
        ax.semilogy(shifts[network.label], label=network.label, **network.style)
    ax.set(xlabel="one look in …", ylabel="shift, in spreads")
    ax.set_xticks(range(len(every)), [f"{looks}" for looks in every])
    ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    ax.grid(True, axis="y")
    place_legend_right(ax)
    return "The shift of networks over how rarely one looks at them."


@picture(height=3.8)
def show_evidence(
    figure: Figure,
    networks: Sequence[Drawn],
    board: Mapping[tuple[str, float], Sequence[tuple[float, float, float]]],
) -> str:
    """Draw how well networks have learned over how much they shift, a panel for each measure.

    A pale arrow points where the marks would fall if the shift slowed learning down.

    Args:
        figure: an empty one.
        networks: as they are called and drawn.
        board: (label, standard deviation of the initial weights) → for each seed the accuracy, 0 to
            1, the shift of the inputs and the change of the gradient, both positive.
    """
    left, right = figure.subplots(1, 2, sharey=True)
    smallest = min(std for _, std in board)
    styles = {network.label: {**network.style, "ls": "", "ms": 9} for network in networks}
    for ax, column in ((left, 1), (right, 2)):
        for (label, std), numbers in board.items():
            face = {"mfc": "white", "mew": 2} if std == smallest else {"alpha": 0.8}
            measured = np.array(numbers)  # (seeds, 3)
            ax.semilogx(measured[:, column], measured[:, 0], **styles[label], **face)
        accuracy_axis(ax, top=1.08)
        ax.margins(x=0.12)
        arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 6, "alpha": 0.5, "mutation_scale": 30}
        ax.annotate(
            "", (0.93, 0.12), (0.1, 0.72), xycoords="axes fraction", arrowprops=arrow, zorder=0
        )
    left.set(title="inputs", xlabel="shift, in spreads", ylabel="test accuracy")
    right.set(title="gradient", xlabel="change, relative to it")
    for label, style in styles.items():
        right.plot([], [], **style, label=label)
    right.plot([], [], "o", color=GREY, mfc="white", mew=2, ms=9, label=f"weights {smallest:g}")
    largest = max(std for _, std in board)
    right.plot([], [], "o", color=GREY, ms=9, label=f"weights {largest:g}")
    right.plot([], [], color=GREY, lw=6, alpha=0.5, label="expected, if\nshift slows learning")
    place_legend_right(right)
    return "How well the networks have learned, over how much they shift, in two measures."


def _rounded(factor: float) -> int:
    """Round a factor to tens, or, below 20, to whole numbers."""
    return round(factor / 10) * 10 if factor >= 20 else round(factor)
