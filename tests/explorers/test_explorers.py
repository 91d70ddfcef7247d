"""Every explorer, through the values of its controls, as a student moves them."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.tools.found import EXPLORERS
from tests.tools.moves import other_values

every_explorer = pytest.mark.parametrize("make", EXPLORERS, ids=lambda make: make.__name__)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@every_explorer
def test_each_control_moves_the_picture_and_the_line(make):
    explorer = make()
    for name, control in explorer.controls.items():
        for value in [] if control.disabled else other_values(control):
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
            moved.png()
    anew = make()
    anew.png()
    anew.set(**moved.values)
    assert anew.png() == moved.png()


@every_explorer
def test_picture_and_controls_say_what_they_are_and_nothing_is_cut_off(make):
    explorer = make()
    picture = pixels(explorer.png())
    assert picture.shape[1] == 1260  # 840 CSS pixels, drawn one and a half times as fine
    assert np.all(picture[:, [0, -1]] == 255) and np.all(picture[[0, -1]] == 255)  # nothing cut off
    titled = [ax for ax in explorer.live.figure.axes if ax.get_xlabel() or ax.get_ylabel()]
    assert titled
    assert all(control.description for control in explorer.controls.values())


@every_explorer
def test_all_widgets_are_core_widgets(make):
    """Which VS Code, Colab and Voilà bring along."""
    widget_tree = [make().panel]
    for widget in widget_tree:
        assert widget._model_module == "@jupyter-widgets/controls", widget
        widget_tree += getattr(widget, "children", ())
    assert len(widget_tree) > 3
