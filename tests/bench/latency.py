"""Slider to picture, as a student feels it: from a key press in JupyterLab to a decoded picture.

For every explorer, in one run and in turns: the explorer itself; the floor, a slider that only
changes a label through the kernel; and `interact`, which draws the same picture as a new inline
figure at each change. Budgets: median at most 1.5 floors and at most 0.4 of interact.
"""

import statistics
import tempfile
from pathlib import Path

from tests.browser import Notebook, at_its_end, chromium, jupyterlab, write_notebook
from tests.conftest import find_browser
from tests.explorers import EXPLORERS

ROUNDS, WARM_UP = 4, 2
SETUP = """\
%matplotlib inline
import ipywidgets
from matplotlib import pyplot
from bnlib import plots
from bnlib.live import LiveFigure

class EachTimeAnew(LiveFigure):
    def __init__(self, width=8.4, height=3.4):
        self.figure = pyplot.figure(figsize=(width, height))

    def moves(self, *artists):
        "Nothing is kept from one picture to the next."

def first_slider(explorer):
    sliders = ipywidgets.IntSlider, ipywidgets.FloatSlider
    return next(n for n, c in explorer.controls.items() if isinstance(c, sliders))

def by_interact(explorer):
    name, height = first_slider(explorer), explorer.live.figure.get_figheight()
    control = explorer.controls[name]
    options = {key: getattr(control, key) for key in ("value", "min", "max", "step")}
    @plots.styled
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
                    times[name][way] += _press(opened, index, way)
    return times


def _press(opened: Notebook, index: int, way: str) -> list[float]:
    """Milliseconds for a slider moved to and fro, which ends where it started."""
    cell = opened.cell(index)
    place = cell.locator(".bnlib-controls") if way == "explorer" else cell
    slider = place.get_by_role("slider").first
    slider.focus()
    away, back = "ArrowRight", "ArrowLeft"
    if at_its_end(slider):
        away, back = back, away
    keys = [away, away, back, back] * 3
    what = "label" if way == "floor" else "img"
    return [opened.milliseconds_to(what, cell, key) for key in keys][WARM_UP:]


def table() -> str:
    """A Markdown table of medians and 95th percentiles, and the medians' ratios."""
    lines = [
        "| slider to picture, ms | explorer p50 / p95 | floor | interact | "
        "÷ floor (≤ 1.5) | ÷ interact (≤ 0.4) |",
        "|---|---|---|---|---|---|",
    ]
    for name, ways in measure().items():
        median = {way: statistics.median(times) for way, times in ways.items()}
        cells = [
            f"{median[way]:.0f} / {statistics.quantiles(times, n=20)[-1]:.0f}"
            for way, times in ways.items()
        ]
        ratios = (median["explorer"] / median[other] for other in ("floor", "interact"))
        cells += [f"{ratio:.2f}" for ratio in ratios]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
