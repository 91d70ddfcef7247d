"""A training behind an explorer: started, watched, stopped, and never two at a time."""

import asyncio
import itertools
import time

import ipywidgets as widgets
import pytest

from bnlib.live.recording import play
from bnlib.live.training_explorer import TrainingExplorer

STEP_SECONDS = 0.005


class Watched:
    """An explorer with a training of `steps` steps that fails at `fails_at`."""

    def __init__(self, steps: int = 10**6, fails_at: int = -1, **options):
        self.taken, self.steps, self.fails_at = 0, steps, fails_at
        sliders = {"height": widgets.IntSlider(5, 0, 10, description="height")}
        settings = {"rate": widgets.FloatSlider(0.5, min=0, max=1, description="rate")}
        self.explorer = TrainingExplorer(self.draw, sliders, settings, self.train, **options)

    def draw(self, live):
        line = live.figure.subplots().plot([0, 1], [0, 1])[0]
        live.moves(line)

        def update(height):
            line.set_ydata([0, self.taken / self.steps])
            return f"height {height}, {self.taken} steps"

        return update

    def train(self, rate):
        if rate == 0:
            raise ValueError("a rate of 0 trains nothing")
        self.taken = 0
        return self.follow()

    def follow(self):
        for step in itertools.count(1):
            if step == self.fails_at:
                raise ArithmeticError("diverged")
            time.sleep(STEP_SECONDS)
            self.taken = step
            yield step / self.steps


async def finish(watched: Watched) -> None:
    await asyncio.sleep(0)
    while watched.explorer.running:
        await asyncio.sleep(0.01)


def test_a_training_runs_to_its_end_and_the_line_follows():
    watched = Watched(steps=30)

    async def scene():
        watched.explorer.train_button.click()
        await finish(watched)

    asyncio.run(scene())
    assert watched.taken == 30 and "30 steps" in watched.explorer.line
    assert watched.explorer.progress.value == 1
    assert 0 < float(watched.explorer.speed.value.split()[0]) <= 1 / STEP_SECONDS


def test_the_kernel_answers_while_it_trains():
    watched = Watched()

    async def scene():
        watched.explorer.start()
        await asyncio.sleep(0.2)
        start = time.perf_counter()
        await asyncio.sleep(0)
        waited = time.perf_counter() - start
        watched.explorer.controls["height"].value = 9
        assert watched.explorer.running and "height 9" in watched.explorer.line
        watched.explorer.stop()
        return waited

    assert asyncio.run(scene()) < 0.3


def test_stop_keeps_what_there_is():
    watched = Watched()

    async def scene():
        watched.explorer.start()
        await asyncio.sleep(0.2)
        watched.explorer.stop_button.click()
        await finish(watched)
        taken = watched.taken
        await asyncio.sleep(0.2)
        assert 0 < watched.taken == taken

    asyncio.run(scene())
    assert watched.explorer.stop_button.disabled


@pytest.mark.parametrize("how", ["train again", "another", "display"])
def test_two_trainings_never_run_at_once(how):
    first, second = Watched(), Watched(steps=20)

    async def scene():
        first.explorer.start()
        await asyncio.sleep(0.5)
        if how == "train again":
            taken = first.taken
            first.explorer.train_button.click()
            await asyncio.sleep(0.06)
            assert first.taken < taken
            first.explorer.stop()
        elif how == "another":
            second.explorer.start()
            await finish(second)
        else:
            second.explorer._ipython_display_()
        await finish(first)
        taken = first.taken
        await asyncio.sleep(0.1)
        assert first.taken == taken and not first.explorer.running

    asyncio.run(scene())


def test_an_impossible_setting_is_said_and_stops_nothing_else():
    watched, other = Watched(steps=20), Watched()
    watched.explorer.settings["rate"].value = 0

    async def scene():
        other.explorer.start()
        await asyncio.sleep(0.1)
        watched.explorer.train_button.click()
        assert "a rate of 0 trains nothing" in watched.explorer._status.value
        taken = other.taken
        await asyncio.sleep(0.2)
        assert other.explorer.running and other.taken > taken
        watched.explorer.settings["rate"].value = 0.5
        watched.explorer.start()
        await finish(watched)

    asyncio.run(scene())
    assert watched.taken == 20


def test_an_error_in_the_training_is_shown():
    watched = Watched(fails_at=5)

    async def scene():
        watched.explorer.start()
        await finish(watched)

    asyncio.run(scene())
    assert "ArithmeticError: diverged" in watched.explorer._status.value
    assert watched.taken == 4 and not watched.explorer.running


def test_where_a_recording_is_played_it_says_so_in_place_of_train():
    play({})
    try:
        explorer = Watched().explorer
    finally:
        play(None)
    note, _, status = explorer.panel.children
    assert "recorded training" in note.value and "height 5" in status.value
    assert explorer.train_button not in all_widgets(explorer.panel)


def test_where_a_recording_is_played_train_may_be_there_all_the_same():
    play({})
    try:
        watched = Watched(steps=20, trains_when_played=True)
    finally:
        play(None)
    assert "at first is recorded" in watched.explorer.panel.children[0].value
    assert watched.explorer.train_button in all_widgets(watched.explorer.panel)

    async def scene():
        watched.explorer.train_button.click()
        await finish(watched)

    asyncio.run(scene())
    assert watched.explorer.line == "height 5, 20 steps"


def all_widgets(box):
    return [box, *(w for child in getattr(box, "children", []) for w in all_widgets(child))]
