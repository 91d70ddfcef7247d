"""What explorers of compared trainings share: runs from a file, and Train."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from bnlib.explorers.compared_trainings import ComparedTrainings, trained
from bnlib.explorers.internal_covariate_shift import REGIME as SHIFT
from bnlib.explorers.internal_covariate_shift import covariate_shift_explorer
from bnlib.explorers.relu_vs_sigmoid import REGIME as FOUR
from bnlib.explorers.relu_vs_sigmoid import activations_explorer
from bnlib.live import recording

CASES = [(covariate_shift_explorer, SHIFT), (activations_explorer, FOUR)]
each_explorer = pytest.mark.parametrize(("make", "regime"), CASES, ids=["02", "04"])


@dataclass
class RecordedRuns:
    """Runs as they come out of a file: arrays and labels, and nothing of torch."""

    depth: int
    steps: list[int]
    recorders: dict[str, SimpleNamespace]
    diverged: dict[str, str]

    def unit_inputs(self, label: str, layer: int, unit: int) -> np.ndarray:
        return self.recorders[label].inputs[:, layer, :, unit]


def through_a_file(runs, path) -> RecordedRuns:
    parts = ("inputs", "accuracy", "gradient_norms")
    labels = [*runs.recorders]
    arrays = {f"{part}/{n}": getattr(runs.recorders[n], part) for n in labels for part in parts}
    np.savez(path, steps=runs.steps, **arrays)
    with np.load(path, allow_pickle=False) as file:
        recorders = {
            label: SimpleNamespace(**{part: file[f"{part}/{label}"] for part in parts})
            for label in labels
        }
        return RecordedRuns(runs.depth, file["steps"].tolist(), recorders, {})


@each_explorer
def test_runs_from_a_file_are_shown_as_those_that_were_trained(make, regime, tmp_path):
    live = make()
    recorded = make(through_a_file(live.runs, tmp_path / "runs.npz"))
    for step in regime["steps"], 0:
        for explorer in (live, recorded):
            explorer.set(layer=2, step=step)
        assert recorded.line == live.line and recorded.png() == live.png()


def train(explorer: ComparedTrainings, **settings):
    values = {name: control.value for name, control in explorer.settings.items()}
    return explorer._train(**{**values, **settings})


@each_explorer
def test_where_a_recording_is_played_numpy_trains(make, regime):
    name = make.__name__.removesuffix("_explorer")
    with recording.kept() as kept:
        make()
    recording.play(kept)
    try:
        explorer = make()
        assert explorer.runs is kept[name]
        assert len([*train(explorer, depth=2, seed=3)]) == regime["steps"]
    finally:
        recording.play(None)
    assert explorer.runs.__class__.__module__ == "bnlib.experiments.numpy_training"
    assert explorer.runs.depth == explorer.controls["layer"].max == 2
    explorer.set(layer=1, step=regime["steps"])
    assert "ayer 1" in explorer.line


@each_explorer
def test_train_shows_what_is_trained_and_layers_follow_the_depth(make, regime):
    explorer = make()
    explorer.set(layer=regime["depth"])
    before = explorer.runs
    for depth in (regime["depth"] + 2, 1):
        for _done in train(explorer, depth=depth):
            pass
        assert explorer.runs is not before and explorer.runs.depth == depth
        assert explorer.controls["layer"].max == depth
        explorer.set(layer=depth, step=regime["steps"])
        assert explorer.line.startswith(f"Layer {depth}")


@each_explorer
def test_settings_that_cannot_be_trained_are_refused_at_the_call(make, regime):
    explorer = make()
    before = explorer.runs
    with pytest.raises(ValueError, match="learning rate"):
        train(explorer, lr=-1)
    assert explorer.runs is before


@each_explorer
def test_the_settings_at_the_start_are_those_of_what_is_shown(make, regime):
    explorer = make()
    settings = {name: control.value for name, control in explorer.settings.items()}
    assert settings.items() <= {"seed": 0, **regime}.items()


def test_trained_runs_to_the_end():
    runs = trained([], steps=3)
    assert runs.steps == [0, 1, 2, 3]
