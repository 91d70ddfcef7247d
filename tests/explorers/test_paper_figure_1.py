"""The explorers of lesson 12: the record, and a training of the reader's own."""

import numpy as np
import pytest

from bnlib.experiments import mnist, paper_figure_1
from bnlib.experiments.comparison import Comparison
from bnlib.experiments.mnist import Mnist
from bnlib.explorers import paper_figure_1 as explorers
from bnlib.explorers.paper_figure_1 import BOTH, figure_one_explorer, own_training_explorer

GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module")
def runs():
    return Comparison(BOTH, **{**explorers.REGIME, "steps": 5}).trained()


@pytest.fixture
def no_mnist(monkeypatch):
    """As on most machines: MNIST has not been downloaded."""
    monkeypatch.setattr(mnist, "is_complete", lambda: False)


def train(explorer, **settings):
    values = {name: control.value for name, control in explorer.settings.items()}
    return explorer._train(**{**values, "steps": 3, **settings})


def test_the_record_is_shown_with_its_numbers():
    record = paper_figure_1.load()
    right = record.accuracy("with BN")[:, -1].mean()
    explorer = figure_one_explorer()
    assert explorer.line.startswith(
        f"Unit {record.typical_unit() + 1}, the first 50,000 steps. without BN: "
    )
    assert f"with BN: {right:.0%} right, middle from " in explorer.line


def test_the_line_tells_of_the_steps_that_are_shown():
    explorer = figure_one_explorer()
    explorer.set(shown=100)
    first = explorer.line.split("; ")[0]
    assert "the first 100 steps" in first and "without BN: 1" in first, "chance, in whole per cent"


def test_by_the_running_averages_the_width_starts_near_0():
    explorer = figure_one_explorer()
    of_batch = explorer.line
    explorer.set(averages=True)
    assert "by the running averages" in explorer.line
    assert "width 2.0 to 3" in of_batch.split("with BN: ")[1]
    assert "width 0.1 to 3" in explorer.line.split("with BN: ")[1]
    assert explorer.line.split(";")[0].split(". ", 1)[1] == of_batch.split(";")[0].split(". ", 1)[1]


def test_it_trains_on_the_digits_where_there_is_nothing_else(no_mnist, runs):
    explorer = own_training_explorer(runs)
    assert list(train(explorer)) == [1 / 3, 2 / 3, 1]
    explorer.set(unit=2)
    assert explorer.line.startswith("Trained on 1,442 images. Layer 3, unit 2, the first 3 steps.")


def test_it_trains_on_mnist_where_that_has_been_downloaded(monkeypatch, runs):
    x, y = GENERATOR.random((70, 784), np.float32), np.arange(70) % 10
    monkeypatch.setattr(mnist, "is_complete", lambda: True)
    monkeypatch.setattr(mnist, "load", lambda: Mnist(x, y, x[:9], y[:9]))
    explorer = own_training_explorer(runs)
    list(train(explorer))
    assert explorer.runs.models["with BN"][0].in_features == 784
    explorer.set(unit=2)
    assert explorer.line.startswith("Trained on 70 images.")


def test_settings_that_cannot_be_trained_are_refused_at_the_call(no_mnist, runs):
    explorer = own_training_explorer(runs)
    with pytest.raises(ValueError, match="learning rate"):
        train(explorer, lr=-1)
    assert explorer.runs is runs


def test_the_settings_at_the_start_are_those_of_what_is_shown(runs):
    settings = {n: control.value for n, control in own_training_explorer(runs).settings.items()}
    assert settings.items() <= {"seed": 0, **explorers.REGIME}.items()


def test_the_whole_length_of_the_paper_can_be_trained(runs):
    steps = own_training_explorer(runs).settings["steps"]
    assert dict(steps.options)["50,000"] == paper_figure_1.STEPS == 50_000
