"""Every explorer, through the values of its controls, as a student moves them."""

import io

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from PIL import Image

from bnlib.explorers.batch_norm_by_hand import five_values_explorer
from bnlib.explorers.start_here import depth_explorer
from bnlib.explorers.gamma_beta_identity import identity_explorer, sigmoid_explorer
from tests.explorers.found import EXPLORERS

torch.set_num_threads(1)  # on networks as small as these, threads only wait for each other
every_explorer = pytest.mark.parametrize("make", EXPLORERS, ids=lambda make: make.__name__)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def other_values(control: widgets.ValueWidget) -> list:
    """The ends of a slider and a value between; both states of a box. Not the value it has."""
    if isinstance(control, widgets.Checkbox):
        return [not control.value]
    if hasattr(control, "options"):
        return [value for value in control.options if value != control.value][
            :: 1 + len(control.options) // 4
        ]
    step = control.step
    middle = control.min + step * round((control.max - control.min) / step / 3)
    return [v for v in (control.min, middle, control.max) if abs(v - control.value) > step / 2]


@every_explorer
def test_each_control_moves_the_picture_and_the_line(make):
    explorer = make()
    for name, control in explorer.controls.items():
        for value in other_values(control):
            before = explorer.png(), explorer.line
            control.value = value
            assert explorer.png() != before[0], (name, value)
            assert explorer.line != before[1], (name, value)


@every_explorer
def test_reset_brings_back_the_start(make):
    explorer = make()
    start = explorer.values, explorer.line, explorer.png()
    for control in explorer.controls.values():
        control.value = other_values(control)[0]
    explorer.buttons["Reset"].click()
    assert (explorer.values, explorer.line, explorer.png()) == start


@every_explorer
def test_a_moved_picture_is_the_one_that_would_be_drawn_anew(make):
    """Nothing is left of earlier pictures, and the axes have not jumped."""
    moved = make()
    for control in moved.controls.values():
        for value in other_values(control):
            control.value = value
    anew = make()
    anew.png()
    anew.set(**moved.values)
    assert anew.png() == moved.png()


@every_explorer
def test_every_picture_is_large_labelled_and_on_white(make):
    explorer = make()
    picture = pixels(explorer.png())
    assert picture.shape[1] == 1260  # 840 CSS pixels, drawn one and a half times as fine
    assert np.all(picture[:, [0, -1]] == 255) and np.all(picture[[0, -1]] == 255)  # nothing cut off
    titled = [ax for ax in explorer.live.figure.axes if ax.get_xlabel() or ax.get_ylabel()]
    assert titled


@every_explorer
def test_controls_say_what_they_are(make):
    explorer = make()
    assert all(control.description for control in explorer.controls.values())


@every_explorer
def test_all_widgets_are_core_widgets(make):
    """Which VS Code, Colab and Voilà bring along."""
    widget_tree = [make().panel]
    for widget in widget_tree:
        assert widget._model_module == "@jupyter-widgets/controls", widget
        widget_tree += getattr(widget, "children", ())
    assert len(widget_tree) > 3


def test_depth_shows_that_only_bn_keeps_the_images_apart():
    explorer = depth_explorer()
    explorer.set(depth=12, batch_norm=False)
    assert "Layer 12 without BN" in explorer.line and "7e-09" in explorer.line
    explorer.set(batch_norm=True)
    assert "Layer 12 with BN" in explorer.line and "0.2" in explorer.line


def test_five_values_says_what_bn_computes():
    explorer = five_values_explorer()
    expected = "mean μ = 8.0; standard deviation σ = 4.00; outputs -1.50, -0.50, 0.00, 0.50, 1.50"
    assert explorer.line == expected
    explorer.set(x5=38)
    assert "outputs -0.84, -0.53, -0.37, -0.22, 1.96" in explorer.line
    explorer.set(**dict.fromkeys(explorer.controls, 7))
    assert "σ = 0.00; outputs 0.00, 0.00, 0.00, 0.00, 0.00" in explorer.line


@pytest.mark.parametrize("batch", [1, 10])
def test_identity_button_makes_y_equal_to_x(batch):
    explorer = identity_explorer()
    explorer.set(batch=batch)
    explorer.buttons["γ = √(σ² + ε), β = μ"].click()
    assert float(explorer.line.rpartition(" ")[2]) < 1e-5
    explorer.set(batch=5)
    assert float(explorer.line.rpartition(" ")[2]) > 0.1


@pytest.mark.parametrize(("gamma", "middle", "flat"), [(0.1, 100, 0), (1, 73, 2), (5, 15, 55)])
def test_sigmoid_counts_the_middle_and_the_ends(gamma, middle, flat):
    explorer = sigmoid_explorer()
    explorer.controls["gamma"].value = gamma
    assert f"(|y| < 1): {middle}%" in explorer.line and f"(|y| > 3): {flat}%" in explorer.line
