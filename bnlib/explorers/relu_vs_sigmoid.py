"""Lesson 05: a layer of four networks, ReLU and sigmoid without and with BN, through training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from bnlib.experiments.activation_measures import activate, dead_share, row_correlation
from bnlib.experiments.data import load_digits
from bnlib.experiments.runs import Runs, Variant, batch_norm
from bnlib.experiments.signal_propagation import flat_share
from bnlib.explorers.compared_trainings import (
    ComparedTrainings,
    snapshot_at,
    trained,
    training_settings,
)
from bnlib.live.figure import LiveFigure
from bnlib.pictures.parts import STYLE_WITH_BN, STYLE_WITHOUT_BN
from bnlib.pictures.relu_vs_sigmoid import DEEPEST, FourNetworks

RELU = {"marker": "^", "mfc": "white"}  # the marker tells the activation,
SIGMOID = {"marker": "o"}  # colour and line tell BN
FOUR_NETWORKS = (
    Variant("ReLU, without BN", {"activation": "relu"}, style={**STYLE_WITHOUT_BN, **RELU}),
    Variant(
        "ReLU, with BN",
        {"activation": "relu", "norm": batch_norm},
        style={**STYLE_WITH_BN, **RELU},
    ),
    Variant(
        "sigmoid, without BN", {"activation": "sigmoid"}, style={**STYLE_WITHOUT_BN, **SIGMOID}
    ),
    Variant(
        "sigmoid, with BN",
        {"activation": "sigmoid", "norm": batch_norm},
        style={**STYLE_WITH_BN, **SIGMOID},
    ),
)
REGIME = {"depth": 6, "steps": 200, "snapshots": 16, "lr": 0.1, "init": "he"}
INITS = [("0.03", 0.03), ("0.1", 0.1), ("He", "he"), ("0.3", 0.3), ("1", 1.0)]


def activations_explorer(runs: Runs | None = None) -> ComparedTrainings:
    """Make an explorer of layer and step of four networks, with Play through the training.

    Args:
        runs: of FOUR_NETWORKS in REGIME, to be shown at first; None trains them.
    """
    runs = runs or _runs()
    kinds = {network.label: network.network["activation"] for network in FOUR_NETWORKS}
    rows, digits = _some_rows(len(next(iter(runs.recorders.values())).inputs[0][0]))

    def draw(live: LiveFigure) -> Callable[..., str]:
        picture = FourNetworks(live.figure, FOUR_NETWORKS, runs.steps, digits)
        live.moves(*picture.artists)

        def update(shown: Runs, layer: int, step: int) -> str:
            words = []
            for label, record in shown.recorders.items():
                now = snapshot_at(shown, label, step)
                inputs = record.inputs[now][layer - 1]
                activations = activate(inputs, kinds[label])[rows]
                picture.set(label, inputs, activations, record.gradient_norms[now], record.accuracy)
                measured = _words(inputs, kinds[label])
                words.append(f"{label}: {measured}, accuracy {record.accuracy[now]:.0%}")
            picture.mark(layer, step)
            words += [f"{label}: {error}" for label, error in shown.diverged.items()]
            return f"Layer {layer}, step {step}. " + "; ".join(words)

        return update

    controls = {
        "layer": widgets.IntSlider(1, 1, runs.depth, description="hidden layer"),
        "step": widgets.SelectionSlider(options=runs.steps, value=1, description="step"),
    }
    return ComparedTrainings(
        draw,
        runs,
        variants=FOUR_NETWORKS,
        regime=REGIME,
        controls=controls,
        settings=training_settings([0.02, 0.1, 0.5, 1], 0.1, INITS, "he", 6, DEEPEST),
        play="step",
        height=6.6,
        text="A layer of four networks, ReLU and sigmoid, each without and with BN.",
    )


@cache
def _runs() -> Runs:
    return trained(FOUR_NETWORKS, **REGIME)


def _some_rows(images: int) -> tuple[NDArray, NDArray]:
    """Return every third of the `images` of the probe, sorted by digit, and their digits."""
    digits = load_digits().y_train[:images]
    rows = np.argsort(digits, kind="stable")[::3]
    return rows, digits[rows]


def _words(inputs: NDArray, activation: str) -> str:
    """Say of a layer's `inputs` (N, units) how alike its answers are, and what is out of work."""
    if not np.isfinite(inputs).all():
        return "inputs are no finite numbers any more"
    correlation = row_correlation(activate(inputs, activation))
    alike = "rows of one value" if np.isnan(correlation) else f"rows correlate {correlation:z.2f}"
    if activation == "relu":
        return f"{alike}, {dead_share(inputs):.0%} of the units dead"
    return f"{alike}, {flat_share(inputs):.0%} of the inputs saturated"
