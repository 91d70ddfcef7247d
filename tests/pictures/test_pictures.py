"""The pictures that the lessons show without controls."""

import io

import numpy as np
import pytest
from IPython.utils.capture import capture_output
from PIL import Image

from bnlib import plots

EPS = 1e-5
VARIANCES = np.logspace(-9, 1, 21)
PICTURES = {
    "shared_statistics": lambda: plots.show_shared_statistics(3, 4, 5, 5),
    "epsilon": lambda: plots.show_epsilon(VARIANCES, VARIANCES / (VARIANCES + EPS), EPS),
    "backward_graph": plots.show_backward_graph,
    "descent": lambda: plots.show_descent([(1.0, 0.0), (1.5, 2.0), (1.6, 2.9)], (1.6, 2.9)),
    "straight_share": lambda: plots.show_straight_share([0.5, 1, 2], np.full((3, 3, 2), 0.8)),
    "gamma_and_beta": lambda: plots.show_gamma_and_beta(*np.ones((3, 3, 100))),
}


pytestmark = pytest.mark.usefixtures("shell")


def test_every_picture_is_tried_here():
    shows = {name.removeprefix("show_") for name in vars(plots) if name.startswith("show_")}
    assert shows == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_png_with_words_and_returns_nothing(name):
    with capture_output() as shown:
        assert PICTURES[name]() is None
    [output] = shown.outputs
    assert set(output.data) == {"image/png", "text/plain"}
    assert len(output.data["text/plain"].split()) >= 7
    picture = Image.open(io.BytesIO(output.data["image/png"]))
    assert picture.width == output.metadata["image/png"]["width"] * plots.PIXEL_RATIO


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_reaches_over_the_edge(name):
    with capture_output() as shown:
        PICTURES[name]()
    png = io.BytesIO(shown.outputs[0].data["image/png"])
    picture = np.asarray(Image.open(png).convert("RGB"))
    for edge in (picture[0], picture[-1], picture[:, 0], picture[:, -1]):
        assert np.all(edge == 255)


def test_the_readers_own_settings_stay_as_they_are():
    import matplotlib

    before = dict(matplotlib.rcParams)
    with capture_output():
        plots.show_backward_graph()
    assert dict(matplotlib.rcParams) == before


def test_few_colours_keep_white_white_and_the_rest_close():
    rng = np.random.default_rng(0)
    pixels = np.full((40, 40, 3), 255, np.uint8)
    pixels[10:30, 10:30] = rng.integers(0, 256, 3)
    reduced = np.asarray(plots.reduce_colours(Image.fromarray(pixels)).convert("RGB"))
    assert np.all(reduced[:10] == 255)
    assert np.abs(reduced.astype(int) - pixels).max() < 16
