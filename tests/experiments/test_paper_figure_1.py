"""The recorded experiment of the paper: what is shipped, and how it was made."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from bnlib.experiments import paper_figure_1
from bnlib.experiments.data import load_digits
from bnlib.experiments.networks import mlp
from bnlib.experiments.paper_figure_1 import (
    BAND_LOOKS,
    BANDS,
    LOOKS,
    ONCE,
    PAPER,
    RUNS,
    SEEDS,
    WITH_BN,
    WITHOUT_BN,
    Bands,
    arrival,
    load,
    train_one,
)
from bnlib.experiments.training import accuracy, train
from tests.conftest import ROOT

PATH = ROOT / "data" / paper_figure_1.FILE


@pytest.fixture(scope="module")
def record():
    return load()


@pytest.fixture(scope="module")
def digits():
    return load_digits()


# What is shipped


def test_it_is_small():
    assert PATH.stat().st_size < 150_000


def test_its_shapes(record):
    images = record.test_images
    assert record.right.shape == (len(RUNS), SEEDS, len(LOOKS)) and record.right.max() <= images
    assert record.answers.shape == (len(RUNS), SEEDS, images)
    assert record.grid.shape[:4] == (2, 5, 5, SEEDS) and record.grid.max() <= images
    assert record.binary.shape[:2] == (2, SEEDS) and record.binary.max() <= images
    assert [*record.bands] == [*record.other_bands] == [*BANDS]
    for bands in BANDS:
        of_seeds = record.of_seeds(bands)
        assert [of_seed.shape[0] for of_seed in of_seeds] == [100, 20, 20]
        for of_seed in of_seeds:
            assert of_seed.shape[1:] == (3, len(BAND_LOOKS))
            assert (np.diff(of_seed, axis=1) >= 0).all(), "percentiles increase"


def test_the_file_holds_its_settings():
    with np.load(PATH) as arrays:
        assert tuple(arrays["sizes"]) == paper_figure_1.SIZES == (784, 100, 100, 100, 10)
        assert arrays["batch_size"] == 60 and arrays["steps"] == 50_000 and arrays["std"] == 0.1
        assert arrays["rates"].tolist() == [rate for _, rate in RUNS]
        assert arrays["looks"].tolist() == LOOKS and arrays["band_looks"].tolist() == BAND_LOOKS
        assert tuple(arrays["grid_stds"]) == paper_figure_1.GRID_STDS
        assert tuple(arrays["grid_rates"]) == paper_figure_1.GRID_RATES
        assert arrays["binary_steps"] == paper_figure_1.BINARY_STEPS
        assert arrays["train_images"] == 8000 and arrays["test_images"] == 2000


def test_it_is_stated_where_it_comes_from():
    page = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert paper_figure_1.SHA256 in page and "python3 run.py record" in page
    assert "8,000" in page and "2,000" in page


def test_a_damaged_file_is_refused(monkeypatch):
    monkeypatch.setattr(paper_figure_1, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"paper_figure_1\.npz is damaged or altered"):
        load()


def test_the_last_answers_are_those_that_were_counted(record):
    for run in RUNS:
        counted = record.right_at_the_end(*run).sum(axis=1)
        np.testing.assert_allclose(counted / record.test_images, record.accuracy(*run)[:, -1])


def test_both_start_as_a_guess_and_learn(record):
    for run in RUNS:
        assert np.all(np.abs(record.accuracy(*run)[:, 0] - 0.1) < 0.05)
        assert np.all(record.accuracy(*run)[:, -1] > 0.9)
        assert np.all(record.train_accuracy(*run) > 0.99)


def test_bn_starts_with_the_width_of_a_bell_curve_and_its_averages_do_not(record):
    low, _, high = np.moveaxis(record.bands[Bands(WITH_BN, PAPER, True)], 1, 0)
    assert np.allclose((high - low)[:, 0], 2.07, atol=0.15)
    low, _, high = np.moveaxis(record.bands[Bands(WITH_BN, PAPER, False)], 1, 0)
    assert np.all((high - low)[:, 0] < 0.2)


def test_looks_are_dense_at_first_and_reach_the_end():
    assert LOOKS[:4] == BAND_LOOKS[:4] == [0, 1, 2, 3] and {*BAND_LOOKS} <= {*LOOKS}
    assert LOOKS[-1] == BAND_LOOKS[-1] == 50_000 and {100, 1000, 10_000} <= {*LOOKS}


def test_binary_runs_are_others_of_the_same_networks(record):
    looks = record.binary.shape[-1]
    assert LOOKS[looks - 1] == paper_figure_1.BINARY_STEPS
    for run, binary in zip(paper_figure_1.BINARY_RUNS, record.binary, strict=True):
        right = record.right[RUNS.index(run)][:, :looks]
        assert (binary[:, -1] > 0.9 * record.test_images).all()
        assert (binary != right).any(axis=1).all()


# When a network arrives


def test_it_arrives_where_three_looks_in_a_row_are_good():
    accuracy = np.array([0.1, 0.95, 0.1, 0.9, 0.92, 0.95, 0.8])
    assert arrival(accuracy) == LOOKS[3] and arrival(accuracy, goal=0.91) != LOOKS[3]
    assert np.isnan(arrival(accuracy[:5])) and np.isnan(arrival(np.zeros(5)))
    both = arrival(np.stack([accuracy, np.zeros(7)]))
    assert both[0] == LOOKS[3] and np.isnan(both[1])


# A training


@pytest.mark.parametrize("network", [WITHOUT_BN, WITH_BN, ONCE])
def test_a_training_is_the_plain_loop_with_looks(digits, network):
    import torch

    one = train_one(digits, network, 0.3, seed=1, steps=28)
    x, y, x_test, y_test = map(torch.tensor, digits)
    norm = paper_figure_1.norm_of(network)
    model = mlp([64, 100, 100, 100, 10], norm=norm, init=0.1, seed=1)
    list(train(model, x, y, steps=28, batch_size=60, lr=0.3, seed=1))
    last = max(look for look in LOOKS if look <= 28)
    assert last == 28 and len(one.right) == LOOKS.index(28) + 1
    assert one.right[-1] == one.answers.sum() == round(accuracy(model, x_test, y_test) * 355)
    assert one.train_right == round(accuracy(model, x, y) * 1442)


def test_looking_changes_nothing(digits):
    looked_at = train_one(digits, WITH_BN, 0.3, seed=0, steps=19, ways=(True, False))
    not_looked_at = train_one(digits, WITH_BN, 0.3, seed=0, steps=19)
    np.testing.assert_array_equal(looked_at.right, not_looked_at.right)
    of_batch, of_averages = looked_at.bands
    assert of_batch.shape == (100, 3, BAND_LOOKS.index(max(b for b in BAND_LOOKS if b <= 19)) + 1)
    np.testing.assert_allclose(np.ptp(of_batch[:, :, 0], axis=1), 2.07, atol=0.3)
    assert np.ptp(of_averages[:, :, 0], axis=1).max() < 0.3


def test_what_diverges_is_looked_at_as_it_was_left(digits):
    one = train_one(digits, WITHOUT_BN, 1e30, seed=0, steps=10)
    assert len(one.right) == LOOKS.index(10) + 1 and one.right[-1] < 100


def test_what_the_lesson_finds_on_the_digits(digits):
    """With larger weights and a larger rate, the network without BN is fast, and restless."""
    ways = {}
    for network, latest in ((WITHOUT_BN, 150), (WITH_BN, 30)):
        one = train_one(digits, network, 1.0, 0, std=0.4, steps=200, ways=(True,))
        assert arrival(one.right / 355) < latest
        low, middle, high = np.moveaxis(one.bands[0], 1, 0)
        ways[network] = np.median(np.abs(np.diff(middle, axis=1)).sum(axis=1))
    assert ways[WITHOUT_BN] > 10 * ways[WITH_BN]


# The command


class InThisProcess:
    """Stands for a pool of processes, so that a test can shorten the experiment."""

    def __init__(self, workers, context):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    map = staticmethod(map)


def test_the_record_is_made_in_one_go_and_can_be_loaded(digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paper_figure_1, "ProcessPoolExecutor", InThisProcess)
    monkeypatch.setattr(paper_figure_1.mnist, "load", lambda folder: digits)
    monkeypatch.setattr(paper_figure_1, "_images_of", lambda folder: digits)
    short = {"STEPS": 6, "BINARY_STEPS": 4, "GRID_STEPS": 3, "SEEDS": 2, "GRID_STDS": (0.1,)}
    for name, value in short.items():
        monkeypatch.setattr(paper_figure_1, name, value)
    path = tmp_path / "record.npz"
    digest = paper_figure_1.record(path, tmp_path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "of 34 trainings" in capsys.readouterr().out
    monkeypatch.setattr(paper_figure_1, "shipped", lambda name, sha256: path.read_bytes())
    again = load()
    assert (again.train_images, again.test_images) == (1442, 355)
    one = train_one(digits, WITH_BN, PAPER, 0, steps=6, ways=(True,))
    np.testing.assert_array_equal(again.right_at_the_end(WITH_BN)[0], one.answers)
    np.testing.assert_allclose(
        again.bands[Bands(WITH_BN, PAPER, True)], one.bands[0], atol=0.5 / 100 + 1e-9
    )
    two = train_one(digits, WITHOUT_BN, PAPER, 1, steps=6, ways=(True,))
    np.testing.assert_allclose(
        again.other_bands[Bands(WITHOUT_BN, PAPER, True)][0],
        two.bands[0][paper_figure_1.FEW_UNITS],
        atol=0.5 / 100 + 1e-9,
    )
    black = train_one(paper_figure_1.binary(digits), WITH_BN, PAPER, 1, steps=4)
    np.testing.assert_array_equal(again.binary[1, 1], black.right)
    cell = train_one(digits, WITH_BN, 3.0, 1, steps=3)
    np.testing.assert_array_equal(again.grid[1, 0, 3, 1], cell.right)
    assert again.grid.shape == (2, 1, 5, 2, 4)


def test_binary_images_are_black_and_white(digits):
    black = paper_figure_1.binary(digits)
    assert {*np.unique(black.x_train)} == {0, 1} and black.x_test.dtype == np.float32
    np.testing.assert_array_equal(black.x_test == 1, digits.x_test > 0.5)
    assert black.y_train is digits.y_train


def test_the_command_takes_a_folder_or_downloads(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(paper_figure_1, "record", lambda path, folder: seen.append((path, folder)))
    monkeypatch.setattr(paper_figure_1.mnist, "download", lambda: tmp_path / "cache")
    paper_figure_1.main([str(tmp_path)])
    paper_figure_1.main([])
    assert seen == [(PATH, tmp_path), (PATH, tmp_path / "cache")]


def test_reading_the_record_loads_no_torch():
    code = "from bnlib.experiments import paper_figure_1 as p; p.load()\n"
    code += "import json, sys; print(json.dumps('torch' in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert json.loads(done.stdout) is False, done.stderr
