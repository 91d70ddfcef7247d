"""Lesson 11: a landscape, weights of which only the direction counts, and noise after BN."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from bnlib.experiments.data import load_digits
from bnlib.experiments.recorded_runs import record_of_units
from bnlib.experiments.runs import Runs, Variant, batch_norm
from bnlib.experiments.two_inputs import SixOrNine, descend
from bnlib.explorers.compared_trainings import ComparedTrainings, trained
from bnlib.live.explorer import Explorer, Update
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import is_played, recorded
from bnlib.pictures.why_it_works import Directions, Landscape, NoiseAfterBN

if TYPE_CHECKING:
    from bnlib.experiments.landscape import Walk

NETWORKS = ("plain", "scaled start", "BN")
LOSSES = (1.5, 0.8, 0.3)
PERCENT = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10)  # how far, of the norm of the weights
SHARES = np.array(PERCENT) / 100
IMAGES = 400  # on which the loss is computed
STEPS, DEGREES = 30, 20
REGIME = {"depth": 3, "steps": 50, "snapshots": 25, "init": 0.5}


def landscape_explorer() -> Explorer:
    """Make an explorer of the loss along the gradient, without BN, with a scaled start, with BN."""
    walks = recorded("landscape", _walks, _without_torch)

    def draw(live: LiveFigure) -> Update:
        picture = Landscape(live.figure, NETWORKS, SHARES)
        live.moves(*picture.artists)

        def update(goal: float, percent: float) -> str:
            words, place = [], PERCENT.index(percent)
            for name in NETWORKS:
                walk = walks[name, goal]
                picture.set(name, walk.start, walk.slope, walk.losses, walk.kept, place)
                words.append(f"{name}: {walk.kept[place]:z.0%}")
            return (
                f"At a loss of {goal:g}, weights moved by {percent:g} % of their norm; of the "
                f"promised decrease comes, {', '.join(words)}."
            )

        return update

    controls = {
        "goal": widgets.SelectionSlider(options=LOSSES, value=0.8, description="loss so far"),
        "percent": widgets.SelectionSlider(options=PERCENT, value=1, description="how far, in %"),
    }
    text = "The loss along the gradient of three networks that have reached the same loss."
    return Explorer(draw, controls, height=3.7, text=text)


@cache
def _walks() -> Mapping[tuple[str, float], Walk]:
    """Train the networks from one loss to the next, and walk at each."""
    import torch

    from bnlib.experiments.landscape import train_to_loss, walk
    from bnlib.experiments.parts_of_bn import network

    x, y, *_ = map(torch.tensor, load_digits())
    some, walks = (x[:IMAGES], y[:IMAGES]), {}
    for name in NETWORKS:
        model = network(name, x[:200], activation="relu", init="he")
        for goal in LOSSES:
            train_to_loss(model, *some, goal, lr=0.1)
            walks[name, goal] = walk(model, *some, SHARES.tolist())
    return walks


def _without_torch(walks: Mapping[tuple[str, float], Walk]) -> dict:
    names = "start", "slope", "losses", "kept"
    return {
        key: SimpleNamespace(**{name: getattr(walk, name) for name in names})
        for key, walk in walks.items()
    }


def directions_explorer() -> Explorer:
    """Make an explorer of one unit with BN and two weights: start, rate and step."""
    unit = SixOrNine()
    around = np.radians(np.arange(0, 360, 3))
    rays = np.stack([np.cos(around), np.sin(around)], axis=1)
    losses = np.array([unit.loss_and_gradient(ray)[0] for ray in rays])
    direction = np.array([np.cos(np.radians(DEGREES)), np.sin(np.radians(DEGREES))])

    def draw(live: LiveFigure) -> Update:
        picture = Directions(live.figure, losses, STEPS)
        live.moves(*picture.artists)

        def update(length: float, rate: float, step: int) -> str:
            path = descend(unit, length * direction, rate, STEPS)
            lengths = np.linalg.norm(path.weights, axis=1)
            rates = rate / lengths**2
            picture.set(path.weights, path.losses, rates, step)
            return (
                f"Step {step}: length {lengths[step]:.2f}, from {lengths[0]:g} at the start; "
                f"effective rate {rates[step]:.2g}, from {rates[0]:.2g}; "
                f"loss {path.losses[step]:.2f}."
            )

        return update

    controls = {
        "length": widgets.SelectionSlider(
            options=[0.25, 0.5, 1, 2], value=0.5, description="length at the start"
        ),
        "rate": widgets.SelectionSlider(
            options=[0.03, 0.1, 0.3, 1, 3], value=0.3, description="rate"
        ),
        "step": widgets.IntSlider(STEPS, 0, STEPS, description="step"),
    }
    return Explorer(draw, controls, height=4.2)


class _NoisyTrainings(ComparedTrainings):
    """Trainings without BN, with BN, and with noise after it, whose strength is a setting."""

    def _compare(self, **settings) -> Iterator[float]:
        self._variants = _variants(settings.pop("strength"), settings["seed"])
        return super()._compare(**settings)


def _variants(strength: float, seed: int) -> tuple[Variant, ...]:
    noisy = {"norm": _noisy_batch_norm(seed, strength)}
    return (
        Variant("without BN"),
        Variant("with BN", {"norm": batch_norm}),
        Variant("BN, then noise", noisy),
    )


def _noisy_batch_norm(seed: int, strength: float) -> Callable:
    if is_played():
        from bnlib.experiments import numpy_training

        return numpy_training.noisy_batch_norm(seed, strength)
    from bnlib.experiments.shift import noisy_batch_norm

    return noisy_batch_norm(seed, strength)


def noise_explorer(runs: Runs | None = None) -> ComparedTrainings:
    """Make an explorer of trainings with noise after BN, whose strength one sets.

    Args:
        runs: of the three networks over the steps of REGIME, to be shown at first; None trains
            them.
    """
    runs = recorded("noise", lambda: runs or _runs(), record_of_units)

    def draw(live: LiveFigure) -> Update:
        names = [*runs.recorders]
        picture = NoiseAfterBN(live.figure, names, runs.steps)
        live.moves(*picture.artists)

        def update(shown: Runs, unit: int, layer: int) -> str:
            words = []
            for name, record in shown.recorders.items():
                means = shown.unit_inputs(name, layer - 1, unit - 1).mean(axis=1)
                picture.set(name, means, record.accuracy)
                travelled = np.abs(np.diff(means)).sum()
                words.append(
                    f"{name}: the mean travels {travelled:.1f}, accuracy {record.accuracy[-1]:.0%}"
                )
            words += [f"{name}: {error}" for name, error in shown.diverged.items()]
            return f"Layer {layer}, unit {unit}. " + "; ".join(words)

        return update

    controls = {
        "unit": widgets.IntSlider(1, 1, 100, description="unit"),
        "layer": widgets.IntSlider(runs.depth, 1, runs.depth, description="hidden layer"),
    }
    settings = {
        "strength": widgets.FloatSlider(1, min=0, max=4, step=0.5, description="strength"),
        "lr": widgets.SelectionSlider(options=[0.1, 0.3, 1, 3, 10], value=1, description="rate"),
        "seed": widgets.IntSlider(0, 0, 9, description="seed"),
    }
    return _NoisyTrainings(
        draw,
        runs,
        variants=(),
        regime=REGIME,
        controls=controls,
        settings=settings,
        height=3.6,
        text="The mean input of a unit, and the test accuracy, with noise after BN and without.",
    )


@cache
def _runs() -> Runs:
    return trained(_variants(1, 0), **REGIME, lr=1.0)
