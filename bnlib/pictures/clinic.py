"""The picture of the clinic: a patient in service, and six examinations, covered until ordered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from bnlib.pictures.parts import (
    EVALUATION,
    INK,
    ORANGE,
    TRAINING,
    GreyImage,
    accuracy_axis,
)

COVER = "#E4E4E4"
GUESSING = np.log(10)  # the loss of a guess among ten digits
LOSSES, GRADIENTS = (0.01, 1000), (1e-8, 1e4)  # ends of axes; what lies beyond is at the end


class Panel:
    """One examination: a title, room for a note of three lines below it, and a cover.

    Args:
        ax: where it is drawn.
        title: the name of the examination.
    """

    def __init__(self, ax: Axes, title: str):
        figure = ax.get_figure(root=True)
        ax.set_title(title, pad=48)
        above = offset_copy(ax.transAxes, figure, 0, 43, units="points")
        self._note = ax.text(0, 1, "", transform=above, fontsize=9.5, va="top")
        middle: Any = {"transform": ax.transAxes, "ha": "center", "va": "center", "fontsize": 10}
        self._cover = Rectangle((0, 0), 1, 1, fc=COVER, ec="none", transform=ax.transAxes, zorder=4)
        self._reason = ax.text(0.5, 0.5, "", zorder=5, **middle)
        ax.add_patch(self._cover)
        self._found = self.draw(ax)
        self.covers: list[Artist] = [self._cover, self._reason]
        self.findings: list[Artist] = [*self._found, self._note]

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw axes and empty artists, and return those that `show` moves."""
        raise NotImplementedError

    def show(self, values: NDArray) -> None:
        """Show what the examination has found."""
        raise NotImplementedError

    def set(self, values: NDArray, note: str, covered: str) -> None:
        """Show `values` and a `note`; or a cover that says why, if `covered` is not empty."""
        self.show(values)
        for artist in self._found:  # drawing what nobody sees takes a third of the time
            artist.set_visible(not covered)
        self._note.set_text("" if covered else note)
        self._cover.set_visible(bool(covered))
        self._reason.set_text(covered)


class Losses(Panel):
    """The loss of each step, on a log axis, with a line at that of a guess."""

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the axes and an empty curve."""
        ax.axhline(GUESSING, color=INK, ls=":", lw=1.2)
        ax.set(yscale="log", ylim=LOSSES, xlim=(0, 81), xlabel="step", xticks=range(0, 81, 20))
        ax.set_yticks([0.01, 0.1, 1, GUESSING, 10, 100, 1000],
                      ["0.01", "0.1", "", "guess", "10", "100", "1000"])  # fmt: skip
        ax.minorticks_off()
        self._curve = ax.plot([], [], color=INK, lw=1.8)[0]
        return [self._curve]

    def show(self, values: NDArray) -> None:
        """Show the losses (steps,)."""
        self._curve.set_data(np.arange(1, len(values) + 1), np.clip(values, *LOSSES))


class TwoModes(Panel):
    """Accuracies in training and evaluation mode, on training images and on new ones."""

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the axes, four flat bars and room for their numbers."""
        accuracy_axis(ax, top=1.2)
        places = [0, 1, 2.6, 3.6]
        self._bars = ax.bar(places, np.zeros(4), width=0.85, color=[TRAINING, EVALUATION] * 2)
        number: Any = {"ha": "center", "va": "bottom", "fontsize": 10}
        self._numbers = [ax.text(place, 0, "", **number) for place in places]
        ax.set_xticks(places, ["train", "eval"] * 2, fontsize=9.5)
        ax.set_xlim(-0.6, 4.2)
        for middle, name in ((0.5, "seen images"), (3.1, "new images")):
            below: Any = {"transform": ax.get_xaxis_transform(), "ha": "center", "va": "top"}
            ax.text(middle, -0.23, name, fontsize=9.5, **below)
        ax.set_xlabel(" ")
        return [*self._bars, *self._numbers]

    def show(self, values: NDArray) -> None:
        """Show accuracies (2, 2), 0 to 1: of training and new images; in the two modes."""
        for bar, number, value in zip(self._bars, self._numbers, values.ravel(), strict=True):
            bar.set_height(value)
            number.set(text=f"{100 * value:.0f}", y=value + 0.01)


