"""Lesson 04: a layer of four networks, ReLU and sigmoid without and with BN, through training."""

from collections.abc import Iterator

import ipywidgets as widgets
import numpy as np

from bnlib.experiments.activation_measures import activate, dead_share, row_correlation
from bnlib.pictures.relu_vs_sigmoid import DEEPEST, FourNetworks
from bnlib.experiments.data import load_digits
from bnlib.experiments.comparison import PROBE, Comparison
from bnlib.live.explorer import LiveFigure, Update
from bnlib.live.training_explorer import TrainingExplorer
from bnlib.experiments.recorder import geometric_steps
from bnlib.experiments.signal_propagation import flat_share

FOUR_NETWORKS = {
    "ReLU, without BN": {"activation": "relu", "batch_norm": None},
    "ReLU, with BN": {"activation": "relu", "batch_norm": "before"},
    "sigmoid, without BN": {"activation": "sigmoid", "batch_norm": None},
    "sigmoid, with BN": {"activation": "sigmoid", "batch_norm": "before"},
}
REGIME = {"depth": 6, "steps": 200, "looks": 16, "lr": 0.1, "init": "he"}
ROWS = np.argsort(load_digits().y_train[:PROBE], kind="stable")[::3]  # every third image, by digit


def activations_explorer(comparison: Comparison | None = None) -> TrainingExplorer:
    """Layer and step of four networks, Play through the training, and Train for other settings.

    Arguments: a comparison of FOUR_NETWORKS in REGIME that has been trained; None trains one.
    """
    if comparison is None:
        comparison = Comparison(FOUR_NETWORKS, **REGIME)
        list(comparison.train())
    steps = geometric_steps(REGIME["steps"], REGIME["looks"])
    shown = {"comparison": comparison}

    def draw(live: LiveFigure) -> Update:
        picture = FourNetworks(live.figure, steps, load_digits().y_train[ROWS])
        live.moves(*picture.artists)

        def update(layer: int, step: int) -> str:
            words = []
            for name, recorder in shown["comparison"].recorders.items():
                look = min(steps.index(step), len(recorder.steps) - 1)
                inputs = recorder.inputs[look][layer - 1]
                activations = activate(inputs, FOUR_NETWORKS[name]["activation"])
                norms, accuracy = recorder.gradient_norms[look], recorder.accuracy
                picture.set(name, inputs, activations[ROWS], norms, accuracy)
                words.append(f"{name}: {_words(name, inputs)}, accuracy {accuracy[look]:.0%}")
            picture.mark(layer, step)
            words += [f"{n}: {error}" for n, error in shown["comparison"].diverged.items()]
            return f"Layer {layer}, step {step}. " + "; ".join(words)

        return update

    def train(seed: int, lr: float, init: float | str, depth: int) -> Iterator[float]:
        options = {"seed": seed, "lr": lr, "init": init, "depth": depth}
        started = Comparison(FOUR_NETWORKS, **{**REGIME, **options})
        work = started.train()
        first = next(work)
        controls["layer"].value = min(controls["layer"].value, depth)
        shown["comparison"] = started
        controls["layer"].max = depth
        yield first
        yield from work

    controls = {
        "layer": widgets.IntSlider(1, 1, REGIME["depth"], description="hidden layer"),
        "step": widgets.SelectionSlider(options=steps, value=1, description="step"),
    }
    settings = {
        "seed": widgets.IntSlider(0, 0, 9, description="seed"),
        "lr": widgets.SelectionSlider(options=[0.02, 0.1, 0.5, 1], value=0.1, description="rate"),
        "init": widgets.SelectionSlider(
            options=[("0.03", 0.03), ("0.1", 0.1), ("He", "he"), ("0.3", 0.3), ("1", 1.0)],
            value="he",
            description="init std",
        ),
        "depth": widgets.IntSlider(REGIME["depth"], 1, DEEPEST, description="depth"),
    }
    text = "A layer of four networks, ReLU and sigmoid, each without and with BN."
    explorer = TrainingExplorer(draw, controls, settings, train, height=6.6, text=text)
    _add_play(explorer, controls["step"])
    return explorer


def _words(name: str, inputs: np.ndarray) -> str:
    """Of a layer's `inputs` (N, units): how alike its answers are, and what is out of work."""
    if not np.isfinite(inputs).all():
        return "inputs are no finite numbers any more"
    kind = FOUR_NETWORKS[name]["activation"]
    correlation = row_correlation(activate(inputs, kind))
    alike = "rows of one value" if np.isnan(correlation) else f"rows correlate {correlation:z.2f}"
    if kind == "relu":
        return f"{alike}, {dead_share(inputs):.0%} of the units dead"
    return f"{alike}, {flat_share(inputs):.0%} of the inputs saturated"


def _add_play(explorer: TrainingExplorer, step: widgets.SelectionSlider) -> None:
    """Put a Play that runs through the options of `step` above the line of numbers."""
    play = widgets.Play(value=step.index, max=len(step.options) - 1, interval=300)
    widgets.link((play, "value"), (step, "index"))
    row = widgets.HBox([widgets.Label("Play through the training:"), play])
    *above, line = explorer.panel.children
    explorer.panel.children = (*above, row, line)
    explorer.play = play
