"""What an explorer says as its controls are moved.

It needs nothing but bnlib, so that the Python of a web page can run it, too.
"""

import ipywidgets as widgets

from bnlib.live.explorer import Explorer


def other_values(control: widgets.ValueWidget) -> list:
    """The ends of a slider and a value between; both states of a box. Not the value it has."""
    if isinstance(control, widgets.Checkbox):
        return [not control.value]
    if hasattr(control, "options"):
        values = [option[-1] if isinstance(option, tuple) else option for option in control.options]
        return [v for v in values if v != control.value][:: 1 + len(values) // 4]
    step = control.step
    middle = control.min + step * round((control.max - control.min) / step / 3)
    return [v for v in (control.min, middle, control.max) if abs(v - control.value) > step / 2]


def lines(explorer: Explorer) -> list[str]:
    """Return what an explorer says at first, and when each control is at a few of its values."""
    said = [explorer.line]
    for control in explorer.controls.values():
        for value in [] if control.disabled else other_values(control):
            control.value = value
            said.append(explorer.line)
    return said