class Inputs(Panel):
    """What goes into the activations of a layer: a row for each image, a column for each unit."""

    SHAPE = 60, 100

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the axes and a blank image."""
        self._image = GreyImage(ax, *self.SHAPE, aspect="auto")
        ax.set(xlabel="unit (white: −3, black: 3)", ylabel="image", xticks=[], yticks=[])
        return [self._image.artist]

    def show(self, values: NDArray) -> None:
        """Show inputs (images, units)."""
        self._image.set(values / 6 + 0.5)


class Gradients(Panel):
    """Norms of the gradients of each hidden layer's weights, on a log axis."""

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the axes and an empty curve."""
        ax.set(yscale="log", ylim=GRADIENTS, xlim=(0.5, 6.5), xlabel="hidden layer")
        ax.set_xticks(range(1, 7))
        ax.set_yticks([1e-8, 1e-4, 1, 1e4], ["≤ 1e-8", "0.0001", "1", "10000"])
        ax.minorticks_off()
        ax.grid(True, axis="y")
        self._curve = ax.plot([], [], "o-", color=INK, clip_on=False, zorder=3)[0]
        return [self._curve]

    def show(self, values: NDArray) -> None:
        """Show norms (layers,)."""
        self._curve.set_data(np.arange(1, len(values) + 1), np.clip(values, *GRADIENTS))


class Answers(Panel):
    """What is said of one image in each draw of its batch-mates, and a line at the truth."""

    def draw(self, ax: Axes) -> list[Artist]:
        """Draw the axes and no answers."""
        self._truth = ax.axhline(0, color=INK, ls=":", lw=1.5)
        self._said = ax.plot([], [], "o", color=INK, ms=6)[0]
        ax.set(xlim=(0.3, 12.7), ylim=(-0.7, 9.7), xlabel="draw (dotted: the truth)")
        ax.set(ylabel="answer", yticks=range(0, 10, 3), xticks=[1, 4, 7, 10])
        return [self._truth, self._said]

    def show(self, values: NDArray) -> None:
        """Show the true digit, and after it the answers: (1 + draws,)."""
        truth, *said = values.tolist()
        self._truth.set_ydata([truth, truth])
        self._said.set_data(np.arange(1, len(said) + 1), said)


class Clinic:
    """A patient in service before and after a treatment, and the examinations.

    Args:
        figure: an empty one.
        steps: after which the answers in service were looked at.
        titles: of the examinations: loss, modes, first, last, gradients and mates.
    """

    KINDS: Mapping[str, type[Panel]] = {
        "loss": Losses,
        "modes": TwoModes,
        "first": Inputs,
        "last": Inputs,
        "gradients": Gradients,
        "mates": Answers,
    }

    def __init__(self, figure: Figure, steps: range, titles: Mapping[str, str]):
        grid = figure.add_gridspec(3, 3, height_ratios=(1, 1.1, 1.1), width_ratios=(1, 1, 1.25))
        service, sheet = figure.add_subplot(grid[0, :2]), figure.add_subplot(grid[0, 2])
        axes = [figure.add_subplot(grid[row, column]) for row in (1, 2) for column in range(3)]
        self._steps = steps
        accuracy_axis(service)
        service.set(title="Right answers in service, to new images", xlabel="steps trained")
        service.set(xlim=(-1, steps[-1] + 1))
        style: Any = {"clip_on": False, "zorder": 3}
        self._before = service.plot([], [], "o-", color=INK, label="as it came", **style)[0]
        after: Any = {"color": ORANGE, "label": "treated", **style}
        self._after = service.plot([], [], "^--", ms=8, **after)[0]
        sheet.set_axis_off()
        curves = [self._before, self._after]
        sheet.legend(handles=curves, loc="lower left", borderaxespad=0, borderpad=0, ncols=2)
        self._sheet = sheet.text(
            0, 1.05, "", va="top", linespacing=1.4, fontsize=10, transform=sheet.transAxes
        )
        self._panels = {
            name: self.KINDS[name](ax, title)
            for (name, title), ax in zip(titles.items(), axes, strict=True)
        }
        panels = self._panels.values()
        self.artists: list[Artist] = [
            *(artist for panel in panels for artist in panel.covers),
            *(self._before, self._after, self._sheet),
            *(artist for panel in panels for artist in panel.findings),
        ]

    def set_case(self, before: NDArray, after: NDArray | None, sheet: str) -> None:
        """Show the shares of right answers after each of the steps, and what is on the sheet."""
        self._before.set_data(self._steps[: len(before)], before)
        shown = np.zeros(0) if after is None else after
        self._after.set_data(self._steps[: len(shown)], shown)
        self._sheet.set_text(sheet)

    def set_examination(self, name: str, values: NDArray, note: str, covered: str) -> None:
        """Show what an examination has found; see Panel."""
        self._panels[name].set(values, note, covered)
