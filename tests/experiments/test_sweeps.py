"""Sweeps, and how soon a network is there."""

import math

import numpy as np
import pytest
import torch

from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.sweeps import Sweep, steps_to
from bnlib.experiments.training import accuracy, train

CASES = [("he", 0.1), (0.3, 0.5)]


@pytest.mark.parametrize(
    ("accuracies", "steps"),
    [
        ([0.1, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9], 15),  # the third is there, and stays
        ([0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9], 20),
        ([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], 15),  # no earlier median of five
        ([0.1, 0.95, 0.1, 0.1, 0.1, 0.1, 0.1], math.inf),  # one lucky moment
        ([0.95, 0.95, 0.1, 0.95, 0.1, 0.1, 0.1], 15),
        ([0.9, 0.9], math.inf),  # too few to tell
    ],
)
def test_steps_to_the_mark_take_more_than_luck(accuracies, steps):
    assert steps_to(accuracies, 0.9) == steps


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return Sweep(CASES, (0, 1), norm=torch.nn.BatchNorm1d, depth=2, steps=40).trained()


def test_a_network_of_a_sweep_is_one_that_is_trained_alone(sweep):
    x, y, x_test, y_test = map(torch.tensor, load_digits())
    for case, (init, lr) in enumerate(CASES):
        norm = torch.nn.BatchNorm1d
        model = mlp([64, 100, 100, 10], activation="relu", norm=norm, init=init, seed=1)
        list(train(model, x, y, steps=40, batch_size=60, lr=lr, seed=1))
        share = accuracy(model, x_test, y_test)
        assert sweep.accuracy[40][case, 1] == pytest.approx(share, abs=0.01)


def test_accuracies_are_medians_of_the_last_five(sweep):
    assert [*sweep.accuracy] == [*range(5, 41, 5)]
    last = [sweep.accuracy[at] for at in (20, 25, 30, 35, 40)]
    np.testing.assert_array_equal(sweep.after(40), np.median(last, axis=0))
    np.testing.assert_array_equal(sweep.after(5), sweep.accuracy[5])
    np.testing.assert_array_equal(
        sweep.after(12), np.median([sweep.after(5), sweep.accuracy[10]], 0)
    )


def test_before_the_training_nothing_is_known():
    sweep = Sweep(CASES, (0,), depth=1, steps=10)
    assert np.isnan(sweep.after(5)).all() and sweep.after(5).shape == (2, 1)
    with pytest.raises(ValueError, match="trained"):
        sweep.steps_to(0.5)


def test_steps_to_a_mark_for_each_case_and_seed(sweep):
    steps = sweep.steps_to(0.8)
    assert steps.shape == (2, 2) and np.all(steps <= 30)
    curve = [shares[1, 0] for shares in sweep.accuracy.values()]
    assert steps[1, 0] == steps_to(curve, 0.8)
    assert np.isinf(sweep.steps_to(1.01)).all()


def test_one_that_is_watched_late_ends_the_same(sweep):
    norm = torch.nn.BatchNorm1d
    late = Sweep(CASES, (0, 1), norm=norm, depth=2, steps=40, watched=False).trained()
    np.testing.assert_allclose(late.after(40), sweep.after(40), atol=0.01)
    with pytest.raises(ValueError, match="watched"):
        late.steps_to(0.8)


def test_it_says_when_a_network_has_diverged():
    sweep = Sweep([("he", 0.1), ("he", 1e6)], (0,), depth=2, steps=10).trained()
    assert np.isinf(sweep.diverged[0, 0]) and 0 < sweep.diverged[1, 0] < 10
    assert sweep.after(10)[1, 0] == 0


def test_progress_goes_to_1():
    assert [*Sweep(CASES, (0,), depth=1, steps=5).train()] == [0.2, 0.4, 0.6, 0.8, 1]
