"""What lesson 04 measures, and its explorer beyond what every explorer is tested for."""

import numpy as np
import pytest
import torch
from matplotlib.image import AxesImage
from matplotlib.text import Text

from bnlib.experiments.activation_measures import activate, dead_share, row_correlation
from bnlib.experiments.comparison import Comparison
from bnlib.explorers.relu_vs_sigmoid import FOUR_NETWORKS, REGIME, activations_explorer

torch.set_num_threads(1)  # on networks as small as these, threads only wait for each other
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_row_correlation_is_the_mean_over_all_pairs(dtype):
    rows = RNG.normal(size=(7, 20)) + RNG.normal(size=20)
    pairs = np.corrcoef(rows.astype(dtype))[~np.eye(7, dtype=bool)]
    assert row_correlation(rows.astype(dtype)) == pytest.approx(pairs.mean(), abs=1e-6)


def test_rows_that_are_alike_correlate_by_one_and_opposites_by_minus_one():
    row = RNG.normal(size=20)
    assert row_correlation(np.tile(row, (5, 1))) == pytest.approx(1)
    assert row_correlation(np.stack([row, 3 - 2 * row])) == pytest.approx(-1)


def test_a_row_of_one_value_has_no_correlation():
    assert np.isnan(row_correlation(np.zeros((5, 20))))


def test_rows_are_not_changed():
    rows = RNG.normal(size=(5, 20))
    before = rows.copy()
    row_correlation(rows)
    assert np.array_equal(rows, before)


def test_a_unit_is_dead_if_no_image_passes():
    inputs = np.array([[-1.0, 0, 1, 2], [-2, 0, -1, 3]])  # (2 images, 4 units)
    assert dead_share(inputs) == 0.5
    assert dead_share(np.full((2, 4), 1e-9)) == 0


def test_activate():
    inputs = np.array([-1e30, -1, 0, 2, 1e30], np.float32)
    assert activate(inputs, "relu").tolist() == [0, 0, 0, 2, np.float32(1e30)]
    assert activate(inputs, "sigmoid") == pytest.approx([0, 0.26894, 0.5, 0.88080, 1], abs=1e-5)


@pytest.fixture(scope="module")
def comparison():
    trained = Comparison(FOUR_NETWORKS, **REGIME)
    list(trained.train())
    return trained


@pytest.fixture
def explorer(comparison):
    return activations_explorer(comparison)


def train(explorer, **settings):
    values = {name: control.value for name, control in explorer.settings.items()}
    for _done in explorer._train(**{**values, **settings}):
        pass


def test_it_says_which_rows_are_alike(explorer):
    explorer.set(layer=6, step=0)
    words = dict(part.split(": ") for part in explorer.line.partition(". ")[2].split("; "))
    assert words.keys() == FOUR_NETWORKS.keys()
    assert "rows correlate 1.00, 0% of the inputs saturated" in words["sigmoid, without BN"]
    assert "rows correlate 0.00, 0% of the inputs saturated" in words["sigmoid, with BN"]
    assert "rows correlate 0.8" in words["ReLU, without BN"]
    assert "0% of the units dead" in words["ReLU, with BN"]


def test_play_moves_the_step_and_the_step_moves_play(explorer):
    steps = explorer.controls["step"].options
    before = explorer.png()
    explorer.play.value = len(steps) - 1
    assert explorer.controls["step"].value == steps[-1] and explorer.png() != before
    explorer.buttons["Reset"].click()
    assert explorer.play.value == steps.index(1) and explorer.png() == before


def test_training_deeper_gives_more_layers_and_less_deep_takes_them(explorer):
    explorer.set(layer=6)
    train(explorer, depth=8)
    explorer.set(layer=8, step=200)
    assert explorer.line.startswith("Layer 8, step 200.")
    train(explorer, depth=2)
    assert explorer.controls["layer"].value == explorer.controls["layer"].max == 2


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("init", "lr", "depth"), [(1.0, 1, 10), (0.3, 0.1, 6)])
def test_a_network_that_diverges_says_so_and_the_others_go_on(explorer, init, lr, depth):
    train(explorer, init=init, lr=lr, depth=depth)
    explorer.set(layer=depth, step=200)
    images = explorer.live.figure.findobj(AxesImage)
    assert [bool(image.get_array().min() == 255) for image in images].count(True) == 1
    written = [text.get_text() for text in explorer.live.figure.findobj(Text)]
    assert written.count("diverged:\nno numbers") == 1
    assert "ReLU, without BN: the loss became" in explorer.line
    assert "ReLU, with BN: rows correlate" in explorer.line
    explorer.png()
