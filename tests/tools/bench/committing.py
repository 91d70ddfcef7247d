"""Commit to shown: from a key press on a prediction's button until the page says "Committed"."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, expect

from tests.conftest import find_browser
from tests.tools.bench.table import Row, markdown
from tests.tools.browser import Notebook, chromium, jupyterlab, milliseconds_to, write_notebook

PRESSES, WARM_UP = 30, 2
BUDGET_MS = 300
BUTTON = {"choice": "A", "number": "Commit", "curve": "Commit"}
CELLS = [
    "from bnlib.live.predictions import Predictions\npredict = Predictions()",
    'predict.choice(1, "ABC")',
    'predict.number(2, 0, 100, "%")',
    'predict.curve(3, [2, 4, 8, 16, 64, 256], (0, 1), "images in a batch", "accuracy")',
]


def measure() -> dict[str, list[float]]:
    """Milliseconds of all presses, for each kind of prediction."""
    times = {kind: [] for kind in BUTTON}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "notebooks")
        root.mkdir()
        write_notebook(root / "committing.ipynb", CELLS)
        with (
            jupyterlab(root, Path(folder, "state")) as server,
            chromium(find_browser()) as page,
        ):
            opened = Notebook(page, server, "committing.ipynb")
            opened.run_all()
            for _ in range(PRESSES):
                for index, kind in enumerate(times, start=1):
                    times[kind].append(commit(opened, opened.cell(index), BUTTON[kind]))
    return {kind: each[WARM_UP:] for kind, each in times.items()}


def commit(opened: Notebook, cell: Locator, button: str) -> float:
    """Milliseconds to commit; the answer is taken back afterwards."""
    status = cell.get_by_role("status").last
    cell.get_by_role("button", name=button, exact=True).focus()
    milliseconds = milliseconds_to("[role=status]", cell, "Enter")
    assert "Committed: " in status.text_content()
    cell.get_by_role("button", name="Change my mind").click()  # which waits until it is enabled
    expect(status).to_have_text("Not yet committed.")
    return milliseconds


def rows() -> Iterator[Row]:
    """A row for each kind: the median, nineteen of twenty, and the slowest."""
    for kind, times in measure().items():
        median, most, slowest = np.percentile(times, [50, 95, 100])
        figure = f"{median:.0f} / {most:.0f} / {slowest:.0f} ms"
        what = f"commit to shown, {kind}, p50 / p95 / slowest"
        yield Row(what, figure, budget=f"≤ {BUDGET_MS} ms", holds=bool(slowest <= BUDGET_MS))


if __name__ == "__main__":
    print(markdown(rows()))
