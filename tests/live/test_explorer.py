"""The explorer, with a picture made for the purpose."""

import io
import itertools
from concurrent.futures import ThreadPoolExecutor

import ipywidgets as widgets
import numpy as np
import pytest
from IPython.utils.capture import capture_output
from PIL import Image
from traitlets import TraitError

from bnlib.live import explorer as explorer_module
from bnlib.live.explorer import Explorer


def make(actions=None) -> Explorer:
    """An explorer with two sliders, whose update fails at a height of 7."""

    def draw(live):
        ax = live.figure.subplots()
        bar = ax.bar([0.5], [0])[0]
        ax.set(xlim=(0, 1), ylim=(0, 10), xlabel="x")
        live.moves(bar)

        def update(height, width):
            if height == 7:
                raise ArithmeticError("seven is too much <b>")
            bar.set_height(height)
            bar.set_width(width / 10)
            return f"height {height}, width {width}"

        return update

    sliders = {name: widgets.IntSlider(5, 0, 10, description=name) for name in ("height", "width")}
    return Explorer(draw, sliders, actions)


def status(explorer: Explorer) -> str:
    """The HTML of the line as the student sees it."""
    return explorer.panel.children[1].value


def bar_top(explorer: Explorer) -> int:
    """The row of the picture in which the bar begins."""
    picture = np.asarray(Image.open(io.BytesIO(explorer.png())).convert("RGB")).astype(int)
    middle = picture[:, picture.shape[1] // 2]
    return int(np.flatnonzero(middle[:, 2] - middle[:, 0] > 50)[0])


def test_a_control_moves_the_artist_and_nothing_else():
    explorer = make()
    tops = []
    for height in (2, 4, 8):
        explorer.controls["height"].value = height
        tops.append(bar_top(explorer))
    assert tops[0] - tops[1] == pytest.approx((tops[0] - tops[2]) / 3, abs=2)


def test_the_static_part_is_drawn_once(monkeypatch):
    explorer = make()
    explorer.png()
    monkeypatch.setattr(explorer.live.figure, "draw", lambda renderer: pytest.fail("drawn again"))
    explorer.controls["height"].value = 3
    explorer.png()


def test_set_moves_all_and_draws_once(monkeypatch):
    explorer = make()
    lines = []
    monkeypatch.setattr(explorer, "_update", lambda **values: lines.append(values) or "")
    explorer.set(height=1, width=2)
    assert lines == [{"height": 1, "width": 2}]


@pytest.mark.parametrize(
    ("values", "error"),
    [({"height": 1, "depth": 2}, KeyError), ({"height": 1, "width": "wide"}, TraitError)],
)
def test_set_refuses_bad_values_and_changes_nothing(values, error):
    explorer = make()
    before = explorer.values, explorer.png()
    with pytest.raises(error):
        explorer.set(**values)
    assert (explorer.values, explorer.png()) == before
    explorer.controls["height"].value = 1  # and it still works
    assert explorer.line == "height 1, width 5"


def test_what_is_set_beyond_the_end_of_a_slider_is_its_end():
    explorer = make()
    explorer.controls["width"].max = 3
    explorer.buttons["Reset"].click()
    assert explorer.values == {"height": 5, "width": 3} and explorer.line == "height 5, width 3"


def test_an_error_is_raised_and_shown_and_goes_away():
    explorer = make()
    before = explorer.png()
    with pytest.raises(ArithmeticError):
        explorer.controls["height"].value = 7
    assert 'role="alert"' in status(explorer)
    assert "ArithmeticError: seven is too much &lt;b&gt;" in status(explorer)
    assert explorer.png() == before
    explorer.controls["height"].value = 8
    assert 'role="status"' in status(explorer) and "height 8, width 5" in status(explorer)


def test_an_action_gets_the_values_and_sets_new_ones():
    explorer = make({"swap": lambda height, width: {"height": width, "width": height}})
    explorer.set(height=1, width=9)
    explorer.buttons["swap"].click()
    assert explorer.values == {"height": 9, "width": 1}
    explorer.buttons["Reset"].click()
    assert explorer.values == {"height": 5, "width": 5}


def test_a_failing_action_is_shown():
    explorer = make({"fail": lambda height, width: 1 / 0})
    explorer.buttons["fail"].click()
    assert 'role="alert"' in status(explorer) and "division by zero" in status(explorer)


def test_displaying_gives_controls_and_a_picture_of_its_own(shell):
    explorer = make()
    with capture_output() as shown:
        explorer._ipython_display_()
    controls, picture = (output.data for output in shown.outputs)
    assert "application/vnd.jupyter.widget-view+json" in controls
    assert controls["text/plain"].endswith("height, width, Reset")
    assert set(picture) == {"image/png", "text/plain"}
    assert picture["text/plain"] == "height 5, width 5"


def test_a_control_updates_the_picture_that_is_shown(shell):
    explorer = make()
    with capture_output() as shown:
        explorer._ipython_display_()
        explorer.controls["height"].value = 6
    first, second = shown.outputs[1:]
    assert first.data["image/png"] != second.data["image/png"]
    assert second.data["text/plain"] == "height 6, width 5"


def test_threads_that_move_controls_at_once_leave_the_picture_of_the_last_values(monkeypatch):
    """JupyterLab hands what widgets say to a thread of its own, the first of it to the main one."""
    explorer, sent = make(), []
    monkeypatch.setattr(
        explorer_module, "display_png", lambda figure, png, text, **_: sent.append(png)
    )
    explorer._ipython_display_()

    def pull(name):
        for value in [1, 6, 3, 9, 2, 8] * 10:
            explorer.controls[name].value = value

    with ThreadPoolExecutor() as pool:
        list(pool.map(pull, explorer.controls))
    assert explorer.png() == sent[-1]
    whole = set()
    for height, width in itertools.product([1, 2, 3, 5, 6, 8, 9], repeat=2):
        explorer.set(height=height, width=width)
        whole.add(explorer.png())
    assert whole.issuperset(sent)


def test_in_voila_the_picture_is_a_widget_since_outputs_stay_as_they_are(monkeypatch, shell):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    explorer = make()
    for _ in range(2):  # shown twice, it has one picture
        with capture_output() as captured:
            explorer._ipython_display_()
        assert not any("image/png" in output.data for output in captured.outputs)
    [image] = [child for child in explorer.panel.children if isinstance(child, widgets.Image)]
    assert image.value == explorer.png() and image.width == "840"
    explorer.set(height=9)
    assert image.value == explorer.png()
