"""Lesson 05's explorer, beyond what every explorer is tested for."""

import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text

from bnlib.explorers.relu_vs_sigmoid import FOUR_NETWORKS, activations_explorer


@pytest.fixture
def explorer():
    return activations_explorer()


def train(explorer, **settings):
    values = {name: control.value for name, control in explorer.settings.items()}
    for _done in explorer._train(**{**values, **settings}):
        pass


def words(explorer) -> dict[str, str]:
    """What the line says of each network."""
    return dict(part.split(": ") for part in explorer.line.partition(". ")[2].split("; "))


def test_it_says_which_rows_are_alike(explorer):
    explorer.set(layer=6, step=0)
    said = words(explorer)
    assert [*said] == [network.label for network in FOUR_NETWORKS]
    assert "rows correlate 1.00, 0% of the inputs saturated" in said["sigmoid, without BN"]
    assert "rows correlate 0.00, 0% of the inputs saturated" in said["sigmoid, with BN"]
    assert "rows correlate 0.8" in said["ReLU, without BN"]
    assert "0% of the units dead" in said["ReLU, with BN"]


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
