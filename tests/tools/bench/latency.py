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
from tests.tools.browser import Notebook, at_its_end, chromium, jupyterlab, write_notebook
from tests.tools.found import EXPLORERS

ROUNDS, WARM_UP = 4, 2
BUDGETS = {"floor": 1.5, "interact": 0.4}  # of the medians
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
            chromium(find_browser()) as browser,
        ):
            opened = Notebook(browser, server, "latency.ipynb")
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
    keys = [away, back] * 6
    what = ".widget-label" if way == "floor" else "img"
    return [opened.milliseconds_to(what, cell, key) for key in keys][WARM_UP:]


def p50_p95(times: list[float]) -> str:
    """Median and 95th percentile."""
    return f"{statistics.median(times):.0f} / {statistics.quantiles(times, n=20)[-1]:.0f} ms"


def rows() -> Iterator[Row]:
    """Two rows for each explorer: beside the floor, and beside `interact`."""
    for name, ways in measure().items():
        what = f"slider to picture, {name}, p50 / p95"
        for other, budget in BUDGETS.items():
            ratio = statistics.median(ways["explorer"]) / statistics.median(ways[other])
            beside = f"{other} {p50_p95(ways[other])}"
            figures = p50_p95(ways["explorer"]), beside, f"{ratio:.2f}", f"≤ {budget}"
            yield Row(what, *figures, ratio <= budget)


if __name__ == "__main__":
    print(markdown(rows()))
