"""Lesson 05's explorers, beyond what every explorer is tested for."""

import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text

from bnlib.experiments import gain_map
from bnlib.explorers.relu_vs_sigmoid import (
    FOUR_NETWORKS,
    activations_explorer,
    gain_map_explorer,
)

GRID = gain_map.GRIDS["relu"]


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


def test_it_says_how_clear_the_bands_are(explorer):
    explorer.set(layer=6, step=0)
    said = words(explorer)
    assert [*said] == [network.label for network in FOUR_NETWORKS]
    assert "bands 0.00, 0% of the inputs saturated" in said["sigmoid, without BN"]
    assert "bands 0.4" in said["sigmoid, with BN"]
    assert "bands 0.0" in said["ReLU, without BN"]
    assert "0% of the units dead" in said["ReLU, with BN"]


def growth(explorer, label: str) -> float:
    """The gradient of the first layer over that of the last, as the line says it."""
    return float(words(explorer)[label].partition("first/last ")[2].partition(",")[0])


def test_it_says_how_the_gradient_grows_with_depth(explorer):
    explorer.set(step=1)
    assert 1.5 < growth(explorer, "ReLU, with BN") < 3
    assert 0.001 < growth(explorer, "sigmoid, without BN") < 0.005
    train(explorer, depth=10)
    explorer.set(step=1)
    assert 3 < growth(explorer, "ReLU, with BN") < 8


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
    assert "ReLU, with BN: bands" in explorer.line
    explorer.png()


# The blank map


@pytest.fixture
def board():
    return gain_map_explorer()


def cells(board) -> list[str]:
    """What is written in the 48 cells."""
    written = [text.get_text() for text in board.live.figure.axes[0].texts]
    assert len(written) == len(GRID.depths) * len(GRID.stds)
    return written


def test_the_map_is_blank_and_nothing_is_spent(board):
    assert {*cells(board)} == {"?"}
    assert board.line == "4 layers, std 0.1: not trained yet. Trainings left: 30 of 30."
    assert board.controls["trained"].layout.display == "none"


def test_a_cell_that_is_trained_shows_its_gain_and_both_accuracies(board):
    board.set(depth=8, std=0.14)
    board.buttons["Look here"].click()
    recorded = gain_map.load()
    assert [text for text in cells(board) if text != "?"] == [
        f"{recorded.gains()[4, 3].mean():+.0f}"
    ]
    without, with_bn = recorded.best()[:, 4, 3].mean(axis=-1)
    rates = recorded.best_rates()[:, 4, 3]
    assert board.line == (
        f"8 layers, std 0.14: without BN {without:.0%} at rate {rates[0]:g}, "
        f"with BN {with_bn:.0%} at rate {rates[1]:g}. Trainings left: 28 of 30."
    )


def test_the_same_cell_costs_nothing_again_and_reset_gives_all_back(board):
    for _ in range(2):
        board.buttons["Look here"].click()
    assert board.line.endswith("Trainings left: 28 of 30.")
    board.buttons["Reset"].click()
    assert {*cells(board)} == {"?"} and board.line.endswith("30 of 30.")


def test_thirty_trainings_are_fifteen_cells(board):
    for depth in GRID.depths:
        for std in GRID.stds:
            board.set(depth=depth, std=std)
            board.buttons["Look here"].click()
    assert len([text for text in cells(board) if text != "?"]) == 15
    assert "not trained yet" in board.line and board.line.endswith("Trainings left: 0 of 30.")


def test_where_no_rate_helps_it_says_so(board):
    board.set(depth=16, std=0.03)
    board.buttons["Look here"].click()
    assert "without BN chance at every rate, with BN 9" in board.line
