"""An explorer with a training behind it: the picture follows the training while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

import ipywidgets as widgets

from bnlib.live.explorer import Explorer, Update, one_at_a_time
from bnlib.live.figure import LiveFigure
from bnlib.live.recording import is_played

RECORDED = "This is a recorded training. To train anew, open the lesson in Jupyter."
ANEW = "What you see at first is recorded. Train computes here, and draws other random numbers."
SLICE_SECONDS = 0.05  # between two slices the kernel answers sliders and the Stop button


class TrainingExplorer(Explorer):
    """An Explorer with a row of settings, Train and Stop, and a progress bar.

    One training runs in a kernel at a time: pressing Train anywhere, or running the cell of a
    training explorer again, stops the one that runs. What it has recorded stays. Settings that
    `train` refuses stop nothing. Where a recording is played, a sentence stands for both rows, or,
    if `trains_when_played`, above them.

    Args:
        draw: as for Explorer.
        controls: likewise.
        settings: name → control; read when Train is pressed.
        train: called with the value of each setting by name; returns an iterator that does one
            step of the training at a time and yields the share that is done, 0 to 1. What it
            leaves for `update` to read is shown as it grows. An exception is shown: one at the
            call, for settings that cannot be trained, before anything has changed.
        trains_when_played: whether `train` needs nothing that is missing where recordings are.
        options: the others of Explorer.
    """

    _going_on: ClassVar[Iterator[float] | None] = None  # the training that may take another step

    def __init__(
        self,
        draw: Callable[[LiveFigure], Update],
        controls: Mapping[str, widgets.ValueWidget],
        settings: Mapping[str, widgets.ValueWidget],
        train: Callable[..., Iterator[float]],
        *,
        trains_when_played: bool = False,
        **options,
    ):
        super().__init__(draw, controls, **options)
        self.settings, self._train = dict(settings), train
        self.train_button = widgets.Button(description="Train", icon="play")
        self.stop_button = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.train_button.on_click(lambda _: self.start())
        self.stop_button.on_click(lambda _: self.stop())
        self.progress = widgets.FloatProgress(value=0, min=0, max=1)
        self.speed = widgets.Label()
        for control in self.settings.values():
            control.layout.width = "12.5rem"
            control.style.description_width = "initial"
        rows = [
            [*self.settings.values()],
            [self.train_button, self.stop_button, self.progress, self.speed],
        ]
        layout = {"flex_flow": "row wrap", "grid_gap": "0 1rem", "max_width": "54rem"}
        boxes = [widgets.Box(row, layout=layout) for row in rows]
        if is_played():
            said = widgets.HTML(ANEW if trains_when_played else RECORDED)
            boxes = [said, *boxes] if trains_when_played else [said]
        self.panel.children = (*boxes, *self.panel.children)

    @property
    def running(self) -> bool:
        """Whether a training of this explorer is under way."""
        return not self.stop_button.disabled

    def start(self) -> None:
        """Train with the settings as they are now."""
        with self._errors_shown():
            steps = self._train(**{name: c.value for name, c in self.settings.items()})
            self._steps = TrainingExplorer._going_on = steps
            self._task = asyncio.get_running_loop().create_task(self._follow(steps))

    @staticmethod
    def stop() -> None:
        """Stop the training that runs in this kernel, if there is one."""
        TrainingExplorer._going_on = None

    async def _follow(self, steps: Iterator[float]) -> None:
        self.stop_button.disabled, start, count, done = False, time.perf_counter(), 0, 0.0
        try:
            with self._errors_shown():
                while done < 1 and TrainingExplorer._going_on is steps:
                    with one_at_a_time:
                        pause = time.perf_counter() + SLICE_SECONDS
                        while done < 1 and time.perf_counter() < pause:
                            done, count = next(steps), count + 1
                        self.progress.value = done
                        self.speed.value = f"{count / (time.perf_counter() - start):.0f} steps/s"
                        self._refresh()
                    await asyncio.sleep(0)
        finally:
            if self._steps is steps:  # and no newer training of this explorer
                self.stop_button.disabled = True

    def _ipython_display_(self) -> None:
        self.stop()
        super()._ipython_display_()
