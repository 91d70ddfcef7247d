"""Pictures of lesson 04: ReLU and sigmoid networks, each without and with BN."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bnlib.pictures.parts import FAINT, INK, PEAK, WITH_BN, WITHOUT_BN, new_figure, show, styled

LOOKS = {  # colour and line tell BN, the marker tells the activation
    "ReLU, without BN": dict(color=WITHOUT_BN, ls="--", marker="^", mfc="white"),
    "ReLU, with BN": dict(color=WITH_BN, ls="-", marker="^", mfc="white"),
    "sigmoid, without BN": dict(color=WITHOUT_BN, ls="--", marker="o"),
    "sigmoid, with BN": dict(color=WITH_BN, ls="-", marker="o"),
}
REACH = 4
BINS = np.linspace(-REACH, REACH, 41)
DARKEST = 2.0  # an activation of ReLU of this size or more is black
DEEPEST = 10


def _heights(sample: np.ndarray) -> np.ndarray:
    """Histogram on BINS as a share of its highest bar; what lies beyond counts in the end bars,
    and NaN nowhere.
    """
    within = np.clip(sample[~np.isnan(sample)], -REACH, REACH)
    cells = ((within + REACH) * ((len(BINS) - 1) / (2 * REACH))).astype(int)
    counts = np.bincount(np.minimum(cells, len(BINS) - 2), minlength=len(BINS) - 1)
    return counts / max(counts.max(), 1)


def _grey(name: str, activations: np.ndarray) -> np.ndarray:
    """Activations (N, C) as an image (N, C, 3), uint8, dark where large. Grey levels made here:
    drawing them takes half the time that a colour map takes.
    """
    top = DARKEST if name.startswith("ReLU") else 1.0
    grey = (255 * (1 - np.clip(np.nan_to_num(activations / top), 0, 1))).astype(np.uint8)
    return np.repeat(grey[:, :, np.newaxis], 3, axis=2)


def _two_lines(name: str) -> str:
    return name.replace(", ", ",\n")


class FourNetworks:
    """A layer of four networks at a step of their training: the activations of a batch as an image,
    the histogram of their inputs; below, gradient norms layer by layer, and the test accuracy.

    Arguments: the figure; the `steps` at which one looks; the digit of each row of the images.
    """

    def __init__(self, figure: Figure, steps: Sequence[int], digits: np.ndarray):
        self._steps = np.array(steps)
        images, bars, curves = figure.subfigures(3, 1, height_ratios=(1.55, 1, 1.55))
        self._images, self._notes, self._bars = {}, {}, {}
        for ax, name in zip(images.subplots(1, 4, sharey=True), LOOKS, strict=True):
            blank = np.full((len(digits), 100, 3), 255, np.uint8)
            self._images[name] = _image(ax, blank, digits)
            centre = dict(ha="center", va="center", transform=ax.transAxes)
            self._notes[name] = ax.text(0.5, 0.5, "", color=WITHOUT_BN, **centre)
            ax.set_title(_two_lines(name))
        for ax, name in zip(bars.subplots(1, 4), LOOKS, strict=True):
            fill = dict(fill=True, color=LOOKS[name]["color"])
            self._bars[name] = ax.stairs(np.zeros(len(BINS) - 1), BINS, **fill)
            ax.set(xlim=(-REACH, REACH), ylim=(0, 1.05), yticks=[], xticks=(-3, 0, 3))
            ax.set_xlabel("input of a unit")
        bars.axes[0].set_ylabel(PEAK)
        images.axes[0].set_ylabel("image, by digit")
        norms, accuracy = curves.subplots(1, 2)
        self._norms, self._accuracy = _norms_axes(norms), _accuracy_axes(accuracy, steps)
        curves.legend(handles=[*self._norms.values()], loc="outside lower center", ncols=4)
        self._now = accuracy.axvline(0, color=INK, lw=1)
        self._layer = norms.axvline(0, color=INK, lw=1)
        self.artists = [
            *self._images.values(), *self._notes.values(), *self._bars.values(),
            self._now, self._layer, *self._norms.values(), *self._accuracy.values(),
        ]  # fmt: skip

    def mark(self, layer: int, step: int) -> None:
        """Mark the `layer`, counted from 1, and the `step`, one of the steps."""
        look = int(np.searchsorted(self._steps, step))
        self._now.set_xdata([look, look])
        self._layer.set_xdata([layer, layer])

    def set(
        self,
        name: str,
        inputs: np.ndarray,
        activations: np.ndarray,
        norms: np.ndarray,
        accuracy: Sequence[float],
    ) -> None:
        """Show a network: the `inputs` of a layer, any shape; `activations` (rows, 100), a row for
        each digit; gradient `norms` (layers,); accuracy (looks,), 0 to 1, so far.
        """
        diverged = not np.isfinite(inputs).all()
        self._notes[name].set_text("diverged:\nno numbers" if diverged else "")
        if diverged:  # what is left of the numbers means nothing
            inputs, activations = np.zeros(0), np.zeros_like(activations)
        self._images[name].set_data(_grey(name, activations))
        self._bars[name].set_data(_heights(inputs))
        visible = np.clip(norms, *NORM_ENDS)  # what lies beyond is drawn on the edge
        self._norms[name].set_data(range(1, len(norms) + 1), visible)
        self._accuracy[name].set_data(range(len(accuracy)), 100 * np.array(accuracy))


NORM_ENDS = (1e-7, 1e2)


def _image(ax: Axes, rgb: np.ndarray, digits: np.ndarray):
    """`rgb` (N, C, 3) with the digits, in groups, at their rows."""
    image = ax.imshow(rgb, aspect="auto", interpolation="nearest")
    groups = np.unique(digits)
    middles = [np.flatnonzero(digits == digit).mean() for digit in groups]
    ax.set_yticks(middles[::3], groups[::3])
    ax.set(xticks=(0, 50, 99), xticklabels=(1, 50, 100), xlabel="unit")
    ax.tick_params(length=0)
    ax.spines[["top", "right"]].set_visible(True)
    return image


def _norms_axes(ax: Axes) -> dict:
    lines = {name: ax.semilogy([], [], ms=5, **look, label=name)[0] for name, look in LOOKS.items()}
    ax.set(xlim=(0.5, DEEPEST + 0.5), ylim=NORM_ENDS, xlabel="hidden layer")
    ax.set(title="Norm of the gradient", xticks=range(1, DEEPEST + 1))
    ax.set_yticks([1e-6, 1e-4, 1e-2, 1, 1e2])
    ax.grid(True, axis="y")
    return lines


def _accuracy_axes(ax: Axes, steps: Sequence[int]) -> dict:
    lines = {name: ax.plot([], [], ms=5, **look)[0] for name, look in LOOKS.items()}
    marks = [step for step in (0, 1, 3, 10, 30, 100, 200) if step <= steps[-1]]
    ticks = np.interp(marks, steps, range(len(steps)))
    ax.set(xlim=(-0.5, len(steps) - 0.5), ylim=(0, 103), xlabel="step")
    ax.set(xticks=ticks, xticklabels=marks, title="Test accuracy")
    ax.set_yticks([10, 50, 100], ["chance", "50 %", "100 %"])
    ax.axhline(10, color=FAINT, lw=1)
    ax.grid(True, axis="y")
    return lines


@styled
def show_batch_of_five(batches: dict[str, np.ndarray]) -> None:
    """Batches through ReLU, each (5,): where they lie on its curve."""
    figure = new_figure(8.4, 3)
    axes = figure.subplots(1, len(batches), sharey=True)
    for ax, (name, z) in zip(axes, batches.items(), strict=True):
        ax.plot([-7, 0, 7], [0, 0, 7], color=FAINT, lw=3)
        ax.plot(z, np.maximum(z, 0), "o", ms=9, color=WITH_BN, mec="white")
        ax.set(title=name, xlabel="z", xlim=(-7, 7), ylim=(-0.6, 7))
        ax.grid(True)
    figure.axes[0].set_ylabel("ReLU(z)")
    show(figure, "Batches of five on the curve of ReLU: " + "; ".join(batches) + ".")


@styled
def show_bars(inputs: dict[str, np.ndarray], steps: Sequence[int]) -> None:
    """Histograms over the first steps as 3-D bars: for each panel, `inputs` (steps, ...)."""
    figure = new_figure(8.4, 3.6 * len(inputs) / 2)
    width = BINS[1] - BINS[0]
    for number, (name, values) in enumerate(inputs.items(), start=1):
        ax = figure.add_subplot(len(inputs) // 2, 2, number, projection="3d")
        colour = WITH_BN if "with BN" in name else WITHOUT_BN
        for step, sample in reversed(list(zip(steps, values, strict=True))):
            heights = _heights(sample)
            ax.bar(BINS[:-1], heights, zs=step, zdir="y", width=width, align="edge",
                   color=colour, ec="white", lw=0.3, alpha=0.9)  # fmt: skip
        ax.set(title=name, xlabel="input", ylabel="step", zlim=(0, 1), zticks=[])
        ax.set(yticks=steps, xticks=(-4, -2, 0, 2, 4))
        ax.grid(False)
        for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
            axis.pane.set_visible(False)
        ax.view_init(elev=28, azim=-62)
        ax.set_box_aspect((1.5, 1, 0.8), zoom=1.15)
    show(figure, "Histograms of the inputs over the first steps, one behind the other.")


@styled
def show_ridges(inputs: dict[str, np.ndarray], steps: Sequence[int]) -> None:
    """The same histograms one above the other, so that none hides another: for each network
    `inputs` (steps, 2, N, units), of the first and of the last hidden layer.
    """
    figure = new_figure(8.4, 4.6)
    axes = figure.subplots(2, len(inputs), sharex=True, sharey=True)
    for column, (name, values) in enumerate(inputs.items()):
        for row in range(2):
            ax = axes[row, column]
            for look in range(len(steps)):
                base, colour = len(steps) - 1 - look, LOOKS[name]["color"]
                heights = base + 0.85 * _heights(values[look, row])
                ax.stairs(heights, BINS, baseline=base, fill=True, fc=colour, alpha=0.35)
                ax.stairs(heights, BINS, baseline=base, ec=colour, lw=1.2)
            ax.set(xlim=(-REACH, REACH), xticks=(-3, 0, 3))
            ax.set_yticks(range(len(steps)), reversed(steps))
            ax.tick_params(axis="y", length=0)
        axes[0, column].set_title(_two_lines(name))
        axes[1, column].set_xlabel("input")
    axes[0, 0].set_ylabel("first layer: step")
    axes[1, 0].set_ylabel("last layer: step")
    show(figure, "The inputs of the first and of the last hidden layer, a histogram for each step.")


@styled
def show_activations(activations: dict[str, np.ndarray], digits: np.ndarray) -> None:
    """What a layer of each network says to a batch: (N, units), rows sorted by digit."""
    figure = new_figure(8.4, 3.6)
    axes = figure.subplots(1, len(activations), sharey=True)
    for ax, (name, values) in zip(axes, activations.items(), strict=True):
        _image(ax, _grey(name, values), digits)
        ax.set_title(_two_lines(name))
    figure.axes[0].set_ylabel("image, by digit")
    show(figure, "Activations as images: rows are images, columns are units, dark is large.")


@styled
def show_gradient_norms(norms: dict[str, np.ndarray]) -> None:
    """Gradient norms (seeds, layers) of each network on a log axis; lines join their medians."""
    figure = new_figure(8.4, 3.4)
    ax = figure.subplots()
    for name, values in norms.items():
        layers = np.arange(1, values.shape[1] + 1)
        ax.semilogy(layers, np.median(values, axis=0), **LOOKS[name], label=name)
    ax.set(xlabel="hidden layer", ylabel="norm of the gradient", xticks=layers)
    ax.grid(True)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    show(figure, "The norm of the gradient of each layer's weights, for four networks.")


@styled
def show_shares(saturated: dict[str, np.ndarray], dead: dict[str, np.ndarray]) -> None:
    """Shares of saturated inputs and of dead units, 0 to 1, for each network (seeds, layers)."""
    figure = new_figure(8.4, 3.4)
    axes = figure.subplots(1, 2, sharey=True)
    titles = ("Sigmoid: saturated inputs", "ReLU: dead units")
    for ax, title, shares in zip(axes, titles, (saturated, dead), strict=True):
        for name, values in shares.items():
            layers, label = np.arange(1, values.shape[1] + 1), name.split(", ")[1]
            ax.plot(layers, 100 * np.median(values, axis=0), **LOOKS[name], label=label)
        ax.set(title=title, xlabel="hidden layer", xticks=layers, ylim=(-4, 104))
        ax.grid(True, axis="y")
    axes[0].set_ylabel("%, median of the seeds")
    axes[0].legend(loc="upper left")
    show(figure, "Saturated inputs of sigmoids and dead ReLU units, layer by layer.")


@styled
def show_relu_curves(steps: Sequence[int], accuracy: dict[str, np.ndarray]) -> None:
    """Test accuracy (seeds, looks), 0 to 1, over training: a line for each seed."""
    figure = new_figure(8.4, 3)
    ax = figure.subplots()
    for name, values in accuracy.items():
        lines = ax.plot(steps, 100 * values.T, lw=1.5, ms=5, **LOOKS[name])
        lines[0].set_label(name)
    ax.set(xlabel="step", ylabel="test accuracy, %", ylim=(0, 103))
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xlim(-0.2, 1.1 * steps[-1])
    marks = [step for step in (0, 1, 3, 10, 30, 100, 300) if step <= steps[-1]]
    ax.set_xticks(marks, marks)
    ax.grid(True)
    ax.legend(loc="lower right", title=f"a line for each of {len(values)} seeds")
    show(figure, "Test accuracy over the steps of training, ReLU without and with BN.")


@styled
def show_gain(
    gains: np.ndarray, depths: Sequence[int], inits: Sequence[str], rates: Sequence[float]
) -> None:
    """What BN gains: percentage points of accuracy (depths, inits, rates, seeds). A cell shows the
    mean; the seeds agree on the sign where the number is bold.
    """
    figure = new_figure(8.4, 3.2)
    for ax, depth, of_depth in zip(figure.subplots(1, len(depths)), depths, gains, strict=True):
        mean = of_depth.mean(axis=-1)
        image = ax.imshow(mean, cmap="PuOr", vmin=-90, vmax=90, aspect="auto")
        for row, column in np.ndindex(mean.shape):
            agree = abs(np.sign(of_depth[row, column]).sum()) == gains.shape[-1]
            look = dict(weight="bold" if agree else "normal", ha="center", va="center")
            colour = "white" if abs(mean[row, column]) > 40 else INK
            points = f"{mean[row, column]:+.0f}".replace("-", "−")
            ax.text(column, row, points, color=colour, fontsize=13, **look)
        ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        ax.set_yticks(range(len(inits)), inits)
        ax.set(title=f"{depth} hidden layers", xlabel="learning rate")
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    figure.axes[0].set_ylabel("std of the weights")
    figure.colorbar(image, ax=figure.axes, label="gain of BN, points", ticks=[-80, -40, 0, 40, 80])
    show(figure, "What BN gains in accuracy, for two depths, three initial weights, three rates.")
