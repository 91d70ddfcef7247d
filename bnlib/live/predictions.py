"""Predictions: committed by the reader before a result is seen, and compared with it afterwards.

    predict = Predictions()
    predict.choice(1, "ABC")
    ...                                                  # the cells of the result
    predict.compare(1, "B", {"A": "…", "B": "…", "C": "…"})
    predict.score()                                      # at the end of the lesson

Nothing is stored or sent anywhere: what was committed is gone with its kernel. Where nothing was
committed, as in a stored notebook, a comparison is a folded block with all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import ExecutionInfo
from IPython.display import display
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import INK, LiveFigure, picture

RUN_HINT = "Run this cell to predict: "
COMPARE = "Compare with your prediction"
DETAILS = "<details><summary><b>{summary}</b></summary>\n\n{text}\n\n</details>"
ROW = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 0.5rem"}
# Of the row of controls, in per cent: what the axes below it take, and what is left of them.
AXES_WIDTH, LEFT_OF_AXES = 88.9, 8.4
STEPS = 50  # of a slider, from its lower to its upper end
WHOLE: dict[str, Any] = {"color": INK, "clip_on": False}  # at the end of an axis too
YOURS: dict[str, Any] = {**WHOLE, "ls": "--", "marker": "o", "mfc": "white", "ms": 9}
MEASURED: dict[str, Any] = {**WHOLE, "lw": 3}


class Prediction:
    """A question of which the reader commits to an answer; see its three kinds below.

    Args:
        step: of the lesson.
        controls: with which one answers; they are locked while an answer is committed, but for the
            button of that answer.
        button: that commits, where `controls` do not.

    Attributes:
        answer: what is committed, or None.
        right: whether it was right, once it has been compared.
        locked: whether the answer stays, since the result has run.
        cell: the code of the cell that asks, where known.
    """

    cell: str | None = None
    then = "Now run the next cells."  # to be done once an answer is committed

    def __init__(self, step: int, controls: Sequence[widgets.DOMWidget], *button: widgets.Button):
        self.answer: Any = None
        self.right: bool | None = None
        self.locked = False
        self._controls = controls
        tooltip = f"Step {step}: change my mind"
        self._undo = widgets.Button(description="Change my mind", tooltip=tooltip, disabled=True)
        self._undo.on_click(lambda _: self.commit(None))
        self._status = widgets.HTML()
        self.row = widgets.Box([*controls, *button, self._undo, self._status], layout=ROW)
        self._say("Not yet committed.")

    def commit(self, answer: Any) -> None:
        """Take the reader's answer, unless it is locked; None takes it back."""
        if self.locked:
            return
        self.answer = answer
        for control in self._controls:
            # Not the button just pressed: its focus would be gone, and with it Shift+Enter.
            control.disabled = answer is not None and control.description != answer
        self._undo.disabled = answer is None
        if answer is None:
            self._say("Not yet committed.")
        else:
            self._say(f"Committed: {self.words(answer)}. {self.then}")

    def lock(self) -> None:
        """Keep what is committed from now on: the result has run."""
        if self.answer is not None and not self.locked:
            self.locked = self._undo.disabled = True
            self._say(f"Committed: {self.words(self.answer)}.")

    def _say(self, text: str) -> None:
        self._status.value = f'<div role="status">{text}</div>'

    def show(self) -> None:
        """Show the question under the cell, with a sentence for where no widget can be shown."""
        bundle = self.row._repr_mimebundle_()
        display({**bundle, "text/plain": RUN_HINT + self.hint}, raw=True)

    hint = ""

    def words(self, answer: Any) -> str:
        """Return an answer in words."""
        raise NotImplementedError

    def compare(self, truth: Any, text: Any, within: float) -> str:
        """Set `right`; return what is to be read first, in Markdown, if an answer is committed."""
        raise NotImplementedError


class Choice(Prediction):
    """One of a few letters, which the text above explains.

    Args:
        step: of the lesson.
        letters: "ABC", say.
    """

    def __init__(self, step: int, letters: str):
        self.letters, self.hint = letters, f"{', '.join(letters[:-1])} or {letters[-1]}"
        buttons = []
        for letter in letters:
            tooltip, width = f"Step {step}: {letter}", widgets.Layout(width="3.5rem")
            buttons.append(widgets.Button(description=letter, tooltip=tooltip, layout=width))
            buttons[-1].on_click(lambda clicked: self.commit(clicked.description))
        super().__init__(step, buttons)

    def words(self, answer: str) -> str:
        """Return the letter."""
        return answer

    def compare(self, truth: str, text: Mapping[str, str], within: float) -> str:
        """Return what the reader's choice overlooks; the others are folded."""
        texts = {letter: f"**{letter}.** {text[letter]}" for letter in [truth, *text]}
        if self.answer is None:
            return DETAILS.format(
                summary=COMPARE,
                text="\n\n".join([f"**{truth}** is right.", *texts.values()]),
            )
        self.right = self.answer == truth
        own = texts.pop(self.answer)
        verdict = "and that is right" if self.right else f"and **{truth}** is right"
        others = DETAILS.format(summary="The other choices", text="\n\n".join(texts.values()))
        return f"You said **{self.answer}**, {verdict}.\n\n{own}\n\n{others}"


