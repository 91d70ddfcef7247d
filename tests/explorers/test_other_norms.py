"""Lesson 08's explorers, beyond what every explorer is tested for."""

import re

import numpy as np
import pytest

from bnlib.explorers.other_norms import norm_by_batch_explorer, who_shares_explorer
from bnlib.live.explorer import Explorer


@pytest.fixture(scope="module")
def sets() -> Explorer:
    return who_shares_explorer()


def numbers(explorer: Explorer, **values) -> dict[str, tuple[str, str]]:
    """Norm → x̂ and the number of values, as the line says them."""
    explorer.set(**({"groups": 2, "image": 2, "channel": 3} | values))
    found = re.findall(r"([BLGI]N)(?:\(\d\))? (\S+) \(of (\d+) values\)", explorer.line)
    return {norm: (x_hat, count) for norm, x_hat, count in found}


def test_the_values_are_counted(sets):
    counts = {norm: int(count) for norm, (_, count) in numbers(sets).items()}
    assert counts == {"BN": 4 * 9, "LN": 6 * 9, "GN": 3 * 9, "IN": 9}


def test_one_group_is_layer_norm_and_six_are_instance_norm(sets):
    one, six = numbers(sets, groups=1), numbers(sets, groups=6)
    assert one["GN"] == one["LN"] != six["GN"] == six["IN"]
    assert [one[norm] for norm in ("BN", "LN", "IN")] == [six[norm] for norm in ("BN", "LN", "IN")]


@pytest.fixture(scope="module")
def norms() -> Explorer:
    return norm_by_batch_explorer()


def test_the_axis_counts_images_or_values(norms):
    norms.set(norm="BN", over_values=True)
    assert "CNN m = 32" in norms.line and "MLP m = 2" in norms.line
    norms.set(over_values=False)
    assert "CNN N = 2" in norms.line and "MLP N = 2" in norms.line


def test_a_training_is_added(norms):
    before = norms.line
    steps = norms._train(kind="MLP", norm="none", size=4, lr=0.03, seed=1)
    share = 0.0
    while share < 0.2:
        share = next(steps)
    norms._refresh()
    assert norms.line.startswith(before)
    assert "Yours: MLP, no norm, batches of 4, smallest m none" in norms.line
    assert norms.line.endswith("after 40 steps.")
    assert np.isfinite(norms.trainings[-1][1].accuracies).all()
