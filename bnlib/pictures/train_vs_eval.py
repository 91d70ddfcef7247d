"""Pictures of lesson 06: the two modes of BN, batch statistics or running averages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from bnlib.live.figure import picture
from bnlib.pictures.parts import (
    EVALUATION,
    GREY,
    INK,
    ORANGE,
    SKY,
    STYLE_EVALUATION,
    STYLE_TRAINING,
    TRAINING,
    Mosaic,
    accuracy_axes,
    accuracy_axis,
    mean_and_std,
    place_legend_right,
)

PALE = 0.3  # alpha of what is shown beside the mode that is on


@picture(height=3.8)
def show_running_averages(
    figure: Figure,
    means: Mapping[str, Sequence[float]],
    variances: Mapping[str, Sequence[float]],
    goal: tuple[float, float],
) -> str:
    """Draw running mean and variance over the batches, from their start values on.

    Args:
        figure: an empty one.
        means: a curve for each momentum by name, four at most.
        variances: likewise.
        goal: mean and variance of the data.
    """
    styles = [(GREY, "-", 1), (SKY, "-", 2), (ORANGE, "--", 2), (INK, "-.", 2)]
    panels = (("running mean", means, goal[0]), ("running variance", variances, goal[1]))
    for ax, (name, curves, end) in zip(figure.subplots(1, 2), panels, strict=True):
        for (label, values), (colour, ls, width) in zip(curves.items(), styles, strict=True):
            ax.plot(values, label=label, color=colour, ls=ls, lw=width)
        ax.axhline(end, color=INK, ls=":", lw=3, label="of the data", zorder=1)
        ax.set(xlabel="batches seen", title=name)
        ax.set_ylim(bottom=-0.2)
        ax.grid(True)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return "Running mean and running variance over the batches, a curve for each momentum."


@picture(height=3.8)
def show_accuracy_by_batch_size(
    figure: Figure, sizes: Sequence[int], training: NDArray, evaluation: NDArray
) -> str:
    """Draw test accuracy over the size of a test batch, with bars of ± one standard deviation.

    Args:
        figure: an empty one.
        sizes: of the batches in training mode, from 2 on; 1 is put before them, which it refuses.
        training: in training mode, (sizes, runs), 0 to 1.
        evaluation: in evaluation mode, (networks,), which the batch does not change.
    """
    ax = accuracy_axes(figure, "images in a test batch", [1, *sizes])
    everywhere = np.tile(evaluation, (len(sizes) + 1, 1))
    mean_and_std(ax, everywhere, label="evaluation mode", **STYLE_EVALUATION)
    mean_and_std(ax, training, first=1, label="training mode", **STYLE_TRAINING)
    for place, share in enumerate(training.mean(axis=1)[:3], start=1):
        under: Any = {"xytext": (8, -4), "textcoords": "offset points", "va": "top"}
        ax.annotate(f"{100 * share:.0f} %", (place, share), **under)
    ax.text(0, 0.3, "training mode\nrefuses\na batch of 1", ha="center", va="center", fontsize=10)
    ax.set_xlim(left=-0.9)
    place_legend_right(ax, "mean ± std of\nall runs")
    return "Accuracy in training mode and in evaluation mode over the size of a test batch."


class Answer:
    """A number for each digit: bars in the mode that is on, ticks in the other; a ring: the truth.

    Args:
        ax: where it is drawn.
        ylabel: what the numbers are.
        ylim: ends of the y-axis, which stay.
    """

    def __init__(self, ax: Axes, ylabel: str, ylim: tuple[float, float]):
        figure = ax.get_figure(root=True)
        self._bars = ax.bar(range(10), np.zeros(10), width=0.72)
        tick: Any = {"ls": "", "marker": "_", "ms": 15, "mew": 2.5, "color": INK}
        self._other = ax.plot(range(10), np.zeros(10), **tick)[0]
        under = offset_copy(ax.get_xaxis_transform(), figure, 0, -11, units="points")
        ring: Any = {
            "marker": "o",
            "ms": 19,
            "mfc": "none",
            "mec": INK,
            "mew": 1.8,
            "clip_on": False,
        }
        self._true = ax.plot([0], [0], transform=under, **ring)[0]
        ax.axhline(0, color=INK, lw=1)
        ax.set(xticks=range(10), ylim=ylim, xlim=(-0.6, 9.6), ylabel=ylabel)
        ax.set_xlabel("digit (ring: the true one)", labelpad=8)
        ax.set_title(" ")  # keeps the place
        place = offset_copy(ax.transAxes, figure, 0, 6, units="points")
        title: Any = {"fontsize": 12, "weight": "bold", "ha": "left", "va": "baseline"}
        self._title = ax.text(0, 1, "", transform=place, **title)
        key: Any = {"transform": ax.transAxes, "ha": "right", "va": "top", "fontsize": 10.5}
        self._key = ax.text(1, 0.99, "", **key)
        ax.grid(True, axis="y")
        self.artists: list[Artist] = [*self._bars, self._other, self._true, self._title, self._key]

    def set(self, values: NDArray, other: NDArray, true: int, evaluating: bool) -> None:
        """Show `values` (10,) of the mode that is on, and `other` (10,) of the other one."""
        for bar, height in zip(self._bars, values, strict=True):
            bar.set(height=height, facecolor=EVALUATION if evaluating else TRAINING)
        self._other.set_ydata(other)
        self._true.set_xdata([true])
        modes = ("evaluation", "training") if evaluating else ("training", "evaluation")
        self._title.set_text(f"{modes[0].capitalize()} mode says {values.argmax()}")
        self._key.set_text(f"ticks: {modes[1]} mode says {other.argmax()}")


class DigitStrip:
    """What is said in each of a number of draws, as a row of digits; wrong ones are in boxes."""

    def __init__(self, ax: Axes, draws: int):
        self._draws = np.arange(1, draws + 1)
        self._boxes = ax.plot([], [], ls="", marker="s", ms=21, color=INK)[0]
        self._digits = [
            ax.plot([], [], ls="", ms=11, mew=0, marker=f"$\\mathbf{{{digit}}}$")[0]
            for digit in range(10)
        ]
        ring: Any = {"marker": "s", "ms": 27, "mfc": "none", "mec": INK, "mew": 2.2}
        self._now = ax.plot([1], [0], **ring)[0]
        ax.set(xlim=(0.3, draws + 0.7), ylim=(-1, 1), yticks=[], xticks=self._draws)
        ax.set(xlabel="draw of batch-mates", title="What it says in each draw (box: wrong)")
        ax.spines["left"].set_visible(False)
        ax.tick_params(length=0)
        self.artists: list[Artist] = [self._boxes, *self._digits, self._now]

    def set(self, said: NDArray, true: int, draw: int) -> None:
        """Show the digits `said` (draws,), with a frame around that of `draw`, from 1 on."""
        wrong = self._draws[said != true]
        self._boxes.set_data(wrong, np.zeros(len(wrong)))
        for digit, marks in enumerate(self._digits):
            places = self._draws[said == digit]
            marks.set_data(places, np.zeros(len(places)))
            marks.set_color(INK if digit == true else "white")
        self._now.set_xdata([draw])


class BatchMates:
    """One image, its batch-mates, the probabilities of its digits, and what is said in each draw.

    Args:
        figure: an empty one.
        draws: of batch-mates.
    """

    def __init__(self, figure: Figure, draws: int):
        grid = figure.add_gridspec(2, 3, width_ratios=(1, 1.35, 2.2), height_ratios=(4, 1))
        image, mates, answer = (figure.add_subplot(grid[0, column]) for column in range(3))
        image.set_title("The image")
        mates.set_title("Its batch-mates")
        self._image, self._mates = Mosaic(image, 1, 1), Mosaic(mates, 3, 3)
        self._answer = Answer(answer, "probability", (0, 1.2))
        answer.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        self._strip = DigitStrip(figure.add_subplot(grid[1, :]), draws)
        style: Any = {"fontsize": 16, "weight": "bold", "linespacing": 1.3}
        place: Any = {"ha": "center", "va": "top", "transform": image.transAxes}
        self._verdict = image.text(0.5, -0.08, "", **style, **place)
        self.artists = [self._image.artist, self._mates.artist, *self._answer.artists]
        self.artists += [self._verdict, *self._strip.artists]

    def set(
        self,
        batch: NDArray,
        probabilities: tuple[NDArray, NDArray],
        said: NDArray,
        true: int,
        draw: int,
        evaluating: bool,
    ) -> None:
        """Show a batch and what the network says of its first image.

        Args:
            batch: (N, 64), the image first.
            probabilities: in training and in evaluation mode, each (10,).
            said: the answers in the mode that is on, (draws,).
            true: the digit of the image.
            draw: which of the draws is shown, from 1 on.
            evaluating: whether evaluation mode is on.
        """
        self._image.set(batch[:1])
        self._mates.set(batch[1:])
        shown, other = probabilities[::-1] if evaluating else probabilities
        self._answer.set(shown, other, true, evaluating)
        right = said[draw - 1] == true
        self._verdict.set_text(f"says {said[draw - 1]}\n{'right' if right else 'WRONG'}")
        self._strip.set(said, true, draw)


class TwoModes:
    """The accuracy of both modes, the logits of one image in both, and the batch it is in."""

    def __init__(self, figure: Figure):
        accuracy, logits, batch = figure.subplots(1, 3, width_ratios=(1.5, 2, 1.25))
        self._bars = accuracy.bar([0, 1], [0, 0], width=0.75, color=[TRAINING, EVALUATION])
        number: Any = {"ha": "center", "va": "bottom", "weight": "bold"}
        self._numbers = [accuracy.text(place, 0, "", **number) for place in (0, 1)]
        accuracy_axis(accuracy, top=1.2)
        accuracy.set(title="Test accuracy", xlim=(-0.6, 1.6), xlabel="mode")
        accuracy.set_xticks([0, 1], ["training", "evaluation"])
        self._logits = Answer(logits, "logit", (-11, 13))
        logits.set_yticks(range(-10, 11, 5))
        batch.set_title("The batch")
        self._batch = Mosaic(batch, 8, 8)
        frame = Rectangle((-0.3, -0.3), 9.6, 9.6, fc="none", ec=INK, lw=2.5)
        batch.add_patch(frame)
        note = "framed: the image\nthat is asked about"
        batch.text(0, -0.03, note, transform=batch.transAxes, va="top", fontsize=10)
        self.artists = [self._batch.artist, frame, *self._logits.artists]
        self.artists += [*self._bars, *self._numbers]

    def set(
        self,
        batch: NDArray,
        logits: tuple[NDArray, NDArray],
        accuracies: tuple[float, float],
        true: int,
        evaluating: bool,
    ) -> None:
        """Show a batch, the answer to its first image, and the accuracy.

        Args:
            batch: (N, 64), the image first.
            logits: in training and in evaluation mode, each (10,).
            accuracies: in training and in evaluation mode, 0 to 1.
            true: the digit of the image.
            evaluating: whether evaluation mode is on.
        """
        self._batch.set(batch)
        shown, other = logits[::-1] if evaluating else logits
        self._logits.set(shown, other, true, evaluating)
        parts = zip(self._bars, self._numbers, accuracies, strict=True)
        for mode, (bar, number, accuracy) in enumerate(parts):
            bar.set(height=accuracy, alpha=1 if mode == evaluating else PALE)
            number.set(text=f"{accuracy:.0%}".replace("%", " %"), y=accuracy + 0.01)
