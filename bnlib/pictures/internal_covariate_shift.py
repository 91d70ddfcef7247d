"""Pictures of lesson 02: what goes into a unit while the network learns."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bnlib.pictures.parts import FAINT, INK, PEAK, WITH_BN, WITHOUT_BN, new_figure, show, styled

REACH = 6  # inputs beyond ±6 change the output of a sigmoid by less than 0.003
BINS = np.linspace(-REACH, REACH, 61)
LOOKS = {"without BN": (WITHOUT_BN, "--", "s"), "with BN": (WITH_BN, "-", "o")}
PERCENTILES = (15, 50, 85)  # those of the paper's Figure 1


class TrainingOfAUnit:
    """The input of one unit over the training, in two networks; and how well the two classify.

    Above, a column for each look at a network: the darker, the more of the batch lies there, and
    lines at the 15th, 50th and 85th percentile. Below, the distribution at one step, and the test
    accuracy over the training. Arguments: the figure, and the `steps` at which one looks.
    """

    def __init__(self, figure: Figure, steps: Sequence[int]):
        self._steps = np.array(steps)
        grid = figure.add_gridspec(2, 2, height_ratios=(1.3, 1))
        maps = [figure.add_subplot(grid[0, column]) for column in range(2)]
        at_step, accuracy = (figure.add_subplot(grid[1, column]) for column in range(2))
        marks = [step for step in (0, 3, 10, 30, 100, 300, 1000) if step <= steps[-1]]
        ticks = np.interp(marks, steps, range(len(steps)))
        extent = (-0.5, len(steps) - 0.5, -REACH, REACH)
        self._maps, self._lines, self._now = {}, {}, []
        for ax, (name, (colour, _, _)) in zip(maps, LOOKS.items(), strict=True):
            blank = np.full((len(BINS) - 1, len(steps), 3), 255, np.uint8)
            look = dict(extent=extent, origin="lower", aspect="auto", interpolation="nearest")
            self._maps[name] = ax.imshow(blank, **look)
            styles = ((":", 1.5), ("-", 2.5), (":", 1.5))
            self._lines[name] = [ax.plot([], [], ls, lw=lw, color=colour)[0] for ls, lw in styles]
            ax.set_title(f"{name}: input of the unit")
            ax.set(xticks=ticks, xticklabels=marks, yticks=(-6, -3, 0, 3, 6), xlabel="step")
            self._now.append(ax.axvline(0, color=INK, lw=1))
        self._bars = {
            name: at_step.stairs(np.zeros(len(BINS) - 1), BINS, ec=colour, ls=ls, lw=2, label=name)
            for name, (colour, ls, _) in LOOKS.items()
        }
        at_step.set(xlim=(-REACH, REACH), ylim=(0, 1.3), yticks=[], ylabel=PEAK)
        at_step.set_title("Its input at this step")
        at_step.legend(loc="upper center", ncols=2)
        self._accuracy = {
            name: accuracy.plot([], [], ls, color=colour, label=name)[0]
            for name, (colour, ls, _) in LOOKS.items()
        }
        accuracy.set(xlim=(-0.5, len(steps) - 0.5), ylim=(0, 150), xlabel="step")
        accuracy.set(xticks=ticks, xticklabels=marks, title="Test accuracy")
        accuracy.set_yticks([10, 50, 100], ["chance", "50 %", "100 %"])
        accuracy.axhline(10, color=FAINT, lw=1)
        accuracy.legend(loc="upper left")
        self._now.append(accuracy.axvline(0, color=INK, lw=1))
        self.artists = [
            *self._maps.values(), *(line for lines in self._lines.values() for line in lines),
            *self._now, *self._bars.values(), *self._accuracy.values(),
        ]  # fmt: skip

    def set(self, name: str, inputs: np.ndarray, accuracy: Sequence[float], step: int) -> None:
        """Show a network: the unit's `inputs` (looks, N) so far, those beyond ±6 on the edge; the
        test accuracy (looks,), 0 to 1, so far; mark `step`, one of the steps, or the last one that
        there is.
        """
        inputs = np.clip(inputs, -REACH, REACH)
        looks = np.arange(len(inputs))
        now = min(int(np.searchsorted(self._steps, step)), looks[-1])
        counts = np.zeros((len(BINS) - 1, len(self._steps)))
        for look in looks:
            counts[:, look] = np.histogram(inputs[look], BINS)[0]
        # Grey levels made here: drawing them takes half the time that a colour map takes.
        grey = (255 * (1 - counts / np.maximum(counts.max(axis=0), 1))).astype(np.uint8)
        self._maps[name].set_data(np.repeat(grey[:, :, np.newaxis], 3, axis=2))
        bands = np.percentile(inputs, PERCENTILES, axis=1)
        for line, band in zip(self._lines[name], bands, strict=True):
            line.set_data(looks, band)
        self._bars[name].set_data(counts[:, now] / max(counts[:, now].max(), 1))
        self._accuracy[name].set_data(looks, 100 * np.array(accuracy))
        for line in self._now:
            line.set_xdata([now, now])


@styled
def show_bands(steps: Sequence[int], bands: dict[str, np.ndarray]) -> None:
    """The paper's Figure 1 (b, c): percentiles of a unit's input over training, for each network
    (steps, 3), on one scale.
    """
    figure = new_figure(8.4, 3.2)
    axes = figure.subplots(1, 2, sharey=True)
    for ax, (name, (colour, _, _)) in zip(axes, LOOKS.items(), strict=True):
        low, middle, high = bands[name].T
        ax.fill_between(steps, low, high, color=colour, alpha=0.2, lw=0, label="15th to 85th")
        ax.plot(steps, middle, color=colour, label="50th percentile")
        ax.set(title=name, xlabel="step")
        ax.grid(True)
    axes[0].set_ylabel("input of the unit")
    axes[0].legend(loc="upper left")
    show(figure, "Percentiles of a unit's input over training, without and with BN.")


@styled
def show_accuracy(steps: Sequence[int], accuracy: dict[str, Sequence[float]]) -> None:
    """The paper's Figure 1 (a): test accuracy, 0 to 1, over the steps of training."""
    figure = new_figure(8.4, 3)
    ax = figure.subplots()
    for name, values in accuracy.items():
        colour, line, marker = LOOKS[name]
        ax.plot(steps, 100 * np.array(values), line, color=colour, label=name)
    ax.set(xlabel="step", ylabel="test accuracy, %", ylim=(0, 103))
    ax.grid(True)
    ax.legend(loc="center right")
    show(figure, "Test accuracy over the steps of training, without and with BN.")


@styled
def show_shift(shifts: dict[str, np.ndarray]) -> None:
    """The shift of each hidden layer on a log axis: for each network (seeds, layers)."""
    figure = new_figure(8.4, 3)
    ax = figure.subplots()
    for offset, (name, values) in zip((-0.08, 0.08), shifts.items(), strict=True):
        colour, _, marker = LOOKS[name]
        layers = np.arange(1, values.shape[1] + 1) + offset
        for seed, of_seed in enumerate(values):
            label = name if seed == 0 else None
            ax.semilogy(layers, of_seed, marker, ms=8, color=colour, alpha=0.7, label=label)
    ax.set(xlabel="hidden layer", ylabel="shift, spreads\nper 100 steps")
    ax.set(xticks=range(1, values.shape[1] + 1), xlim=(0.6, values.shape[1] + 1.2))
    ax.grid(True, axis="y")
    ax.legend(loc="center right", title=f"a marker for\neach of {len(values)} seeds")
    show(figure, "The shift of each hidden layer, without and with BN, for every seed.")
