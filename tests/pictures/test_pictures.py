"""Every picture without controls, found by itself, tried with the arguments of examples/."""

import io

import matplotlib
import numpy as np
import pytest
from IPython.utils.capture import capture_output
from PIL import Image

from bnlib import pictures
from bnlib.live.figure import PIXEL_RATIO
from tests.tools.found import PICTURES, example, functions

pytestmark = pytest.mark.usefixtures("shell")
every_picture = pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.__name__)


def test_pictures_are_what_is_called_show():
    shown = {f.__name__ for f in functions(pictures) if f.__name__.startswith("show_")}
    assert shown == {picture.__name__ for picture in PICTURES}
    assert len(PICTURES) > 15


@every_picture
def test_a_picture_is_a_png_with_words_on_a_white_page_and_changes_no_settings(picture):
    before = dict(matplotlib.rcParams)
    with capture_output() as shown:
        assert picture(*example(picture)) is None
    assert dict(matplotlib.rcParams) == before
    [output] = shown.outputs
    assert set(output.data) == {"image/png", "text/plain"}
    assert len(output.data["text/plain"].split()) >= 7
    image = Image.open(io.BytesIO(output.data["image/png"]))
    assert image.width == output.metadata["image/png"]["width"] * PIXEL_RATIO
    pixels = np.asarray(image.convert("RGB"))
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert np.all(edge == 255), "something reaches over the edge"
    assert np.mean(pixels < 250) > 0.01, "there is nothing to see"
