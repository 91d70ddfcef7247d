"""Slider to picture, as a student feels it: from a key press in JupyterLab to a decoded picture.

For every explorer, in one run and in turns: the explorer itself; the floor, a slider that only
changes a label through the kernel; and `interact`, which draws the same picture as a new inline
figure at each change.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import find_browser
from tests.tools.bench.table import Row, markdown
from tests.tools.browser import (
    Notebook,
    at_its_end,
    chromium,
    jupyterlab,
    milliseconds_to,
    write_notebook,
)
from tests.tools.found import EXPLORERS

ROUNDS, WARM_UP = 4, 2
# As fast as a person presses. What is pressed at once waits for the end of the press before, which
# adds 0 to 40 ms, to a label as to a picture: ipywidgets sends a change when the last one is done.
PAUSE_MS = 100
MORE_THAN_FLOOR_MS, OF_INTERACT = 27, 0.4  # of the medians
SETUP = """\
%matplotlib inline
import ipywidgets
from matplotlib import pyplot
from bnlib.live.figure import LiveFigure, styled

OPTIONS = "options", "value", "min", "max", "step"

class EachTimeAnew(LiveFigure):
    def __init__(self, width=8.4, height=3.4):
        self.figure = pyplot.figure(figsize=(width, height))

    def moves(self, *artists):
        "Nothing is kept from one picture to the next."

def by_interact(explorer):
    name, control = next(iter(explorer.controls.items()))
    height = explorer.live.figure.get_figheight()
    options = {key: getattr(control, key) for key in OPTIONS if control.has_trait(key)}
    @styled
    def redraw(value):
        update = explorer.draw(EachTimeAnew(height=height))
        update(**explorer.values | {name: value})
        pyplot.show()
    ipywidgets.interact(redraw, value=type(control)(**options))

def floor():
    slider, label = ipywidgets.IntSlider(50), ipywidgets.Label("50")
    slider.observe(lambda change: setattr(label, "value", str(change["new"])), "value")
    display(slider, label)
"""


def measure() -> dict[str, dict[str, list[float]]]:
    """Milliseconds: explorer → way ("explorer", "floor", "interact") → all presses."""
    cells, names = [SETUP], [make.__name__ for make in EXPLORERS]
    for make in EXPLORERS:
        name = make.__name__
        cells.append(f"from {make.__module__} import {name}\n{name}()")
        cells += ["floor()", f"by_interact({name}())"]
    times = {name: {"explorer": [], "floor": [], "interact": []} for name in names}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "notebooks")
        root.mkdir()
        write_notebook(root / "latency.ipynb", cells)
        with (
            jupyterlab(root, Path(folder, "state")) as server,
            chromium(find_browser()) as page,
        ):
            opened = Notebook(page, server, "latency.ipynb")
            opened.run_all()
            for _ in range(ROUNDS):
                ways = ((name, way) for name in names for way in times[name])
                for index, (name, way) in enumerate(ways, start=1):
                    times[name][way] += press(opened, index, way)
    return times


def press(opened: Notebook, index: int, way: str) -> list[float]:
    """Milliseconds for a slider moved to and fro, which ends where it started."""
    cell = opened.cell(index)
    place = cell.locator(".bnlib-controls") if way == "explorer" else cell
    slider = place.get_by_role("slider").first
    slider.focus()
    away, back = "ArrowRight", "ArrowLeft"
    if at_its_end(slider):
        away, back = back, away
    what, times = ".widget-label" if way == "floor" else "img", []
    for key in [away, back] * 4:
        times.append(milliseconds_to(what, cell, key))
        opened.page.wait_for_timeout(PAUSE_MS)
    return times[WARM_UP:]


def p50_p95(times: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{statistics.median(times):.0f} / {statistics.quantiles(times, n=20)[-1]:.0f} ms"


def rows() -> Iterator[Row]:
    """Two rows for each explorer: by how much later than the floor, and its share of `interact`."""
    for name, ways in measure().items():
        what = f"slider to picture, {name}, p50 / p95"
        figure, floor, interact = map(p50_p95, ways.values())
        here, label, anew = map(statistics.median, ways.values())
        more, share = here - label, here / anew
        budget = f"≤ +{MORE_THAN_FLOOR_MS} ms"
        yield Row(
            what, figure, f"floor {floor}", f"{more:+.0f} ms", budget, more <= MORE_THAN_FLOOR_MS
        )
        budget = f"≤ {OF_INTERACT}"
        yield Row(
            what, figure, f"interact {interact}", f"{share:.2f}", budget, share <= OF_INTERACT
        )


if __name__ == "__main__":
    print(markdown(rows()))
