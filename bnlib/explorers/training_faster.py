"""Lesson 09: a sweep of learning rates that runs, and a map whose border is to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Protocol

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from bnlib.experiments import border
from bnlib.experiments.border import CELLS, INITS, MARK, RATES, Place
from bnlib.experiments.runs import EVERY, batch_norm
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import is_played, table
from bnlib.live.training_explorer import TrainingExplorer
from bnlib.pictures.training_faster import Border, SweepAsItRuns

NORMS: dict[str, Callable | None] = {"without BN": None, "with BN": batch_norm}
SWEPT = (0.001, 0.01, 0.03, 0.1, 0.2, 0.5, 3.0, 10.0, 100.0)
STEPS = 100
TRAININGS = 30  # to spend on the map
EVERY_CELL = (1 << len(CELLS)) - 1
KNOWN_ROW = sum(1 << bit for bit, (row, _) in enumerate(CELLS) if INITS[row] == "he")


class Sweep(Protocol):
    """One of `bnlib.experiments.sweeps`, or of `numpy_training`."""

    def train(self) -> Iterator[float]:
        """Train, and yield after each step the share that is done, 0 to 1."""

    def after(self, step: int) -> NDArray:
        """Return the accuracy after `step` steps, (rates, seeds), 0 to 1, NaN if not known."""


def sweep_explorer(sweeps: Mapping[str, Sweep] | None = None) -> TrainingExplorer:
    """Make an explorer of sweeps over learning rates, which grow while they are trained.

    Args:
        sweeps: "without BN" and "with BN" → a sweep over SWEPT of 100 steps, to be shown at first;
            None trains them.
    """
    anew: dict[str, Sweep] = {}  # by Train
    come = STEPS  # how far its training has
    steps = range(EVERY, STEPS + 1, EVERY)

    def shares(name: str, step: int) -> NDArray:
        return (sweeps or _swept_once())[name].after(step)

    known = table("sweep", shares, NORMS, steps)

    def shares_of(name: str, step: int) -> NDArray:
        return anew[name].after(step) if anew else known(name, step)

    def draw(live: LiveFigure) -> Callable[..., str]:
        picture = SweepAsItRuns(live.figure, SWEPT, STEPS)
        live.moves(*picture.artists)

        def update(step: int) -> str:
            step = min(step, max(come, EVERY) // EVERY * EVERY)  # the last that was evaluated
            seen = {name: shares_of(name, step) for name in NORMS}
            picture.set(seen, step)
            best = {name: np.median(values, axis=1) for name, values in seen.items()}
            words = [f"{name} {_best(values)}" for name, values in best.items()]
            return f"After {step} steps, best: {'; '.join(words)}."

        return update

    def train(depth: int, seed: int) -> Iterator[float]:
        nonlocal come
        anew.update(_swept(depth=depth, seeds=(seed,)))
        trainings = zip(*(sweep.train() for sweep in anew.values()), strict=True)
        for count, shares in enumerate(trainings, start=1):
            come = count
            yield shares[-1]

    return TrainingExplorer(
        draw,
        {
            "step": widgets.SelectionSlider(options=steps, value=STEPS, description="step")
        },  # fmt: skip
        {
            "depth": widgets.SelectionSlider(options=[3, 6, 10], value=6, description="depth"),
            "seed": widgets.IntSlider(0, 0, 9, description="seed"),
        },
        train,
        trains_when_played=True,
        play="step",
        height=4.4,
        text="Test accuracy over the learning rate, with BN and without, as the training goes on.",
    )


def _swept(depth: int, seeds: Sequence[int]) -> Mapping[str, Sweep]:
    return {name: _sweep(norm, depth, seeds) for name, norm in NORMS.items()}


def _sweep(norm: Callable | None, depth: int, seeds: Sequence[int]) -> Sweep:
    if is_played():
        from bnlib.experiments import numpy_training

        return numpy_training.Sweep(SWEPT, seeds, norm=norm, depth=depth, steps=STEPS)
    from bnlib.experiments.sweeps import Sweep

    cases = [("he", rate) for rate in SWEPT]
    return Sweep(cases, seeds, norm=norm, depth=depth, steps=STEPS)


@cache
def _swept_once() -> Mapping[str, Sweep]:
    sweeps = _swept(depth=6, seeds=(0,))
    for sweep in sweeps.values():
        for _done in sweep.train():
            pass
    return sweeps


def _best(accuracies: NDArray) -> str:
    if np.isnan(accuracies).any():
        return "not known yet"
    return f"{accuracies.max():.0%} at rate {SWEPT[accuracies.argmax()]:g}"


def border_explorer(known: Mapping[Place, float] | None = None) -> TrainingExplorer:
    """Make an explorer of a map of initial weights and rates, with 30 trainings to spend on it.

    What has been trained is kept in two controls that are not shown, a bit for each cell, without
    and with BN, so that Reset gives it back. A row is there at the start.

    Args:
        known: accuracies of cells that have been trained before; None trains the row.
    """
    border.remember(known or {})
    shape = len(INITS), len(RATES)
    whole: dict[bool, NDArray] = {}  # as far as Train has come

    def accuracy(with_bn: bool, row: int, column: int) -> float:
        place = Place(with_bn, row, column, seed=0)
        return border.accuracies([place])[place]

    if not is_played():  # at once, which takes a fraction of the time
        row = [cell for bit, cell in enumerate(CELLS) if KNOWN_ROW >> bit & 1]
        border.accuracies(Place(bn, r, c, seed=0) for bn in (False, True) for r, c in row)
    accuracy_of = table("border", accuracy, (False, True), *map(range, shape))

    def trained_cells(bits: int) -> list[tuple[int, int]]:
        return [cell for bit, cell in enumerate(CELLS) if bits >> bit & 1]

    def seen_by(bits: int, with_bn: bool) -> NDArray:
        seen = np.full(shape, np.nan)
        for cell in trained_cells(bits):
            seen[cell] = accuracy_of(with_bn, *cell)
        return seen

    def left(without: int, with_bn: int) -> int:
        spent = (without & ~KNOWN_ROW).bit_count() + (with_bn & ~KNOWN_ROW).bit_count()
        return max(TRAININGS - spent, 0)

    def draw(live: LiveFigure) -> Callable[..., str]:
        hint = "it comes with the last training" if is_played() else "press Train to see it"
        picture = Border(live.figure, INITS, RATES, MARK, hint)
        live.moves(*picture.artists)

        def update(init: float | str, rate: float, bn: bool, without: int, with_bn: int) -> str:
            here = INITS.index(init), RATES.index(rate)
            seen = seen_by(with_bn if bn else without, bn)
            if is_played():
                whole.clear()
                if not left(without, with_bn):
                    whole.update({kind: seen_by(EVERY_CELL, kind) for kind in (False, True)})
            picture.set(seen, whole.get(bn), here)
            name = "with BN" if bn else "without BN"
            words = f"{name}, std {_said(init)}, rate {rate:g}: {_accuracy(seen[here])}. "
            words += f"Trainings left: {left(without, with_bn)} of {TRAININGS}."
            if bn in whole and not np.isnan(whole[bn]).any() and not np.isnan(seen).all():
                right = (border.guessed(seen) >= MARK) == (whole[bn] >= MARK)
                words += (
                    f" If each cell were as its nearest trained one, {right.sum()} of "
                    f"{right.size} would be on the right side of the border."
                )
            return words

        return update

    def train_here(init: float | str, rate: float, bn: bool, without: int, with_bn: int) -> dict:
        bit = 1 << CELLS.index((INITS.index(init), RATES.index(rate)))
        name, bits = ("with_bn", with_bn) if bn else ("without", without)
        return {name: bits | bit if left(without, with_bn) else bits}

    def train(seed: int) -> Iterator[float]:
        whole.clear()
        for turn, with_bn in enumerate((True, False)):
            for share, seen in border.whole_map(with_bn, seed):
                whole[with_bn] = seen
                yield (turn + share) / 2

    hidden = {"min": 0, "max": EVERY_CELL, "disabled": True}
    controls = {
        "init": widgets.SelectionSlider(options=INITS, value=0.01, description="init std"),
        "rate": widgets.SelectionSlider(options=RATES, value=0.5, description="rate"),
        "bn": widgets.Checkbox(True, description="batch normalization"),
        "without": widgets.BoundedIntText(KNOWN_ROW, description="trained without BN", **hidden),
        "with_bn": widgets.BoundedIntText(KNOWN_ROW, description="trained with BN", **hidden),
    }
    explorer = TrainingExplorer(
        draw,
        controls,
        {"seed": widgets.IntSlider(0, 0, 9, description="seed of the whole map")},
        train,
        actions={"Look here": train_here},
        height=4.2,
        text="A map of initial weights and rates, of which one row has been trained.",
    )
    for name in ("without", "with_bn"):
        controls[name].layout.display = "none"
    return explorer


def _said(init: float | str) -> str:
    return "He" if init == "he" else f"{init:g}"


def _accuracy(share: float) -> str:
    if np.isnan(share):
        return "not trained yet"
    return f"{share:.0%} right" if share > 0 else "diverged"