class Slid(Prediction):
    """What is committed as its sliders stand; the base of a number and of a curve.

    A page sends a click at once and a move up to 50 ms late, so a move can arrive after the click
    that should commit it.

    Args:
        step: of the lesson.
        what: is committed, "number" say.
        sliders: that are moved.
        others: that are locked with them.
    """

    def __init__(
        self,
        step: int,
        what: str,
        sliders: Sequence[widgets.FloatSlider],
        others: Sequence[widgets.Button] = (),
    ):
        button = widgets.Button(description="Commit", tooltip=f"Step {step}: commit the {what}")
        button.on_click(lambda _: self.commit(self.standing()))
        super().__init__(step, [*sliders, *others], button)
        self.sliders = sliders
        for slider in sliders:
            slider.observe(self._follow, names="value")

    def _follow(self, _) -> None:
        if self.answer is not None:
            self.commit(self.standing())

    def standing(self) -> Any:
        """Return the answer that the sliders show."""
        raise NotImplementedError


class Number(Slid):
    """A number from `low` to `high`, by a slider or typed beside it.

    Args:
        step: of the lesson.
        low: the smallest.
        high: the largest.
        unit: written behind it.
    """

    def __init__(self, step: int, low: float, high: float, unit: str = ""):
        self.ends, self.unit = (low, high), f" {unit}" if unit else ""
        self.hint = f"a number from {low:g} to {high:g}{self.unit}"
        options = {"min": low, "max": high, "step": (high - low) / STEPS / 2}
        name = f"from {low:g} to {high:g}{self.unit}"
        slider = widgets.FloatSlider(
            (low + high) / 2, description=name, readout_format=".6", **options
        )
        slider.layout.width, slider.style.description_width = "28rem", "initial"
        super().__init__(step, "number", [slider])

    def standing(self) -> float:
        """Return the value of the slider."""
        return self.sliders[0].value

    def words(self, answer: float) -> str:
        """Return the number with its unit."""
        return f"{answer:g}{self.unit}"

    def compare(self, truth: float, text: str, within: float) -> str:
        """Return both numbers; show them on one scale."""
        measured = f"Measured: **{_short(truth)}{self.unit}**."
        if self.answer is None:
            return _folded(f"{measured} {text}")
        self.right = abs(self.answer - truth) <= within
        _show_on_one_scale(self.ends, self.answer, truth, self.unit)
        return f"You said **{self.words(self.answer)}**. {measured} {_verdict(self.right)} {text}"


class Curve(Slid):
    """A curve, drawn by its height at a few places over the axes of the picture to come.

    Args:
        step: of the lesson.
        x: the places, increasing; a handle at each.
        ylim: lower and upper end of the y-axis.
        xlabel: what is on the x-axis.
        ylabel: what is on the y-axis.
    """

    def __init__(
        self, step: int, x: Sequence[float], ylim: tuple[float, float], xlabel: str, ylabel: str
    ):
        self.x, self.ylim, self.labels = [f"{place:g}" for place in x], ylim, (xlabel, ylabel)
        self.hint = f"a curve, {ylabel} over {xlabel}"
        size = {"min": ylim[0], "max": ylim[1], "step": (ylim[1] - ylim[0]) / STEPS}
        handles = {
            place: widgets.FloatSlider(
                sum(ylim) / 2, orientation="vertical", readout=False, description=place, **size
            )
            for place in self.x
        }
        self.explorer = Explorer(self._draw, handles, height=3)
        for handle in handles.values():  # about above its place in the picture
            handle.layout.width = f"calc({AXES_WIDTH / len(x):.1f}% - 20px)"
            handle.layout.height = "9rem"
        handles[self.x[0]].layout.margin = f"2px 2px 2px {LEFT_OF_AXES}%"
        super().__init__(step, "curve", [*handles.values()], [self.explorer.buttons["Reset"]])
        self.row.children = self.row.children[-3:]  # the handles are shown by the explorer

    def standing(self) -> list[float]:
        """Return the heights."""
        return [*self.explorer.values.values()]

    def _draw(self, live: LiveFigure) -> Update:
        line = _axes(live.figure, self.x, self.ylim, self.labels).plot([], [], **YOURS)[0]
        live.moves(line)

        def update(**heights: float) -> str:
            line.set_data(range(len(heights)), [*heights.values()])
            return "Your curve: " + ", ".join(f"{y:g} at {x}" for x, y in heights.items())

        return update

    def show(self) -> None:
        """Show the handles and the curve, and below it the button that commits."""
        display(self.explorer)
        super().show()

    def words(self, answer: Sequence[float]) -> str:
        """Return the heights."""
        return ", ".join(f"{height:g}" for height in answer)

    def compare(self, truth: Sequence[float], text: str, within: float) -> str:
        """Draw the truth over the reader's curve; right is at most `within` away, on average."""
        if self.answer is None:
            return _folded(text)
        distance = float(np.abs(np.subtract(self.answer, truth)).mean())
        self.right = distance <= within
        _show_both_curves(self.x, self.ylim, self.labels, self.answer, truth)
        return f"Your curve is {distance:.2g} away, on average. {_verdict(self.right)} {text}"


