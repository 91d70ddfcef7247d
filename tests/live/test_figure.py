"""Figures: the picture decorator, and what is drawn once."""

import inspect

import numpy as np
import pytest
from IPython.utils.capture import capture_output
from matplotlib import pyplot
from PIL import Image

from bnlib.live.figure import LiveFigure, picture, reduce_colours


@picture(height=2)
def show_bar(figure, height: float, width: float = 1) -> str:
    """Draw a bar."""
    figure.subplots().bar([0], [height], width)
    return f"a bar of {height}"


def test_a_picture_is_called_without_its_figure_and_shows_itself(shell):
    with capture_output() as shown:
        assert show_bar(3, width=2) is None
    [output] = shown.outputs
    assert output.data["text/plain"] == "a bar of 3"
    assert output.metadata == {"image/png": {"width": 840}}


def test_what_python_says_of_a_picture_is_how_it_is_called():
    assert str(inspect.signature(show_bar)) == "(height: float, width: float = 1) -> None"
    assert show_bar.__doc__ == "Draw a bar." and show_bar.__name__ == "show_bar"


def test_an_error_in_a_picture_is_raised_and_nothing_is_shown(shell):
    with capture_output() as shown, pytest.raises(TypeError):
        show_bar(1, colour="red")
    assert shown.outputs == []


def test_no_figure_stays_behind_in_pyplot(shell):
    before = pyplot.get_fignums()
    with capture_output():
        show_bar(1)
    LiveFigure().png()
    assert pyplot.get_fignums() == before


def test_artists_that_do_not_move_are_static():
    live = LiveFigure()
    ax = live.figure.subplots()
    still, moving = ax.plot([0, 1], [0, 1])[0], ax.plot([0, 1], [1, 0])[0]
    live.moves(moving)
    before = live.png()
    still.set_ydata([1, 1])
    assert live.png() == before
    moving.set_ydata([1, 1])
    assert live.png() != before


def test_a_picture_is_drawn_from_the_first_artist_on_that_has_moved():
    live, drawn = LiveFigure(), []
    ax = live.figure.subplots()
    lines = [ax.plot([0, 1], [height, 1], lw=20)[0] for height in (0, 0.5, 1)]
    live.moves(*lines)
    for place, line in enumerate(lines):
        draw = line.draw
        line.draw = lambda renderer, place=place, draw=draw: (drawn.append(place), draw(renderer))

    def pictured(move: int, height: float) -> bytes:
        lines[move].set_ydata([1, height])
        drawn.clear()
        return live.png()

    live.png()
    for move, expected in ((1, [1, 2]), (2, [2]), (0, [0, 1, 2])):
        pictured(move, 0.2)
        once = pictured(move, 0)
        assert drawn == expected
        lines[0].stale = True
        assert live.png() == once and drawn == [*expected, 0, 1, 2]


def test_few_colours_keep_white_white_and_the_rest_close():
    rng = np.random.default_rng(0)
    pixels = np.full((40, 40, 3), 255, np.uint8)
    pixels[10:30, 10:30] = rng.integers(0, 256, 3)
    reduced = np.asarray(reduce_colours(Image.fromarray(pixels)).convert("RGB"))
    assert np.all(reduced[:10] == 255)
    assert np.abs(reduced.astype(int) - pixels).max() < 16
