"""Lesson 05: a layer of four networks, ReLU and sigmoid without and with BN, and a blank map."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from bnlib.experiments import gain_map
from bnlib.experiments.activation_measures import activate, bands, dead_share
from bnlib.experiments.data import load_digits
from bnlib.experiments.recorded_runs import record_of_images
from bnlib.experiments.runs import Runs, Variant, batch_norm
from bnlib.experiments.signal_propagation import flat_share
from bnlib.explorers.compared_trainings import (
    ComparedTrainings,
    snapshot_at,
    trained,
    training_settings,
)
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import recorded
from bnlib.pictures.parts import STYLE_WITH_BN, STYLE_WITHOUT_BN
from bnlib.pictures.relu_vs_sigmoid import DEEPEST, Exploration, FourNetworks

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
GUESS = 0.15  # an accuracy up to this is chance
TRAININGS = 30  # to spend on the map, two for each cell
INITS = [("0.03", 0.03), ("0.1", 0.1), ("He", "he"), ("0.3", 0.3), ("1", 1.0)]


def activations_explorer(runs: Runs | None = None) -> ComparedTrainings:
    """Make an explorer of layer and step of four networks, with Play through the training.

    Args:
        runs: of FOUR_NETWORKS in REGIME, to be shown at first; None trains them.
    """
    runs = recorded("activations", lambda: runs or _runs(), record_of_images)
    kinds = {network.label: network.network["activation"] for network in FOUR_NETWORKS}
    all_digits = load_digits().y_train[: len(next(iter(runs.recorders.values())).inputs[0][0])]
    rows = np.argsort(all_digits, kind="stable")[::3]  # every third image of the probe, by digit
    digits = all_digits[rows]

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
                measured = _words(inputs, kinds[label], record.gradient_norms[now], all_digits)
                words.append(f"{label}: {measured}, accuracy {record.accuracy[now]:.0%}")
            picture.mark(layer, step)
            words += [f"{label}: {error}" for label, error in shown.diverged.items()]
            return f"Layer {layer}, step {step}. " + "; ".join(words)

        return update

    controls = {
        "layer": widgets.IntSlider(runs.depth, 1, runs.depth, description="hidden layer"),
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


def _words(inputs: NDArray, activation: str, norms: NDArray, digits: NDArray) -> str:
    """Say of a layer's `inputs` (N, units) how it tells digits apart, and what is out of work."""
    if not np.isfinite(inputs).all():
        return "inputs are no finite numbers any more"
    activations = activate(inputs, activation)
    constant = np.ptp(activations, axis=1).min() == 0  # then a row correlates with nothing
    words = "rows of one value" if constant else f"bands {bands(activations, digits):z.2f}"
    if not np.isnan(norms).any() and norms[-1] > 0:
        words += f", gradient first/last {norms[0] / norms[-1]:.2g}"
    if activation == "relu":
        return f"{words}, {dead_share(inputs):.0%} of the units dead"
    return f"{words}, {flat_share(inputs):.0%} of the inputs saturated"


def gain_map_explorer() -> Explorer:
    """Make an explorer of a blank map of what BN gains, with trainings to spend on its cells.

    The trainings are those that were recorded. What has been spent is kept in a control that is
    not shown, a bit for each cell, so that Reset gives it back.
    """
    recorded = gain_map.load()
    depths, stds = recorded.grid.depths, recorded.grid.stds
    accuracy, gains, rates = recorded.best(), recorded.gains().mean(axis=-1), recorded.best_rates()
    cells = [*np.ndindex(gains.shape)]

    def trained_cells(trained: int) -> list[tuple[int, ...]]:
        return [cell for bit, cell in enumerate(cells) if trained >> bit & 1]

    def place(depth: int, std: float) -> tuple[int, int]:
        return depths.index(depth), stds.index(std)

    def left(trained: int) -> int:
        return max(TRAININGS - 2 * trained.bit_count(), 0)

    def draw(live: LiveFigure) -> Update:
        picture = Exploration(live.figure, depths, stds)
        live.moves(*picture.artists)

        def update(depth: int, std: float, trained: int) -> str:
            here, known = place(depth, std), trained_cells(trained)
            seen = np.full(gains.shape, np.nan)
            for cell in known:
                seen[cell] = gains[cell]
            of_cell = accuracy[:, *here]  # (2, seeds)
            picture.set(seen, here, of_cell if here in known else None)
            words = "not trained yet"
            if here in known:
                without, with_bn = map(_at_best, of_cell.mean(axis=-1), rates[:, *here])
                words = f"without BN {without}, with BN {with_bn}"
            return (
                f"{depth} layers, std {std:g}: {words}. "
                f"Trainings left: {left(trained)} of {TRAININGS}."
            )

        return update

    def train(depth: int, std: float, trained: int) -> dict[str, int]:
        bit = 1 << cells.index(place(depth, std))
        return {"trained": trained | bit if left(trained) else trained}

    controls = {
        "depth": widgets.SelectionSlider(options=depths, value=4, description="depth"),
        "std": widgets.SelectionSlider(options=stds, value=0.1, description="std"),
        "trained": widgets.BoundedIntText(
            0, min=0, max=(1 << len(cells)) - 1, description="trained cells"
        ),
    }
    explorer = Explorer(draw, controls, {"Look here": train}, height=4.6)
    controls["trained"].layout.display = "none"
    return explorer


def _at_best(accuracy: float, rate: float) -> str:
    """Say how well a network does at its best rate; where none helps, the best is a tie."""
    return f"{accuracy:.0%} at rate {rate:g}" if accuracy > GUESS else "chance at every rate"
