"""Lesson 07's explorer, beyond what every explorer is tested for."""

import pytest
import torch

from bnlib.experiments.drift import DRIFTS
from bnlib.experiments.networks import mlp
from bnlib.explorers.which_statistics import drift_explorer
from bnlib.live.explorer import Explorer
from bnlib.torch_bn import BatchNorm


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return drift_explorer()


def shares(explorer: Explorer, **values) -> list[float]:
    """The heights of the three bars: evaluation mode, training mode, recalibrated."""
    explorer.set(**({"by_digit": False} | values))
    bars = next(ax for ax in explorer.live.figure.axes if ax.get_ylabel() == "test accuracy")
    return [bar.get_height() for bar in bars.patches[:3]]


@pytest.mark.parametrize("kind", DRIFTS)
def test_without_a_change_all_three_are_right(explorer, kind):
    assert min(shares(explorer, kind=kind, amount=0)) > 0.93


@pytest.mark.parametrize("kind", ["the ink fades", "haze"])
def test_new_statistics_cure_what_all_images_share(explorer, kind):
    stale, in_batches, recalibrated = shares(explorer, kind=kind, amount=0.6)
    assert stale < 0.75 and min(in_batches, recalibrated) > 0.93


def test_they_do_not_cure_a_moved_camera(explorer):
    assert max(shares(explorer, kind="the camera moved", amount=1)) < 0.65


def test_a_negative_turns_the_answers_around(explorer):
    assert shares(explorer, kind="a negative", amount=0.4)[2] > 0.93
    assert shares(explorer, kind="a negative", amount=0.6)[2] < 0.05


def test_sorted_images_harm_the_batch_statistics_alone(explorer):
    mixed = shares(explorer, kind="the ink fades", amount=0.2)
    by_digit = shares(explorer, kind="the ink fades", amount=0.2, by_digit=True)
    assert by_digit[1] < 0.5 < 0.9 < mixed[1]
    assert by_digit[::2] == mixed[::2]
    assert f"sorted batches of 32 {by_digit[1]:.0%}" in explorer.line


def test_the_explorer_leaves_the_network_alone():
    model = mlp([64, 20, 10], norm=BatchNorm).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    drift_explorer(model).set(amount=0.3)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
