"""The recorded map: what the project ships, and that it can be made again."""

import hashlib

import numpy as np
import pytest

from bnlib.experiments import gain_map
from bnlib.experiments.data import load_digits
from bnlib.experiments.gain_map import DEPTHS, RATES, SEEDS, STDS, best_accuracy, load
from bnlib.experiments.gain_map import right_after_training as right
from tests.conftest import ROOT

# What a sum of floats rounds to differs from processor to processor, and a training multiplies it.
IMAGES = 18  # 5 % of 355


@pytest.fixture(scope="module")
def recorded():
    return load()


def test_its_shape_and_settings(recorded):
    assert recorded.right.shape == (2, len(DEPTHS), len(STDS), len(RATES), SEEDS)
    assert recorded.images == len(load_digits().y_test) and recorded.right.max() <= recorded.images
    with np.load(ROOT / "data" / gain_map.FILE) as arrays:
        settings = [tuple(arrays[name].tolist()) for name in ("depths", "stds", "rates")]
        assert settings == [DEPTHS, STDS, RATES] and arrays["steps"] == gain_map.STEPS


def test_it_is_stated_where_it_comes_from():
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert gain_map.SHA256 in page and "python -m bnlib.experiments.gain_map" in page


def test_a_damaged_file_is_refused(monkeypatch):
    monkeypatch.setattr(gain_map, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"gain_map\.npz is damaged or altered"):
        load()


@pytest.mark.parametrize(
    ("depth", "std"), [(2, 0.03), (2, 0.3), (4, 0.1), (6, 0.14), (8, 0.2), (12, 0.1)]
)
@pytest.mark.parametrize("with_bn", [False, True])
def test_cells_can_be_trained_again(recorded, with_bn, depth, std):
    """At the best rate and at a lower one: the mean of the seeds comes out as recorded."""
    d, s = DEPTHS.index(depth), STDS.index(std)
    for rate in (recorded.best_rates()[int(with_bn), d, s], 0.01):
        again = np.mean([right(with_bn, depth, std, rate, seed) for seed in range(SEEDS)])
        assert abs(again - recorded.right[int(with_bn), d, s, RATES.index(rate)].mean()) < IMAGES


def test_no_best_rate_is_at_the_end_of_the_rates(recorded):
    """Else a network might do better at a rate that was not tried."""
    learned = recorded.best().mean(axis=-1) > 0.15
    rates = recorded.best_rates()[learned]
    assert rates.min() > RATES[0] and np.mean(rates == RATES[-1]) < 0.05


def test_the_best_is_the_best_of_all_rates(recorded):
    assert recorded.best().shape == (2, len(DEPTHS), len(STDS), SEEDS)
    for rate in RATES:
        assert np.all(recorded.at_rate(rate).mean(-1) <= recorded.best().mean(-1) + 1e-12)
    difference = 100 * (recorded.best()[1] - recorded.best()[0])
    assert np.allclose(recorded.gains(), difference)


def test_a_training_that_diverges_is_judged_as_a_guess():
    assert 20 < right(False, 2, 0.3, 1e6, 0, steps=5) < 60


def test_the_best_of_some_rates():
    options = {"steps": 15, "width": 20}
    of_rates = [[right(True, 2, 0.3, rate, s, **options) for s in range(3)] for rate in (0.01, 0.3)]
    wanted = max(map(np.mean, of_rates)) / 355
    assert best_accuracy(True, 2, 0.3, (0.01, 0.3), **options) == pytest.approx(wanted)
    after = best_accuracy(True, 2, 0.3, (0.01, 0.3), place="after", **options)
    assert after != pytest.approx(wanted)


def test_it_is_stored_with_its_checksum(tmp_path, monkeypatch):
    for name, few in {"DEPTHS": (2,), "STDS": (0.1,), "RATES": (0.1,), "SEEDS": 1}.items():
        monkeypatch.setattr(gain_map, name, few)
    path = tmp_path / "map.npz"
    assert gain_map.record(path) == hashlib.sha256(path.read_bytes()).hexdigest()
    with np.load(path) as arrays:
        assert arrays["right"].shape == (2, 1, 1, 1, 1) and arrays["right"][1].item() > 200