class Predictions:
    """All predictions of a lesson, by the number of their step.

    A committed answer can be changed until another cell has run.
    """

    def __init__(self):
        self._of_step: dict[int, Prediction] = {}
        self._cell: str | None = None  # that runs
        if shell := get_ipython():
            shell.events.register("pre_run_cell", self._lock)

    def _lock(self, info: ExecutionInfo) -> None:
        """Lock all answers but the one whose question runs again."""
        self._cell = info.raw_cell
        for prediction in self._of_step.values():
            if prediction.cell != self._cell:
                prediction.lock()

    def _ask(self, step: int, prediction: Prediction) -> None:
        """Ask; if the same was asked and answered just before, keep the answer.

        A click on a button selects its cell, so Shift+Enter runs the question once more.
        """
        asked = self._of_step.get(step)
        if asked is None or asked.locked or asked.answer is None:
            prediction.cell = self._cell
            self._of_step[step] = prediction
        self._of_step[step].show()

    def choice(self, step: int, letters: str) -> None:
        """Ask for one of `letters`, "ABC" say, which the text of the step explains."""
        self._ask(step, Choice(step, letters))

    def number(self, step: int, low: float, high: float, unit: str = "") -> None:
        """Ask for a number from `low` to `high`, in `unit`."""
        self._ask(step, Number(step, low, high, unit))

    def curve(
        self, step: int, x: Sequence[float], ylim: tuple[float, float], xlabel: str, ylabel: str
    ) -> None:
        """Ask for a curve: its height at the places `x`, within `ylim`."""
        self._ask(step, Curve(step, x, ylim, xlabel, ylabel))

    def compare(self, step: int, truth: Any, text: Any, within: float = 0) -> None:
        """Compare the prediction of a step with what came out.

        Args:
            step: of the lesson.
            truth: the right letter, number or heights.
            text: for a choice, letter → what it overlooks, or why it is right; else a paragraph.
            within: how far a number, or on average a curve, may be away and still be right.

        Raises:
            KeyError: nothing was asked in this step.
        """
        if step not in self._of_step:
            raise KeyError(f"step {step} asks for no prediction; run the cell that asks first")
        prediction = self._of_step[step]
        prediction.lock()
        _show_markdown(prediction.compare(truth, text, within))

    def score(self) -> None:
        """Say how many predictions were right, and which steps to read again."""
        committed = {f"{s}": p for s, p in self._of_step.items() if p.answer is not None}
        right = sum(p.right is True for p in committed.values())
        wrong = [step for step, p in committed.items() if p.right is False]
        still = [step for step, p in committed.items() if p.right is None]
        said = f"{len(self._of_step)} predictions were asked for. "
        if not committed:
            said += "You have committed to none of them; the score counts those you do."
        else:
            said += f"You committed to {len(committed)}, {right} of them right."
        if wrong:
            said += f" Worth reading again: step {', '.join(wrong)}."
        if still:
            said += f" Not compared yet: step {', '.join(still)}."
        _show_markdown(said)


def _show_markdown(text: str) -> None:
    display({"text/markdown": text, "text/plain": text}, raw=True)


def _folded(text: str) -> str:
    return DETAILS.format(summary=COMPARE, text=text)


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _verdict(right: bool) -> str:
    return "Near enough." if right else "Not near."


def _axes(figure: Figure, places: Sequence[str], ylim: tuple[float, float], labels) -> Any:
    ax = figure.subplots()
    ax.set(ylim=ylim, xlim=(-0.5, len(places) - 0.5), xlabel=labels[0], ylabel=labels[1])
    ax.set_xticks(range(len(places)), places)
    ax.grid(True, axis="y")
    return ax


@picture(height=1.3)
def _show_on_one_scale(
    figure: Figure, ends: tuple[float, float], yours: float, measured: float, unit: str
) -> str:
    """Draw a number and its prediction on one scale."""
    ax = figure.subplots()
    # a ring around the other if both are equal
    ax.plot([yours], [0], label="you", **{**YOURS, "ls": "", "ms": 14})
    ax.plot([measured], [0], "D", label="measured", **{**WHOLE, "ms": 6})
    ax.set(xlim=ends, ylim=(-1, 1), yticks=[], xlabel=unit.strip())
    ax.spines["left"].set_visible(False)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return f"Your number, {yours:g}, and what was measured, {_short(measured)}, on one scale."


@picture(height=3)
def _show_both_curves(
    figure: Figure,
    places: Sequence[str],
    ylim: tuple[float, float],
    labels: tuple[str, str],
    yours: Sequence[float],
    measured: NDArray,
) -> str:
    """Draw a curve over its prediction."""
    ax = _axes(figure, places, ylim, labels)
    ax.plot(range(len(places)), yours, label="you", **YOURS)
    ax.plot(range(len(places)), measured, label="measured", **MEASURED)
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return f"Your curve of {labels[1]} over {labels[0]}, and the measured one over it."
