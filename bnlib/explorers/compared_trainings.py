"""What explorers of networks that are trained side by side share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from bnlib.experiments.runs import Runs, RunsInTurn, Variant
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import is_played
from bnlib.live.training_explorer import TrainingExplorer

if TYPE_CHECKING:
    from bnlib.experiments.comparison import Comparison


class ComparedTrainings(TrainingExplorer):
    """Shows trainings side by side, recorded or trained by Train, which takes their place.

    Where a recording is played, Train takes NumPy in place of PyTorch.

    Args:
        draw: called once with an empty LiveFigure; draws the picture and returns a function that
            is called with the runs to show and the value of each control by name, moves the
            artists, and returns the line of numbers.
        runs: shown at first.
        variants: the networks that Train trains.
        regime: options of Comparison that they share.
        controls: name → control; one of them is `layer`, a slider from 1 to the depth.
        settings: name → control, read when Train is pressed: options of Comparison.
        options: the others of Explorer.

    Attributes:
        runs: what is shown.
    """

    def __init__(
        self,
        draw: Callable[[LiveFigure], Callable[..., str]],
        runs: Runs,
        *,
        variants: Sequence[Variant],
        regime: Mapping[str, Any],
        controls: Mapping[str, widgets.ValueWidget],
        settings: Mapping[str, widgets.ValueWidget],
        **options,
    ):
        self.runs, self._variants, self._regime = runs, variants, regime

        def draw_runs(live: LiveFigure) -> Callable[..., str]:
            update = draw(live)
            return lambda **values: update(self.runs, **values)

        super().__init__(
            draw_runs, controls, settings, self._compare, trains_when_played=True, **options
        )

    def _compare(self, **settings) -> Iterator[float]:
        options = {**self._regime, **settings}
        if is_played():
            from bnlib.experiments import numpy_training

            return self._take_over(numpy_training.Comparison(self._variants, **options))
        from bnlib.experiments.comparison import Comparison

        return self._take_over(Comparison(self._variants, **options))

    def _take_over(self, comparison: RunsInTurn) -> Iterator[float]:
        work = comparison.train()
        first = next(work)
        layer = self.controls["layer"]
        layer.value = min(layer.value, comparison.depth)  # while the runs that are shown have it
        self.runs = comparison
        layer.max = comparison.depth
        yield first
        yield from work


def trained(variants: Sequence[Variant], **regime) -> Comparison:
    """Train a comparison to its end; torch is loaded now at the latest."""
    from bnlib.experiments.comparison import Comparison

    comparison = Comparison(variants, **regime)
    for _done in comparison.train():
        pass
    return comparison


def snapshot_at(runs: Runs, label: str, step: int) -> int:
    """Return the place of the snapshot at `step`, or of the last one there is of a network."""
    return min(list(runs.steps).index(step), len(runs.recorders[label].accuracy) - 1)


def training_settings(
    rates: Sequence[float],
    rate: float,
    inits: Sequence,
    init: float | str,
    depth: int,
    deepest: int,
) -> dict[str, widgets.ValueWidget]:
    """Make the settings that such explorers have: seed, rate, initial weights and depth.

    Args:
        rates: those to choose from.
        rate: the one at the start.
        inits: standard deviations of the initial weights, or (name, value), to choose from.
        init: the one at the start.
        depth: number of hidden layers at the start.
        deepest: the largest.
    """
    return {
        "seed": widgets.IntSlider(0, 0, 9, description="seed"),
        "lr": widgets.SelectionSlider(options=rates, value=rate, description="rate"),
        "init": widgets.SelectionSlider(options=inits, value=init, description="init std"),
        "depth": widgets.IntSlider(depth, 1, deepest, description="depth"),
    }
