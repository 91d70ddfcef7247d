"""The recorded map: what the project ships, and that it can be made again."""

import hashlib

import numpy as np
import pytest

from bnlib.experiments import gain_map
from bnlib.experiments.data import load_digits
from bnlib.experiments.gain_map import GRIDS, SEEDS, Grid, load
from bnlib.experiments.gain_map import right_after_training as right
from tests.conftest import ROOT

# What a sum of floats rounds to differs from processor to processor, and a training multiplies it.
IMAGES = 18  # 5 % of 355


@pytest.fixture(scope="module", params=[*GRIDS])
def activation(request):
    return request.param


@pytest.fixture(scope="module")
def recorded(activation):
    return load(activation)


def test_its_shape_and_settings(recorded, activation):
    grid = GRIDS[activation]
    assert recorded.grid == grid
    assert recorded.right.shape == (2, *map(len, (grid.depths, grid.stds, grid.rates)), SEEDS)
    assert recorded.images == len(load_digits().y_test) and recorded.right.max() <= recorded.images
    with np.load(ROOT / "data" / gain_map.FILE) as arrays:
        for name in ("depths", "stds", "rates"):
            assert tuple(arrays[f"{activation}_{name}"].tolist()) == getattr(grid, name)
        assert arrays["steps"] == gain_map.STEPS


def test_it_is_stated_where_it_comes_from():
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert gain_map.SHA256 in page and "python -m bnlib.experiments.gain_map" in page


def test_a_damaged_file_is_refused(monkeypatch):
    monkeypatch.setattr(gain_map, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"gain_map\.npz is damaged or altered"):
        load()


@pytest.mark.parametrize(
    ("activation", "depth", "std", "rate"),
    [
        *(("relu", *cell, 0.01) for cell in [(2, 0.03), (2, 0.3), (4, 0.1), (8, 0.2), (12, 0.1)]),
        *(("sigmoid", *cell, 0.1) for cell in [(2, 0.14), (6, 0.14), (6, 0.5), (8, 1.0)]),
    ],
)
@pytest.mark.parametrize("with_bn", [False, True])
def test_cells_can_be_trained_again(with_bn, activation, depth, std, rate):
    """At the best rate and at a lower one: the mean of the seeds comes out as recorded."""
    recorded = load(activation)
    grid = recorded.grid
    d, s = grid.depths.index(depth), grid.stds.index(std)
    for lr in (recorded.best_rates()[int(with_bn), d, s], rate):
        trainings = [right(with_bn, depth, std, lr, k, activation=activation) for k in range(SEEDS)]
        of_rate = recorded.right[int(with_bn), d, s, grid.rates.index(lr)]
        assert abs(np.mean(trainings) - of_rate.mean()) < IMAGES


def test_few_best_rates_are_at_the_end_of_the_rates(recorded):
    """Else a network might do better at a rate that was not tried."""
    learned = recorded.best().mean(axis=-1) > 0.15
    rates, tried = recorded.best_rates()[learned], recorded.grid.rates
    assert np.mean(rates == tried[0]) < 0.05 and np.mean(rates == tried[-1]) < 0.05


def test_the_best_is_the_best_of_all_rates(recorded):
    depths, stds = len(recorded.grid.depths), len(recorded.grid.stds)
    assert recorded.best().shape == (2, depths, stds, SEEDS)
    for rate in recorded.grid.rates:
        assert np.all(recorded.at_rate(rate).mean(-1) <= recorded.best().mean(-1) + 1e-12)
    difference = 100 * (recorded.best()[1] - recorded.best()[0])
    assert np.allclose(recorded.gains(), difference)


def test_one_scale_of_the_weights_or_the_best(recorded):
    depths, he = len(recorded.grid.depths), recorded.at_std(0.14)
    assert he.shape == recorded.at_std().shape == (2, depths)
    assert he[0, 2] == recorded.best()[0, 2, recorded.grid.stds.index(0.14)].mean()
    assert recorded.at_std()[1, 2] == max(recorded.best()[1, 2].mean(axis=-1))


def test_a_training_that_diverges_is_judged_as_a_guess():
    assert 20 < right(False, 2, 0.3, 1e6, 0, steps=5) < 60


def test_place_and_width_matter():
    options = {"steps": 15, "width": 20}
    before = right(True, 2, 0.3, 0.1, 0, **options)
    assert before != right(True, 2, 0.3, 0.1, 0, place="after", **options)
    assert before != right(True, 2, 0.3, 0.1, 0, steps=15)


def test_it_is_stored_with_its_checksum(tmp_path, monkeypatch):
    small = Grid((2,), (0.1,), (0.1, 0.3))
    monkeypatch.setattr(gain_map, "GRIDS", {"relu": small, "sigmoid": small})
    monkeypatch.setattr(gain_map, "SEEDS", 1)
    path = tmp_path / "map.npz"
    assert gain_map.record(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    with np.load(path) as arrays:
        assert arrays["relu"].shape == arrays["sigmoid"].shape == (2, 1, 1, 2, 1)
        assert arrays["relu"][1].min() > 200 and not np.array_equal(
            arrays["relu"], arrays["sigmoid"]
        )
