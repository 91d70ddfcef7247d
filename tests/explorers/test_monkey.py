"""Six hundred random actions on all explorers in one kernel, from a fixed seed.

After each of them, the picture that was sent last must be the one that belongs to the controls.
tests/explorers/monkey_in_browser.py does a thousand with a mouse and keys.
"""

import asyncio
from collections.abc import Callable, Iterator

import ipywidgets as widgets
import numpy as np

from bnlib.live import explorer as explorer_module
from bnlib.live import training_explorer
from bnlib.live.explorer import Explorer
from bnlib.live.training_explorer import TrainingExplorer
from tests.tools.found import EXPLORERS

ACTIONS = 300


def test_no_picture_is_left_behind_its_controls(monkeypatch):
    sent = {}

    def send(figure, png, text, **options):
        sent[figure] = png

    monkeypatch.setattr(explorer_module, "display_png", send)
    monkeypatch.setattr(training_explorer, "SLICE_SECONDS", 0.005)  # the actions come as fast
    rng = np.random.default_rng(0)

    async def scene():
        explorers = [make() for make in EXPLORERS]
        for explorer in explorers:
            explorer._ipython_display_()
        for _ in range(ACTIONS):
            explorer = explorers[rng.integers(len(explorers))]
            possible = list(actions(explorer, rng))
            possible[rng.integers(len(possible))]()
            await asyncio.sleep(0)  # a training that runs does a slice of its work
            assert explorer._update(**explorer.values) == explorer.line
            assert explorer.png() == sent[explorer.live.figure]
            assert "alert" not in explorer._status.value, explorer._status.value
        TrainingExplorer.stop()

    asyncio.run(scene())


def actions(explorer: Explorer, rng: np.random.Generator) -> Iterator[Callable]:
    """All that can be done to an explorer."""
    settings = getattr(explorer, "settings", {})
    for control in [*explorer.controls.values(), *settings.values()]:
        yield lambda control=control: move(control, rng)
    for button in explorer.buttons.values():
        yield button.click
    if settings:
        yield explorer.train_button.click
        yield explorer.stop_button.click
    if play := explorer.play:
        yield lambda: setattr(play, "value", int(rng.integers(play.min, play.max + 1)))


def move(control: widgets.ValueWidget, rng: np.random.Generator) -> None:
    """To one of the values that the control can take."""
    if isinstance(control, widgets.Checkbox):
        control.value = bool(rng.integers(2))
    elif isinstance(control, widgets.SelectionSlider):
        control.index = int(rng.integers(len(control.options)))
    else:
        steps = round((control.max - control.min) / control.step)
        control.value = control.min + control.step * int(rng.integers(steps + 1))
