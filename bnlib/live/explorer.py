"""The explorer: controls that move the artists of a figure which was built once.

An explorer is made of controls and of one function that draws a picture on an empty `LiveFigure`
and returns another: that one gets the values of the controls, moves the artists and returns a line
of numbers.

The picture is an output of its own, updated by display id, and not a widget: so it is still there
when a saved notebook is opened the next day, on GitHub and on nbviewer.
"""

from __future__ import annotations

import html
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from bnlib.live.figure import LiveFigure, css_width, display_png, styled

# JupyterLab may have what widgets send handled by a thread of its own, or by several. Figures, and
# records that grow while they are drawn, bear one at a time.
one_at_a_time = threading.RLock()
RUN_HINT = "Run this notebook (Run ▸ Run All Cells) to move the controls: "
PLAY_MS = 300  # between two pictures
Update = Callable[..., str]


class Explorer:
    """Controls, a line of numbers, and a live figure, wired together. Display it to use it.

    An exception in `update` or in an action is shown to the student in place of the line, and
    raised.

    Args:
        draw: called once with an empty LiveFigure; draws the picture and returns `update`, which
            is called with the value of each control by name, moves the artists, and returns the
            line of numbers.
        controls: name → ipywidgets control, shown in this order. The values at the start are what
            Reset returns to.
        actions: label of a button → function that is called like `update` and returns new values
            of some controls, which hold to the last digit even where a slider cannot show them.
        play: name of a SelectionSlider that gets a Play button, which runs through its options.
        anew: name of a control that, when it is moved, returns all others to where they started.
        height: of the picture in hundreds of CSS pixels.
        text: stands for the picture where none can be shown; the line, if None. To be given where
            the numbers come from a training: their last digits differ from processor to processor,
            and the tests of the notebooks compare this text.
    """

    def __init__(
        self,
        draw: Callable[[LiveFigure], Update],
        controls: Mapping[str, widgets.ValueWidget],
        actions: Mapping[str, Callable[..., dict]] | None = None,
        *,
        play: str | None = None,
        anew: str | None = None,
        height: float = 3.8,
        text: str | None = None,
    ):
        self.draw, self.controls, self.text, self.anew = draw, dict(controls), text, anew
        self.actions = dict(actions or {})
        self.live = LiveFigure(height=height)
        self.line = ""
        self._update = styled(draw)(self.live)
        self._status = widgets.HTML()
        self._display_id: str | None = None
        self._image: widgets.Image | None = None  # in Voilà only
        self._paused = False
        self._exact: dict[str, Any] = {}
        self._start = self.values
        buttons = {**self.actions, "Reset": lambda **_: self._start}
        self.buttons = {label: self._button(label, action) for label, action in buttons.items()}
        for name, control in self.controls.items():
            control.layout.width = "22rem"
            control.style.description_width = "initial"
            control.observe(lambda change, name=name: self._moved(name), names="value")
        row = widgets.Box([*self.controls.values(), *self.buttons.values()])
        row.layout = widgets.Layout(
            flex_flow="row wrap", align_items="center", grid_gap="0 1rem", max_width="54rem"
        )
        row.add_class("bnlib-controls")  # how the browser tests tell them from other controls
        self.panel = widgets.VBox([row, self._status])
        self.play = self._add_play(self.controls[play]) if play else None
        self._refresh()

    @property
    def values(self) -> dict[str, Any]:
        """The value of each control by name: what was last set, or what its widget says."""
        return {
            name: self._exact.get(name, control.value) for name, control in self.controls.items()
        }

    def set(self, **values) -> None:
        """Set several controls by name, as if they had moved at once: the picture is drawn once.

        Raises:
            KeyError: an unknown name; no control has moved.
            TraitError: a value that a control cannot take; no control has moved.
        """
        before = {name: control.value for name, control in self.controls.items()}
        if unknown := values.keys() - before.keys():
            raise KeyError(f"expected names out of {[*before]}, got {sorted(unknown)}")
        with one_at_a_time:
            self._paused = True
            try:
                self._assign(values)
            except Exception:
                self._assign(before)
                raise
            finally:
                self._paused = False
            for name in values:  # as the control took it, in its range
                self._exact[name] = self.controls[name].value
            self._refresh()

    def png(self) -> bytes:
        """Return the picture as the student sees it, PNG bytes."""
        with one_at_a_time:
            return self.live.png()

    def _assign(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.controls[name].value = value

    def _moved(self, name: str) -> None:
        """Follow a control that has moved, unless it has only rounded what was set."""
        with one_at_a_time:
            if self._paused or self._rounds(name):
                return
            self._exact.pop(name, None)
            if name == self.anew:
                self.set(**{**self._start, name: self.controls[name].value})
            else:
                self._refresh()

    def _rounds(self, name: str) -> bool:
        """Whether a slider shows what was set at the nearest of its steps: in a page it must."""
        control = self.controls[name]
        if name not in self._exact or not isinstance(control, widgets.FloatSlider):
            return False
        return abs(control.value - self._exact[name]) <= 0.5001 * control.step

    def _add_play(self, slider: widgets.SelectionSlider) -> widgets.Play:
        """Put a Play that runs through the options of `slider` above the line of numbers."""
        play = widgets.Play(value=slider.index, max=len(slider.options) - 1, interval=PLAY_MS)
        widgets.link((play, "value"), (slider, "index"))
        row = widgets.HBox([widgets.Label("Play through the training:"), play])
        *above, line = self.panel.children
        self.panel.children = (*above, row, line)
        return play

    def _button(self, label: str, action: Callable[..., dict]) -> widgets.Button:
        def on_click(_) -> None:
            with self._errors_shown():
                self.set(**action(**self.values))

        button = widgets.Button(description=label, layout=widgets.Layout(width="auto"))
        button.on_click(on_click)
        return button

    def _refresh(self) -> None:
        with one_at_a_time, self._errors_shown():
            if self._paused:
                return
            self.line = self._update(**self.values)
            if self._display_id:
                self._show_picture(update=True)
            self._say(self.line)

    @contextmanager
    def _errors_shown(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._say(f"{type(error).__name__}: {error} (The picture has not changed.)", "alert")
            raise

    def _say(self, text: str, role: str = "status") -> None:
        colour = "#b00020" if role == "alert" else "inherit"
        self._status.value = (
            f'<div role="{role}" style="font-size: 1.1em; line-height: 1.5; color: {colour}; '
            f'white-space: normal; font-variant-numeric: tabular-nums">{html.escape(text)}</div>'
        )

    def _ipython_display_(self) -> None:
        if os.environ.get("SERVER_SOFTWARE", "").startswith("voila") and not self._image:
            # On a page of Voilà outputs stay as they are, and only widgets change.
            self._image = widgets.Image(width=css_width(self.live.figure))
            self.panel.children += (self._image,)
        controls = self.panel._repr_mimebundle_()
        names = [control.description for control in self.controls.values()]
        controls["text/plain"] = RUN_HINT + ", ".join([*names, *self.buttons])
        display(controls, raw=True)
        self._display_id = self._display_id or uuid.uuid4().hex
        self._show_picture()

    def _show_picture(self, update: bool = False) -> None:
        if self._image:
            self._image.value = self.png()
            return
        options = {"display_id": self._display_id, "update": update}
        display_png(self.live.figure, self.png(), self.text or self.line, **options)
