"""Lesson 03: the input of any unit while the layers below it learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import ipywidgets as widgets

from bnlib.experiments.recorded_runs import record_of_units
from bnlib.experiments.runs import Runs, Variant, batch_norm
from bnlib.explorers.compared_trainings import (
    ComparedTrainings,
    snapshot_at,
    trained,
    training_settings,
)
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded
from bnlib.pictures.internal_covariate_shift import ONCE, WITH_NOISE, TrainingOfAUnit
from bnlib.pictures.parts import STYLE_WITH_BN, STYLE_WITHOUT_BN

BN_OR_NOT = (
    Variant("without BN", style=STYLE_WITHOUT_BN),
    Variant("with BN", network={"norm": batch_norm}, style=STYLE_WITH_BN),
)
REGIME = {"depth": 3, "steps": 1000, "snapshots": 60, "lr": 0.5, "init": 0.1}
UNITS = 100


def with_noise(seed: int) -> Variant:
    """Return the network with BN and with noise after it, which depends on `seed`."""
    from bnlib.experiments.shift import noisy_batch_norm

    return Variant("BN, then noise", network={"norm": noisy_batch_norm(seed)}, style=WITH_NOISE)


def normalized_once() -> Variant:
    """Return the network that is normalized by its first batch, and then left alone."""
    from bnlib.experiments.shift import FirstBatchNorm

    return Variant("normalized once", network={"norm": FirstBatchNorm}, style=ONCE)


def covariate_shift_explorer(runs: Runs | None = None) -> ComparedTrainings:
    """Make an explorer of layer, unit and step of two networks, without and with BN.

    Args:
        runs: of BN_OR_NOT over the 1000 steps of REGIME, to be shown at first; None trains them.
    """
    runs = recorded("covariate_shift", lambda: runs or _runs(), record_of_units)

    def draw(live: LiveFigure) -> Callable[..., str]:
        picture = TrainingOfAUnit(live.figure, BN_OR_NOT, runs.steps)
        live.moves(*picture.artists)

        def update(shown: Runs, unit: int, layer: int, step: int) -> str:
            words = []
            for label, record in shown.recorders.items():
                inputs, now = (
                    shown.unit_inputs(label, layer - 1, unit - 1),
                    snapshot_at(shown, label, step),
                )
                picture.set(label, inputs, record.accuracy, step)
                words.append(
                    f"{label}: mean {inputs[now].mean():.2f}, std {inputs[now].std():.2f}, "
                    f"test accuracy {record.accuracy[now]:.0%}"
                )
            words += [f"{label}: {error}" for label, error in shown.diverged.items()]
            return f"Layer {layer}, unit {unit}, step {shown.steps[now]}. " + "; ".join(words)

        return update

    controls = {
        "unit": widgets.IntSlider(1, 1, UNITS, description="unit"),
        "layer": widgets.IntSlider(runs.depth, 1, runs.depth, description="hidden layer"),
        "step": widgets.SelectionSlider(
            options=runs.steps, value=runs.steps[-1], description="step"
        ),
    }
    return ComparedTrainings(
        draw,
        runs,
        variants=BN_OR_NOT,
        regime=REGIME,
        controls=controls,
        settings=training_settings([0.1, 0.5, 1.0, 3.0], 0.5, [0.03, 0.1, 0.5, 1.0], 0.1, 3, 6),
        height=4.8,
        text="The input of a unit over training in two networks, without and with BN.",
    )


@cache
def _runs() -> Runs:
    return trained(BN_OR_NOT, **REGIME)
