"""Lesson 12: Figure 1 of the paper, from the record and from a training of the reader's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from bnlib.experiments import mnist, paper_figure_1
from bnlib.experiments.paper_figure_1 import (
    BAND_LOOKS,
    LOOKS,
    PAPER,
    PERCENTILES,
    STD,
    STEPS,
    WITH_BN,
    WITHOUT_BN,
    Bands,
)
from bnlib.experiments.recorded_runs import record_of_units
from bnlib.experiments.runs import Variant, batch_norm
from bnlib.explorers.compared_trainings import ComparedTrainings, trained
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded
from bnlib.pictures.paper_figure_1 import FigureOne

if TYPE_CHECKING:
    from bnlib.experiments.comparison import Comparison

UNITS, LAYERS = 100, 3
BOTH = Variant(WITHOUT_BN), Variant(WITH_BN, {"norm": batch_norm})
REGIME: dict[str, Any] = {
    "depth": LAYERS, "steps": 1000, "snapshots": 80, "lr": PAPER, "init": STD
}  # fmt: skip


def figure_one_explorer() -> Explorer:
    """Make an explorer of the record: any unit, any beginning, two kinds of statistics."""
    record = paper_figure_1.load()

    def draw(live: LiveFigure) -> Update:
        picture = FigureOne(live.figure)
        live.moves(*picture.artists)

        def update(unit: int, shown: int, averages: bool) -> str:
            picture.end_at(shown)
            words = []
            for label in (WITHOUT_BN, WITH_BN):
                from_averages = averages and label == WITH_BN
                percentiles = record.bands[Bands(label, PAPER, not from_averages)][unit - 1]
                accuracy = record.accuracy(label)
                picture.set(label, LOOKS, accuracy, BAND_LOOKS, percentiles, from_averages)
                last, right = np.array(BAND_LOOKS) <= shown, accuracy[:, np.array(LOOKS) <= shown]
                words.append(
                    f"{label}: {right[:, -1].mean():.0%} right, {_path(percentiles[:, last])}"
                )
            how = ", (c) as a colleague draws it" if averages else ""
            return f"Unit {unit}, the first {shown:,} steps{how}. " + "; ".join(words)

        return update

    controls = {
        "unit": widgets.IntSlider(record.typical_unit() + 1, 1, UNITS, description="unit"),
        "shown": widgets.SelectionSlider(
            options=[(f"{last:,}", last) for last in (100, 1000, 10_000, STEPS)],
            value=10_000,
            description="steps shown",
        ),
        "averages": widgets.Checkbox(False, description="(c) as a colleague draws it"),
    }
    return Explorer(draw, controls, height=3.9)


def _path(percentiles: NDArray) -> str:
    """Say where the percentiles (3, looks) of a unit's input go."""
    low, middle, high = percentiles
    spread = high - low
    ways = (f"{values[0]:.1f} to {values[-1]:.1f}" for values in (middle, spread))
    return "middle from {}, width {}".format(*ways)


class OwnFigureOne(ComparedTrainings):
    """Trains on MNIST where it has been downloaded, and else on the small digits."""

    def _compare(self, **settings) -> Iterator[float]:
        images = mnist.load() if mnist.is_complete() else None
        return super()._compare(images=images, **settings)


def own_training_explorer(runs: Comparison | None = None) -> OwnFigureOne:
    """Make an explorer that trains both networks anew: other weights, rates and lengths.

    Args:
        runs: of BOTH on the small digits in REGIME, to be shown at first; None trains them.
    """
    runs = recorded("own_training", lambda: runs or _runs(), record_of_units)

    def draw(live: LiveFigure) -> Callable[..., str]:
        picture = FigureOne(live.figure)
        live.moves(*picture.artists)

        def update(shown: Comparison, unit: int, layer: int, share: float) -> str:
            last = max(1, round(share * shown.steps[-1]))
            picture.end_at(last)
            words = []
            for label, record in shown.recorders.items():
                inputs = shown.unit_inputs(label, layer - 1, unit - 1)
                looks = shown.steps[: len(inputs)]
                percentiles = np.percentile(inputs, PERCENTILES, axis=1)
                accuracy = np.array([record.accuracy])
                picture.set(label, looks, accuracy, looks, percentiles)
                here = np.array(looks) <= last
                right = accuracy[0, here][-1]
                words.append(f"{label}: {right:.0%} right, {_path(percentiles[:, here])}")
            words += [f"{label}: {error}" for label, error in shown.diverged.items()]
            return (
                f"Trained on {shown.examples:,} images. Layer {layer}, unit {unit}, "
                f"the first {last:,} steps. " + "; ".join(words)
            )

        return update

    controls = {
        "unit": widgets.IntSlider(1, 1, UNITS, description="unit"),
        "layer": widgets.IntSlider(LAYERS, 1, LAYERS, description="hidden layer"),
        "share": widgets.SelectionSlider(
            options=[("a hundredth", 0.01), ("a tenth", 0.1), ("all", 1.0)],
            value=1.0,
            description="steps shown",
        ),
    }
    return OwnFigureOne(
        draw,
        runs,
        variants=BOTH,
        regime=REGIME,
        controls=controls,
        settings={
            "seed": widgets.IntSlider(0, 0, 9, description="seed"),
            "lr": widgets.SelectionSlider(
                options=[0.03, 0.1, 0.3, 1.0, 3.0], value=PAPER, description="rate"
            ),
            "init": widgets.SelectionSlider(
                options=[0.05, 0.1, 0.2, 0.4], value=STD, description="init std"
            ),
            "steps": widgets.SelectionSlider(
                options=[(f"{steps:,}", steps) for steps in (1000, 4000, STEPS)],
                value=REGIME["steps"],
                description="steps",
            ),
        },
        height=3.9,
        text="Figure 1 of the paper on the small digits: accuracy, and the input of one unit.",
    )


@cache
def _runs() -> Comparison:
    return trained(BOTH, **REGIME)
