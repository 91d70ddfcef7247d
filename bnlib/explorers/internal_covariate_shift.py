"""Lesson 02: the input of any unit while the layers below it learn."""

from collections.abc import Iterator

import ipywidgets as widgets

from bnlib.experiments.comparison import BN_OR_NOT, WIDTH, Comparison
from bnlib.live.explorer import LiveFigure, Update
from bnlib.live.training_explorer import TrainingExplorer
from bnlib.experiments.recorder import geometric_steps
from bnlib.pictures.internal_covariate_shift import TrainingOfAUnit

STEPS, LOOKS = 1000, 60


def covariate_shift_explorer(comparison: Comparison | None = None) -> TrainingExplorer:
    """Layer, unit and step of two networks, without and with BN, and Train for other settings.

    Arguments: a comparison of BN_OR_NOT over 1000 steps that has been trained; None trains one.
    """
    if comparison is None:
        comparison = Comparison(BN_OR_NOT, steps=STEPS, looks=LOOKS)
        list(comparison.train())
    steps = geometric_steps(STEPS, LOOKS)
    shown = {"comparison": comparison}

    def draw(live: LiveFigure) -> Update:
        picture = TrainingOfAUnit(live.figure, steps)
        live.moves(*picture.artists)

        def update(unit: int, layer: int, step: int) -> str:
            words = []
            for name, recorder in shown["comparison"].recorders.items():
                inputs = shown["comparison"].unit_inputs(name, layer - 1, unit - 1)
                picture.set(name, inputs, recorder.accuracy, step)
                look = min(steps.index(step), len(inputs) - 1)
                words.append(
                    f"{name}: mean {inputs[look].mean():.2f}, std {inputs[look].std():.2f}, "
                    f"test accuracy {recorder.accuracy[look]:.0%}"
                )
            words += [f"{n}: {error}" for n, error in shown["comparison"].diverged.items()]
            return f"Layer {layer}, unit {unit}, step {steps[look]}. " + "; ".join(words)

        return update

    def train(seed: int, lr: float, init: float, depth: int) -> Iterator[float]:
        options = {"seed": seed, "lr": lr, "init": init, "depth": depth}
        started = Comparison(BN_OR_NOT, steps=STEPS, looks=LOOKS, **options)
        work = started.train()
        first = next(work)
        shown["comparison"] = started
        controls["layer"].max = depth
        yield first
        yield from work

    controls = {
        "unit": widgets.IntSlider(1, 1, WIDTH, description="unit"),
        "layer": widgets.IntSlider(3, 1, 3, description="hidden layer"),
        "step": widgets.SelectionSlider(options=steps, value=steps[-1], description="step"),
    }
    settings = {
        "seed": widgets.IntSlider(0, 0, 9, description="seed"),
        "lr": widgets.SelectionSlider(options=[0.1, 0.5, 1.0, 3.0], value=0.5, description="rate"),
        "init": widgets.SelectionSlider(
            options=[0.03, 0.1, 0.3, 1.0], value=0.1, description="init std"
        ),
        "depth": widgets.IntSlider(3, 1, 6, description="depth"),
    }
    text = "The input of a unit over training in two networks, without and with BN."
    return TrainingExplorer(draw, controls, settings, train, height=4.8, text=text)
